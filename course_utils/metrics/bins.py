"""Do samples fall where the data fall? The data's space is cut into bins, and the shares in each are compared."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import torch
from sklearn.cluster import KMeans
from torch import Tensor

from course_utils.errors import InputError

__all__ = ["BinComparison", "different_bins"]


@dataclass(frozen=True)
class BinComparison:
    """The shares of two sets in the same bins.

    Attributes:
        different: bins whose shares differ significantly.
        num_bins: bins in all.
        sample_shares: of the samples, shape (num_bins,), float64.
        data_shares: of the data.
    """

    different: int
    num_bins: int
    sample_shares: Tensor
    data_shares: Tensor

    @property
    def ndb(self) -> float:
        """The share of bins that differ, in [0, 1]: about the significance for equal laws."""
        return self.different / self.num_bins


def different_bins(
    samples: Tensor, training: Tensor, *, num_bins: int = 100, significance: float = 0.05, seed: int = 0
) -> BinComparison:
    """The number of statistically different bins, NDB.

    The bins are the cells of k-means on the training data. In each, the share of the samples is compared with that of
    the data by the z-test for two proportions. Because the bins were made for the training data, compare with *other*
    real data, too, to see what equal laws give.

    Args:
        samples: shape (n, d).
        training: shape (m, d), at least as many as bins.
        num_bins: k of k-means.
        significance: of each test, in (0, 1).
        seed: of k-means.

    Raises:
        InputError: if shapes do not fit, there are too few, values are not finite, or significance is outside (0, 1).

    Source: Richardson & Weiss, *On GANs and GMMs*, NeurIPS 2018, section 2.
    """
    if samples.ndim != 2 or training.ndim != 2 or samples.shape[1] != training.shape[1] or not len(samples):
        raise InputError(
            f"Bins are made of (m, d) and filled with (n, d); the shapes are {tuple(training.shape)} and"
            f" {tuple(samples.shape)}."
        )
    if not 1 <= num_bins <= len(training) or not 0 < significance < 1:
        raise InputError(
            f"num_bins={num_bins} and significance={significance} for {len(training)} points; give at most one bin a"
            " point, and a significance between 0 and 1."
        )
    a, b = (part.detach().cpu().float() for part in (samples, training))
    if not (a.isfinite().all() and b.isfinite().all()):
        raise InputError("Some values are not finite; look at the samples before measuring them.")
    cells = KMeans(n_clusters=num_bins, n_init=1, random_state=seed).fit(b.numpy())
    counts = [
        torch.bincount(torch.from_numpy(labels).long(), minlength=num_bins).double()
        for labels in (cells.predict(a.numpy()), cells.labels_)
    ]
    shares = [count / count.sum() for count in counts]
    pooled = (counts[0] + counts[1]) / (len(a) + len(b))
    error = (pooled * (1 - pooled) * (1 / len(a) + 1 / len(b))).sqrt()
    limit = NormalDist().inv_cdf(1 - significance / 2)
    different = int(((shares[0] - shares[1]).abs() > limit * error).sum())
    return BinComparison(different, num_bins, shares[0], shares[1])
