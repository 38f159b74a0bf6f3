"""Check: the loss of a sparse autoencoder."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn.functional import linear

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    call,
    compare_loss,
    flat_gradient,
    fresh,
    images_and_encoder,
    in_double,
    normal,
    uniform,
)
from course_utils.losses import sparsity_kl, squared_error

__all__ = ["Weights", "loss", "reference_loss"]

Weights = tuple[Tensor, Tensor, Tensor, Tensor]


def _code(x: Tensor, weights: Weights) -> Tensor:
    return linear(x, weights[0], weights[1]).sigmoid()


def _error(x: Tensor, weights: Weights, h: Tensor) -> Tensor:
    return squared_error(linear(h, weights[2], weights[3]), x)


def _penalty(rho: float, h: Tensor) -> Tensor:
    return sparsity_kl(rho, h.mean(0))


def reference_loss(x: Tensor, weights: Weights, rho: float, beta: float) -> Tensor:
    """Squared error plus β times the penalty."""
    h = _code(x, weights)
    return _error(x, weights, h) + beta * _penalty(rho, h)


def _of(error: Answer = _error, penalty: Answer = _penalty) -> Answer:
    """The loss with another error or another penalty in it."""

    def loss(x: Tensor, weights: Weights, rho: float, beta: float) -> Tensor:
        h = _code(x, weights)
        return error(x, weights, h) + beta * penalty(rho, h)

    return loss


def _beta_on_the_error(x: Tensor, weights: Weights, rho: float, beta: float) -> Tensor:
    h = _code(x, weights)
    return beta * _error(x, weights, h) + _penalty(rho, h)


_LOSS = (
    Mistake(
        "averaged over the pixels",
        "the error is averaged over the pixels where it should be summed: β then counts d_x times as much as it says.",
        _of(error=lambda x, weights, h: _error(x, weights, h) / x.shape[1]),
    ),
    Mistake(
        "summed over the batch",
        "the error is summed over the batch; it is the mean over the images that is wanted.",
        _of(error=lambda x, weights, h: _error(x, weights, h) * len(x)),
    ),
    Mistake(
        "averaged over the units",
        "the penalty is averaged over the units where it should be summed: nothing will crash, and the units will not "
        "be sparse.",
        _of(penalty=lambda rho, h: _penalty(rho, h) / h.shape[1]),
    ),
    Mistake(
        "divided by the batch",
        "the penalty is divided by the number of images; ρ̂ is an average over them already.",
        _of(penalty=lambda rho, h: _penalty(rho, h) / len(h)),
    ),
    Mistake(
        "image by image",
        "the penalty is taken image by image and averaged. It asks every unit to be at ρ for every image, which leaves "
        "a code that says nothing; only its average ρ̂ is to be near ρ.",
        _of(penalty=lambda rho, h: torch.stack([sparsity_kl(rho, row) for row in h]).mean()),
    ),
    Mistake(
        "averages over the units",
        "ρ̂ runs over the wrong axis: these are averages over the units of each image.",
        _of(penalty=lambda rho, h: sparsity_kl(rho, h.mean(1))),
    ),
    Mistake(
        "beta on the error",
        "β stands at the wrong term: a larger β would ask for better reconstructions.",
        _beta_on_the_error,
    ),
    Mistake(
        "beta forgotten",
        "β does not appear: error and penalty are added as they are, whatever weight is asked for.",
        lambda x, weights, rho, beta: reference_loss(x, weights, rho, 1.0),
    ),
    Mistake(
        "bias forgotten",
        "the bias b is forgotten: the code is that of W x alone.",
        lambda x, weights, rho, beta: reference_loss(x, (weights[0], 0 * weights[1], *weights[2:]), rho, beta),
    ),
    Mistake(
        "decoder's bias forgotten",
        "the bias c is forgotten: the reconstruction is V h alone.",
        lambda x, weights, rho, beta: reference_loss(x, (*weights[:3], 0 * weights[3]), rho, beta),
    ),
    Mistake(
        "no penalty",
        "the penalty is missing: this is the loss of a plain autoencoder.",
        lambda x, weights, rho, beta: _error(x, weights, _code(x, weights)),
    ),
    Mistake(
        "penalty detached",
        "the value is right, but no gradient comes through the penalty: it is measured, not trained. Look for detach, "
        "no_grad or item.",
        _of(penalty=lambda rho, h: _penalty(rho, h.detach())),
    ),
    Mistake(
        "code detached",
        "the value is right, but the error's gradient does not reach the encoder. Look for detach before the decoder.",
        _of(error=lambda x, weights, h: _error(x, weights, h.detach())),
    ),
)


def _differentiated(function: Answer) -> Answer:
    """The gradient with respect to all weights of a function that gives a loss."""

    @functools.wraps(function)
    def gradient_of(x: Tensor, weights: Weights, rho: float, beta: float) -> Tensor:
        W, b, V, c = (weight.clone().requires_grad_() for weight in weights)
        return flat_gradient(call(function, x, (W, b, V, c), rho, beta), (W, b, V, c), "sparse_loss")

    return gradient_of


def _judge(answer: Answer) -> None:
    generator, draws = fresh(), []
    for _ in range(3):
        x, W, b = images_and_encoder(generator)
        V, c = normal(x.shape[1], len(W), generator=generator), normal(x.shape[1], generator=generator)
        rho, beta = (float(uniform(low, 2 * low, generator=generator)) for low in (0.05, 1.5))
        draws.append((x, (W, b, V, c), rho, beta))
    compare_loss(answer, reference_loss, in_double(draws), _LOSS, _differentiated)


loss = Check(
    "sparse_loss",
    _judge,
    "value and gradient are right: the error pulls image by image, the penalty at the averages.",
    _LOSS,
)
