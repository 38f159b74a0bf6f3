"""The check of the principal angles between two subspaces."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import subspace_angles
from torch import Tensor
from torch.linalg import qr, svdvals
from torch.nn.functional import normalize

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, close, compare, fresh, integer, normal, tensor

__all__ = ["principal_angles"]


def _angles(A: Tensor, B: Tensor) -> Tensor:
    return torch.from_numpy(np.rad2deg(subspace_angles(A.numpy(), B.numpy()))).flip(0)


def _cosines(A: Tensor, B: Tensor) -> Tensor:
    return svdvals(qr(A).Q.T @ qr(B).Q)


_ANGLES = (
    Mistake(
        "not orthonormal",
        "the angles change when a column is made longer: the columns have to be orthonormal before they are compared.",
        lambda A, B: svdvals(A.T @ B).clamp(-1, 1).acos().rad2deg(),
    ),
    Mistake(
        "normalised only",
        "the columns have length 1, but they are not at right angles to each other yet.",
        lambda A, B: svdvals(normalize(A, dim=0).T @ normalize(B, dim=0)).clamp(-1, 1).acos().rad2deg(),
    ),
    Mistake(
        "radians",
        "these angles are in radians; degrees are asked for.",
        lambda A, B: _cosines(A, B).clamp(max=1).acos(),
    ),
    Mistake(
        "largest first",
        "these are the right angles, the largest first; the smallest is asked for first.",
        lambda A, B: _cosines(A, B).clamp(max=1).acos().rad2deg().flip(0),
    ),
    Mistake("cosines", "these are the cosines of the angles.", lambda A, B: _cosines(A, B).clamp(max=1)),
    Mistake(
        "column by column",
        "each column is compared with the one at its place. A plane has no first and second column: turn its axes, "
        "and the angles must stay.",
        lambda A, B: (normalize(A, dim=0) * normalize(B, dim=0)).sum(0).clamp(-1, 1).acos().rad2deg().sort().values,
    ),
    Mistake(
        "not clamped",
        "two equal subspaces give nan: rounding takes a cosine a hair above 1, and there is no arc cosine of that.",
        lambda A, B: _cosines(A, B).acos().rad2deg(),
    ),
)


def _judge_angles(principal_angles: Answer) -> None:
    generator, draws = fresh(), []
    for k in (1, 2, 3, 4):
        d = integer(9, 14, generator)
        draws.append((normal(d, k, generator=generator), normal(d, k, generator=generator)))
    text = "the angles are {got}, and scipy.linalg.subspace_angles finds {expected}, in degrees."
    compare(principal_angles, _angles, draws, _ANGLES[:-1], text, atol=5e-2)  # asin is rough near 90°
    for _ in range(40):
        A = normal(9, 4, generator=generator)
        angles = call(principal_angles, A, A @ (normal(4, 4, generator=generator) + 3 * torch.eye(4)))
        if isinstance(angles, Tensor) and angles.isnan().any():
            raise Wrong(_ANGLES[-1].message)
        if not close(tensor(angles, (4,)), torch.zeros(4), atol=0.2):  # acos is rough near 0°
            raise Wrong(f"two equal subspaces are {float(angles.max()):.3g} degrees apart.")


principal_angles = Check(
    "principal_angles",
    _judge_angles,
    "SciPy finds the same angles, and a subspace is 0° from itself whatever its axes.",
    _ANGLES,
)
