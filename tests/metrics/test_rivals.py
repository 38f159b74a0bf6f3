"""The rivals' samples have the moments of what they were fitted to."""

from __future__ import annotations

import pytest
import torch

from course_utils import metrics
from course_utils.errors import InputError


def pixels(n: int, centre: float, seed: int) -> torch.Tensor:
    """Images (n, 1, 2, 3) that vary along one direction, inside [0, 1]."""
    along = torch.randn(n, 1, generator=torch.Generator().manual_seed(seed))
    return (centre + 0.03 * along * torch.tensor([1.0, -1, 2, 0, 1, 1])).clamp(0, 1).reshape(n, 1, 2, 3)


def test_the_gaussian_fit_has_mean_and_covariance_of_the_images(one_thread):
    images = pixels(3_000, 0.5, 0)
    fit = metrics.gaussian_fit(images)
    cov = fit.factors[0] @ fit.factors[0].T
    torch.testing.assert_close(cov, images.flatten(1).T.cov(), rtol=1e-3, atol=1e-6)
    samples = fit.sample(20_000, generator=torch.Generator().manual_seed(1))
    assert samples.shape == (20_000, 1, 2, 3)
    torch.testing.assert_close(samples.mean(0), images.mean(0), rtol=0, atol=2e-3)
    torch.testing.assert_close(samples.flatten(1).T.cov(), cov, rtol=0.05, atol=1e-5)


def test_the_mixture_finds_two_clusters_and_their_directions(one_thread):
    images = torch.cat([pixels(300, 0.2, 0), pixels(900, 0.8, 1)])
    mixture = metrics.low_rank_mixture(images, components=2, rank=1)
    assert sorted(mixture.weights.tolist()) == pytest.approx([0.25, 0.75])
    assert sorted(mixture.means[:, 3].tolist()) == pytest.approx([0.2, 0.8], abs=0.01)
    assert mixture.factors.shape == (2, 6, 1)
    for component, part in zip(mixture.means[:, 3].argsort(), (images[:300], images[300:]), strict=True):
        factor = mixture.factors[component]
        torch.testing.assert_close(factor @ factor.T, part.flatten(1).T.cov(), rtol=0.02, atol=1e-6)
    samples = mixture.sample(4_000, generator=torch.Generator().manual_seed(0))
    assert (samples.flatten(1)[:, 3] > 0.5).float().mean().item() == pytest.approx(0.75, abs=0.03)


def test_samples_are_clipped_and_drawn_from_the_generator_alone(one_thread):
    fit = metrics.gaussian_fit(torch.rand(40, 1, 2, 3, generator=torch.Generator().manual_seed(0)).round())
    before = torch.get_rng_state()
    one, same = (fit.sample(500, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one, same)
    assert torch.equal(before, torch.get_rng_state())
    assert (one.min().item(), one.max().item()) == (0.0, 1.0)


def test_clusters_of_one_image_are_that_image(one_thread):
    images = torch.rand(4, 1, 2, 3, generator=torch.Generator().manual_seed(0))
    samples = metrics.low_rank_mixture(images, components=4, rank=3).sample(50)
    assert torch.cdist(samples.flatten(1).double(), images.flatten(1).double()).amin(1).max() < 1e-5


def test_too_few_images_are_refused():
    with pytest.raises(InputError, match="5 images or more"):
        metrics.low_rank_mixture(torch.rand(4, 6), components=5)
    with pytest.raises(InputError, match="1 or more"):
        metrics.low_rank_mixture(torch.rand(4, 6), components=0)
