"""Distances and scores of samples, against closed forms; equal laws give what theory says."""

from __future__ import annotations

import math
import warnings

import pytest
import scipy.linalg
import torch

from course_utils import metrics
from course_utils.errors import InputError
from course_utils.metrics import Reading


@pytest.fixture(autouse=True)
def _no_warnings(one_thread):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def normals(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_frechet_distance_of_known_gaussians():
    cov_1, cov_2 = torch.diag(torch.tensor([4.0, 1.0, 0.0])), torch.diag(torch.tensor([1.0, 9.0, 0.0]))
    value = metrics.frechet_distance(torch.zeros(3), cov_1, torch.tensor([1.0, 2.0, 2.0]), cov_2)
    assert value == pytest.approx(9 + 1 + 4, rel=1e-12)


def test_frechet_distance_is_that_of_the_general_square_root():
    A, B = normals(6, 6, 0).double(), normals(6, 6, 1).double()
    cov_1, cov_2, mean = A @ A.T, B @ B.T, torch.zeros(6)
    root = scipy.linalg.sqrtm((cov_1 @ cov_2).numpy()).real
    expected = (cov_1 + cov_2).trace().item() - 2 * root.trace()
    assert metrics.frechet_distance(mean, cov_1, mean, cov_2) == pytest.approx(expected, rel=1e-6)


def test_fid_of_samples_of_known_gaussians():
    a, b = normals(40_000, 3, 0), 2 * normals(40_000, 3, 1) + 1
    assert metrics.fid(a, b) == pytest.approx(3 + 3, rel=0.03)
    assert metrics.fid(a[:20_000], a[20_000:]) < 0.002
    assert metrics.fid(a, a) == pytest.approx(0, abs=1e-10)


def test_fid_with_fewer_images_than_features_is_defined():
    a = normals(20, 50, 0)
    assert metrics.fid(a, a.flip(0)) == pytest.approx(0, abs=1e-9)
    assert metrics.fid(a, a + 2) == pytest.approx(4 * 50, rel=1e-5)


def test_kid_is_unbiased_and_its_value_for_a_known_shift():
    values = [metrics.kid(normals(200, 4, 2 * i), normals(200, 4, 2 * i + 1)) for i in range(30)]
    spread = torch.tensor(values).std().item()
    assert abs(sum(values) / 30) < 3 * spread / math.sqrt(30)
    # in one dimension k(x, y) = (xy + 1)³, so MMD² = Σ_j C(3, j) (E xʲ − E yʲ)²: here 3 · 1² + 3 · 1² + (1 + 3)²
    n = 6_000
    assert metrics.kid(normals(n, 1, 0) + 1, normals(n, 1, 1)) == pytest.approx(3 + 3 + 16, rel=0.08)


def test_kid_is_the_sum_over_all_pairs():
    a, b = normals(1_203, 3, 0).double(), normals(1_100, 3, 1).double() + 0.5
    aa, bb, ab = ((x @ y.T / 3 + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    expected = (aa.sum() - aa.trace()) / (1_203 * 1_202) + (bb.sum() - bb.trace()) / (1_100 * 1_099) - 2 * ab.mean()
    assert metrics.kid(a, b) == pytest.approx(expected.item(), rel=1e-9)


def test_density_and_coverage_of_equal_laws():
    density, coverage = metrics.density_and_coverage(normals(4_000, 8, 0), normals(4_000, 8, 1))
    assert density == pytest.approx(1, abs=0.05)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.01)


def test_density_and_coverage_by_hand():
    real = torch.tensor([[0.0], [1.0], [3.0], [10.0]])  # balls for k = 1: radii 1, 1, 2, 7
    samples = torch.tensor([[0.5], [4.5]])
    assert metrics.density_and_coverage(samples, real, k=1) == (4 / 2, 1.0)  # .5 lies in two balls, 4.5 in two others
    assert metrics.density_and_coverage(samples[:1], real, k=1) == (2.0, 0.5)


def test_dropped_modes_lower_coverage_and_noise_lowers_density():
    real = normals(1_500, 2, 0)
    narrow, wide = 0.2 * normals(1_500, 2, 1), 3 * normals(1_500, 2, 2)
    assert metrics.density_and_coverage(narrow, real)[1] < 0.5
    assert metrics.density_and_coverage(wide, real)[0] < 0.5


def test_inception_score_from_one_to_the_number_of_classes():
    assert metrics.inception_score(torch.zeros(50, 10)) == pytest.approx(1)
    sure = 100 * torch.eye(10).repeat(5, 1)
    assert metrics.inception_score(sure) == pytest.approx(10)
    assert metrics.inception_score(sure[:2]) == pytest.approx(2)
    assert metrics.inception_score(sure[:1].repeat(9, 1)) == pytest.approx(1)


def test_all_scores_at_once():
    a, b = (Reading(normals(60, 4, seed), normals(60, 3, seed + 9)) for seed in (0, 1))
    scores = metrics.sample_scores(a, b)
    assert scores.fid == metrics.fid(a.features, b.features)
    assert scores.kid == metrics.kid(a.features, b.features)
    assert (scores.density, scores.coverage) == metrics.density_and_coverage(a.features, b.features)
    assert scores.inception_score == metrics.inception_score(a.logits)


def test_what_cannot_be_measured_is_refused():
    few = normals(5, 3, 0)
    with pytest.raises(InputError, match="5 real images have no neighbour number 5"):
        metrics.density_and_coverage(few, few)
    with pytest.raises(InputError, match="N at least 2"):
        metrics.fid(few[:1], few)
    with pytest.raises(InputError, match="the same judge"):
        metrics.kid(few, few[:, :2])
    with pytest.raises(InputError, match="not finite"):
        metrics.fid(few / 0, few)
