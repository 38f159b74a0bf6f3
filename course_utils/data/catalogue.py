"""Which data sets the course knows: their files, with sizes and sums, and where they can be had.

The sums are of the unpacked files. Everything else about a set (how it is split, what stands in for it) belongs to
the module that loads it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["IMAGES", "TEXTS", "DataFile", "DataSet"]


@dataclass(frozen=True)
class DataFile:
    """One unpacked file: its name, its size in bytes and its md5 or sha256 sum (told apart by their length)."""

    name: str
    size: int
    sum: str

    def problem(self, path: Path) -> str:
        """What is wrong with the file at ``path``, in a few words; empty if it is this one."""
        size = path.stat().st_size
        if size < self.size:
            return f"cut short: {size:,} of {self.size:,} bytes"
        method = {32: "md5", 64: "sha256"}[len(self.sum)]
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, lambda: hashlib.new(method, usedforsecurity=False))
        return "" if digest.hexdigest() == self.sum else f"its {method} sum is wrong"


@dataclass(frozen=True)
class DataSet:
    """One set as its files.

    Attributes:
        name: what :func:`load_images` or :func:`load_text` calls it.
        title: what people call it.
        folder: where its files lie in a data folder, as torchvision lays them out.
        files: the unpacked files.
        mirror_folder: where they lie under ``COURSE_MIRROR``.
        mirrors: addresses to which a file's name is added, for images those of torchvision's loader; written down
            here so that being offline does not cost the import of torchvision.
        loader: the torchvision class that downloads the set, packed; empty if there is none.
        packed_sums: md5 sums of the packed files; ``None`` for those that torchvision knows.
        system_folder: where the operating system's package lays the packed files.
        system_package: that package.
    """

    name: str
    title: str
    folder: str
    files: tuple[DataFile, ...]
    mirror_folder: str
    mirrors: tuple[str, ...]
    loader: str = ""
    packed_sums: tuple[str, ...] | None = None
    system_folder: Path | None = None
    system_package: str = ""


def _idx(*sums: str) -> tuple[DataFile, ...]:
    """The four files of an MNIST-like set: a header of 16 or 8 bytes, then one byte per pixel or label."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    sizes = (16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000)
    return tuple(DataFile(f"{name}-ubyte", size, sum_) for name, size, sum_ in zip(names, sizes, sums, strict=True))


IMAGES: dict[str, DataSet] = {
    "mnist": DataSet(
        name="mnist",
        title="MNIST",
        folder="MNIST/raw",
        files=_idx(
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
        mirror_folder="MNIST",
        mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        loader="MNIST",
    ),
    "fashion-mnist": DataSet(
        name="fashion-mnist",
        title="Fashion-MNIST",
        folder="FashionMNIST/raw",
        files=_idx(
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
        mirror_folder="FashionMNIST",
        mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        loader="FashionMNIST",
        system_folder=Path("/usr/share/datasets/fashion-mnist"),
        system_package="dataset-fashion-mnist",
    ),
}

TEXTS: dict[str, DataSet] = {
    "tiny-shakespeare": DataSet(
        name="tiny-shakespeare",
        title="tiny Shakespeare",
        folder="tinyshakespeare",
        files=(DataFile("input.txt", 1_115_394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),),
        mirror_folder="tinyshakespeare",
        mirrors=("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/",),
    ),
}
