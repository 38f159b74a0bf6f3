"""Predictions, held against a run: rescaled weights, a large λ, and faint noise."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from course_utils.checks.core import fresh, mistaken, normal, prediction_check
from course_utils.losses import sigmoid_contraction, squared_error

__all__ = ["prediction"]

_NAMES = ("rescaled_loss", "rescaled_movement", "crushed_variance", "faint_noise")


def _toy(generator: torch.Generator, n: int = 200, d_x: int = 8) -> Tensor:
    """Points in (0, 1), most of whose spread lies along two directions."""
    factors = normal(n, 2, generator=generator, dtype=torch.float64) @ (
        2 * normal(2, d_x, generator=generator, dtype=torch.float64)
    )
    return torch.sigmoid(factors + 0.3 * normal(n, d_x, generator=generator, dtype=torch.float64))


def _code_variance(X: Tensor, lam: float, generator: torch.Generator, d_h: int = 6) -> float:
    """Variance of the codes, summed over the units, after training with tied weights and λ ‖J‖²_F, not divided."""
    d_x = X.shape[1]
    W = (normal(d_h, d_x, generator=generator, dtype=torch.float64) / d_x**0.5).requires_grad_()
    b, c = (torch.zeros(size, dtype=X.dtype, requires_grad=True) for size in (d_h, d_x))
    optimizer = torch.optim.Adam([W, b, c], lr=0.03)
    for _ in range(150):
        optimizer.zero_grad()
        h = linear(X, W, b).sigmoid()
        (squared_error(h @ W + c, X) + lam * sigmoid_contraction(h, W)).backward()
        optimizer.step()
    return float(linear(X, W, b).sigmoid().var(0).sum().detach())


def _experiment(generator: torch.Generator) -> dict[str, float]:
    """The four ratios that are asked for, measured on data drawn fresh."""
    X, std = _toy(generator), 0.1
    d_x, k = X.shape[1], 3
    W = normal(k, d_x, generator=generator, dtype=torch.float64)
    V = torch.linalg.pinv(W)
    noise = std * normal(*X.shape, generator=generator, dtype=torch.float64)
    losses, movements = [], []
    for scale in (1, 10):
        encoder, decoder = W / scale, V * scale
        error = (X @ encoder.T @ decoder.T - X).square().sum(1).mean()
        losses.append(float(error + encoder.square().sum()))
        moved = (noise @ encoder.T).square().sum(1).mean()
        movements.append(float(moved / (X @ encoder.T).var(0).sum()))
    variances = [_code_variance(X, lam, fresh(0)) for lam in (0.01, 10.0)]
    b, epsilon = (
        normal(k, generator=generator, dtype=torch.float64),
        normal(100, *X.shape, generator=generator, dtype=torch.float64),
    )
    clean, faint = linear(X, W, b).sigmoid(), 1e-3
    moved = (linear(X + faint * epsilon, W, b).sigmoid() - clean).square().sum(-1).mean()
    ratios = (
        losses[1] / losses[0],
        movements[1] / movements[0],
        variances[1] / variances[0],
        float(moved / (faint**2 * sigmoid_contraction(clean, W))),
    )
    return dict(zip(_NAMES, ratios, strict=True))


_RIGHT = {"rescaled_loss": "lower", "rescaled_movement": "same", "crushed_variance": "lower", "faint_noise": "same"}
_PREDICTION = {
    "rescaled_loss same": "rescaled_loss: in one of the two terms the factors do cancel. Is there a V in the other?",
    "rescaled_loss higher": "rescaled_loss: write down both terms for W / 10 and 10 V. Where does the 10 stay?",
    "rescaled_movement lower": "rescaled_movement: the codes do move a tenth as far. How far apart are the codes of "
    "different images now?",
    "rescaled_movement higher": "rescaled_movement: the codes of different images have drawn together, yes. And their "
    "movement under the noise?",
    "crushed_variance same": "crushed_variance: when the penalty is all that counts, which encoder is best? What can "
    "its codes tell about their images?",
    "crushed_variance higher": "crushed_variance: a code that differs from image to image has to move on the way from "
    "one to the other. What would that cost here?",
    "faint_noise lower": "faint_noise: the noise is so faint that f is a straight line over its range. Write the "
    "movement as J ε and take the mean of its square.",
    "faint_noise higher": "faint_noise: by how much does curvature count when σ is 0.001? Write the movement as σ J ε "
    "and take the mean of its square.",
}
prediction = prediction_check(
    _NAMES,
    _experiment,
    mistaken(_RIGHT, _PREDICTION),
    band=(0.9, 1.1),
    title="Ratios, data drawn fresh",
    digits=".3g",
    quantity="outcome",
)
