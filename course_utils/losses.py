"""Losses of the course, in one convention: sum over dimensions, mean over the batch, nats where it is a likelihood.

The first dimension of every tensor is the batch; all others are summed. Tensors must have the very same shape: torch
would spread (N,) over (N, N) without a word, and the loss would be the average over all wrong pairs.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from course_utils.errors import InputError

__all__ = [
    "bernoulli_nll",
    "gaussian_nll",
    "kl_to_standard_normal",
    "sigmoid_contraction",
    "sparsity_kl",
    "squared_error",
]


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """The squared error of a reconstruction: ‖x̂ − x‖² per sample, averaged over the batch.

    Divide by the number of dimensions for the mean squared error per pixel.

    Args:
        x_hat: reconstructions, shape (N, …).
        x: targets, the same shape.

    Returns:
        A scalar, 0 or more, in squared units of ``x``.

    Raises:
        InputError: if the shapes differ or the batch is empty.
    """
    _check_shapes(x_hat=x_hat, x=x)
    return (x_hat - x).square().sum() / len(x)


def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """The negative log-likelihood −log p(x) of independent Bernoulli variables, averaged over the batch.

    Grey pixels in (0, 1) are read as means; the result is then the cross-entropy, whose floor is their own entropy.

    Args:
        logits: log p / (1 − p), any real number (no sigmoid before it), shape (N, …).
        x: targets in [0, 1], the same shape.

    Returns:
        A scalar in nats, 0 or more.

    Raises:
        InputError: if the shapes differ or the batch is empty.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, section 6.2.2.2.
    """
    _check_shapes(logits=logits, x=x)
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)


def gaussian_nll(x: Tensor, mean: Tensor | float, std: Tensor | float) -> Tensor:
    """The negative log-likelihood −log N(x; mean, std²) of independent normals, averaged over the batch.

    The constant ½ log 2π per dimension is part of it, so that values compare with other densities.

    Args:
        x: samples, shape (N, …).
        mean: the same shape, or one number for all (a float or a tensor of shape ()).
        std: standard deviations above 0, in units of ``x``; the same shape, or one number for all.

    Returns:
        A scalar in nats; it may be negative, for a density may exceed 1.

    Raises:
        InputError: if the shapes differ, the batch is empty, or ``std`` is a float that is not above 0.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, equation 3.21.
    """
    if not isinstance(std, Tensor) and not std > 0:
        raise InputError(f"std={std} is no standard deviation; give a number above 0 (not its logarithm).")
    mean = torch.as_tensor(mean, dtype=x.dtype, device=x.device)
    std = torch.as_tensor(std, dtype=x.dtype, device=x.device)
    _check_shapes(x=x, **{name: value for name, value in {"mean": mean, "std": std}.items() if value.ndim > 0})
    z = (x - mean) / std
    return (z.square() / 2 + std.log() + math.log(2 * math.pi) / 2).sum() / len(x)


def kl_to_standard_normal(mu: Tensor, log_var: Tensor) -> Tensor:
    """The divergence KL(N(μ, σ²) ‖ N(0, 1)) = ½ Σ (σ² + μ² − log σ² − 1), averaged over the batch.

    Args:
        mu: means, shape (N, latent_dim).
        log_var: log σ², the logarithm of the variance (not of σ), the same shape.

    Returns:
        A scalar in nats, 0 or more.

    Raises:
        InputError: if the shapes differ or the batch is empty.

    Source: Kingma & Welling, *Auto-Encoding Variational Bayes*, 2014, appendix B.
    """
    _check_shapes(mu=mu, log_var=log_var)
    return (torch.expm1(log_var) - log_var + mu.square()).sum() / (2 * len(mu))


def sparsity_kl(rho: float, rho_hat: Tensor) -> Tensor:
    """How far average activations are from the wanted one: Σ_j KL(ρ ‖ ρ̂_j) of Bernoulli variables, over the units.

    Args:
        rho: the wanted average activation, strictly between 0 and 1.
        rho_hat: average activations over the data, shape (d_h,), in [0, 1]. Exactly 0 or 1 gives infinity.

    Returns:
        A scalar in nats, 0 or more.

    Raises:
        InputError: if ``rho`` is not between 0 and 1, or ``rho_hat`` is not one number a unit.

    Source: Ng, *Sparse autoencoder*, CS294A lecture notes, 2011, section 3.
    """
    if not 0 < rho < 1:
        raise InputError(f"rho={rho} is no average activation of a sigmoid; give a number between 0 and 1.")
    if rho_hat.ndim != 1 or len(rho_hat) == 0:
        shape = tuple(rho_hat.shape)
        raise InputError(f"rho_hat has the shape {shape}; give one average a unit, (d_h,): h.mean(0), not h.")
    return (rho * (math.log(rho) - rho_hat.log()) + (1 - rho) * (math.log1p(-rho) - torch.log1p(-rho_hat))).sum()


def sigmoid_contraction(h: Tensor, W: Tensor) -> Tensor:
    """The squared Frobenius norm of the Jacobian ∂h/∂x of h = sigmoid(W x + b), averaged over the batch.

    ‖J‖²_F = Σ_j (h_j (1 − h_j))² ‖W_j‖², at the cost of one product instead of a matrix per image.

    Args:
        h: activations after the sigmoid, shape (N, d_h), in [0, 1].
        W: the encoder's weights, shape (d_h, d_x), as ``nn.Linear`` keeps them.

    Returns:
        A scalar, 0 or more.

    Raises:
        InputError: if the shapes do not belong together.

    Source: Rifai, Vincent, Muller, Glorot & Bengio, *Contractive auto-encoders*, ICML 2011, section 3.
    """
    if h.ndim != 2 or W.ndim != 2 or len(h) == 0 or h.shape[1] != len(W):
        raise InputError(
            f"h (N, d_h) and W (d_h, d_x) belong together; the shapes are {tuple(h.shape)}, {tuple(W.shape)}."
        )
    return ((h * (1 - h)).square() @ W.square().sum(1)).mean()


def _check_shapes(**tensors: Tensor) -> None:
    """Refuse tensors of different shapes, which torch would broadcast, and an empty batch."""
    (first, reference), *others = tensors.items()
    for name, other in others:
        if other.shape != reference.shape:
            raise InputError(
                f"{first} has the shape {tuple(reference.shape)} and {name} has {tuple(other.shape)}; they must be"
                " the same, or torch would broadcast one over the other. Use reshape, or expand_as if you mean it."
            )
    if reference.ndim == 0 or len(reference) == 0:
        raise InputError(
            f"{first} has the shape {tuple(reference.shape)}; a loss takes a batch of at least one sample, (N, …)."
        )
