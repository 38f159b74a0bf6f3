"""The check of the principal angles between two subspaces, part of exercise 02."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.linalg import subspace_angles
from torch import Tensor
from torch.linalg import qr, svdvals
from torch.nn.functional import normalize

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, close, compare, fresh, integer, normal, tensor

__all__ = ["principal_angles"]


def _angles(A: Tensor, B: Tensor) -> Tensor:
    return torch.from_numpy(np.rad2deg(subspace_angles(A.numpy(), B.numpy())))


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
    generator = fresh()

    def sort(value: Any) -> Any:
        return value.sort().values if isinstance(value, Tensor) and value.ndim == 1 else value

    draws, equal = [], []
    for _ in range(4):
        d, k = integer(9, 14, generator), integer(2, 4, generator)
        draws.append((normal(d, k, generator=generator), normal(d, k, generator=generator)))
    for _ in range(40):
        A = normal(9, 4, generator=generator)
        equal.append((A, A @ (normal(4, 4, generator=generator) + 3 * torch.eye(4))))
    text = "the angles are {got}, and scipy.linalg.subspace_angles finds {expected}, in degrees."
    compare(principal_angles, _angles, draws, _ANGLES[:-1], text, sort, atol=1e-3)  # acos is rough near 0°
    for A, B in equal:
        angles = call(principal_angles, A.clone(), B.clone())
        if isinstance(angles, Tensor) and angles.isnan().any():
            raise Wrong(_ANGLES[-1].message)
        if not close(tensor(angles, (4,), "the result"), torch.zeros(4), atol=1e-3):
            raise Wrong(f"two equal subspaces are {float(angles.max()):.3g} degrees apart.")


principal_angles = Check(
    "principal_angles",
    _judge_angles,
    "SciPy finds the same angles, and a subspace is 0° from itself whatever its axes.",
    _ANGLES,
)
