"""What the tests of the data serve and read: a small set in MNIST's own format, a server of it, and the real data."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import course_utils.data  # noqa: F401 (so that processes forked from one that has imported this start quickly)
from course_utils.data.catalogue import DataFile, ImageSet, TextSet, known
from course_utils.data.sets import mnist

IMAGE_FILE = "train-images-idx3-ubyte"
STAND_IN = "handwritten digits, built-in stand-in for MNIST"
TEXT = "To sleep, perchance to read a small set.\n" * 20


def pixels(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of shape (n, 28, 28) and labels of shape (n,), both uint8."""
    chance = np.random.default_rng(seed)
    return chance.integers(0, 256, (n, 28, 28), dtype=np.uint8), chance.integers(0, 10, n, dtype=np.uint8)


def contents() -> dict[str, bytes]:
    """The four files of the small set: 24 training and 6 test images."""
    files = {}
    for kind, seed, n in (("train", 1, 24), ("t10k", 2, 6)):
        images, labels = pixels(seed, n)
        files[f"{kind}-images-idx3-ubyte"] = struct.pack(">IIII", 0x803, n, 28, 28) + images.tobytes()
        files[f"{kind}-labels-idx1-ubyte"] = struct.pack(">II", 0x801, n) + labels.tobytes()
    return files


def pack(content: bytes) -> bytes:
    """The same bytes each time, gzipped."""
    return gzip.compress(content, mtime=0)


def small_images(name: str = "mnist") -> ImageSet:
    """The course's set of that name with the small files in place of the real ones."""
    files = tuple(DataFile(n, len(c), hashlib.md5(c).hexdigest()) for n, c in contents().items())
    return replace(known(ImageSet)[name], files=files, system_folder=None)


def small_text() -> TextSet:
    content = TEXT.encode()
    file = DataFile("input.txt", len(content), hashlib.sha256(content).hexdigest())
    return replace(known(TextSet)["tiny-shakespeare"], files=(file,))


def lay(folder: Path, *, packed: bool = False) -> Path:
    """Write the small set into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents().items():
        (folder / (f"{name}.gz" if packed else name)).write_bytes(pack(content) if packed else content)
    return folder


class Server:
    """Serves files by path, counts what is asked for, and can be told to answer something else."""

    def __init__(self) -> None:
        self.files = {f"/MNIST/{name}.gz": pack(content) for name, content in contents().items()}
        self.files["/tinyshakespeare/input.txt"] = TEXT.encode()
        self.gets: Counter[str] = Counter()
        self.answer: Callable[[http.server.BaseHTTPRequestHandler, bytes], None] | None = None
        self.address = ""


@contextmanager
def serving() -> Iterator[Server]:
    """A :class:`Server` on a free port of this machine."""
    server = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._reply(body=False)

        def do_GET(self) -> None:
            server.gets[self.path] += 1
            self._reply(body=True)

        def _reply(self, *, body: bool) -> None:
            content = server.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            if body and server.answer is not None:
                server.answer(self, content)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    class Httpd(http.server.ThreadingHTTPServer):
        request_queue_size = (
            128  # eight processes knock 32 times at once; beyond 5, Python's default, some wait seconds
        )

    with Httpd(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        server.address = f"http://127.0.0.1:{httpd.server_port}"
        try:
            yield server
        finally:
            httpd.shutdown()


def load_in_a_process(environment: dict[str, str], together: Any, results: Any) -> None:
    """Load the small set, at the same moment as all who wait at ``together``; report sums of it."""
    os.environ.update(environment)
    os.environ.pop("COURSE_DATA", None)
    mnist.SET = small_images()
    from course_utils.data import load_images

    together.wait()
    try:
        data = load_images("mnist", device="cpu")
        results.put((data.source, float(data.train_val.images.double().sum()), int(data.test.labels.sum())))
    except BaseException as error:
        results.put(repr(error))


def send(content: bytes, claimed: int | None = None) -> Callable[[http.server.BaseHTTPRequestHandler, bytes], None]:
    """What answers with ``content``, whatever was asked for, and says that it has ``claimed`` bytes."""

    def answer(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(claimed or len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def slowly(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
    """Answer, send a little, and then nothing more for a while."""
    send(content[:10], claimed=len(content))(handler, content)
    handler.wfile.flush()
    time.sleep(3)


def left_over(cache: Path) -> list[str]:
    """What lies in the cache besides the files of the sets and the locks."""
    names = {*contents(), "input.txt"}
    return [p.name for p in cache.rglob("*") if p.is_file() and p.name not in names and p.suffix != ".lock"]


def assert_small(data: Any) -> None:
    """The very pixels and labels of the small set, in order."""
    for split, seed, n in ((data.train_val, 1, 24), (data.test, 2, 6)):
        images, labels = pixels(seed, n)
        assert torch.equal(split.images, torch.from_numpy(images).unsqueeze(1).float() / 255)
        assert torch.equal(split.labels, torch.from_numpy(labels).long())
    assert data.is_real


def dead_address() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def real_folder(below: str) -> Path:
    """The user's folder of real data; the test is skipped where there is none, or nothing at ``below`` in it."""
    root = os.environ.get("COURSE_DATA")
    if not root or not (Path(root).expanduser() / below).is_dir():
        pytest.skip(f"COURSE_DATA names no folder with {below}")
    return Path(root).expanduser()
