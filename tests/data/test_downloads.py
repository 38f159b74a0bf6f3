"""Downloads: kept, verified, by one process; what goes wrong costs seconds, leaves nothing behind and is said."""

from __future__ import annotations

import errno
import gzip
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import filelock
import pytest
import small_sets
from small_sets import Server

from course_utils.data import _torchvision, downloads, load_images, load_text
from course_utils.data.catalogue import ImageSet, known
from course_utils.data.sets import mnist
from course_utils.errors import InputError

pytestmark = pytest.mark.usefixtures("cache")


def test_download_is_kept(cache: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    cache.mkdir()
    (cache / f".mnist-{small_sets.IMAGE_FILE}.part").write_bytes(b"half")  # of a process that was killed
    data = load_images("mnist")
    small_sets.assert_small(data)
    assert data.source == "MNIST, the course's cache"
    assert server.gets == {path: 1 for path in server.files if path.startswith("/MNIST")}
    assert not small_sets.left_over(cache)
    output = capsys.readouterr()
    assert "Downloading MNIST" in output.out
    assert "100%" in output.out
    assert output.err == ""
    small_sets.assert_small(load_images("mnist"))
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
    assert not small_sets.left_over(cache)


@pytest.mark.parametrize("name", ["mnist", "tiny-shakespeare"])
@pytest.mark.parametrize(
    "answer",
    [
        small_sets.send(b"<html>log in first</html>"),
        small_sets.send(small_sets.pack(b"something else")),
        small_sets.send(b"half", claimed=4000),
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
        assert load_images("mnist").source == small_sets.STAND_IN
        assert time.monotonic() - start < 5


def test_mirror_that_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_MIRROR", "lecture-hall:8000")
    with pytest.raises(InputError, match="COURSE_MIRROR"):
        load_images("mnist")


def _dotted(name: str) -> str:
    return f"{name.replace('-idx', '.idx')}.gz"


@pytest.mark.parametrize(
    ("folder", "rename", "wrap"),
    [
        ("MNIST/raw", str, bytes),
        ("MNIST/raw", lambda name: f"{name}.gz", small_sets.pack),
        ("MNIST", str, bytes),
        ("MNIST", _dotted, small_sets.pack),
        ("MNIST", lambda name: f"{name}.gz", lambda content: gzip.compress(content, compresslevel=1)),
    ],
    ids=["like a data folder", "like one, packed", "unpacked", "dotted", "packed otherwise"],
)
def test_mirror_may_wrap_its_files_as_it_likes(
    cache: Path, server: Server, folder: str, rename: Any, wrap: Any
) -> None:
    contents = small_sets.contents()
    server.files = {f"/{folder}/{rename(name)}": wrap(content) for name, content in contents.items()}
    data = load_images("mnist")
    small_sets.assert_small(data)
    assert data.source == "MNIST, the course's cache"
    assert {name: (cache / "MNIST" / "raw" / name).read_bytes() for name in contents} == contents
    assert server.gets == dict.fromkeys(server.files, 1)


def test_mirror_with_a_bad_file_that_has_a_good_one(cache: Path, server: Server) -> None:
    server.files |= {f"/MNIST/raw/{name}": content for name, content in small_sets.contents().items()}
    server.files[f"/MNIST/{small_sets.IMAGE_FILE}.gz"] = b"<html>log in first</html>"
    small_sets.assert_small(load_images("mnist"))


def test_cache_that_cannot_be_written(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "cache"))
    data = load_images("mnist")
    small_sets.assert_small(data)
    assert data.source == "MNIST, downloaded for this session"
    lines = [line for line in capsys.readouterr().out.splitlines() if "cannot be written" in line]
    assert len(lines) == 1
    assert "COURSE_CACHE" in lines[0]
    small_sets.assert_small(load_images("mnist"))
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
    assert not small_sets.left_over(cache)
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
        assert load_images("mnist").source == small_sets.STAND_IN
    output = capsys.readouterr().out
    assert "Another process is fetching MNIST" in output
    assert "delete " in output
    assert not server.gets
    small_sets.assert_small(load_images("mnist"))


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
        environment["COURSE_MIRROR"] = small_sets.dead_address()
    else:  # a proxy that is not there makes every machine offline
        environment |= {
            "http_proxy": small_sets.dead_address(),
            "https_proxy": small_sets.dead_address(),
            "no_proxy": "",
        }
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
