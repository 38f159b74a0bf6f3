"""Files as they lie in a folder: found, unpacked where they are packed, and verified before anybody reads them."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

from course_utils.data.catalogue import DataFile, DataSet

__all__ = ["DamagedError", "MissingError", "collect"]


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


def collect(data: DataSet, folder: Path, scratch: Callable[[], Path]) -> dict[str, Path]:
    """The verified, unpacked files of a set.

    Args:
        data: the set.
        folder: where its files lie, as they are or gzipped.
        scratch: called for a folder to unpack into, when something must be unpacked.

    Returns:
        The path of each file by its name. What is packed is unpacked into ``scratch``.

    Raises:
        MissingError: if a file is not there.
        DamagedError: if a file cannot be read or unpacked, is cut short or has the wrong sum.
    """
    there = {}
    for file in data.files:
        places = [folder / file.name, folder / f"{file.name}.gz"]
        place = next((path for path in places if os.path.isfile(path)), None)  # False, too, where one may not look
        if place is None:
            raise MissingError(file.name)
        there[file] = place
    found = {}
    for file, path in there.items():
        unpacked = _unpack(path, scratch() / file.name) if path.suffix == ".gz" else path
        if problem := _problem(file, path, unpacked):
            raise DamagedError(path, problem)
        found[file.name] = unpacked
    return found


def _unpack(packed: Path, target: Path) -> Path:
    try:
        with gzip.open(packed) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    except gzip.BadGzipFile:  # of no gzip file, and of one whose content does not fit its check value
        with packed.open("rb") as start:
            is_gzip = start.read(2) == b"\x1f\x8b"
        raise DamagedError(packed, "its gzip data is broken" if is_gzip else "it is no gzip file") from None
    except EOFError:
        raise DamagedError(packed, "cut short") from None
    except zlib.error:
        raise DamagedError(packed, "its gzip data is broken") from None
    except OSError as error:
        raise DamagedError(packed, f"it cannot be unpacked: {error.strerror}") from None
    return target


def _problem(file: DataFile, path: Path, unpacked: Path) -> str:
    try:
        return file.problem(unpacked)
    except OSError as error:
        raise DamagedError(path, f"it cannot be read: {error.strerror}") from None
