"""How good generated images are: Fréchet and kernel distances, inception score, density and coverage.

All are functions of what a classifier makes of the images: features of shape (N, d), one image a row, or logits
(N, classes). Computed on the CPU in float64. Take as many samples as real images: 10,000 in this course.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.errors import InputError
from course_utils.metrics.judge import Reading

__all__ = [
    "SampleScores",
    "density_and_coverage",
    "fid",
    "frechet_distance",
    "inception_score",
    "kid",
    "sample_scores",
]

_ROWS = 1_000  # of a matrix of distances at a time


@dataclass(frozen=True)
class SampleScores:
    """All measures of one set of samples: ``fid`` and ``kid`` (0 is best), the others (more is better).

    ``inception_score`` lies between 1 and the number of classes, ``coverage`` in [0, 1], ``density`` may exceed 1.
    """

    fid: float
    kid: float
    inception_score: float
    density: float
    coverage: float


def sample_scores(samples: Reading, real: Reading, *, k: int = 5) -> SampleScores:
    """All measures at once, of samples against real images that the same judge has read.

    Raises:
        InputError: if there are too few images (see the single measures).
    """
    density, coverage = density_and_coverage(samples.features, real.features, k=k)
    return SampleScores(
        fid=fid(samples.features, real.features),
        kid=kid(samples.features, real.features),
        inception_score=inception_score(samples.logits),
        density=density,
        coverage=coverage,
    )


def inception_score(logits: Tensor) -> float:
    """The exponential of the mutual information of image and class, exp E KL(p(y ∣ x) ‖ p(y)): one split.

    Args:
        logits: a classifier's, shape (N, classes).

    Returns:
        From 1 (every image gets the same answer) to the number of classes (sure answers, all classes alike).

    Source: Salimans et al., *Improved techniques for training GANs*, NeurIPS 2016, section 4.
    """
    log_p = _rows("logits", logits, least=1).log_softmax(1)
    log_marginal = log_p.logsumexp(0) - torch.tensor(len(log_p), dtype=log_p.dtype).log()
    return (log_p.exp() * (log_p - log_marginal)).sum(1).mean().exp().item()


def fid(samples: Tensor, real: Tensor) -> float:
    """The Fréchet distance of two normals fitted to the features, ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½).

    It is defined for fewer images than features, too (covariances are then singular), but it falls with the number of
    images, even between equal distributions: compare only at equal numbers.

    Args:
        samples: features, shape (N, d), at least 2 images.
        real: features, shape (M, d), at least 2 images.

    Returns:
        0 or more, in squared units of the features.

    Raises:
        InputError: if there are fewer than 2 images, shapes do not fit, or values are not finite.

    Source: Heusel et al., *GANs trained by a two time-scale update rule*, NeurIPS 2017, equation 6.
    """
    a, b = _pair(samples, real, least=2)
    return frechet_distance(a.mean(0), a.T.cov(), b.mean(0), b.T.cov())


def frechet_distance(mean_1: Tensor, cov_1: Tensor, mean_2: Tensor, cov_2: Tensor) -> float:
    """The squared Wasserstein-2 distance of N(μ₁, Σ₁) and N(μ₂, Σ₂).

    With Σ = A Aᵀ, from the eigenvectors of the symmetric Σ, Tr (Σ₁ Σ₂)^½ is the sum of the singular values of A₁ᵀ A₂:
    no square root of a matrix that is not symmetric, and nothing complex or negative from rounding.

    Args:
        mean_1: shape (d,).
        cov_1: shape (d, d), symmetric; it may be singular.
        mean_2: shape (d,).
        cov_2: shape (d, d).

    Returns:
        0 or more.

    Source: Dowson & Landau, *Journal of Multivariate Analysis* 12, 1982.
    """
    difference = (mean_1 - mean_2).cpu().double()
    factor_1, factor_2 = _factor(cov_1), _factor(cov_2)
    overlap = torch.linalg.svdvals(factor_1.T @ factor_2).sum()
    total = difference.square().sum() + factor_1.square().sum() + factor_2.square().sum() - 2 * overlap
    return max(0.0, total.item())


def kid(samples: Tensor, real: Tensor) -> float:
    """The squared maximum mean discrepancy with the kernel (x·y / d + 1)³, without bias: around 0 for equal laws.

    All pairs are taken, instead of the mean over random subsets, so that nothing is drawn.

    Args:
        samples: features, shape (N, d), at least 2 images.
        real: features, shape (M, d), at least 2 images.

    Returns:
        About 0 or more; slightly negative values are noise of an estimator without bias.

    Raises:
        InputError: if there are fewer than 2 images, shapes do not fit, or values are not finite.

    Source: Bińkowski et al., *Demystifying MMD GANs*, ICLR 2018, section 4.
    """
    a, b = _pair(samples, real, least=2)

    def total(x: Tensor, y: Tensor) -> float:
        return sum((part @ y.T / x.shape[1] + 1).pow(3).sum().item() for part in x.split(_ROWS))

    def within(x: Tensor) -> float:
        diagonal = (x.square().sum(1) / x.shape[1] + 1).pow(3).sum().item()
        return (total(x, x) - diagonal) / (len(x) * (len(x) - 1))

    return within(a) + within(b) - 2 * total(a, b) / (len(a) * len(b))


def density_and_coverage(samples: Tensor, real: Tensor, *, k: int = 5) -> tuple[float, float]:
    """How many samples lie near real images, and how many real images have a sample near by.

    The ball of a real image reaches to its k-th nearest other real image. *Density* is the number of balls that a
    sample lies in, over k: about 1 for equal laws. *Coverage* is the share of balls that hold a sample: about
    1 − 2⁻ᵏ (.969) for equal laws and equal numbers.

    Args:
        samples: features, shape (N, d).
        real: features, shape (M, d), more than k images.
        k: which neighbour the balls reach to.

    Returns:
        Density, 0 or more, and coverage, in [0, 1].

    Raises:
        InputError: if there are no more than k real images, shapes do not fit, or values are not finite.

    Source: Naeem et al., *Reliable fidelity and diversity metrics for generative models*, ICML 2020, section 3.
    """
    if k < 1:
        raise InputError(f"k is {k}; balls reach to the first neighbour or a later one.")
    a, b = _pair(samples, real, least=1)
    if len(b) <= k:
        raise InputError(f"{len(b)} real images have no neighbour number {k}; take more images, or a smaller k.")
    inside, covered = 0, 0
    for start in range(0, len(b), _ROWS):
        part = b[start : start + _ROWS]
        others = torch.cdist(part, b)
        others[torch.arange(len(part)), torch.arange(start, start + len(part))] = torch.inf  # itself
        radius = others.kthvalue(k, dim=1).values
        near = torch.cdist(part, a) <= radius[:, None]
        inside += int(near.sum())
        covered += int(near.any(1).sum())
    return inside / (k * len(a)), covered / len(b)


def _factor(cov: Tensor) -> Tensor:
    """A of shape (d, d) with A Aᵀ = Σ; eigenvalues that rounding made negative count as 0."""
    values, vectors = torch.linalg.eigh(cov.cpu().double())
    return vectors * values.clamp(min=0).sqrt()


def _pair(samples: Tensor, real: Tensor, *, least: int) -> tuple[Tensor, Tensor]:
    a, b = _rows("samples", samples, least=least), _rows("real", real, least=least)
    if a.shape[1] != b.shape[1]:
        raise InputError(f"Samples have {a.shape[1]} features and real images {b.shape[1]}; use the same judge.")
    return a, b


def _rows(name: str, x: Tensor, *, least: int) -> Tensor:
    """One row an image, in float64 on the CPU."""
    if x.ndim != 2 or len(x) < least or x.shape[1] == 0:
        raise InputError(f"{name} has the shape {tuple(x.shape)}; give one row an image, (N, d), N at least {least}.")
    if not x.isfinite().all():
        raise InputError(f"{name} holds values that are not finite; look at the images before measuring them.")
    return x.detach().cpu().double()
