"""Parzen windows against closed forms and torch's own mixture."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_utils.errors import InputError
from course_utils.metrics import choose_parzen_std, parzen, parzen_log_likelihood

pytestmark = pytest.mark.usefixtures("one_thread")


def normals(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mixture(points: torch.Tensor, std: float) -> MixtureSameFamily:
    kernels = Independent(Normal(points, torch.full_like(points, std)), 1)
    return MixtureSameFamily(Categorical(torch.ones(len(points), dtype=points.dtype)), kernels)


def test_one_point_is_one_gaussian():
    x, point = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    normalisation = math.log(2 * math.pi * 0.25)
    expected = [-1 / 0.5 - normalisation, -4 / 0.5 - normalisation]
    found = parzen_log_likelihood(x, point, 0.5)
    assert found.tolist() == pytest.approx(expected, rel=1e-6)
    assert found.dtype == torch.float64


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-3)])
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_many_points_are_torchs_mixture(dtype, tolerance, offset):
    x, points = normals(30, 12) + offset, normals(200, 12, seed=1) + offset
    expected = mixture(points, 0.4).log_prob(x)
    found = parzen_log_likelihood(x.to(dtype), points.to(dtype), 0.4)
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_it_is_the_same_in_chunks_and_for_images(monkeypatch):
    x, points = normals(23, 1, 3, 3), normals(40, 1, 3, 3, seed=1)
    whole = parzen_log_likelihood(x, points, 0.3)
    monkeypatch.setattr(parzen, "_ROWS", 5)
    torch.testing.assert_close(parzen_log_likelihood(x, points.flatten(1), 0.3), whole)
    assert whole.shape == (23,)


def test_far_away_it_is_small_and_finite():
    found = parzen_log_likelihood(torch.full((1, 784), 1e3), torch.zeros(5, 784), 0.1)
    assert found.item() == pytest.approx(-784 * 1e6 / 0.02, rel=1e-4)


def test_it_is_a_density():
    x = torch.linspace(-12, 12, 4_001, dtype=torch.float64)[:, None]
    likelihood = parzen_log_likelihood(x, normals(7, 1), 0.6).exp()
    assert torch.trapezoid(likelihood, x[:, 0]).item() == pytest.approx(1, abs=1e-9)


def test_the_best_std_is_that_of_the_closed_form():
    # of one point at 0, the likelihood is largest where std² is the mean square of the data
    x = 0.7 * normals(4_000, 1)
    best = x.square().mean().sqrt().item()
    candidates = [best / 1.1, best, 1.1 * best]
    point = torch.zeros(1, 1, dtype=torch.float64)
    assert choose_parzen_std(x, point, candidates) == best
    assert choose_parzen_std(x, point, np.array(candidates)) == best
    means = [parzen_log_likelihood(x, point, std).mean().item() for std in candidates]
    assert max(means) == means[1]
    assert choose_parzen_std(x, point, candidates[:1]) == candidates[0]


def test_why_it_misleads_means_beat_the_data_they_are_made_of():
    """In many dimensions the middle of a cluster is nearer to new data than other data are."""
    data, new = normals(500, 200, seed=2), normals(300, 200, seed=3)
    middle = torch.zeros(1, 200, dtype=torch.float64)
    scores = []
    for points in (middle, data):
        std = choose_parzen_std(new[:150], points, [0.8, 0.9, 1.0, 1.1, 1.2, 1.4])
        scores.append(parzen_log_likelihood(new[150:], points, std).mean().item())
    assert scores[0] > scores[1] + 10


@pytest.mark.parametrize(
    ("x", "points", "message"),
    [
        (torch.zeros(3), torch.zeros(2, 3), r"shapes are \(3,\) and \(2, 3\)"),
        (torch.zeros(3, 4), torch.zeros(2, 3), r"\(3, 4\) and \(2, 3\)"),
        (torch.zeros(3, 4), torch.zeros(0, 4), r"\(0, 4\)"),
        (torch.full((3, 4), math.nan), torch.zeros(2, 4), "not finite"),
        (torch.zeros(3, 4), torch.full((2, 4), math.inf), "not finite"),
    ],
)
def test_what_has_no_likelihood_is_refused(x, points, message):
    with pytest.raises(InputError, match=message):
        parzen_log_likelihood(x, points, 1.0)
    with pytest.raises(InputError, match=message):
        choose_parzen_std(x, points, [1.0])


@pytest.mark.parametrize("std", [0.0, -1.0, math.nan])
def test_a_std_is_positive(std):
    with pytest.raises(InputError, match=f"std={std}"):
        parzen_log_likelihood(torch.zeros(1, 2), torch.zeros(1, 2), std)
    with pytest.raises(InputError, match="each more than 0"):
        choose_parzen_std(torch.zeros(1, 2), torch.zeros(1, 2), [1.0, std])
    with pytest.raises(InputError, match=r"candidates=\[\]"):
        choose_parzen_std(torch.zeros(1, 2), torch.zeros(1, 2), [])
