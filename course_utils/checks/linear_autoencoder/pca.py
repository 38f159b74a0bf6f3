"""Checks: PCA from the SVD, and the variance that its components hold.

Where a gap holds several functions, the answer, and the ``make`` of a :class:`Mistake`, is a tuple of them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.linalg import eigh, eigvalsh, svd, svdvals

from course_utils.checks.core import Answer, Check, Mistake, among, cloud, compare, fresh, normal, one_of_two, upright

__all__ = ["projection", "variance"]


# 1. PCA, its code and its reconstruction ---------------------------------------------------------------------------


def _pca(X: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """PCA by the covariance, another road than the SVD."""
    return X.mean(0), eigh(torch.cov(X.T)).eigenvectors.flip(1)[:, :k]


def _upright(value: Any) -> Tensor:
    """U with the same side of each column up: the sign of a direction is free."""
    return upright(one_of_two(1, "the mean", "U")(value), 0)


_PCA = (
    Mistake(
        "uncentred",
        "pca decomposes X as it is. Its first direction then points at the mean, not along the largest variance.",
        lambda X, k: (X.mean(0), svd(X, full_matrices=False).Vh[:k].T),
    ),
    Mistake(
        "left vectors",
        "pca returns the left singular vectors. They have one entry per image; a direction has one entry per pixel.",
        lambda X, k: (X.mean(0), svd(X - X.mean(0), full_matrices=False).U[:, :k]),
    ),
    Mistake(
        "columns of Vh",
        "torch.linalg.svd returns V already transposed. You cut out its columns, and the directions are its rows.",
        lambda X, k: (X.mean(0), svd(X - X.mean(0), full_matrices=False).Vh[:, :k]),
    ),
    Mistake(
        "on its side",
        "U has the directions in its rows, k × d_x. They belong in the columns, d_x × k.",
        lambda X, k: (X.mean(0), svd(X - X.mean(0), full_matrices=False).Vh[:k]),
    ),
    Mistake(
        "scaled",
        "the columns of U carry the singular values. A direction has length 1; the code says how much lies along it.",
        lambda X, k: (X.mean(0), (lambda s: s.Vh[:k].T * s.S[:k])(svd(X - X.mean(0), full_matrices=False))),
    ),
    Mistake(
        "least variance",
        "these are the k directions of the least variance. In which order do the eigenvalues come?",
        lambda X, k: (X.mean(0), eigh(torch.cov(X.T)).eigenvectors[:, :k]),
    ),
    Mistake(
        "not flipped",
        "these are the right k directions, the strongest last: eigenvalues come in ascending order.",
        lambda X, k: (X.mean(0), eigh(torch.cov(X.T)).eigenvectors[:, -k:]),
    ),
)
_PROJECT = (
    Mistake("mean kept", "project does not take the mean away before it projects.", lambda X, mean, U: X @ U),
    Mistake(
        "own mean",
        "project subtracts the mean of the images it is given. New images are coded with the mean that was learnt.",
        lambda X, mean, U: (X - X.mean(0)) @ U,
    ),
)
_RECONSTRUCT = (
    Mistake(
        "mean lost", "reconstruct leaves out the mean: every image comes back too dark.", lambda Z, mean, U: Z @ U.T
    ),
)
_RIGHT_1 = (_pca, lambda X, mean, U: (X - mean) @ U, lambda Z, mean, U: Z @ U.T + mean)


def _judge_projection(pca: Answer, project: Answer, reconstruct: Answer) -> None:
    generator = fresh()
    draws = [cloud(generator, n=n) for n in (0, 0, 0, 6)]  # the last: fewer images than pixels
    view = one_of_two(0, "the mean", "U")
    compare(
        pca, _pca, draws, (), "the mean that pca returns is {got}, and it should be {expected}.", view, what="the mean"
    )
    text = "the k columns of U are not the principal directions, strongest first: U is {got}, and should be {expected}."
    compare(pca, _pca, draws, _PCA, text, _upright, what="U")
    models = [(X, *_pca(X, k)) for X, k in draws]
    others = [(X[:7] + 1, mean, U) for X, mean, U in models]
    compare(
        project, _RIGHT_1[1], others, _PROJECT, "project gives {got}, and it should be {expected}.", what="the code"
    )
    codes = [((X[:7] - mean) @ U, mean, U) for X, mean, U in models]
    compare(
        reconstruct, _RIGHT_1[2], codes, _RECONSTRUCT, "reconstruct gives {got}, and it should be {expected}.", what="x̂"
    )


projection = Check(
    "pca, project or reconstruct",
    _judge_projection,
    "the directions are those of the covariance's largest eigenvalues, and new images find their way there and back.",
    sum((among(_RIGHT_1, i, known) for i, known in enumerate((_PCA, _PROJECT, _RECONSTRUCT))), ()),
)


# 2. How many components, and what they leave out -------------------------------------------------------------------


def _components(X: Tensor, share: float) -> int:
    eigenvalues = eigvalsh(torch.cov(X.T)).flip(0)
    return next(k for k in range(1, len(eigenvalues) + 1) if eigenvalues[:k].sum() >= share * eigenvalues.sum())


def _left_out(X: Tensor, k: int) -> float:
    """The error measured on the reconstructions themselves."""
    mean, U = _pca(X, k)
    return float((X - mean - (X - mean) @ U @ U.T).square().sum(1).mean())


def _is_clear(X: Tensor, share: float) -> bool:
    """Whether rounding cannot change how many components hold this share."""
    values = _spectrum(X.double())
    return bool(((values.cumsum(0) / values.sum() - share).abs() > 1e-4).all())


def _spectrum(X: Tensor) -> Tensor:
    return svdvals(X - X.mean(0)).square() / len(X)


def _count(values: Tensor, share: float) -> int:
    return 1 + int((values.cumsum(0) / values.sum() < share).sum())


_COMPONENTS = (
    Mistake(
        "not squared",
        "components_for adds up the singular values. A variance is a square: which power of them is it?",
        lambda X, share: _count(_spectrum(X).sqrt(), share),
    ),
    Mistake(
        "one too few",
        "components_for is one too small: with that many components the share is not reached yet.",
        lambda X, share: _count(_spectrum(X), share) - 1,
    ),
    Mistake(
        "not flipped",
        "components_for begins with the smallest eigenvalue: eigvalsh sorts them in ascending order.",
        lambda X, share: _count(eigvalsh(torch.cov(X.T)), share),
    ),
    Mistake(
        "uncentred",
        "components_for counts the mean as variance: the data were not centred.",
        lambda X, share: _count(svdvals(X).square(), share),
    ),
)
_REMAINING = (
    Mistake(
        "n - 1",
        "remaining_error divides by n − 1, the unbiased variance; the error is a mean over the n images.",
        lambda X, k: _spectrum(X)[k:].sum() * len(X) / (len(X) - 1),
    ),
    Mistake(
        "not divided",
        "remaining_error is the sum over all images; asked is the error of one image, on average.",
        lambda X, k: _spectrum(X)[k:].sum() * len(X),
    ),
    Mistake(
        "mean over pixels",
        "remaining_error is averaged over the pixels; the error of an image is their sum.",
        lambda X, k: _spectrum(X)[k:].sum() / X.shape[1],
    ),
    Mistake(
        "share",
        "remaining_error is a share of the variance; asked is the squared error itself.",
        lambda X, k: _spectrum(X)[k:].sum() / _spectrum(X).sum(),
    ),
    Mistake(
        "not flipped",
        "remaining_error keeps the k smallest eigenvalues and drops the others: eigvalsh sorts in ascending order.",
        lambda X, k: eigvalsh(torch.cov(X.T, correction=0))[k:].sum(),
    ),
    Mistake(
        "what is kept",
        "remaining_error is what the k components hold; asked is what they leave out.",
        lambda X, k: _spectrum(X)[:k].sum(),
    ),
)


def _judge_variance(components_for: Answer, remaining_error: Answer) -> None:
    generator = fresh()
    clouds = [cloud(generator, n=n) for n in (0, 0, 0, 6)]  # the last: fewer images than pixels
    draws = [(X, share) for X, _ in clouds for share in (0.3, 0.6, 0.9, 0.99) if _is_clear(X, share)]
    wide = normal(80, 40, generator=generator)  # takes more components than the digits of one hand
    draws += [(wide, share) for share in (0.6, 0.9) if _is_clear(wide, share)]
    text = "components_for gives {got}; the smallest number that holds the share is {expected}."
    compare(components_for, _components, draws, _COMPONENTS, text)
    text = "remaining_error gives {got}; reconstructing with k components and measuring gives {expected}."
    compare(remaining_error, _left_out, clouds, _REMAINING, text)


variance = Check(
    "components_for or remaining_error",
    _judge_variance,
    "the eigenvalues you did not use add up to the error that PCA really makes.",
    among((_components, _left_out), 0, _COMPONENTS) + among((_components, _left_out), 1, _REMAINING),
)
