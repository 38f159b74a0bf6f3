"""Predictions, held against a run: an averaged penalty, shuffled codes, and small batches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from course_utils.checks.core import fresh, mistaken, normal, prediction_check
from course_utils.checks.sparse.training_loss import Weights, reference_loss
from course_utils.losses import sparsity_kl, squared_error

__all__ = ["prediction"]

_NAMES = ("averaged_distance", "averaged_error", "shuffled_penalty", "batch_penalty")


def _bars(generator: torch.Generator, n: int = 300, side: int = 4) -> Tensor:
    """Images (n, side²) in which each row and each column is inked with probability .2."""
    present = (torch.rand(n, 2, side, generator=generator, dtype=torch.float64) < 0.2).to(torch.float64)
    return (present[:, 0, :, None] + present[:, 1, None, :]).clamp(max=1).flatten(1)


def _trained(X: Tensor, beta: float, rho: float, generator: torch.Generator, d_h: int = 20) -> Weights:
    d_x = X.shape[1]
    shapes = ((d_h, d_x), (d_x, d_h))
    parts = (normal(*shape, generator=generator, dtype=X.dtype) / shape[1] ** 0.5 for shape in shapes)
    W, V = (part.requires_grad_() for part in parts)
    b, c = (torch.zeros(size, dtype=X.dtype, requires_grad=True) for size in (d_h, d_x))
    optimizer = torch.optim.Adam([W, b, V, c], lr=0.03)
    for _ in range(300):
        optimizer.zero_grad()
        reference_loss(X, (W, b, V, c), rho, beta).backward()
        optimizer.step()
    return W.detach(), b.detach(), V.detach(), c.detach()


def _experiment(generator: torch.Generator, rho: float = 0.1, beta: float = 1.0) -> dict[str, float]:
    """The four ratios that are asked for, measured on data drawn fresh."""
    X, seed = _bars(generator), int(torch.randint(1 << 30, (), generator=generator))
    distances, errors, codes = [], [], []
    for strength in (beta, beta / 20):  # summed over the 20 units, and averaged over them
        W, b, V, c = _trained(X, strength, rho, fresh(seed))
        h = linear(X, W, b).sigmoid()
        distances.append(float((h.mean(0) - rho).abs().mean()))
        errors.append(float(squared_error(linear(h, V, c), X)))
        codes.append(h)
    h = codes[0]
    shuffled = torch.stack([unit[torch.randperm(len(h), generator=generator)] for unit in h.T], dim=1)
    whole = float(sparsity_kl(rho, h.mean(0)))
    parts = [float(sparsity_kl(rho, part.mean(0))) for part in shuffled.split(10)]
    ratios = (
        distances[1] / distances[0],
        errors[1] / errors[0],
        float(sparsity_kl(rho, shuffled.mean(0))) / whole,
        sum(parts) / len(parts) / whole,
    )
    return dict(zip(_NAMES, ratios, strict=True))


_RIGHT = {
    "averaged_distance": "higher",
    "averaged_error": "lower",
    "shuffled_penalty": "same",
    "batch_penalty": "higher",
}
_PREDICTION = {
    "averaged_distance same": "averaged_distance: a mean is the sum divided by the number of units. Where is β now?",
    "averaged_distance lower": "averaged_distance: what is divided by the number of units here, the price of being off "
    "ρ or the distance itself?",
    "averaged_error same": "averaged_error: the two terms of the loss pull against each other. Which of them has been "
    "weakened?",
    "averaged_error higher": "averaged_error: the penalty takes something away from the reconstruction. Is there more "
    "of it now, or less?",
    "shuffled_penalty lower": "shuffled_penalty: which numbers does the penalty see of a unit? Does the order matter?",
    "shuffled_penalty higher": "shuffled_penalty: the code is worthless now, true. Which numbers does the penalty see "
    "of a unit, and does their order matter?",
    "batch_penalty same": "batch_penalty: averages of ten are right on average. But the divergence is a bent function: "
    "what does Jensen's inequality say?",
    "batch_penalty lower": "batch_penalty: the averages of ten scatter around ρ̂, to both sides. Which way does the "
    "divergence bend?",
}
prediction = prediction_check(
    _NAMES,
    _experiment,
    mistaken(_RIGHT, _PREDICTION),
    band=(0.95, 1.05),
    title="Ratios, data drawn fresh",
    digits=".3g",
    quantity="outcome",
)
