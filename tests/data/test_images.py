"""Images with their splits."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import small_sets
import torch
from sklearn.datasets import load_digits

from course_utils.data import ImageData, Split, _torchvision, load_images
from course_utils.errors import InputError


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_real_images_are_torchvisions(name: str, folder: str) -> None:
    root = small_sets.real_folder(f"{folder}/raw")
    start = time.process_time()
    data = load_images(name, device="cpu")
    assert time.process_time() - start < 10
    assert (len(data.train), len(data.val), len(data.test), len(data.train_val)) == (55_000, 5_000, 10_000, 60_000)
    assert data.is_real
    assert data.source == f"{data.title}, your folder"
    loader = getattr(_torchvision.load().datasets, folder)
    for split, train in ((data.train_val, True), (data.test, False)):
        theirs = loader(root, train=train, download=False)
        assert torch.equal((split.images * 255).round().to(torch.uint8).squeeze(1), theirs.data)
        assert torch.equal(split.labels, theirs.targets)
    assert_well_formed(data)


def assert_well_formed(data: ImageData) -> None:
    for split in (data.train, data.val, data.test, data.train_val):
        assert split.images.dtype == torch.float32
        assert split.labels.dtype == torch.int64
        assert split.images.shape == (len(split), 1, 28, 28)
        assert split.labels.shape == (len(split),)
        assert split.images.min() == 0
        assert split.images.max() == 1
        assert split.flat.shape == (len(split), 784)
        assert set(split.labels.tolist()) == set(range(10))
    assert torch.equal(torch.cat([data.train.images, data.val.images]), data.train_val.images)
    assert torch.equal(torch.cat([data.train.labels, data.val.labels]), data.train_val.labels)
    assert data.train.images.data_ptr() == data.train_val.images.data_ptr()  # a view: the memory is taken once
    assert len(data.classes) == 10
    few = data.train.take(7)
    assert len(few) == 7
    assert torch.equal(few.images, data.train.images[:7])
    assert len(data.val.take(10**9)) == len(data.val)
    with pytest.raises(InputError, match=r"take\(0\)"):
        data.val.take(0)


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ImageData:
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setenv("COURSE_MIRROR", "http://127.0.0.1:9")
    return load_images("mnist", device="cpu")


def test_stand_in_is_scikit_learns_digits(digits: ImageData) -> None:
    assert_well_formed(digits)
    assert (len(digits.train), len(digits.val), len(digits.test)) == (1413, 128, 256)
    images = torch.cat([digits.train_val.images, digits.test.images])
    labels = torch.cat([digits.train_val.labels, digits.test.labels])
    theirs = load_digits()
    assert np.array_equal(labels.numpy(), theirs.target)
    margin = torch.ones(28, 28, dtype=torch.bool)
    margin[4:24, 4:24] = False
    assert images[:, 0, margin].max() == 0
    # averaged back to 8 × 8 nearly each is closest to the digit it was made of, and follows it closely
    small = torch.nn.functional.interpolate(images[:, :, 4:24, 4:24], size=(8, 8), mode="area").flatten(1)
    original = torch.from_numpy(theirs.data.astype(np.float32)) / 16
    nearest = torch.cdist(small, original).argmin(dim=1)
    assert (nearest == torch.arange(len(images))).float().mean() > 0.99
    assert np.corrcoef(small.flatten(), original.flatten())[0, 1] > 0.97
    # smooth: neighbouring pixels differ less than where each pixel is made a square
    squares = torch.nn.functional.interpolate(original.view(-1, 1, 8, 8), size=(20, 20), mode="nearest")
    assert images[..., 4:24, 4:24].diff(dim=-1).square().mean() < 0.7 * squares.diff(dim=-1).square().mean()


def test_one_of_each_class(digits: ImageData) -> None:
    images, labels = digits.val.images, digits.val.labels
    first = [labels.tolist().index(label) for label in range(10)]
    assert torch.equal(digits.val.one_of_each(), images[first])
    few = Split(images[first], torch.tensor([7, 2, 7, 4, 2, 7, 4, 4, 2, 7]))
    assert torch.equal(few.one_of_each(), images[first][[1, 3, 0]])  # of the classes that occur
