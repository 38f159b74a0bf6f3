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
    "03_deep_autoencoders": (
        Required("deep-ae/mse-30", "trained", "<=", 6.9, "MNIST", 4.3),
        Required("deep-ae/conv-mnist", "trained", "<=", 0.009, "MNIST", 0.006),
        Required("deep-ae/conv-fashion", "trained", "<=", 0.0125, "Fashion-MNIST", 0.010),
        Required("deep-ae/probe-gain", "trained", ">=", 2.0, "MNIST", 6.0),
        Required("deep-ae/one-class-auc", "trained", ">=", -1.0, "MNIST", 1.0),
        Required("deep-ae/stacked-1000", "trained", ">=", 1.0, "MNIST", 3.0),
    ),
    "04_denoising_autoencoders": (
        Required("dae/gauss-0.5", "trained", "<=", 0.016, "Fashion-MNIST", 0.013),
        Required("dae/mask-0.5", "trained", "<=", 0.0150, "Fashion-MNIST", 0.0115),
        Required("dae/mnist-gauss-0.5", "trained", "<=", 0.013, "MNIST", 0.009),
        Required("dae/score", "exact", "<=", 0.15, stretch=0.05),
        Required("dae/two-modes", "exact", "<=", 0.1),
        Required("dae/inpaint", "trained", "<=", 0.8, "Fashion-MNIST", 0.6),
    ),
    "05_sparse_autoencoders": (
        Required("sparse-ae/rho", "trained", ">=", 0.90, "MNIST", 0.97),
        Required("sparse-ae/dead", "trained", "<=", 0.05, "MNIST", 0.01),
        Required("sparse-ae/mse", "trained", "<=", 0.0168, "MNIST", 0.008),
        Required("sparse-ae/probe", "trained", ">=", 0.955, "MNIST", 0.975),
        Required("sparse-ae/probe-gain", "trained", ">=", 1.0, "MNIST", 2.5),
        Required("sparse-ae/kl-gradient", "exact", "<=", 1e-10),
    ),
    "06_contractive_autoencoders": (
        Required("cae/closed-form", "exact", "<=", 1e-10),
        Required("cae/jacobian-ratio", "trained", "<=", 0.5, "MNIST", 0.25),
        Required("cae/mse-ratio", "trained", "<=", 1.3, "MNIST", 1.15),
        Required("cae/hutchinson", "trained", "<=", 0.1, "MNIST"),
        Required("cae/robust", "trained", "<=", 0.7, "MNIST", 0.5),
        Required("cae/order", "trained", ">=", 2.0, "MNIST"),
    ),
}
"""By the lecture's stem: every lecture that has to be there, with its claims."""
