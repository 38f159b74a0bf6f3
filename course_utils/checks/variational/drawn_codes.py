"""Whether codes were drawn from q(z∣x), from what has been decoded: (z − μ) / σ has to look like normal noise."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, randn_like

from course_utils.checks.core import Wrong

__all__ = ["CODES", "Codes", "are_drawn", "drawn", "judge_codes", "judge_two_draws"]

Codes = Callable[[Tensor, Tensor], Tensor]


def drawn(mean: Tensor, log_var: Tensor) -> Tensor:
    """Codes z = μ + σ ε of q's own kind, the shape of ``mean``."""
    return mean + torch.exp(log_var / 2) * randn_like(mean)


CODES: dict[str, tuple[str, Codes]] = {
    "mean code": (
        "the mean code is decoded, and no code is drawn. A code that is known exactly has a rate without limit, so "
        "this distortion does not belong to the rate beside it.",
        lambda mean, log_var: mean,
    ),
    "half of log σ² forgotten": (
        "the noise is multiplied by exp(log_var), which is the variance. The standard deviation is exp(log_var / 2).",
        lambda mean, log_var: mean + log_var.exp() * randn_like(mean),
    ),
    "log σ² as σ": (
        "the noise is multiplied by log_var itself. The standard deviation is exp(log_var / 2).",
        lambda mean, log_var: mean + log_var * randn_like(mean),
    ),
    "standard deviation 1": (
        "the noise has the standard deviation 1 everywhere. It should be σ = exp(log_var / 2), one number for each "
        "image and dimension.",
        lambda mean, log_var: mean + randn_like(mean),
    ),
    "from the prior": (
        "the codes are drawn from the prior N(0, I), so they know nothing of their images. They belong to q(z∣x).",
        lambda mean, log_var: randn_like(mean),
    ),
    "one ε for all images": (
        "all images share one ε. Their errors then go the same way, and no longer average out over the batch.",
        lambda mean, log_var: mean + torch.exp(log_var / 2) * randn_like(mean[:1]),
    ),
    "the same each time": (
        "two calls draw the same ε. A number that is measured twice should not depend on one fixed draw.",
        lambda mean, log_var: (
            mean + torch.exp(log_var / 2) * torch.randn(mean.shape, generator=torch.Generator().manual_seed(0)).to(mean)
        ),
    ),
    "uniform": (
        "ε is not normal, it is uniform between 0 and 1.",
        lambda mean, log_var: mean + torch.exp(log_var / 2) * torch.rand_like(mean),
    ),
}

_SCALES: dict[str, Callable[[Tensor], Tensor]] = {
    "half of log σ² forgotten": torch.exp,
    "log σ² as σ": lambda log_var: log_var,
    "standard deviation 1": torch.ones_like,
}


def are_drawn(z: Tensor, mean: Tensor, log_var: Tensor) -> bool:
    """Whether codes (M, k), a thousand or more, look like draws from N(mean, exp(log_var)), row by row."""
    return _is_normal((z - mean) / torch.exp(log_var / 2))


def judge_codes(z: Tensor, mean: Tensor, log_var: Tensor) -> None:
    """Ask the same, and say what is wrong with them.

    Raises:
        Wrong: if they are not, with the known mistake that they look like.
    """
    epsilon = (z - mean) / torch.exp(log_var / 2)
    if epsilon.abs().max() < 1e-3:
        raise Wrong(CODES["mean code"][0])
    if epsilon.std(0).max() < 1e-3:
        raise Wrong(CODES["one ε for all images"][0])
    if are_drawn(z, mean, log_var):
        return
    if _is_normal(z) and not (mean.abs() < 1e-3).all():
        raise Wrong(CODES["from the prior"][0])
    for name, scale in _SCALES.items():
        if _is_normal((z - mean) / scale(log_var)):
            raise Wrong(CODES[name][0])
    if epsilon.min() > -1e-3 and epsilon.max() < 1.001:
        raise Wrong(CODES["uniform"][0])
    centre, spread = float(epsilon.mean()), float(epsilon.std())
    raise Wrong(
        "the codes that were decoded are no draws from q: (z − μ) / σ should be standard normal, and independent "
        f"between images and between dimensions. Here its mean is {centre:.2f} and its standard deviation {spread:.2f}."
    )


def judge_two_draws(first: Tensor, second: Tensor) -> None:
    """Ask the codes of two calls whether they were drawn anew.

    Raises:
        Wrong: if they are the same.
    """
    if first.shape == second.shape and torch.allclose(first, second):
        raise Wrong(CODES["the same each time"][0])


def _is_normal(epsilon: Tensor) -> bool:
    """Whether the columns look like independent standard normal numbers; five standard errors are allowed."""
    k = epsilon.shape[1]
    together = epsilon.T.corrcoef() - torch.eye(k, dtype=epsilon.dtype) if k > 1 else epsilon.new_zeros(1)
    return bool(
        epsilon.mean(0).abs().max() < 0.12
        and (epsilon.std(0) - 1).abs().max() < 0.1
        and together.abs().max() < 0.15
        and abs(float(epsilon.pow(4).mean()) - 3) < 0.8
    )
