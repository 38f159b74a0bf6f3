"""Sharpness by hand: blank images, one pixel, an edge; against a convolution written apart."""

from __future__ import annotations

import pytest
import torch

from course_utils.errors import InputError
from course_utils.metrics import sharpness, sharpness_ratio


def image(*pixels: tuple[int, int], size: int = 5) -> torch.Tensor:
    x = torch.zeros(1, 1, size, size)
    for row, column in pixels:
        x[0, 0, row, column] = 1
    return x


def test_one_pixel_by_hand():
    assert sharpness(image((2, 2))).tolist() == pytest.approx([(4**2 + 4 * 1) / 25])
    assert sharpness(image((0, 2))).tolist() == pytest.approx([(4**2 + 3 * 1) / 25])  # its fourth neighbour is outside
    assert sharpness(image((0, 0))).tolist() == pytest.approx([(4**2 + 2 * 1) / 25])
    assert sharpness(image((2, 1), (2, 2))).tolist() == pytest.approx([(2 * 3**2 + 6 * 1) / 25])


def test_blank_is_not_sharp_and_ink_has_an_edge_only_at_the_border():
    assert sharpness(torch.zeros(2, 1, 6, 6)).tolist() == [0, 0]
    full = torch.full((1, 1, 6, 6), 0.5)
    assert sharpness(full).item() == pytest.approx((16 * 0.5**2 + 4 * 1.0**2) / 36)  # edges, corners


def test_it_is_the_convolution_with_the_kernel_one_image_at_a_time():
    x = torch.rand(3, 1, 7, 9, generator=torch.Generator().manual_seed(0)).double()
    kernel = torch.tensor([[[[0, -1, 0], [-1, 4, -1], [0, -1, 0]]]]).double()
    expected = torch.nn.functional.conv2d(x, kernel, padding=1).square().mean((1, 2, 3))
    torch.testing.assert_close(sharpness(x), expected)


def test_flat_images_are_the_same_and_contrast_counts_squared():
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(sharpness(x.flatten(1)), sharpness(x))
    torch.testing.assert_close(sharpness(x / 2), sharpness(x) / 4)
    assert sharpness(x.requires_grad_()).shape == (4,)


def test_a_blurred_image_is_softer_and_noise_is_sharper():
    x = torch.zeros(1, 1, 16, 16)
    x[..., 4:12, 4:12] = 1
    blurred = torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1)
    noise = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    assert sharpness_ratio(x, x) == 1
    assert sharpness_ratio(blurred, x) < 0.5
    assert sharpness_ratio(noise, x) > 1


def test_the_ratio_is_that_of_the_means():
    one, two = image((2, 2)), image((2, 1), (2, 2))
    assert sharpness_ratio(torch.cat([one, two]), one) == pytest.approx((20 + 24) / 2 / 20)


@pytest.mark.parametrize("shape", [(28, 28, 1), (3, 783), (3, 3, 8, 8), (0, 1, 8, 8), (784,)])
def test_what_is_no_batch_of_grey_images_is_refused(shape):
    with pytest.raises(InputError, match=r"images \(N, 1, H, W\) or \(N, H · H\); the shape is"):
        sharpness(torch.zeros(shape))


def test_blank_references_are_refused():
    with pytest.raises(InputError, match="no edge at all"):
        sharpness_ratio(image((2, 2)), torch.zeros(3, 1, 5, 5))
