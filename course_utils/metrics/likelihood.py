"""What a latent-variable model knows of the data's likelihood: divergences of Gaussians, and bounds on log p(x).

The convention of the course: nats, summed over dimensions; one number an image, so that its mean over the images is the
course's loss with the other sign, and their spread can be seen. The prior of z is N(0, I), the approximate posterior
q(z ∣ x) = N(mean, diag exp(log_var)). Results are float64 on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from course_utils.errors import InputError

__all__ = [
    "Elbo",
    "bernoulli_log_likelihood",
    "elbo",
    "full_gaussian_kl",
    "gaussian_kl",
    "importance_weighted_bound",
]

Encode = Callable[[Tensor], tuple[Tensor, Tensor]]
Decode = Callable[[Tensor], Tensor]
LogLikelihood = Callable[[Tensor, Tensor], Tensor]

ROWS = 8_192
"""Codes that are decoded at a time: the memory of a bound, whatever the numbers of images and samples."""


def gaussian_kl(
    mean: Tensor, log_var: Tensor, prior_mean: Tensor | float = 0.0, prior_log_var: Tensor | float = 0.0
) -> Tensor:
    """KL(N(μ, σ²) ‖ N(m, s²)) of diagonal Gaussians, ½ Σ (σ²/s² + (μ − m)²/s² − 1 − log σ²/s²), one number a row.

    Args:
        mean: μ, shape (…, k).
        log_var: log σ² (not σ, not log σ), the same shape.
        prior_mean: m, a number or a shape that spreads over μ's.
        prior_log_var: log s², likewise; N(0, I) unless given.

    Returns:
        Shape (…), nats, 0 or more, in the type and on the device of ``mean``.

    Raises:
        InputError: if the shapes do not belong together.

    Source: Kingma & Welling, *Auto-Encoding Variational Bayes*, 2014, appendix B.
    """
    prior_mean, prior_log_var = (torch.as_tensor(p, dtype=mean.dtype).to(mean) for p in (prior_mean, prior_log_var))
    _same_shape(mean, log_var)
    for prior in (prior_mean, prior_log_var):
        if torch.broadcast_shapes(prior.shape, mean.shape) != mean.shape:
            raise InputError(f"A prior of shape {tuple(prior.shape)} does not belong to codes of {tuple(mean.shape)}.")
    ratio = log_var - prior_log_var
    distance = (mean - prior_mean).square() * torch.exp(-prior_log_var)
    return (torch.expm1(ratio) - ratio + distance).sum(-1) / 2


def full_gaussian_kl(mean: Tensor, cov: Tensor, prior_mean: Tensor, prior_cov: Tensor) -> Tensor:
    """KL(N(μ, Σ) ‖ N(m, S)) of Gaussians with full covariances, one number a row.

    Args:
        mean: μ, shape (…, k).
        cov: Σ, shape (…, k, k), symmetric and positive definite.
        prior_mean: m, shape (…, k).
        prior_cov: S, shape (…, k, k), likewise.

    Returns:
        Shape (…), nats, 0 or more.

    Raises:
        InputError: if a covariance is not positive definite.

    Source: Bishop, *Pattern Recognition and Machine Learning*, Ex. 2.13.
    """
    (L, failed), (L_prior, failed_prior) = torch.linalg.cholesky_ex(cov), torch.linalg.cholesky_ex(prior_cov)
    if failed.any() or failed_prior.any():
        raise InputError("A covariance is not positive definite; give symmetric matrices with eigenvalues above 0.")
    scaled = torch.linalg.solve_triangular(L_prior, L, upper=False)
    distance = torch.linalg.solve_triangular(L_prior, (mean - prior_mean).unsqueeze(-1), upper=False)
    log_det = 2 * (L_prior.diagonal(dim1=-2, dim2=-1).log() - L.diagonal(dim1=-2, dim2=-1).log()).sum(-1)
    return (scaled.square().sum((-2, -1)) + distance.square().sum((-2, -1)) - mean.shape[-1] + log_det) / 2


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """The log-likelihood log p(x) of independent Bernoulli variables; grey pixels are read as means.

    Args:
        logits: log p / (1 − p), no sigmoid before it, shape (N, …).
        x: targets in [0, 1], with as many numbers a row.

    Returns:
        Shape (N,), nats, 0 or less.

    Raises:
        InputError: if the numbers of rows or of pixels differ.
    """
    logits, x = logits.flatten(1), x.flatten(1)
    _same_shape(logits, x)
    return -functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


@dataclass(frozen=True)
class Elbo:
    """The evidence lower bound of N images, in its two terms; both of shape (N,), in nats.

    Attributes:
        log_likelihood: E_q log p(x ∣ z), by Monte Carlo; its negative is the reconstruction term.
        kl: KL(q(z ∣ x) ‖ N(0, I)), in closed form.
    """

    log_likelihood: Tensor
    kl: Tensor

    @property
    def bound(self) -> Tensor:
        """The bound on log p(x) of each image, shape (N,), in nats."""
        return self.log_likelihood - self.kl

    @property
    def loss(self) -> float:
        """−ELBO in nats per image, the mean over the images: the course's loss."""
        return -self.bound.mean().item()


@torch.no_grad()
def elbo(
    encode: Encode,
    decode: Decode,
    x: Tensor,
    *,
    draws: int = 1,
    log_likelihood: LogLikelihood = bernoulli_log_likelihood,
    generator: torch.Generator | None = None,
) -> Elbo:
    """The evidence lower bound E_q log p(x ∣ z) − KL(q(z ∣ x) ‖ N(0, I)) on log p(x).

    The codes are drawn: decoding the mean code is no bound, because the likelihood is not linear in z.

    Args:
        encode: maps (N, …) to the mean and log σ² of q(z ∣ x), both (N, k). Modules are best in ``eval()``.
        decode: maps codes (M, k) to what ``log_likelihood`` reads, Bernoulli logits unless it is given.
        x: the images, shape (N, …), as ``encode`` reads them.
        draws: codes drawn for each image, whose log-likelihoods are averaged.
        log_likelihood: maps what ``decode`` returns, and images (M, …), to log p(x ∣ z), shape (M,).
        generator: what ε is drawn from; torch's own unless given.

    Returns:
        The two terms for each image.

    Raises:
        InputError: if there is no image, ``draws`` is less than 1, or a shape does not fit.

    Source: Kingma & Welling, *Auto-Encoding Variational Bayes*, 2014, equation 3.
    """
    log_likelihoods, kls = [], []
    for part, mean, log_var, sizes in _parts(encode, x, draws):
        total = torch.zeros(len(part), dtype=torch.float64)
        for size in sizes:
            z, _ = _draw(mean, log_var, size, generator)
            total += _evaluate(decode, log_likelihood, z, part).sum(0)
        log_likelihoods.append(total / draws)
        kls.append(gaussian_kl(mean.cpu().double(), log_var.cpu().double()))
    return Elbo(torch.cat(log_likelihoods), torch.cat(kls))


@torch.no_grad()
def importance_weighted_bound(
    encode: Encode,
    decode: Decode,
    x: Tensor,
    K: int,
    *,
    log_likelihood: LogLikelihood = bernoulli_log_likelihood,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The bound E log (1/K) Σ p(x, z_k) / q(z_k ∣ x) on log p(x), with K codes drawn from q, once for each image.

    K = 1 is the ELBO with its KL by Monte Carlo; on average the bound grows with K, towards log p(x). The mean of
    the weights is taken in log space, and codes are decoded 8,192 at a time.

    Args:
        encode: as in :func:`elbo`.
        decode: as in :func:`elbo`.
        x: the images, shape (N, …).
        K: importance samples for each image.
        log_likelihood: as in :func:`elbo`.
        generator: what ε is drawn from; torch's own unless given.

    Returns:
        Shape (N,), nats, one bound an image; their mean is what is reported.

    Raises:
        InputError: if there is no image, ``K`` is less than 1, or a shape does not fit.

    Source: Burda, Grosse & Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016, equation 8.
    """
    bounds = []
    for part, mean, log_var, sizes in _parts(encode, x, K):
        total = torch.full((len(part),), -torch.inf, dtype=torch.float64)
        for size in sizes:
            z, epsilon = _draw(mean, log_var, size, generator)
            prior_over_q = (epsilon.square() + log_var - z.square()).cpu().double().sum(-1) / 2  # log p(z) / q(z ∣ x)
            weights = _evaluate(decode, log_likelihood, z, part) + prior_over_q  # (size, n), logarithms
            total = torch.logaddexp(total, weights.logsumexp(0))
        bounds.append(total - math.log(K))
    return torch.cat(bounds)


def _parts(encode: Encode, x: Tensor, K: int) -> Iterator[tuple[Tensor, Tensor, Tensor, list[int]]]:
    """Images a few at a time, their means and log-variances, and the K draws in parts, never more than ROWS codes."""
    if K < 1 or len(x) == 0:
        raise InputError(f"{K} samples for {len(x)} images; there is no bound without at least one of each.")
    for part in x.split(max(1, ROWS // K)):
        mean, log_var = encode(part)
        _same_shape(mean, log_var)
        if mean.ndim != 2 or len(mean) != len(part):
            raise InputError(f"encode maps {tuple(part.shape)} to a mean {tuple(mean.shape)}; it has the shape (N, k).")
        most = min(K, max(1, ROWS // len(part)))
        yield part, mean, log_var, [most] * (K // most) + ([K % most] if K % most else [])


def _draw(mean: Tensor, log_var: Tensor, size: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Codes z = μ + σ ε and ε, both (size, N, k)."""
    device = generator.device if generator is not None else mean.device
    epsilon = torch.randn(size, *mean.shape, generator=generator, device=device, dtype=mean.dtype).to(mean.device)
    return mean + torch.exp(log_var / 2) * epsilon, epsilon


def _evaluate(decode: Decode, log_likelihood: LogLikelihood, z: Tensor, x: Tensor) -> Tensor:
    """The log-likelihood log p(x ∣ z) of codes (size, N, k): shape (size, N)."""
    size, n, _ = z.shape
    many = x.expand(size, *x.shape).flatten(0, 1)
    values = log_likelihood(decode(z.flatten(0, 1)), many)
    if values.shape != (size * n,):
        raise InputError(f"log_likelihood returns {tuple(values.shape)} for {size * n} codes; one number each, (M,).")
    return values.reshape(size, n).cpu().double()


def _same_shape(one: Tensor, other: Tensor) -> None:
    if one.shape != other.shape:
        raise InputError(f"The shapes {tuple(one.shape)} and {tuple(other.shape)} must be the same.")
