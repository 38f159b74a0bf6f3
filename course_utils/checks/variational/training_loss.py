"""The check of the loss of a variational autoencoder, the negative evidence lower bound."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    call,
    compare_loss,
    flat_gradient,
    fresh,
    in_double,
    integer,
    normal,
    uniform,
)
from course_utils.losses import bernoulli_nll, kl_to_standard_normal, squared_error

__all__ = ["negative_elbo"]


def _loss(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor, beta: float = 1.0) -> Tensor:
    """Bernoulli reconstruction plus β times the divergence, both by the package's losses."""
    return bernoulli_nll(logits, x) + beta * kl_to_standard_normal(mean, log_var)


def _of(reconstruction: Answer = bernoulli_nll, divergence: Answer = kl_to_standard_normal) -> Answer:
    """The loss with another reconstruction term or another divergence in it."""

    def loss(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor, beta: float = 1.0) -> Tensor:
        return reconstruction(logits, x) + beta * divergence(mean, log_var)

    return loss


def _times(factor: Answer) -> Answer:
    """The loss times a factor that depends on the images."""

    def loss(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor, beta: float = 1.0) -> Tensor:
        return factor(x) * _loss(logits, x, mean, log_var, beta)

    return loss


def _beta_on(beta_on: Answer) -> Answer:
    """The loss with other weights of its two terms, both made of β."""

    def loss(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor, beta: float = 1.0) -> Tensor:
        first, second = beta_on(beta)
        return first * bernoulli_nll(logits, x) + second * kl_to_standard_normal(mean, log_var)

    return loss


def _over_pixels(logits: Tensor, x: Tensor) -> Tensor:
    return bernoulli_nll(logits, x) / x.shape[1]


def _over_latents(mean: Tensor, log_var: Tensor) -> Tensor:
    return kl_to_standard_normal(mean, log_var) / mean.shape[1]


_LOSS = (
    Mistake(
        "pixels averaged",
        "the reconstruction term is averaged over the pixels, so the divergence counts d_x times as much as it should.",
        _of(reconstruction=_over_pixels),
    ),
    Mistake(
        "latents averaged",
        "the divergence is averaged over the latent dimensions, so it counts k times too little.",
        _of(divergence=_over_latents),
    ),
    Mistake(
        "both averaged",
        "both terms are averaged over their dimensions. There are more pixels than latent dimensions, so the balance "
        "between them is lost.",
        _of(_over_pixels, _over_latents),
    ),
    Mistake(
        "summed over the batch",
        "the loss grows with the number of images: sum over the dimensions, but take the mean over the batch.",
        _times(len),
    ),
    Mistake(
        "divergence summed over the batch",
        "the divergence is summed over the batch, and the reconstruction term is averaged: the balance depends on the "
        "batch size.",
        _of(divergence=lambda mean, log_var: len(mean) * kl_to_standard_normal(mean, log_var)),
    ),
    Mistake(
        "divided by the batch twice",
        "the divergence is divided by the number of images twice.",
        _of(divergence=lambda mean, log_var: kl_to_standard_normal(mean, log_var) / len(mean)),
    ),
    Mistake(
        "divergence subtracted",
        "the divergence is subtracted: training would drive q away from the prior as far as it can.",
        _of(divergence=lambda mean, log_var: -kl_to_standard_normal(mean, log_var)),
    ),
    Mistake(
        "not negated",
        "this is the bound itself. A loss is minimised, so it is the bound with its sign turned.",
        _times(lambda x: -1),
    ),
    Mistake(
        "beta on the reconstruction",
        "β stands at the wrong term: a larger β asks for a code closer to the prior.",
        _beta_on(lambda beta: (beta, 1)),
    ),
    Mistake(
        "beta on both",
        "β multiplies both terms, so the balance between them is the same for every β.",
        _beta_on(lambda beta: (beta, beta)),
    ),
    Mistake(
        "beta forgotten",
        "β does not appear: the two terms are added as they are, whatever weight is asked for.",
        _beta_on(lambda beta: (1, 1)),
    ),
    Mistake(
        "no divergence",
        "the divergence is missing: this is the loss of a plain autoencoder.",
        _beta_on(lambda _: (1, 0)),
    ),
    Mistake(
        "half missing",
        "the ½ of the divergence is missing, so it counts twice.",
        _of(divergence=lambda mean, log_var: 2 * kl_to_standard_normal(mean, log_var)),
    ),
    Mistake(
        "log σ",
        "the divergence reads log_var as log σ. It is log σ².",
        _of(divergence=lambda mean, log_var: kl_to_standard_normal(mean, 2 * log_var)),
    ),
    Mistake(
        "two sigmoids",
        "the reconstruction term wants logits; these have been through a sigmoid already.",
        _of(reconstruction=lambda logits, x: bernoulli_nll(logits.sigmoid(), x)),
    ),
    Mistake(
        "probabilities",
        "this agrees while the logits are small. For large ones the sigmoid is exactly 0 or 1 in floating point, and "
        "its logarithm is lost: use a form of the cross-entropy that takes the logits themselves.",
        _of(reconstruction=lambda logits, x: binary_cross_entropy(logits.sigmoid(), x, reduction="sum") / len(x)),
    ),
    Mistake(
        "squared error",
        "the reconstruction term is a squared error. Asked is the Bernoulli one, −log p(x | z), in nats.",
        _of(reconstruction=lambda logits, x: squared_error(logits.sigmoid(), x)),
    ),
    Mistake(
        "divergence detached",
        "the value is right, but no gradient comes through the divergence: it is measured, not trained. Look for "
        "detach, no_grad or item.",
        _of(divergence=lambda mean, log_var: kl_to_standard_normal(mean, log_var).detach()),
    ),
    Mistake(
        "reconstruction detached",
        "the value is right, but no gradient comes through the reconstruction term. Look for detach, no_grad or item.",
        _of(reconstruction=lambda logits, x: bernoulli_nll(logits, x).detach()),
    ),
)


def _differentiated(function: Answer) -> Answer:
    """The gradient with respect to logits, mean and log_var of a function that gives a loss."""

    @functools.wraps(function)
    def gradient_of(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor, *beta: float) -> Tensor:
        leaves = tuple(value.clone().requires_grad_() for value in (logits, mean, log_var))
        value = call(function, leaves[0], x, *leaves[1:], *beta)
        return flat_gradient(value, leaves, "negative_elbo")

    return gradient_of


def _draw(generator: torch.Generator, scale: float = 2.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits and images (N, d_x), means and log-variances (N, k); N, d_x and k all differ."""
    N, d_x, k = (integer(low, low + 3, generator) for low in (13, 8, 3))
    logits, x = scale * normal(N, d_x, generator=generator), uniform(0, 1, N, d_x, generator=generator)
    return logits, x, normal(N, k, generator=generator), uniform(-2, 1, N, k, generator=generator)


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [(*_draw(generator), float(uniform(1.5, 3.5, generator=generator))) for _ in range(3)]
    draws += [in_double((*_draw(generator), 0.25)), (*_draw(generator, 60.0), 1.5)]
    compare_loss(answer, _loss, [*draws, _draw(generator)], _LOSS, _differentiated)  # the last leaves β out


negative_elbo = Check(
    "negative_elbo",
    _judge,
    "value and gradient are right: nats per image, with every pixel and every latent dimension counted once.",
    _LOSS,
)
