"""Predictions, held against a run: depth, mixed codes, and a mean that is left in."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch.linalg import svdvals

from course_utils.checks.core import Mistake, between, cloud, normal, prediction_check

__all__ = ["prediction"]

_DEEPER_LOWER = (
    "deeper: you expect the extra layers to help. Multiply the four matrices into one: which rank can the product have?"
)
_DEEPER_HIGHER = (
    "deeper: you expect the extra layers to hurt. Are there weights with which they change nothing? "
    "Then the best error cannot be worse."
)
_MIXED = (
    "mixed: the codes do change. Follow one image through both maps, x → M W x → V M⁻¹ M W x: "
    "what is left of M at the end?"
)
_UNCENTRED = (
    "uncentred: with no mean taken away and none added, where do all reconstructions lie? "
    "A plane through the origin has to reach a cloud that lies far from it."
)


def _experiment(generator: torch.Generator) -> dict[str, float]:
    """Errors of the three experiments as multiples of PCA's, with the same k on the same data drawn fresh."""
    X, k = cloud(generator, torch.float64)
    d, centred = X.shape[1], X - X.mean(0)
    floor = svdvals(centred)[k:].square().sum() / len(X)
    sizes = (d, 20, k, 20, d)
    shapes = [(o, i) for i, o in pairwise(sizes)]
    deep = [normal(*shape, generator=generator, dtype=X.dtype) / max(shape) ** 0.5 for shape in shapes]
    deep = [weights.requires_grad_() for weights in deep]
    optimizer = torch.optim.Adam(deep, lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=600)
    for _ in range(600):
        error = (centred @ torch.linalg.multi_dot(deep[::-1]).T - centred).square().sum(1).mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
    U = torch.linalg.svd(centred, full_matrices=False).Vh[:k].T
    M = normal(k, k, generator=generator, dtype=X.dtype) + 3 * torch.eye(k)
    mixed = (centred @ (M @ U.T).T @ (U @ M.inverse()).T - centred).square().sum(1).mean()
    errors = {"deeper": error, "mixed": mixed, "uncentred": svdvals(X)[k:].square().sum() / len(X)}
    return {name: float(error.detach() / floor) for name, error in errors.items()}


prediction = prediction_check(
    ("deeper", "mixed", "uncentred"),
    _experiment,
    (
        Mistake("depth helps", _DEEPER_LOWER, ("lower", "same", "higher")),
        Mistake("depth hurts", _DEEPER_HIGHER, ("higher", "same", "higher")),
        Mistake("mixing hurts", _MIXED, ("same", "higher", "higher")),
        Mistake("the mean is harmless", _UNCENTRED, ("same", "same", "same")),
    ),
    band=(0.98, 1.02),
    title="Error over PCA's, data drawn fresh",
    choose=between,
)
