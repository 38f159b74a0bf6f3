"""The claims that a stored lecture has to hold: what was asked for, written down apart from the lectures.

A lecture may hold more claims, and tighter bounds; not fewer, and not looser ones. ``stretch`` is a harder bar that
is welcome and not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REQUIRED", "Required"]


@dataclass(frozen=True)
class Required:
    """One required claim; ``data`` is how the source of its data has to begin."""

    id: str
    kind: str
    op: str
    bound: float
    data: str | None = None
    stretch: float | None = None


REQUIRED = {
    "01_gaussian_maximum_likelihood": (
        Required("gaussian/mle-mean", "exact", "<=", 4.0),
        Required("gaussian/autograd-mle", "exact", "<=", 1e-4),
        Required("gaussian/variance-bias", "exact", "<=", 3.0),
        Required("gaussian/ks", "exact", "<=", 1.63),
    ),
    "02_linear_autoencoder_pca": (
        Required("linear-ae/excess-mse", "trained", "<=", 0.02, "MNIST", 0.005),
        Required("linear-ae/angle-k2", "trained", "<=", 5.0, "Fashion-MNIST", 1.0),
        Required("linear-ae/angle-k6", "trained", "<=", 5.0, "Fashion-MNIST", 1.0),
        Required("linear-ae/pca-mse-32", "trained", "<=", 1e-4, "MNIST"),
    ),
}
"""By the lecture's stem: every lecture that has to be there, with its claims."""
