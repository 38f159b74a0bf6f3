"""Rivals of every generator, in closed form: one Gaussian on the pixels, and a mixture of many of low rank."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.errors import InputError

__all__ = ["PixelMixture", "gaussian_fit", "low_rank_mixture"]


@dataclass(frozen=True)
class PixelMixture:
    """A mixture of C Gaussians on d pixels, N(mean, factor factorᵀ) each.

    Attributes:
        weights: shape (C,), summing to 1.
        means: shape (C, d).
        factors: shape (C, d, r), r the rank.
        shape: of one image, so that samples have it, too.
    """

    weights: Tensor
    means: Tensor
    factors: Tensor
    shape: tuple[int, ...]

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``n`` images, clipped to [0, 1], in random order: shape (n, …), float32, on the CPU."""
        components = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        z = torch.randn(n, self.factors.shape[2], generator=generator)
        x = self.means[components]
        for component in components.unique():
            rows = components == component
            x[rows] += z[rows] @ self.factors[component].T
        return x.clamp_(0, 1).reshape(n, *self.shape)


def gaussian_fit(images: Tensor) -> PixelMixture:
    """The Gaussian with the mean and the covariance of the images: a mixture of one, of full rank.

    Args:
        images: shape (N, …), at least 2, values in [0, 1].

    Raises:
        InputError: if there are fewer than 2 images.
    """
    x = _flat(images, least=2)
    mean, factor = _principal(x, x.shape[1])
    return PixelMixture(torch.ones(1), mean[None], factor[None], tuple(images.shape[1:]))


def low_rank_mixture(images: Tensor, *, components: int = 100, rank: int = 40, seed: int = 0) -> PixelMixture:
    """Cluster the images by k-means, and fit a Gaussian of low rank, PCA's, to each cluster; no network, no gradient.

    Args:
        images: shape (N, …), values in [0, 1], at least as many as components.
        components: clusters.
        rank: principal components kept in each; a cluster of m images has m − 1 at most.
        seed: of the k-means++ start.

    Raises:
        InputError: if there are fewer images than components, or a number is less than 1.

    Source: compare Richardson & Weiss, *On GANs and GMMs*, NeurIPS 2018.
    """
    from sklearn.cluster import KMeans  # takes a second, and only this needs it

    if components < 1 or rank < 1:
        raise InputError(f"components={components} and rank={rank}; both are 1 or more.")
    x = _flat(images, least=components)
    clusters = KMeans(n_clusters=components, n_init=1, random_state=seed).fit(x.numpy()).labels_
    labels = torch.from_numpy(clusters).long()
    parts = [_principal(x[labels == label], rank) for label in labels.unique()]
    weights = labels.bincount(minlength=components).float() / len(x)
    return PixelMixture(
        weights[weights > 0],
        torch.stack([mean for mean, _ in parts]),
        torch.stack([factor for _, factor in parts]),
        tuple(images.shape[1:]),
    )


def _principal(x: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The mean of rows (N, d), and principal axes times their standard deviations, (d, rank), the largest first."""
    mean = x.mean(0)
    centred = x - mean
    rank = min(rank, x.shape[1])
    variances, axes = torch.linalg.eigh((centred.T @ centred).double() / max(1, len(x) - 1))
    factor = axes[:, -rank:] * variances[-rank:].clamp(min=0).sqrt()
    return mean, factor.flip(1).float()


def _flat(images: Tensor, *, least: int) -> Tensor:
    if images.ndim < 2 or len(images) < least:
        raise InputError(f"{least} images or more are needed, (N, …); the shape is {tuple(images.shape)}.")
    return images.detach().flatten(1).cpu().float()
