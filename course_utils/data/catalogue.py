"""Which data sets the course knows: each is the ``SET`` of one file in ``sets/``, found by looking.

A set says what its files are, with the sizes and sums of the unpacked ones, and where they can be had. How it becomes
tensors or text, and what stands in for it, belongs to the module that loads sets of its kind.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from course_utils.data import sets
from course_utils.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from course_utils.data.verse import Verse

__all__ = ["DataFile", "DataSet", "FileSet", "GeneratedText", "ImageSet", "TextSet", "choose", "idx_files", "known"]


@dataclass(frozen=True)
class DataFile:
    """One unpacked file: its name, its size in bytes and its md5 or sha256 sum (told apart by their length)."""

    name: str
    size: int
    sum: str


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """What every set has: the name that it is loaded by, and what people call it."""

    name: str
    title: str


@dataclass(frozen=True, kw_only=True)
class FileSet(DataSet):
    """A set that lies in files.

    Attributes:
        folder: where they lie in a data folder, as torchvision lays them out.
        files: the unpacked files.
        mirror_folder: where they lie under ``COURSE_MIRROR``.
        mirrors: addresses to which a file's name is added, gzipped or not.
        system_folder: where the operating system's package lays the packed files.
        system_package: that package.
    """

    folder: str
    files: tuple[DataFile, ...]
    mirror_folder: str
    mirrors: tuple[str, ...]
    system_folder: Path | None = None
    system_package: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageSet(FileSet):
    """Images of 28 × 28 with labels, in four files of MNIST's format, and the names of the classes by label."""

    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TextSet(FileSet):
    """A text in UTF-8, in one file or several that follow one another."""


@dataclass(frozen=True, kw_only=True)
class GeneratedText(DataSet):
    """A text that the course writes itself, the same each time."""

    write: Callable[[], Verse]


Kind = TypeVar("Kind", bound=DataSet)


def known(*kinds: type[Kind]) -> dict[str, Kind]:
    """The sets of these kinds by name, in the order of their files' names."""
    modules = (import_module(f"{sets.__name__}.{module.name}") for module in pkgutil.iter_modules(sets.__path__))
    return {module.SET.name: module.SET for module in modules if isinstance(module.SET, kinds)}


def choose(name: str, what: str, *kinds: type[Kind]) -> Kind:
    """The set of that name among those of these kinds.

    Raises:
        InputError: if there is none; the message calls it ``what`` and suggests the nearest name.
    """
    there_are = known(*kinds)
    if name not in there_are:
        raise InputError(f'There {what} called "{name}". {did_you_mean(str(name), there_are)}')
    return there_are[name]


def idx_files(*sums: str) -> tuple[DataFile, ...]:
    """The four files of an MNIST-like set: a header of 16 or 8 bytes, then one byte per pixel or label.

    Args:
        sums: of training images and labels, test images and labels.
    """
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    sizes = (16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000)
    return tuple(DataFile(f"{name}-ubyte", size, sum_) for name, size, sum_ in zip(names, sizes, sums, strict=True))
