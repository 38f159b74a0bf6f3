"""Errors and decibels, beside closed forms and scikit-learn."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import mean_squared_error

from course_utils import metrics
from course_utils.errors import InputError


@pytest.fixture
def images():
    smooth = torch.rand(20, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(smooth, size=(28, 28), mode="bilinear").clamp(0, 1)


def test_mse_is_scikit_learns(images):
    other = images.flip(0)
    expected = mean_squared_error(images.flatten(1).numpy(), other.flatten(1).numpy())
    assert metrics.mse_per_pixel(images, other) == pytest.approx(expected, rel=1e-5)


def test_shapes_that_would_broadcast_are_refused(images):
    with pytest.raises(InputError, match="differ in shape"):
        metrics.mse_per_pixel(images[:, 0], images)


def test_psnr_of_a_known_error():
    x = torch.zeros(3, 5)
    assert metrics.psnr(x + 0.1, x) == pytest.approx(20.0, rel=1e-5)
    assert metrics.psnr(x, x) == math.inf


def test_a_mosaic_keeps_every_image_in_its_place(images):
    page = metrics.mosaic(images, columns=5)
    assert page.shape == (4 * 28, 5 * 28)
    for i in (0, 4, 5, 19):
        row, column = divmod(i, 5)
        assert torch.equal(page[row * 28 : row * 28 + 28, column * 28 : column * 28 + 28], images[i, 0])
    with pytest.raises(InputError, match="multiple of 7"):
        metrics.mosaic(images, columns=7)


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_quantised_codes_lie_on_the_levels_within_half_a_step(bits):
    codes = torch.randn(500, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    low, high = codes.amin(0), codes.amax(0)
    step = (high - low) / (2**bits - 1)
    rounded = metrics.quantise(codes, low, high, bits)
    assert ((rounded - codes).abs() <= step / 2 + 1e-12).all()
    places = (rounded - low) / step
    torch.testing.assert_close(places, places.round())
    assert len(rounded[:, 0].unique()) <= 2**bits


def test_quantising_clips_and_survives_a_constant_code():
    low, high = torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0])
    rounded = metrics.quantise(torch.tensor([[7.0, 2.0], [-7.0, 2.0]]), low, high)
    torch.testing.assert_close(rounded, torch.tensor([[1.0, 2.0], [0.0, 2.0]]))
    with pytest.raises(InputError, match="at least 1 bit"):
        metrics.quantise(rounded, low, high, bits=0)
