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
from course_utils.data import _torchvision
from course_utils.data.catalogue import IMAGES, DataSet
from course_utils.data.sources import Found, announce_stand_in, open_set, remember
from course_utils.errors import InputError, did_you_mean

__all__ = ["ImageData", "Split", "load_images"]

_CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "T-shirt",
        "trousers",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
}
_STAND_IN = "handwritten digits, built-in stand-in for"


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
    if name not in IMAGES:
        raise InputError(f'There are no images called "{name}". {did_you_mean(str(name), IMAGES)}')
    data = IMAGES[name]
    place = torch.device(device) if device is not None else runtime.current().device
    with open_set(data) as found:
        loaded = _stand_in(data, place) if found is None else _real(data, found, place)
    remember(loaded.source)
    print(
        f"{loaded.source}: {len(loaded.train):,} training, {len(loaded.val):,} validation, "
        f"{len(loaded.test):,} test images"
    )
    return loaded


def _real(data: DataSet, found: Found, place: torch.device) -> ImageData:
    mnist = _torchvision.load().datasets.mnist
    images, labels, test_images, test_labels = (
        read(str(found.files[file.name]))
        for file, read in zip(data.files, (mnist.read_image_file, mnist.read_label_file) * 2, strict=True)
    )
    train_val, test = _split(images, labels, place), _split(test_images, test_labels, place)
    return _build(data, found.source, train_val, test, len(train_val) // 12, _CLASSES[data.name])


def _stand_in(data: DataSet, place: torch.device) -> ImageData:
    from sklearn.datasets import load_digits  # takes a second, and is seldom needed

    announce_stand_in(data, "1,797 real handwritten digits of 8 × 8 pixels from scikit-learn, enlarged to 28 × 28")
    digits = load_digits()
    small = torch.from_numpy(digits.images.astype(np.float32)).unsqueeze(1) / 16
    large = functional.interpolate(small, size=(20, 20), mode="bicubic", align_corners=False).clamp(0, 1)
    images = functional.pad(large, (4, 4, 4, 4)).mul(255).round().to(torch.uint8).squeeze(1)
    labels = torch.from_numpy(digits.target.astype(np.int64))
    num_test = len(images) // 7
    train_val = _split(images[:-num_test], labels[:-num_test], place)
    test = _split(images[-num_test:], labels[-num_test:], place)
    source = f"{_STAND_IN} {data.title}"
    return _build(data, source, train_val, test, len(train_val) // 12, _CLASSES["mnist"])


def _split(images: torch.Tensor, labels: torch.Tensor, place: torch.device) -> Split:
    """Bytes of shape (N, 28, 28) as a split; the only copy in float32 is made on the device."""
    return Split(images.to(place).unsqueeze(1).float().div_(255), labels.to(place))


def _build(
    data: DataSet, source: str, train_val: Split, test: Split, num_val: int, classes: tuple[str, ...]
) -> ImageData:
    return ImageData(
        name=data.name,
        title=data.title,
        source=source,
        is_real=not source.startswith(_STAND_IN),
        train=Split(train_val.images[:-num_val], train_val.labels[:-num_val]),
        val=Split(train_val.images[-num_val:], train_val.labels[-num_val:]),
        test=test,
        train_val=train_val,
        classes=classes,
    )
