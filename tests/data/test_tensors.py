"""Images with their splits, toys whose truth is known, and mini-batches."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.datasets import load_digits

from course_utils.data import (
    ImageData,
    _torchvision,
    batches,
    circle,
    correlated_gaussian,
    heights,
    load_images,
    load_text,
    spiral,
)
from course_utils.data.toy import HEIGHTS
from course_utils.errors import InputError

REAL = os.environ.get("COURSE_DATA", "")
real = pytest.mark.skipif(not REAL, reason="COURSE_DATA names no folder with the real data")


def in_folder(name: str) -> None:
    path = Path(REAL).expanduser() / {"mnist": "MNIST/raw", "fashion-mnist": "FashionMNIST/raw"}.get(name, name)
    if not path.is_dir():
        pytest.skip(f"COURSE_DATA lacks {path.name}")


@real
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_real_images_are_torchvisions(name: str, folder: str) -> None:
    in_folder(name)
    start = time.process_time()
    data = load_images(name, device="cpu")
    assert time.process_time() - start < 10
    assert (len(data.train), len(data.val), len(data.test), len(data.train_val)) == (55_000, 5_000, 10_000, 60_000)
    assert data.is_real
    assert data.source == f"{data.title}, your folder"
    loader = getattr(_torchvision.load().datasets, folder)
    for split, train in ((data.train_val, True), (data.test, False)):
        theirs = loader(REAL, train=train, download=False)
        assert torch.equal((split.images * 255).round().to(torch.uint8).squeeze(1), theirs.data)
        assert torch.equal(split.labels, theirs.targets)
    assert_well_formed(data)


@real
def test_real_text() -> None:
    in_folder("tinyshakespeare")
    text = load_text("tiny-shakespeare")
    assert text.is_real
    assert len(text.test) == 111_540
    assert len(text.train_val) == 1_003_854
    assert len(text.alphabet) == 65
    assert text.train.startswith("First Citizen:\n")


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


def test_heights_are_what_was_published() -> None:
    inches = {"men": (69.3, 2.92), "women": (64.1, 2.75)}
    for group, (mean, std) in inches.items():
        assert HEIGHTS[group].mean == pytest.approx(mean * 2.54)
        assert HEIGHTS[group].std == pytest.approx(std * 2.54)
        assert "Schilling" in HEIGHTS[group].source
    assert (HEIGHTS["children"].mean, HEIGHTS["children"].std) == (115.5, 5.0)
    for group, figures in HEIGHTS.items():
        sample = heights(20_000, group=group, seed=4)
        assert sample.dtype == torch.float64
        assert sample.shape == (20_000,)
        assert stats.kstest(sample.numpy(), "norm", (figures.mean, figures.std)).pvalue > 1e-3
        assert torch.equal(heights(20_000, group=group, seed=4), sample)
    torch.manual_seed(0)
    assert not torch.equal(heights(5), heights(5))
    with pytest.raises(InputError, match='Did you mean "women"'):
        heights(5, group="woman")
    with pytest.raises(InputError, match="n is 0"):
        heights(0)


def test_points_in_the_plane() -> None:
    ring = circle(4000, seed=1)
    assert ring.shape == (4000, 2)
    assert ring.dtype == torch.float32
    assert torch.allclose(ring.norm(dim=1), torch.ones(4000))
    assert ring.mean(dim=0).abs().max() < 0.06
    noisy = circle(4000, noise=0.1, seed=1)
    assert (noisy - ring).std() == pytest.approx(0.1, rel=0.05)

    curve = spiral(4000, turns=2, seed=1)
    radius = curve.norm(dim=1)
    assert 0.1 <= radius.min() < 0.15
    assert 0.97 < radius.max() <= 1.0001
    angle = torch.atan2(curve[:, 1], curve[:, 0])
    off = (angle - 4 * torch.pi * (radius - 0.1) / 0.9) / (2 * torch.pi)
    assert (off - off.round()).abs().max() < 1e-4  # the radius says the angle, so it is one-dimensional
    assert stats.kstest((radius.numpy() ** 2 - 0.01) / 0.99, "uniform").pvalue > 1e-3
    assert torch.equal(spiral(9, noise=0.1, seed=2), spiral(9, noise=0.1, seed=2))

    cloud = correlated_gaussian(50_000, mean=(1.0, -2.0), std=(2.0, 0.5), correlation=-0.6, seed=3)
    assert torch.allclose(cloud.mean(dim=0), torch.tensor([1.0, -2.0]), atol=0.05)
    expected = torch.tensor([[4.0, -0.6], [-0.6, 0.25]])
    assert torch.allclose(torch.cov(cloud.T), expected, atol=0.06)
    for wrong in ({"correlation": 1.0}, {"std": (1.0, 0.0)}):
        with pytest.raises(InputError, match="correlation"):
            correlated_gaussian(5, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="noise is -1"):
        circle(5, noise=-1)


def test_batches_cover_the_data_once() -> None:
    x, y = torch.arange(103.0).unsqueeze(1), torch.arange(103)
    got = list(batches((x, y), 10, generator=torch.Generator().manual_seed(1)))
    assert [len(rows) for rows, _ in got] == [10] * 10 + [3]
    order = torch.cat([labels for _, labels in got])
    assert torch.equal(order.sort().values, y)
    assert not torch.equal(order, y)
    assert torch.equal(torch.cat([rows for rows, _ in got]).squeeze(1), order.float())
    short = list(batches(x, 10, drop_last=True))
    assert [len(rows) for (rows,) in short] == [10] * 10
    in_order = torch.cat([rows for (rows,) in batches(x, 10, shuffle=False)])
    assert torch.equal(in_order, x)
    assert sum(len(rows) for (rows,) in batches(x, 10, shuffle=False, drop_last=True)) == 100


def test_batches_are_drawn_from_the_generator() -> None:
    x = torch.arange(50)

    def order(generator: torch.Generator | None) -> list[int]:
        return [int(i) for (rows,) in batches(x, 8, generator=generator) for i in rows]

    generator = torch.Generator().manual_seed(5)
    first, second = order(generator), order(generator)
    assert first != second
    generator.manual_seed(5)
    assert [order(generator), order(generator)] == [first, second]
    torch.manual_seed(7)
    third = order(None)
    torch.manual_seed(7)
    assert order(None) == third


def test_batches_that_cannot_be() -> None:
    x = torch.zeros(5)
    for arguments, message in (
        ((torch.zeros(0), 2), "empty"),
        (((), 2), "empty"),
        (((x, torch.zeros(4)), 2), "5, 4 rows"),
        ((x, 0), "batch_size is 0"),
    ):
        with pytest.raises(InputError, match=message):
            batches(*arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="batch of 6 is larger"):
        batches(x, 6, drop_last=True)
    assert [len(rows) for (rows,) in batches(x, 6)] == [5]
