"""The judge: a small convolutional classifier, always the same, on whose features generated images are measured.

Its *features* are the input of its last linear layer. Numbers on them are comparable inside this course, not with
distances on the features of an Inception network.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils import store
from course_utils.data import ImageData, Split, batches
from course_utils.errors import InputError
from course_utils.runtime import mixed_precision, pick

__all__ = ["Judge", "Reading", "load_judge"]

NUM_FEATURES = 128
VERSION = 1  # of the network and its training; raise it when they change


@dataclass(frozen=True)
class Reading:
    """What the judge makes of N images, on the CPU.

    Attributes:
        features: shape (N, 128), float32, 0 or more.
        logits: shape (N, classes), float32; their softmax is the judge's probability of each class.
    """

    features: Tensor
    logits: Tensor

    @property
    def labels(self) -> Tensor:
        """The likeliest class of each image, shape (N,), int64."""
        return self.logits.argmax(1)


@dataclass(frozen=True)
class Judge:
    """A trained judge; call it with images.

    Attributes:
        source: of the data it was trained on, ``"MNIST"``, or what stands in for it.
        accuracy: on the test images, in [0, 1].
        seconds: that its training took, where and when it was trained.
        made_under: the versions of torch, the course and Python that it was trained with.
    """

    source: str
    accuracy: float
    seconds: float
    made_under: dict[str, str]
    _network: nn.Sequential = field(repr=False)

    def __call__(self, images: Tensor) -> Reading:
        """Read images of shape (N, 1, 28, 28) or (N, 784), values in [0, 1], on any device, 1,000 at a time.

        Raises:
            InputError: if the shape is another, there is no image, or a value is not finite or outside [0, 1].
        """
        if images.shape[1:] not in ((1, 28, 28), (784,)) or len(images) == 0:
            raise InputError(f"The judge reads images (N, 1, 28, 28) or (N, 784); the shape is {tuple(images.shape)}.")
        low, high = images.min().item(), images.max().item()
        if not (low >= 0 and high <= 1):
            raise InputError(
                f"The judge reads pixels in [0, 1]; these go from {low:.3g} to {high:.3g}. A decoder's logits take a"
                " sigmoid, a generator's tanh is (x + 1) / 2, other samples take clamp(0, 1)."
            )
        return _read(self._network, images.reshape(-1, 1, 28, 28))


def load_judge(data: ImageData) -> Judge:
    """The judge of a data set: kept in the course's cache, trained the first time, under a minute on two CPU cores.

    It is found again by its training images themselves, so that the judge of a stand-in is never taken for MNIST's.
    In the quick profile it is tiny: one epoch on 2,000 images. torch's random state is left as it was.

    Args:
        data: a set of images; the judge learns on ``data.train`` and its accuracy is that on ``data.test``.

    Returns:
        The judge, on the device of the data.
    """
    train = data.train.take(pick(full=len(data.train), quick=2_000))
    epochs = pick(full=4, quick=1) if data.is_real else pick(full=40, quick=4)
    settings: dict[str, Any] = {
        "source": data.title if data.is_real else data.source,
        "images": _fingerprint(train),
        "test images": _fingerprint(data.test),
        "epochs": epochs,
    }
    network, record = store.trained(
        f"judge-{data.name}",
        lambda: _build(len(data.classes)).to(train.images.device),
        lambda network: _train(network, train, data.test, epochs),
        settings=settings,
        version=VERSION,
    )
    return Judge(settings["source"], record["results"]["accuracy"], record["seconds"], record["made_under"], network)


def _build(num_classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3, padding=1),
        nn.MaxPool2d(2),  # (N, 32, 14, 14)
        nn.ReLU(),
        nn.Conv2d(32, 64, kernel_size=3, padding=1),
        nn.MaxPool2d(2),  # (N, 64, 7, 7)
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, NUM_FEATURES),
        nn.ReLU(),
        nn.Linear(NUM_FEATURES, num_classes),
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _train(network: nn.Sequential, train: Split, test: Split, epochs: int) -> dict[str, Any]:
    """Adam with a one-cycle schedule; the test images are only read at the end."""
    batch_size = min(256, len(train))
    steps = epochs * (len(train) // batch_size)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps)
    network.train()
    for _ in range(epochs):
        for images, labels in batches((train.images, train.labels), batch_size, drop_last=True):
            with mixed_precision(images.device):
                logits = network(images.to(memory_format=torch.channels_last))
            loss = functional.cross_entropy(logits.float(), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    accuracy = (_read(network, test.images).labels == test.labels.cpu()).double().mean().item()
    return {"accuracy": accuracy}


@torch.no_grad()
def _read(network: nn.Sequential, images: Tensor) -> Reading:
    network.eval()
    device = next(network.parameters()).device
    features = torch.cat([network[:-1](part.to(device, torch.float32)) for part in images.split(1_000)])
    return Reading(features.cpu(), network[-1](features).cpu())


def _fingerprint(split: Split) -> str:
    """CRC-32 of the images' bytes and their labels: equal for equal data, wherever it lies."""
    pixels = split.images.mul(255).round().to(torch.uint8).cpu().contiguous().numpy()
    labels = split.labels.cpu().contiguous().numpy()
    return f"{zlib.crc32(labels.data, zlib.crc32(pixels.data)):08x}"
