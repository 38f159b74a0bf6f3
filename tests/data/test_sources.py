"""Where data comes from: the order of the sources, what is said, and that no damaged file becomes a tensor."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import small_sets
from small_sets import Server

from course_utils import metrics
from course_utils.commands import data as prepare
from course_utils.data import load_images, load_text, loaded_sources, sources
from course_utils.data.sets import fashion_mnist
from course_utils.errors import DataError, InputError

pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.parametrize("packed", [False, True])
def test_own_folder_comes_first(own: Path, server: Server, packed: bool, capsys: pytest.CaptureFixture[str]) -> None:
    small_sets.lay(own / "MNIST" / "raw", packed=packed)
    data = load_images("mnist")
    small_sets.assert_small(data)
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
    small_sets.assert_small(data)
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
    path = small_sets.lay(own / "MNIST" / "raw", packed=packed) / (
        f"{small_sets.IMAGE_FILE}.gz" if packed else small_sets.IMAGE_FILE
    )
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
    path = small_sets.lay(cache / "MNIST" / "raw") / small_sets.IMAGE_FILE
    good = path.read_bytes()
    path.write_bytes(damage(good))
    data = load_images("mnist")
    small_sets.assert_small(data)
    assert data.source == "MNIST, the course's cache"
    assert path.read_bytes() == good
    assert path.with_name(f"{small_sets.IMAGE_FILE}.damaged").read_bytes() == damage(good)
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith(f"{small_sets.IMAGE_FILE} of MNIST in the course's cache is damaged")
    assert f"set aside as {small_sets.IMAGE_FILE}.damaged and fetched anew" in line


def test_damaged_cache_offline_gives_the_stand_in(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = small_sets.lay(cache / "MNIST" / "raw") / "t10k-labels-idx1-ubyte"
    path.write_bytes(b"")
    assert load_images("mnist").source == small_sets.STAND_IN
    assert "t10k-labels-idx1-ubyte of MNIST" in capsys.readouterr().out


def test_system_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = small_sets.lay(tmp_path / "debian", packed=True)
    small = replace(small_sets.small_images("fashion-mnist"), system_folder=folder)
    monkeypatch.setattr(fashion_mnist, "SET", small)
    data = load_images("fashion-mnist")
    small_sets.assert_small(data)
    assert data.source == "Fashion-MNIST, Debian's package"
    assert data.classes[9] == "ankle boot"
    capsys.readouterr()
    (folder / f"{small_sets.IMAGE_FILE}.gz").write_bytes(b"no gzip")
    data = load_images("fashion-mnist")
    assert data.source == "handwritten digits, built-in stand-in for Fashion-MNIST"
    line = capsys.readouterr().out.splitlines()[0]
    assert f"{small_sets.IMAGE_FILE}.gz is damaged: it is no gzip file" in line
    assert "apt install --reinstall dataset-fashion-mnist" in line


def test_stand_in_is_announced_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        data = load_images("mnist")
        assert not data.is_real
        assert data.source == small_sets.STAND_IN
    output = capsys.readouterr().out
    assert output.count("Stand-in data: MNIST") == 1
    assert output.isascii()  # so that no console stops at it
    load_images("fashion-mnist")
    text = load_text("tiny-shakespeare")
    output = capsys.readouterr().out
    assert output.count("Stand-in data") == 2
    assert text.source == "generated blank verse, built-in stand-in for tiny Shakespeare"
    page = sources.StandInBanner("A <set>", "digits & co")._repr_html_()
    assert "A &lt;set&gt;" in page
    assert "digits &amp; co" in page
    assert loaded_sources() == [
        small_sets.STAND_IN,
        "handwritten digits, built-in stand-in for Fashion-MNIST",
        "generated blank verse, built-in stand-in for tiny Shakespeare",
    ]


def test_prepare_says_what_it_found(
    own: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics, "load_judge", lambda data: SimpleNamespace(accuracy=0.5, seconds=0.0))
    small_sets.lay(own / "MNIST" / "raw")
    small_sets.lay(own / "FashionMNIST" / "raw")
    assert prepare.main([]) == 0
    output = capsys.readouterr().out
    assert "✓ MNIST, your folder" in output
    assert "✓ tiny Shakespeare, the course's cache" in output
    shutil.rmtree(own / "FashionMNIST")
    (own / "MNIST" / "raw" / small_sets.IMAGE_FILE).write_bytes(b"")
    assert prepare.main([]) == 1
    output = capsys.readouterr().out
    assert f"MNIST/raw/{small_sets.IMAGE_FILE} in your folder" in output
    assert "✗ Fashion-MNIST is not ready" in output
    assert "4 of 5 could not be prepared" in output


@pytest.mark.parametrize(
    ("folder", "rename", "wrap"),
    [
        ("MNIST/raw", str, lambda content: gzip.compress(content, compresslevel=1)),
        ("MNIST/raw", lambda name: f"{name}.gz", lambda content: gzip.compress(content, compresslevel=1)),
        ("MNIST/raw", lambda name: f"{name}.gz", bytes),
        ("MNIST/raw", lambda name: name.replace("-idx", ".idx"), bytes),
        ("MNIST/raw", lambda name: f"{name.replace('-idx', '.idx')}.gz", small_sets.pack),
        ("MNIST", lambda name: f"{name}.gz", small_sets.pack),
    ],
    ids=["packed unnamed", "packed otherwise", "unpacked by a browser", "dotted", "dotted, packed", "like a mirror"],
)
def test_good_files_are_read_in_any_wrapping(
    own: Path, server: Server, folder: str, rename: Any, wrap: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (own / folder).mkdir(parents=True)
    for name, content in small_sets.contents().items():
        (own / folder / rename(name)).write_bytes(wrap(content))
    data = load_images("mnist")
    small_sets.assert_small(data)
    assert data.source == "MNIST, your folder"
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert not server.gets


def test_good_copy_beside_a_damaged_one(own: Path) -> None:
    folder = small_sets.lay(own / "MNIST" / "raw")
    small_sets.lay(folder, packed=True)
    (folder / small_sets.IMAGE_FILE).write_bytes(b"half")
    small_sets.assert_small(load_images("mnist"))


def test_text_with_other_line_ends(own: Path) -> None:
    (own / "tinyshakespeare").mkdir()
    content = b"\xef\xbb\xbf" + small_sets.TEXT.replace("\n", "\r\n").encode()
    (own / "tinyshakespeare" / "input.txt").write_bytes(content)
    text = load_text("tiny-shakespeare")
    assert text.source == "tiny Shakespeare, your folder"
    assert text.train_val + text.test == small_sets.TEXT


def test_files_that_were_exchanged_are_named(own: Path) -> None:
    folder = small_sets.lay(own / "MNIST" / "raw")
    shutil.copy(folder / "t10k-images-idx3-ubyte", folder / small_sets.IMAGE_FILE)
    with pytest.raises(DataError, match=r"it holds t10k-images-idx3-ubyte of (Fashion-)?MNIST"):
        load_images("mnist")


@pytest.mark.parametrize(
    "near",
    [
        "MNIST/raw/train-images-idx3-ubyte.zip",
        "MNIST/raw/Train-Images-idx3-ubyte",
        "MNIST/raw/train-images.idx3-ubyte.txt",
        "raw/train-images-idx3-ubyte",
        "train-images-idx3-ubyte.gz",
        "mnist.npz",
    ],
)
def test_near_miss_is_named(own: Path, near: str, capsys: pytest.CaptureFixture[str]) -> None:
    small_sets.lay(own / "FashionMNIST" / "raw")  # these are in their place, and no near miss
    small_sets.lay(own / "MNIST" / "raw")
    (own / "MNIST" / "raw" / small_sets.IMAGE_FILE).unlink()
    (own / "notes.txt").touch()
    (own / near).parent.mkdir(parents=True, exist_ok=True)
    (own / near).touch()
    load_images("mnist")
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith(f"Your folder (COURSE_DATA) has no MNIST/raw/{small_sets.IMAGE_FILE}; ")
    assert f"nearest is {near} (" in line
    (own / near).unlink()
    load_images("mnist")
    assert "nearest" not in capsys.readouterr().out
