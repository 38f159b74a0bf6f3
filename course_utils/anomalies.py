"""Reconstruction error as an anomaly score, and how well a score tells strangers from friends: the area under ROC."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from torch import Tensor

from course_utils.data import ImageData
from course_utils.errors import InputError

__all__ = ["auc", "one_class_aucs", "pca_residual"]

Score = Callable[[Tensor], Tensor]


def auc(normal_scores: Tensor, anomalous_scores: Tensor) -> float:
    """The probability that an anomalous sample scores higher than a normal one, ties counted half; ½ is chance.

    Args:
        normal_scores: shape (N,), high where a sample looks strange.
        anomalous_scores: shape (M,).

    Raises:
        InputError: if one of them is empty, not one number a sample, or not finite.

    Source: Hanley & McNeil, *Radiology* 143, 1982.
    """
    for name, scores in (("normal_scores", normal_scores), ("anomalous_scores", anomalous_scores)):
        if scores.ndim != 1 or len(scores) == 0 or not scores.isfinite().all():
            raise InputError(f"{name}: give one finite number a sample, (N,); the shape is {tuple(scores.shape)}.")
    together = torch.cat([normal_scores, anomalous_scores]).detach().cpu().numpy()
    strange = np.repeat([0, 1], [len(normal_scores), len(anomalous_scores)])
    return float(roc_auc_score(strange, together))


def one_class_aucs(
    fit_score: Callable[[Tensor, int], Score], images: ImageData, *, n_train: int | None = None
) -> NDArray[np.float64]:
    """Learn one class, score all test images, and see how far the others stand out; each class in turn.

    Args:
        fit_score: called with the training images (n, 784) of one class and its label; returns a function that maps
            flat images (N, 784) to scores (N,), high where an image looks strange.
        images: the data set.
        n_train: how many training images to look for the class in; all when None.

    Returns:
        One AUC in [0, 1] per class.

    Source: the protocol of Ruff et al., *Deep one-class classification*, ICML 2018.
    """
    train = images.train if n_train is None else images.train.take(n_train)
    aucs = []
    for label in range(len(images.classes)):
        score = fit_score(train.flat[train.labels == label], label)
        with torch.no_grad():
            scores = score(images.test.flat)
        normal = images.test.labels == label
        aucs.append(auc(scores[normal], scores[~normal]))
    return np.array(aucs)


def pca_residual(x: Tensor, k: int) -> Score:
    """What k principal components, fitted to ``x`` (n, d), leave of an image: a score (N, d) → (N,), squared error.

    Raises:
        InputError: if there are not more images than components.
    """
    if x.ndim != 2 or not 0 < k < min(x.shape):
        raise InputError(f"{k} components need data (n, d) with n and d above {k}; the shape is {tuple(x.shape)}.")
    fitted = PCA(n_components=k, svd_solver="covariance_eigh").fit(x.cpu().numpy())
    mean, U = (torch.as_tensor(array, dtype=x.dtype, device=x.device) for array in (fitted.mean_, fitted.components_.T))

    def score(images: Tensor) -> Tensor:
        centred = images - mean
        return centred.square().sum(1) - (centred @ U).square().sum(1)

    return score
