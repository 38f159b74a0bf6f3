"""Toys whose truth is known, and what generated data says of its source."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from course_utils.data import Generated, circle, correlated_gaussian, heights, spiral
from course_utils.data.toy import HEIGHTS
from course_utils.errors import InputError


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


def test_generated_data_is_its_own_real_source() -> None:
    ring = Generated("ring of eight Gaussians")
    assert ring.source == "ring of eight Gaussians, generated"
    assert ring.is_real
