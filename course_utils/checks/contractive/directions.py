"""The check of the tangent directions: the leading right singular vectors of Jacobians."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import eigh, qr, svd
from torch.nn.functional import normalize

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, integer, normal, upright

__all__ = ["tangents"]


def _draw(generator: torch.Generator) -> tuple[Tensor, int]:
    """Jacobians (n × d_h × d_x, float64) whose singular directions cannot be confused, and a k below d_h."""
    n, d_h, d_x = (integer(low, low + 3, generator) for low in (12, 5, 9))
    left = qr(normal(n, d_h, d_h, generator=generator)).Q
    right = qr(normal(n, d_x, d_h, generator=generator)).Q
    spread = 2 * 0.7 ** torch.arange(d_h) * (1 + 0.1 * torch.rand(d_h, generator=generator))
    return left * spread @ right.mT, integer(2, 3, generator)


def _by_eigenvectors(J: Tensor, k: int) -> Tensor:
    """The same by another road: the leading eigenvectors of JᵀJ, (n, k, d_x)."""
    return eigh(J.mT @ J).eigenvectors.flip(-1)[:, :, :k].mT


def _thin(J: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    U, S, Vh = svd(J, full_matrices=False)
    return U, S, Vh


_TANGENTS = (
    Mistake(
        "left vectors",
        "these are left singular vectors: directions in the space of codes, with one entry per unit. "
        "A tangent direction has one entry per pixel.",
        lambda J, k: _thin(J)[0][:, :, :k].mT,
    ),
    Mistake(
        "columns of Vh",
        "torch.linalg.svd returns V already transposed. You cut out its columns, and the directions are its rows.",
        lambda J, k: svd(J).Vh[:, :, :k].mT,
    ),
    Mistake(
        "the weakest",
        "these are the directions along which the code moves least. In which order do singular values come?",
        lambda J, k: _thin(J)[2][:, -k:],
    ),
    Mistake(
        "not flipped",
        "these are the right directions, the strongest last: eigenvalues come in ascending order.",
        lambda J, k: eigh(J.mT @ J).eigenvectors[:, :, -k:].mT,
    ),
    Mistake(
        "no effect at all",
        "the code does not move along these at all: a full SVD adds directions for which there is no singular value.",
        lambda J, k: svd(J).Vh[:, -k:],
    ),
    Mistake(
        "scaled",
        "the directions carry their singular values. A direction has length 1.",
        lambda J, k: (_thin(J)[1][:, :, None] * _thin(J)[2])[:, :k],
    ),
    Mistake(
        "of the mean over the batch",
        "these are the directions of the mean Jacobian, the same for every image. The manifold bends: "
        "each image has its own tangents.",
        lambda J, k: _thin(J.mean(0))[2][:k].expand(len(J), -1, -1),
    ),
    Mistake(
        "on their side",
        "the directions stand in columns, (n, d_x, k). Asked is (n, k, d_x): each of them an image.",
        lambda J, k: _thin(J)[2][:, :k].mT,
    ),
    Mistake(
        "rows of the Jacobian",
        "these are rows of J, made of length 1: one unit's gradient each. The code as a whole has other directions.",
        lambda J, k: normalize(J[:, :k], dim=-1),
    ),
)


def _judge_tangents(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator) for _ in range(3)]
    draws.append((draws[0][0][:1], 1))  # one image, one direction
    text = "the directions are {got}; the leading eigenvectors of JᵀJ, signs aside, are {expected}."
    compare(answer, _by_eigenvectors, draws, _TANGENTS, text, lambda value: upright(value, -1))


tangents = Check(
    "tangents",
    _judge_tangents,
    "these are the directions along which the code of each image moves most.",
    _TANGENTS,
)
