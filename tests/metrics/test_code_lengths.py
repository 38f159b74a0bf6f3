"""Code lengths beside entropies in closed form, and JPEG's scan beside the whole file."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import metrics
from course_utils.errors import InputError


def normals(n, k=3):
    return torch.randn(n, k, generator=torch.Generator().manual_seed(n))


def test_rounded_codes_are_multiples_of_the_step_within_half_a_step():
    codes = normals(50)
    rounded = metrics.round_to_step(codes, 0.25)
    assert torch.equal(rounded * 4, (rounded * 4).round())
    assert (rounded - codes).abs().max() <= 0.125


def test_a_fair_coin_costs_one_bit_and_a_constant_next_to_nothing():
    coin = torch.tensor([0.0, 1.0]).repeat(5_000)[:, None]
    assert metrics.ideal_code_bytes(coin, coin, 1.0) == pytest.approx(1 / 8, rel=1e-3)
    assert metrics.ideal_code_bytes(coin * 0, coin * 0, 1.0) < 1e-4


def test_normal_codes_cost_their_differential_entropy_minus_the_logarithm_of_the_step():
    step, stds = 0.1, torch.tensor([0.5, 1.0, 2.0])
    codes, training = normals(20_000) * stds, normals(200_000) * stds
    bits = sum(0.5 * math.log2(2 * math.pi * math.e) + math.log2(std / step) for std in stds.tolist())
    assert metrics.ideal_code_bytes(codes, training, step) == pytest.approx(bits / 8, rel=5e-3)


def test_each_column_has_its_own_histogram_and_its_own_range():
    training = torch.tensor([[0.0, 100.0], [1.0, 100.0]]).repeat(1_000, 1)
    assert metrics.ideal_code_bytes(training, training, 1.0) == pytest.approx(1 / 8, rel=1e-2)


def test_counts_are_smoothed_by_laplaces_rule():
    training = torch.tensor([0.0, 0.0, 2.0])[:, None]  # levels 0, 1, 2 with 3, 1 and 2 counts of 7
    for value, count in ((0.0, 3), (1.0, 1), (2.0, 2)):
        cost = metrics.ideal_code_bytes(torch.tensor([[value]]), training, 1.0)
        assert cost == pytest.approx(math.log2(7 / count) / 8)


def test_values_that_the_training_codes_never_had_cost_finitely_much_and_more_the_farther_they_are():
    training = torch.zeros(6, 1)  # levels: 0 with 7 counts of 8, outside with one
    costs = [metrics.ideal_code_bytes(torch.tensor([[value]]), training, 1.0) * 8 for value in (-1.0, 1.0, 2.0, 9.0)]
    assert costs == pytest.approx([3 + 1 + 1, 3 + 1 + 1, 3 + 1 + 3, 3 + 1 + 7])


@pytest.mark.parametrize("step", [0.0, -1.0, math.nan])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(InputError, match="above 0"):
        metrics.round_to_step(normals(3), step)
    with pytest.raises(InputError, match="above 0"):
        metrics.ideal_code_bytes(normals(3), normals(3), step)


def test_codes_of_other_lengths_are_refused():
    with pytest.raises(InputError, match="belong together"):
        metrics.ideal_code_bytes(normals(3), normals(3, k=2), 1.0)
    with pytest.raises(InputError, match="belong together"):
        metrics.ideal_code_bytes(normals(3)[:0], normals(3), 1.0)


@pytest.fixture
def smooth_images():
    smooth = torch.rand(20, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(smooth, size=(28, 28), mode="bilinear").clamp(0, 1)


@pytest.mark.parametrize("quality", [5, 50, 90])
def test_the_scan_is_what_pillow_writes_without_its_header(smooth_images, quality):
    page = metrics.mosaic(smooth_images, 5)
    buffer = io.BytesIO()
    grey = Image.fromarray((page * 255).round().to(torch.uint8).numpy())
    grey.save(buffer, "JPEG", quality=quality, optimize=True)
    back = np.asarray(Image.open(io.BytesIO(buffer.getvalue())), dtype=np.float64) / 255
    scan, error = metrics.jpeg_scan(smooth_images, quality, columns=5)
    assert 150 < len(buffer.getvalue()) - 20 * scan < 700  # bytes of header and tables
    assert error == pytest.approx(((back - page.numpy()) ** 2).mean(), rel=1e-4)


def test_better_scans_are_larger(smooth_images):
    sizes, errors = zip(*(metrics.jpeg_scan(smooth_images, q, columns=5) for q in (5, 30, 90)), strict=True)
    assert list(sizes) == sorted(sizes)
    assert list(errors) == sorted(errors, reverse=True)


def test_the_scan_of_a_blank_page_is_a_few_bits_a_block():
    scan, error = metrics.jpeg_scan(torch.ones(100, 1, 32, 32), 50)
    assert 2 <= scan * 8 / 16 <= 4  # bits for a block of 8 by 8
    assert error == 0
