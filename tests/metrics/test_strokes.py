"""Slant and thickness of bars that were drawn with a known slant and thickness."""

from __future__ import annotations

import math

import pytest
import torch

from course_utils.errors import InputError
from course_utils.metrics import slant, thickness


def bar(length: int, width: int, *, size: int = 28) -> torch.Tensor:
    """An upright bar in the middle."""
    x = torch.zeros(1, 1, size, size)
    top, left = (size - length) // 2, (size - width) // 2
    x[..., top : top + length, left : left + width] = 1
    return x


def turned_bar(degrees: float, width: float, *, length: float = 20, size: int = 32, fine: int = 8) -> torch.Tensor:
    """A bar turned clockwise from upright, each pixel with the share of it that is covered."""
    place = (torch.arange(size * fine) + 0.5) / fine - size / 2
    up, right = -place[:, None], place[None, :]
    angle = math.radians(degrees)
    along, across = up * math.cos(angle) + right * math.sin(angle), right * math.cos(angle) - up * math.sin(angle)
    covered = ((along.abs() <= length / 2) & (across.abs() <= width / 2)).float()
    return torch.nn.functional.avg_pool2d(covered[None, None], fine)


def shifted_rows(x: torch.Tensor, pixels: int) -> torch.Tensor:
    """Each row further to the right than the one below it by so many pixels."""
    rows = [row.roll(pixels * (len(x[0, 0]) // 2 - i)) for i, row in enumerate(x[0, 0])]
    return torch.stack(rows)[None, None]


@pytest.mark.parametrize("pixels", [-1, 0, 1, 2])
def test_the_slant_of_shifted_rows_is_the_arctangent_of_the_shift(pixels):
    assert slant(shifted_rows(bar(9, 3), pixels)).item() == pytest.approx(math.atan(pixels), abs=1e-12)


def test_a_shear_adds_to_the_slope_of_any_picture():
    x = torch.zeros(1, 1, 28, 28)
    x[..., 8:20, 8:20] = torch.rand(12, 12, generator=torch.Generator().manual_seed(0))
    before, after = slant(x).item(), slant(shifted_rows(x, 1)).item()
    assert abs(before) > 1e-3
    assert math.tan(after) == pytest.approx(math.tan(before) + 1, abs=1e-9)


def test_a_slash_is_positive_and_its_mirror_image_negative():
    slash = torch.eye(7).flip(1)[None, None]  # from the lower left to the upper right
    assert slant(slash).item() == pytest.approx(math.pi / 4)
    assert slant(slash.flip(3)).item() == pytest.approx(-math.pi / 4)
    assert slant(turned_bar(20, 2)).item() == pytest.approx(math.radians(20), abs=0.02)


def test_slant_does_not_depend_on_place_contrast_or_layout():
    x = turned_bar(15, 3, length=16)
    expected = slant(x)
    torch.testing.assert_close(slant(x.roll((3, -4), (2, 3))), expected)
    torch.testing.assert_close(slant(0.3 * x), expected)
    torch.testing.assert_close(slant(x.flatten(1)), expected)
    assert slant(x.requires_grad_()).dtype == torch.float64


def test_nothing_that_stands_has_no_slant_and_others_in_the_batch_keep_theirs():
    found = slant(torch.cat([torch.zeros(1, 1, 28, 28), bar(1, 9), bar(9, 1)]))
    assert found.isnan().tolist() == [True, True, False]
    assert found[2] == 0


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_thickness_of_a_bar_is_its_width(width):
    assert thickness(bar(18, width)).item() == pytest.approx(width, rel=0.06)
    assert thickness(bar(18, width).mT).item() == pytest.approx(width, rel=0.06)


@pytest.mark.parametrize("degrees", [0, 10, 20, 30, 45, 70])
@pytest.mark.parametrize("width", [2.0, 2.5, 3.0, 4.0])
def test_a_turned_bar_is_as_thick(degrees, width):
    bound = 0.16 if degrees == 45 and width < 3 else 0.07
    assert thickness(turned_bar(degrees, width)).item() == pytest.approx(width, rel=bound)


def test_one_pixel_by_hand():
    """Four corners with a gradient of (½, ½) each: P = 2√2, and P²/16 = ½ is less than the area."""
    assert thickness(bar(1, 1)).item() == pytest.approx(2 * math.sqrt(2) / 4)


def test_a_two_pixel_bar_by_hand():
    """Six corners: four of the ends with √½, two between the pixels with 1."""
    outline = 4 * math.sqrt(0.5) + 2
    expected = outline / 4 - math.sqrt(max(0.0, outline**2 / 16 - 2))
    assert thickness(bar(2, 1)).item() == pytest.approx(expected)


def test_a_ring_is_nearly_as_thick_as_it_was_drawn_and_a_disc_has_its_outline_over_four():
    place = (torch.arange(32 * 8) + 0.5) / 8 - 16
    radius = torch.hypot(place[:, None], place[None, :])
    ring = torch.nn.functional.avg_pool2d(((radius > 6.5) & (radius < 9.5)).float()[None, None], 8)
    disc = torch.nn.functional.avg_pool2d((radius < 9).float()[None, None], 8)
    assert thickness(ring).item() == pytest.approx(3, rel=0.1)
    assert thickness(disc).item() == pytest.approx(2 * math.pi * 9 / 4, rel=0.03)


def test_thickness_does_not_depend_on_place_contrast_or_layout():
    x = turned_bar(15, 3, length=16)
    expected = thickness(x)
    torch.testing.assert_close(thickness(x.roll((3, -4), (2, 3))), expected)
    torch.testing.assert_close(thickness(0.3 * x), expected)
    torch.testing.assert_close(thickness(x.flatten(1)), expected)
    at_the_border = torch.zeros(1, 1, 28, 28)
    at_the_border[..., 5:23, :3] = 1
    torch.testing.assert_close(thickness(at_the_border), thickness(bar(18, 3)))


def test_no_ink_has_no_thickness():
    assert thickness(torch.cat([torch.zeros(1, 1, 28, 28), bar(9, 1)]))[0] == 0


@pytest.mark.parametrize("measure", [slant, thickness])
@pytest.mark.parametrize("shape", [(28, 28, 1), (3, 783), (3, 3, 8, 8), (0, 1, 8, 8), (784,)])
def test_what_is_no_batch_of_grey_images_is_refused(measure, shape):
    with pytest.raises(InputError, match=r"images \(N, 1, H, W\) or \(N, H · H\); the shape is"):
        measure(torch.zeros(shape))


@pytest.mark.parametrize("measure", [slant, thickness])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_a_generators_own_range_is_refused(measure, value):
    x = bar(9, 3)
    x[0, 0, 0, 0] = value
    with pytest.raises(InputError, match=r"give \(x \+ 1\) / 2"):
        measure(x)
