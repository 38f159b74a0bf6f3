"""Images as tensors that lie on the device: MNIST, Fashion-MNIST, and the digits that stand in for them.

The training images are split once and for all: settings, epochs and early stopping are chosen on the last 5,000, a
final model may be refitted on all 60,000, and the test set is read once per final model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from course_utils import runtime
from course_utils.data.catalogue import ImageSet, choose
from course_utils.data.sources import StandInBanner, announce, obtain
from course_utils.errors import InputError

__all__ = ["ImageData", "Split", "load_images"]

_DIGITS = "1,797 real handwritten digits of 8 by 8 pixels from scikit-learn, enlarged to 28 by 28"


@dataclass(frozen=True)
class Split:
    """Images with their labels.

    Attributes:
        images: shape (N, 1, 28, 28), float32, from 0 (paper) to 1 (ink).
        labels: shape (N,), int64, the index of the class.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)

    @property
    def flat(self) -> torch.Tensor:
        """The images as rows of shape (N, 784); no copy is made."""
        return self.images.flatten(1)

    def take(self, n: int) -> Split:
        """The first ``n`` images with their labels, all of them where there are fewer; no copy is made.

        Raises:
            InputError: if ``n`` is less than 1.
        """
        if n < 1:
            raise InputError(f"take({n}) leaves nothing; take at least 1 image.")
        return Split(self.images[:n], self.labels[:n])

    def one_of_each(self) -> torch.Tensor:
        """The first image of each class, in the order of the labels: shape (K, 1, 28, 28) where K classes occur."""
        return torch.stack([self.images[self.labels == label][0] for label in self.labels.unique()])

    def __repr__(self) -> str:
        return f"Split({len(self):,} images of {self.images.shape[-2]} × {self.images.shape[-1]})"


@dataclass(frozen=True)
class ImageData:
    """One set of images with its splits. ``train`` and ``val`` are views into ``train_val``: change none in place.

    Attributes:
        name: what it was loaded as, ``"mnist"``.
        title: what people call it, ``"MNIST"``.
        source: the kind of its source, ``"MNIST, your folder"``; never a path.
        is_real: False for a stand-in.
        train: all training images but those of ``val``; 55,000 of the real sets.
        val: the last 5,000 training images.
        test: 10,000 images of their own.
        train_val: all 60,000 training images.
        classes: the names of the classes, by label.
    """

    name: str
    title: str
    source: str
    is_real: bool
    train: Split = field(repr=False)
    val: Split = field(repr=False)
    test: Split = field(repr=False)
    train_val: Split = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)


def load_images(name: str, *, device: torch.device | str | None = None) -> ImageData:
    """Load a set of images and print one line that says where it comes from.

    The sources, in order: the folder that ``COURSE_DATA`` names (laid out as torchvision does, gzipped or not), the
    course's cache, Debian's package, a download, and scikit-learn's digits as a stand-in, announced in a banner.

    The stand-in is 1,797 real handwritten digits of 8 × 8 pixels, enlarged to the 20 × 20 pixels that a digit takes
    in MNIST, inside the same empty margin of 4 pixels. It is split by place, as MNIST is: the last seventh is the
    test set (256 digits), the last twelfth of the rest the validation set (128), so that 1,413 are left to train on.

    Args:
        name: ``"mnist"`` or ``"fashion-mnist"``.
        device: where the tensors go; the device of :func:`course_utils.runtime.setup` unless given.

    Returns:
        The set with its splits.

    Raises:
        InputError: if there is no set of that name, or ``COURSE_DATA`` names no folder.
        DataError: if a file in the user's own folder is damaged.
    """
    data = choose(name, "are no images", ImageSet)
    place = torch.device(device) if device is not None else runtime.current().device
    copy = obtain(data)
    if copy:
        images, labels, *others = (_tensor(copy.contents[file.name]) for file in data.files)
        source, classes, banner = copy.source, data.classes, None
    else:
        images, labels, *others = _digits()
        source, classes = f"handwritten digits, built-in stand-in for {data.title}", tuple("0123456789")
        banner = StandInBanner(data.title, _DIGITS)
    train_val, test = _split(images, labels, place), _split(others[0], others[1], place)
    num_train = len(train_val) - len(train_val) // 12
    loaded = ImageData(
        name=data.name,
        title=data.title,
        source=source,
        is_real=copy is not None,
        train=Split(train_val.images[:num_train], train_val.labels[:num_train]),
        val=Split(train_val.images[num_train:], train_val.labels[num_train:]),
        test=test,
        train_val=train_val,
        classes=classes,
    )
    sizes = f"{num_train:,} training, {len(loaded.val):,} validation, {len(test):,} test images"
    announce(source, sizes, banner)
    return loaded


def _tensor(content: bytes) -> torch.Tensor:
    """The bytes behind the header of a file in MNIST's format, in the shape that the header gives."""
    num_axes = content[3]
    shape = np.frombuffer(content, ">u4", count=num_axes, offset=4)
    return torch.tensor(np.frombuffer(content, np.uint8, offset=4 + 4 * num_axes).reshape(shape))


def _digits() -> list[torch.Tensor]:
    """Images of the stand-in to train on, their labels, those of the test set, their labels; as bytes."""
    from sklearn.datasets import load_digits  # takes a second, and is seldom needed

    digits = load_digits()
    small = torch.from_numpy(digits.images.astype(np.float32)).unsqueeze(1) / 16
    large = functional.interpolate(small, size=(20, 20), mode="bicubic", align_corners=False).clamp(0, 1)
    images = functional.pad(large, (4, 4, 4, 4)).mul(255).round().to(torch.uint8).squeeze(1)
    labels = torch.from_numpy(digits.target)
    num_test = len(images) // 7
    return [images[:-num_test], labels[:-num_test], images[-num_test:], labels[-num_test:]]


def _split(images: torch.Tensor, labels: torch.Tensor, place: torch.device) -> Split:
    """Bytes of shape (N, 28, 28) as a split; the only copy in float32 is made on the device."""
    return Split(images.to(place).unsqueeze(1).float().div_(255), labels.to(place).long())
