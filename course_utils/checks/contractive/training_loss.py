"""Check: the loss of a contractive autoencoder."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn.functional import linear

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    call,
    close,
    compare_loss,
    flat_gradient,
    fresh,
    images_and_encoder,
    normal,
    uniform,
)
from course_utils.losses import sigmoid_contraction, squared_error

__all__ = ["loss", "reference_loss"]


def _error(x: Tensor, h: Tensor, W: Tensor, c: Tensor) -> Tensor:
    return squared_error(h @ W + c, x)


def _variance(h: Tensor) -> Tensor:
    return h.var(0).sum()


def reference_loss(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
    """Squared error plus λ times the penalty over the variance of the codes, with tied weights."""
    return _of()(x, W, b, c, lam)


def _of(error: Answer = _error, penalty: Answer = sigmoid_contraction, variance: Answer = _variance) -> Answer:
    """The loss with another error, another penalty or another denominator in it."""

    def loss(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
        h = linear(x, W, b).sigmoid()
        return error(x, h, W, c) + lam * penalty(h, W) / variance(h)

    return loss


def _plain(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
    return reference_loss(x, W, b, c, 0.0)


def _lambda_on_the_error(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
    return lam * reference_loss(x, W, b, c, 1 / lam)


def _lambda_on_both(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
    return lam * reference_loss(x, W, b, c, 1.0)


_LOSS = (
    Mistake(
        "lambda on the error",
        "λ stands at the wrong term: a larger λ would ask for better reconstructions.",
        _lambda_on_the_error,
    ),
    Mistake(
        "lambda on both",
        "λ multiplies both terms, so it changes nothing but the size of the steps.",
        _lambda_on_both,
    ),
    Mistake(
        "lambda forgotten",
        "λ does not appear: error and penalty are added as they are, whatever weight is asked for.",
        lambda x, W, b, c, lam: reference_loss(x, W, b, c, 1.0),
    ),
    Mistake(
        "not divided",
        "the penalty is not divided by the variance of the codes: smaller codes would look like progress.",
        _of(variance=lambda h: 1.0),
    ),
    Mistake(
        "divided by the spread",
        "the penalty is divided by the root of the variance. A squared norm needs the variance itself.",
        _of(variance=lambda h: _variance(h).sqrt()),
    ),
    Mistake(
        "mean variance",
        "the variance is averaged over the units; sum over the dimensions, here the units, as everywhere.",
        _of(variance=lambda h: h.var(0).mean()),
    ),
    Mistake(
        "variance over the units",
        "the variance is taken within each code, over its units. Asked is how much each unit varies over the batch.",
        _of(variance=lambda h: h.var(1).sum()),
    ),
    Mistake(
        "bias forgotten",
        "the bias b is forgotten: the code is that of W x alone.",
        lambda x, W, b, c, lam: reference_loss(x, W, 0 * b, c, lam),
    ),
    Mistake(
        "decoder's bias forgotten",
        "the bias c is forgotten: the reconstruction is Wᵀ h alone.",
        lambda x, W, b, c, lam: reference_loss(x, W, b, 0 * c, lam),
    ),
    Mistake("no penalty", "the penalty is missing: this is the loss of a plain autoencoder.", _plain),
    Mistake(
        "over pixels",
        "the squared error is averaged over the pixels, so λ counts d_x times as much as it says.",
        _of(error=lambda x, h, W, c: _error(x, h, W, c) / x.shape[1]),
    ),
    Mistake(
        "a sigmoid too many",
        "the reconstruction went through a sigmoid; the decoder of this model is linear.",
        _of(error=lambda x, h, W, c: squared_error((h @ W + c).sigmoid(), x)),
    ),
    Mistake(
        "all detached",
        "the value is right, but no gradient comes through the penalty: it is measured, not trained. Look for detach, "
        "no_grad or item.",
        _of(penalty=lambda h, W: sigmoid_contraction(h, W).detach(), variance=lambda h: _variance(h).detach()),
    ),
    Mistake(
        "h detached",
        "the value is right, but the penalty's gradient does not go through h: training could shrink W, but not push "
        "units to where the sigmoid is flat.",
        _of(penalty=lambda h, W: sigmoid_contraction(h.detach(), W)),
    ),
    Mistake(
        "W detached",
        "the value is right, but the penalty's gradient does not go through the lengths ‖W_j‖: training could push "
        "units to where the sigmoid is flat, but not shrink W.",
        _of(penalty=lambda h, W: sigmoid_contraction(h, W.detach())),
    ),
    Mistake(
        "variance detached",
        "the value is right, but no gradient goes through the variance: training does not know that a smaller scale of "
        "the codes costs something.",
        _of(variance=lambda h: _variance(h).detach()),
    ),
    Mistake(
        "decoder detached",
        "the value is right, but the decoder's use of W passes no gradient: with tied weights both uses train the one "
        "matrix.",
        _of(error=lambda x, h, W, c: _error(x, h, W.detach(), c)),
    ),
)


def _either_variance(answer: Answer, draws: Sequence[tuple[Any, ...]]) -> Answer:
    """The reference that an answer follows: with h.var(0), or with the mean squared distance from the mean.

    Both are called the variance over the batch, and the formula does not say which of them is meant.
    """
    population = _of(variance=lambda h: h.var(0, correction=0).sum())
    for case in draws:
        value = call(answer, *case)
        one_number = isinstance(value, Tensor) and value.numel() == 1
        if not one_number or not close(value.detach(), population(*case), 1e-4, 1e-6):
            return reference_loss
    return population


def _differentiated(function: Answer) -> Answer:
    """The gradient with respect to W, b and c of a function that gives a loss."""

    @functools.wraps(function)
    def gradient_of(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
        weights = tuple(parameter.clone().requires_grad_() for parameter in (W, b, c))
        return flat_gradient(call(function, x, *weights, lam), weights, "contractive_loss")

    return gradient_of


def _judge(answer: Answer) -> None:
    generator, draws = fresh(), []
    for _ in range(3):
        x, W, b = images_and_encoder(generator)
        lam = float(uniform(1.5, 3.5, generator=generator))
        draws.append((x, W, b, normal(x.shape[1], generator=generator), lam))
    compare_loss(answer, _either_variance(answer, draws), draws, _LOSS, _differentiated)


loss = Check(
    "contractive_loss",
    _judge,
    "value and gradient are right: error, penalty and variance all pull at W.",
    _LOSS,
)
