"""The energy of checkerboards, stripes, noise and blobs, by hand and against a sum written apart."""

from __future__ import annotations

import math

import pytest
import torch

from course_utils.errors import InputError
from course_utils.metrics import checkerboard_energy

PLACE = torch.arange(28.0)


def stripes(period: float) -> torch.Tensor:
    return (2 * math.pi * PLACE / period).cos()[:, None].expand(28, 28)[None, None]


def test_a_checkerboard_is_all_of_it_and_contrast_and_grey_do_not_matter():
    board = ((PLACE[:, None] + PLACE[None, :]) % 2)[None, None]
    assert checkerboard_energy(board).item() == pytest.approx(1)
    assert checkerboard_energy(0.2 * board + 5).item() == pytest.approx(1)
    assert checkerboard_energy(board.flatten(1)).item() == pytest.approx(1)


@pytest.mark.parametrize("period", [2, 4, 7])
def test_stripes_have_the_energy_of_their_own_period_along_either_axis(period):
    for x in (stripes(period), stripes(period).mT):
        assert checkerboard_energy(x, period).item() == pytest.approx(1)
        others = {2, 4, 7} - {period}
        assert [checkerboard_energy(x, other).item() for other in others] == pytest.approx([0, 0], abs=1e-12)


def test_parts_of_a_sum_have_their_share():
    """A cosine with a period of four pixels has a mean square of ½, one with two pixels 1."""
    x = 3 * stripes(2) + stripes(4).mT
    assert checkerboard_energy(x).item() == pytest.approx(9 / 9.5)
    assert checkerboard_energy(x, 4).item() == pytest.approx(0.5 / 9.5)


@pytest.mark.parametrize(("period", "expected"), [(2, 55 / 783), (4, 108 / 783), (7, 108 / 783)])
def test_noise_has_the_share_of_the_frequencies(period, expected):
    noise = torch.randn(2_000, 784, generator=torch.Generator().manual_seed(0))
    found = checkerboard_energy(noise, period)
    error = found.std().item() / math.sqrt(len(found))
    assert found.mean().item() == pytest.approx(expected, abs=4 * error)
    assert error < 0.01 * expected


def test_a_side_that_is_no_multiple_loses_its_last_pixels():
    x = torch.rand(3, 1, 28, 29, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(checkerboard_energy(x, 3), checkerboard_energy(x[..., :27, :27], 3))


def test_it_is_the_sum_over_waves_written_out():
    x = torch.rand(2, 1, 6, 4, generator=torch.Generator().manual_seed(0)).double()
    rows, columns = torch.arange(6.0).double()[:, None], torch.arange(4.0).double()[None, :]
    for image in x:
        total, part = 0.0, 0.0
        for f in range(6):
            for g in range(4):
                angle = 2 * math.pi * (f * rows / 6 + g * columns / 4)
                energy = ((image[0] * angle.cos()).sum() ** 2 + (image[0] * angle.sin()).sum() ** 2).item()
                total += energy if (f, g) != (0, 0) else 0
                part += energy if f == 3 or g == 2 else 0
        assert checkerboard_energy(image[None]).item() == pytest.approx(part / total)


def test_a_smooth_blob_has_almost_none():
    distance = torch.hypot(PLACE[:, None] - 13.5, PLACE[None, :] - 13.5)
    assert checkerboard_energy((-(distance**2) / 18).exp()[None, None]).item() < 1e-4


def test_one_grey_has_no_energy_to_share():
    found = checkerboard_energy(torch.cat([torch.full((1, 1, 28, 28), 0.3), stripes(2)]))
    assert found.isnan().tolist() == [True, False]


@pytest.mark.parametrize("shape", [(28, 28, 1), (3, 783), (3, 3, 8, 8), (0, 1, 8, 8), (784,)])
def test_what_is_no_batch_of_grey_images_is_refused(shape):
    with pytest.raises(InputError, match=r"images \(N, 1, H, W\) or \(N, H · H\); the shape is"):
        checkerboard_energy(torch.zeros(shape))


@pytest.mark.parametrize("period", [1, 0, -2, 29])
def test_a_period_that_does_not_fit_is_refused(period):
    with pytest.raises(InputError, match=f"period={period}: give 2 to 28"):
        checkerboard_energy(torch.rand(1, 784), period)


def test_what_is_not_finite_is_refused():
    with pytest.raises(InputError, match="not finite"):
        checkerboard_energy(torch.full((1, 784), math.nan))
