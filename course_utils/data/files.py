"""Files as they lie in a folder: found under the names that people give them, unwrapped, and verified by content."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import itertools
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from course_utils.data.catalogue import DataFile, FileSet, known

__all__ = ["DamagedError", "MissingError", "collect", "folders_below", "near_miss", "spellings", "unwrap"]

_GZIP = b"\x1f\x8b"
_MARK = b"\xef\xbb\xbf"  # the byte-order mark that some editors put before a text


class MissingError(Exception):
    """A folder lacks a file of a set; the message is its name below that folder."""


class DamagedError(Exception):
    """A file is not what its name says.

    Attributes:
        path: the file.
        problem: what is wrong with it, in a few words.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path.name} is damaged ({problem})")
        self.path = path
        self.problem = problem


def folders_below(data: FileSet, root: Path) -> list[Path]:
    """Where the files of a set may lie in a data folder: as torchvision lays them out, or as a mirror does."""
    return [root / folder for folder in dict.fromkeys((data.folder, data.mirror_folder))]


def spellings(name: str) -> list[str]:
    """The names that a file goes by: its own, and ``train-images.idx3-ubyte`` as other sites give it; gzipped, too."""
    plain = dict.fromkeys((name, name.replace("-idx", ".idx")))
    return [spelling + suffix for suffix in ("", ".gz") for spelling in plain]


def collect(data: FileSet, folders: Sequence[Path]) -> dict[str, bytes]:
    """The verified, unpacked contents of a set by the names of its files.

    Args:
        data: the set.
        folders: where its files may lie, as they are or gzipped; the first that is good is taken.

    Raises:
        MissingError: if a file is not there.
        DamagedError: if a file cannot be read or unpacked, is cut short or has the wrong sum.
    """
    paths: dict[DataFile, list[Path]] = {}
    for file in data.files:
        places = [folder / spelling for folder in folders for spelling in spellings(file.name)]
        paths[file] = [path for path in places if os.path.isfile(path)]  # False, too, where one may not look
        if not paths[file]:
            raise MissingError(file.name)
    return {file.name: _first_good(file, paths[file]) for file in data.files}


def unwrap(file: DataFile, path: Path, content: bytes) -> bytes:
    """The bytes of ``file`` out of what was read at ``path``, whatever its name says.

    Gzip is unpacked however it was packed; a text may have the line ends of another system.

    Raises:
        DamagedError: if that is not what is in it.
    """
    is_gzip = content.startswith(_GZIP)
    if is_gzip:
        try:
            content = gzip.decompress(content)
        except EOFError:
            raise DamagedError(path, "cut short") from None
        except (gzip.BadGzipFile, zlib.error):
            raise DamagedError(path, "its gzip data is broken") from None
    if file.name.endswith(".txt"):
        content = content.removeprefix(_MARK).replace(b"\r\n", b"\n")
    method = {32: "md5", 64: "sha256"}[len(file.sum)]
    digest = hashlib.new(method, content, usedforsecurity=False).hexdigest()
    if digest == file.sum:
        return content
    for other in known(FileSet).values():
        for name in (taken.name for taken in other.files if taken.sum == digest):
            raise DamagedError(path, f"it holds {name} of {other.title}")
    if path.suffix == ".gz" and content and not is_gzip:
        raise DamagedError(path, "it is no gzip file")
    if len(content) < file.size:
        raise DamagedError(path, f"cut short: {len(content):,} of {file.size:,} bytes")
    raise DamagedError(path, f"its {method} sum is wrong")


def near_miss(data: FileSet, root: Path, name: str) -> str:
    """The file up to three folders below ``root`` that looks most like ``name`` or the set, from there; else empty."""
    others = [other for other in known(FileSet).values() if other.name != data.name]
    proper = {spelling for each in (data, *others) for file in each.files for spelling in spellings(file.name)}
    places = {folder for other in others for folder in folders_below(other, root)}
    best, nearest = 0.7, ""
    paths = itertools.chain.from_iterable(root.glob(pattern) for pattern in ("*", "*/*", "*/*/*"))
    for path in itertools.islice(paths, 5000):
        if path.parent in places or path.name in proper - {*spellings(name)} or not path.is_file():
            continue
        pairs = ((name, path.name.lower()), (data.name, path.stem.lower()))
        likeness = max(difflib.SequenceMatcher(None, *pair).ratio() for pair in pairs)
        if likeness > best:
            best, nearest = likeness, path.relative_to(root).as_posix()
    return nearest


def _first_good(file: DataFile, paths: Sequence[Path]) -> bytes:
    problems = []
    for path in paths:
        try:
            return unwrap(file, path, path.read_bytes())
        except OSError as error:
            problems.append(DamagedError(path, f"it cannot be read: {error.strerror}"))
        except DamagedError as damaged:
            problems.append(damaged)
    raise problems[0]
