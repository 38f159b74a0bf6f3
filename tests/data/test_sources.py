"""Where data comes from: the order of the sources, what is said, and that no damaged file becomes a tensor."""

from __future__ import annotations

import errno
import gzip
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import pytest
import small_sets
import torch
from small_sets import Server

from course_utils.commands import data as prepare
from course_utils.data import _torchvision, downloads, load_images, load_text, loaded_sources, sources
from course_utils.data.catalogue import ImageSet, known
from course_utils.data.sets import fashion_mnist, mnist, tiny_shakespeare
from course_utils.errors import DataError, InputError

IMAGE_FILE = "train-images-idx3-ubyte"
STAND_IN = "handwritten digits, built-in stand-in for MNIST"


def dead_address() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data anywhere: an empty cache, no folder, no network; the small sets in place of the real ones."""
    folder = tmp_path / "cache"
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(folder))
    monkeypatch.setenv("COURSE_MIRROR", dead_address())
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setattr(mnist, "SET", small_sets.small_images())
    monkeypatch.setattr(fashion_mnist, "SET", small_sets.small_images("fashion-mnist"))
    monkeypatch.setattr(tiny_shakespeare, "SET", small_sets.small_text())
    monkeypatch.setattr(downloads, "_session", {})
    monkeypatch.setattr(sources, "_loaded", [])
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with small_sets.serving() as running:
        monkeypatch.setenv("COURSE_MIRROR", running.address)
        yield running


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, empty."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("COURSE_DATA", str(folder))
    return folder


def left_over(cache: Path) -> list[str]:
    """What lies in the cache besides the files of the sets and the locks."""
    names = {f"{name}" for name in small_sets.contents()} | {"input.txt"}
    return [p.name for p in cache.rglob("*") if p.is_file() and p.name not in names and p.suffix != ".lock"]


def assert_small(data: Any) -> None:
    """The very pixels and labels of the small set, in order."""
    for split, seed, n in ((data.train_val, 1, 24), (data.test, 2, 6)):
        images, labels = small_sets.pixels(seed, n)
        assert torch.equal(split.images, torch.from_numpy(images).unsqueeze(1).float() / 255)
        assert torch.equal(split.labels, torch.from_numpy(labels).long())
    assert data.is_real


@pytest.mark.parametrize("packed", [False, True])
def test_own_folder_comes_first(own: Path, server: Server, packed: bool, capsys: pytest.CaptureFixture[str]) -> None:
    small_sets.lay(own / "MNIST" / "raw", packed=packed)
    data = load_images("mnist")
    assert_small(data)
    assert data.source == "MNIST, your folder"
    assert loaded_sources() == ["MNIST, your folder"]
    assert not server.gets
    assert capsys.readouterr().out == "MNIST, your folder: 22 training, 2 validation, 6 test images\n"


def test_own_folder_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r'COURSE_DATA is ".*nowhere", which is no folder'):
        load_images("mnist")


def test_own_folder_in_the_home_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", "~nobody-of-this-name/data")
    with pytest.raises(InputError, match="is no folder"):
        load_images("mnist")


def test_own_folder_that_lacks_the_set(own: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_sets.lay(own / "MNIST" / "raw")
    (own / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    small_sets.lay(cache / "MNIST" / "raw")
    data = load_images("mnist")
    assert_small(data)
    assert data.source == "MNIST, the course's cache"
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "COURSE_DATA" in lines[0]
    assert "has no MNIST/raw/t10k-labels-idx1-ubyte" in lines[0]


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _one_bit_off(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    ("packed", "damage", "problem"),
    [
        (False, _cut, "cut short: 9,416 of 18,832 bytes"),
        (False, _one_bit_off, "its md5 sum is wrong"),
        (False, lambda content: b"", "cut short: 0 of 18,832 bytes"),
        (True, _cut, "cut short"),
        (True, lambda content: b"<html>log in first</html>", "it is no gzip file"),
        (True, lambda content: content[:40] + b"\xff" * 40 + content[80:], "its gzip data is broken"),
        (True, lambda content: gzip.compress(_one_bit_off(gzip.decompress(content))), "its md5 sum is wrong"),
    ],
)
def test_damaged_file_in_own_folder_names_file_and_mend(
    own: Path, server: Server, packed: bool, damage: Any, problem: str
) -> None:
    path = small_sets.lay(own / "MNIST" / "raw", packed=packed) / (f"{IMAGE_FILE}.gz" if packed else IMAGE_FILE)
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(DataError) as caught:
        load_images("mnist")
    message = str(caught.value)
    assert f"MNIST/raw/{path.name} in your folder (COURSE_DATA)" in message
    assert problem in message
    assert "good copy" in message
    assert "\n" not in message
    assert path.read_bytes() == before  # what is the user's is left alone
    assert not loaded_sources()


@pytest.mark.parametrize("damage", [_cut, _one_bit_off])
def test_damaged_cache_is_set_aside_and_fetched_anew(
    cache: Path, server: Server, damage: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small_sets.lay(cache / "MNIST" / "raw") / IMAGE_FILE
    good = path.read_bytes()
    path.write_bytes(damage(good))
    data = load_images("mnist")
    assert_small(data)
    assert data.source == "MNIST, the course's cache"
    assert path.read_bytes() == good
    assert path.with_name(f"{IMAGE_FILE}.damaged").read_bytes() == damage(good)
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith(f"{IMAGE_FILE} of MNIST in the course's cache is damaged")
    assert f"set aside as {IMAGE_FILE}.damaged and fetched anew" in line


def test_damaged_cache_offline_gives_the_stand_in(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = small_sets.lay(cache / "MNIST" / "raw") / "t10k-labels-idx1-ubyte"
    path.write_bytes(b"")
    assert load_images("mnist").source == STAND_IN
    assert "t10k-labels-idx1-ubyte of MNIST" in capsys.readouterr().out


def test_system_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_sets.lay(tmp_path / "debian", packed=True)
    small = replace(small_sets.small_images("fashion-mnist"), system_folder=folder)
    monkeypatch.setattr(fashion_mnist, "SET", small)
    data = load_images("fashion-mnist")
    assert_small(data)
    assert data.source == "Fashion-MNIST, Debian's package"
    assert data.classes[9] == "ankle boot"
    capsys.readouterr()
    (folder / f"{IMAGE_FILE}.gz").write_bytes(b"no gzip")
    data = load_images("fashion-mnist")
    assert data.source == "handwritten digits, built-in stand-in for Fashion-MNIST"
    line = capsys.readouterr().out.splitlines()[0]
    assert f"{IMAGE_FILE}.gz is damaged: it is no gzip file" in line
    assert "apt install --reinstall dataset-fashion-mnist" in line


def test_download_is_kept(cache: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    cache.mkdir()
    (cache / f".mnist-{IMAGE_FILE}.part").write_bytes(b"half")  # of a process that was killed
    data = load_images("mnist")
    assert_small(data)
    assert data.source == "MNIST, the course's cache"
    assert server.gets == {path: 1 for path in server.files if path.startswith("/MNIST")}
    assert not left_over(cache)
    output = capsys.readouterr()
    assert "Downloading MNIST" in output.out
    assert "100%" in output.out
    assert output.err == ""
    assert_small(load_images("mnist"))
    assert sum(server.gets.values()) == 4


def test_text_is_downloaded_and_split(cache: Path, server: Server) -> None:
    text = load_text("tiny-shakespeare")
    assert text.source == "tiny Shakespeare, the course's cache"
    assert text.is_real
    assert text.train_val + text.test == small_sets.TEXT
    assert text.train + text.val == text.train_val
    assert (len(text.test), len(text.val)) == (82, 74)
    assert text.log_prob is None
    assert text.alphabet == "".join(sorted(set(small_sets.TEXT)))
    assert not left_over(cache)


def _send(content: bytes, claimed: int | None = None) -> Any:
    def answer(handler: Any, _: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(claimed or len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.mark.parametrize("name", ["mnist", "tiny-shakespeare"])
@pytest.mark.parametrize(
    "answer",
    [
        _send(b"<html>log in first</html>"),
        _send(small_sets.pack(b"something else")),
        _send(b"half", claimed=4000),
        small_sets.slowly,
    ],
    ids=["login page", "wrong file", "cut short", "silent"],
)
def test_bad_download_leaves_nothing(
    cache: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    answer: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(downloads, "READ_SECONDS", 0.3)
    server.answer = answer
    data = load_images(name) if name == "mnist" else load_text(name)
    assert not data.is_real
    assert "could not be downloaded" in capsys.readouterr().out
    assert [p for p in cache.rglob("*") if p.is_file() and p.suffix != ".lock"] == []
    server.answer = None
    data = load_images(name) if name == "mnist" else load_text(name)
    assert data.is_real


def test_mirror_that_never_answers_costs_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PROBE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("COURSE_MIRROR", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        assert load_images("mnist").source == STAND_IN
        assert time.monotonic() - start < 5


def test_mirror_that_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_MIRROR", "lecture-hall:8000")
    with pytest.raises(InputError, match="COURSE_MIRROR"):
        load_images("mnist")


def test_cache_that_cannot_be_written(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "cache"))
    data = load_images("mnist")
    assert_small(data)
    assert data.source == "MNIST, downloaded for this session"
    lines = [line for line in capsys.readouterr().out.splitlines() if "cannot be written" in line]
    assert len(lines) == 1
    assert "COURSE_CACHE" in lines[0]
    assert_small(load_images("mnist"))
    assert sum(server.gets.values()) == 4  # the second time it is there


def _full_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every write of a download below this folder fail as on a full disk, after half of it is written."""

    def opened(path: Any, mode: str = "r") -> Any:
        handle = open(path, mode)  # noqa: SIM115
        if "w" in mode and Path(path).is_relative_to(folder):
            handle.write(b"half")
            handle.close()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return handle

    monkeypatch.setattr(downloads, "open", opened, raising=False)


@pytest.mark.parametrize("name", ["mnist", "tiny-shakespeare"])
def test_full_disk(
    cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    load = load_images if name == "mnist" else load_text
    _full_below(cache.parent, monkeypatch)  # nothing is written anywhere else
    data = load(name)
    assert data.is_real
    assert data.source.endswith("downloaded for this session")
    lines = [line for line in capsys.readouterr().out.splitlines() if "No space left on device" in line]
    assert len(lines) == 1
    assert not left_over(cache)
    assert not (cache / mnist.SET.folder).exists()
    gets = sum(server.gets.values())
    assert load(name).is_real
    assert sum(server.gets.values()) == gets  # kept in memory


def test_waiting_for_another_process_ends(
    cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(downloads, "LOCK_SECONDS", 0.3)
    cache.mkdir()
    with filelock.FileLock(cache / ".mnist.lock"):
        assert load_images("mnist").source == STAND_IN
    output = capsys.readouterr().out
    assert "Another process is fetching MNIST" in output
    assert "delete " in output
    assert not server.gets
    assert_small(load_images("mnist"))


def test_stand_in_is_announced_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        data = load_images("mnist")
        assert not data.is_real
        assert data.source == STAND_IN
    assert capsys.readouterr().out.count("Stand-in data: MNIST") == 1
    load_images("fashion-mnist")
    text = load_text("tiny-shakespeare")
    output = capsys.readouterr().out
    assert output.count("Stand-in data") == 2
    assert text.source == "generated blank verse, built-in stand-in for tiny Shakespeare"
    page = sources.StandInBanner("A <set>", "digits & co")._repr_html_()
    assert "A &lt;set&gt;" in page
    assert "digits &amp; co" in page
    assert loaded_sources() == [
        STAND_IN,
        "handwritten digits, built-in stand-in for Fashion-MNIST",
        "generated blank verse, built-in stand-in for tiny Shakespeare",
    ]


def test_names_are_suggested() -> None:
    with pytest.raises(InputError, match='Did you mean "mnist"'):
        load_images("mnits")
    with pytest.raises(InputError, match='Did you mean "tiny-shakespeare"'):
        load_text("shakespear")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Processes that start quickly: forked from one that has torch and torchvision already."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot fork")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "support"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["small_sets"])
    return context


def test_eight_processes_fetch_once(cache: Path, server: Server, processes: Any) -> None:
    server.answer = _after_a_moment
    environment = {key: os.environ[key] for key in ("COURSE_CACHE", "COURSE_MIRROR")}
    together, results = processes.Barrier(8), processes.Queue()
    arguments = (environment, together, results)
    workers = [processes.Process(target=small_sets.load_in_a_process, args=arguments) for _ in range(8)]
    for worker in workers:
        worker.start()
    got = [results.get(timeout=90) for _ in workers]
    for worker in workers:
        worker.join(timeout=30)
    images, _ = small_sets.pixels(1, 24)
    _, labels = small_sets.pixels(2, 6)
    assert {result[0] for result in got} == {"MNIST, the course's cache"}
    assert [result[1] for result in got] == pytest.approx([images.sum(dtype=float) / 255] * 8)
    assert [result[2] for result in got] == [int(labels.sum())] * 8
    assert server.gets == {path: 1 for path in server.files if path.startswith("/MNIST")}
    assert not left_over(cache)


def _after_a_moment(handler: Any, content: bytes) -> None:
    time.sleep(0.2)
    _send(content)(handler, content)


def test_process_killed_while_it_downloads(cache: Path, server: Server, processes: Any) -> None:
    server.answer = small_sets.slowly
    environment = {key: os.environ[key] for key in ("COURSE_CACHE", "COURSE_MIRROR")}
    arguments = (environment, processes.Barrier(1), processes.Queue())
    worker = processes.Process(target=small_sets.load_in_a_process, args=arguments)
    worker.start()
    end = time.monotonic() + 60
    while not server.gets and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.2)
    worker.kill()
    worker.join(timeout=30)
    assert (worker.exitcode, sum(server.gets.values())) == (-signal.SIGKILL, 1), "it was not killed half-way"
    server.answer = None
    assert_small(load_images("mnist"))
    assert not left_over(cache)


@pytest.mark.parametrize(
    ("mirror", "load"),
    [
        ("dead mirror", 'load_images("mnist")'),
        ("default mirrors", 'load_images("mnist")'),
        ("default mirrors", 'load_text("tiny-shakespeare")'),
    ],
)
def test_offline_costs_seconds_in_a_fresh_process(mirror: str, load: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "COURSE_MIRROR"}
    if mirror == "dead mirror":
        environment["COURSE_MIRROR"] = dead_address()
    else:  # a proxy that is not there makes every machine offline
        environment |= {"http_proxy": dead_address(), "https_proxy": dead_address(), "no_proxy": ""}
    code = f"from course_utils.data import load_images, load_text; assert not {load}.is_real"
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=99)
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("! Stand-in data: ") == 1
    # ten seconds on a machine that is not shared; what waits for a processor meanwhile is not counted
    crowded = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 1.0
    assert seconds < 10 * min(max(crowded, 1.0), 3.0)


def test_mirrors_are_torchvisions() -> None:
    datasets = _torchvision.load().datasets
    for data in known(ImageSet).values():
        theirs = getattr(datasets, data.mirror_folder)
        assert list(data.mirrors) == theirs.mirrors
        assert [f"{file.name}.gz" for file in data.files] == [n for n, _ in theirs.resources]


def test_prepare_says_what_it_found(own: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    small_sets.lay(own / "MNIST" / "raw")
    small_sets.lay(own / "FashionMNIST" / "raw")
    assert prepare.main([]) == 0
    output = capsys.readouterr().out
    assert "✓ MNIST, your folder" in output
    assert "✓ tiny Shakespeare, the course's cache" in output
    shutil.rmtree(own / "FashionMNIST")
    (own / "MNIST" / "raw" / IMAGE_FILE).write_bytes(b"")
    assert prepare.main([]) == 1
    output = capsys.readouterr().out
    assert f"MNIST/raw/{IMAGE_FILE} in your folder" in output
    assert "✗ Fashion-MNIST is not ready" in output
    assert "2 of 3 could not be prepared" in output
