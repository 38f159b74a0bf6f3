"""The k-means protocol of the course: ten restarts, the one with the least inertia reported, the spread beside it.

One run of k-means is a lottery: its accuracy moves by several points between restarts. The restart is chosen by
inertia, which k-means itself can see; never by labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from course_utils.errors import InputError

__all__ = ["Clustering", "kmeans", "matched_accuracy"]


@dataclass(frozen=True)
class Clustering:
    """Ten restarts of k-means against labels it never saw: accuracy and NMI in [0, 1], of the best inertia and of all.

    ``assignments`` (N,) and ``centres`` (k, d) are those of the best inertia.
    """

    accuracy: float
    nmi: float
    inertia: float
    accuracies: NDArray[np.float64]
    nmis: NDArray[np.float64]
    inertias: NDArray[np.float64]
    assignments: NDArray[np.int64]
    centres: NDArray[np.float64]


def kmeans(codes: ArrayLike, labels: ArrayLike, *, k: int = 10, restarts: int = 10, seed: int) -> Clustering:
    """Cluster codes (N, d) with scikit-learn's k-means (k-means++ starts), and compare with labels (N,).

    Args:
        codes: one code per row; a tensor on the CPU or an array.
        labels: integers, one per code, used for judging alone.
        k: clusters.
        restarts: independent runs, each with one start.
        seed: of the first; the others follow.

    Raises:
        InputError: if codes and labels differ in number, or there are fewer codes than clusters.

    Source: Lloyd, *IEEE Transactions on Information Theory* 28, 1982; Arthur & Vassilvitskii, SODA 2007.
    """
    Z, y = np.asarray(codes, dtype=np.float32), np.asarray(labels)
    if Z.ndim != 2 or y.shape != Z.shape[:1] or len(Z) < k:
        raise InputError(f"{k} clusters need codes (N, d) and labels (N,); the shapes are {Z.shape} and {y.shape}.")
    runs = [KMeans(n_clusters=k, n_init=1, random_state=seed + restart).fit(Z) for restart in range(restarts)]
    accuracies = np.array([matched_accuracy(run.labels_, y) for run in runs])
    nmis = np.array([normalized_mutual_info_score(y, run.labels_) for run in runs])
    inertias = np.array([run.inertia_ for run in runs])
    best = int(inertias.argmin())
    return Clustering(
        accuracy=float(accuracies[best]),
        nmi=float(nmis[best]),
        inertia=float(inertias[best]),
        accuracies=accuracies,
        nmis=nmis,
        inertias=inertias,
        assignments=runs[best].labels_.astype(np.int64),
        centres=runs[best].cluster_centers_.astype(np.float64),
    )


def matched_accuracy(assignments: ArrayLike, labels: ArrayLike) -> float:
    """The share of points whose cluster stands for their label, clusters and labels matched one to one, at best.

    Source: Kuhn, *Naval Research Logistics Quarterly* 2, 1955 (the Hungarian method, from SciPy).
    """
    table = contingency_matrix(np.asarray(labels), np.asarray(assignments))
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / table.sum())
