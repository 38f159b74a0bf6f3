"""Check: the loss of a contractive autoencoder."""

from __future__ import annotations

import functools

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
    normal,
    uniform,
)
from course_utils.losses import bernoulli_nll, sigmoid_contraction

__all__ = ["loss", "reference_loss"]


def _error(x: Tensor, h: Tensor, W: Tensor, c: Tensor) -> Tensor:
    return bernoulli_nll(h @ W + c, x)


def reference_loss(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
    """Cross-entropy plus λ times the penalty, with tied weights."""
    h = linear(x, W, b).sigmoid()
    return _error(x, h, W, c) + lam * sigmoid_contraction(h, W)


def _of(error: Answer = _error, penalty: Answer = sigmoid_contraction) -> Answer:
    """The loss with another error or another penalty in it."""

    def loss(x: Tensor, W: Tensor, b: Tensor, c: Tensor, lam: float) -> Tensor:
        h = linear(x, W, b).sigmoid()
        return error(x, h, W, c) + lam * penalty(h, W)

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
        "bias forgotten",
        "the bias b is forgotten: the code is that of W x alone.",
        lambda x, W, b, c, lam: reference_loss(x, W, 0 * b, c, lam),
    ),
    Mistake(
        "decoder's bias forgotten",
        "the bias c is forgotten: the logits are Wᵀ h alone.",
        lambda x, W, b, c, lam: reference_loss(x, W, b, 0 * c, lam),
    ),
    Mistake("no penalty", "the penalty is missing: this is the loss of a plain autoencoder.", _plain),
    Mistake(
        "over pixels",
        "the reconstruction term is averaged over the pixels, so λ counts d_x times as much as it says.",
        _of(error=lambda x, h, W, c: _error(x, h, W, c) / x.shape[1]),
    ),
    Mistake(
        "two sigmoids",
        "bernoulli_nll wants logits; these have been through a sigmoid already.",
        _of(error=lambda x, h, W, c: bernoulli_nll((h @ W + c).sigmoid(), x)),
    ),
    Mistake(
        "all detached",
        "the value is right, but no gradient comes through the penalty: it is measured, not trained. Look for detach, "
        "no_grad or item.",
        _of(penalty=lambda h, W: sigmoid_contraction(h, W).detach()),
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
        "decoder detached",
        "the value is right, but the decoder's use of W passes no gradient: with tied weights both uses train the one "
        "matrix.",
        _of(error=lambda x, h, W, c: _error(x, h, W.detach(), c)),
    ),
)


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
    compare_loss(answer, reference_loss, draws, _LOSS, _differentiated)


loss = Check(
    "contractive_loss",
    _judge,
    "value and gradient are right: the error pulls at W on two ways, the penalty on two more.",
    _LOSS,
)
