"""Check: the penalty with a running mean, and where its gradient goes."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    call,
    compare,
    flat_gradient,
    fresh,
    integer,
    one_of_two,
    uniform,
)
from course_utils.checks.sparse.hand_gradient import slope
from course_utils.losses import sparsity_kl

__all__ = ["running"]

_NAMES = ("the penalty S", "the new running mean")


def _running(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    new = (m * old + (1 - m) * h.mean(0)).detach()
    return (slope(rho, new) * h.mean(0)).sum(), new


def _naive(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    new = m * old + (1 - m) * h.mean(0)
    return sparsity_kl(rho, new), new.detach()


def _exchanged(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    return _running(old, h, 1 - m, rho)


def _at_the_batch(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    return (slope(rho, h.mean(0).detach()) * h.mean(0)).sum(), _running(old, h, m, rho)[1]


def _at_the_old(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    return (slope(rho, old) * h.mean(0)).sum(), _running(old, h, m, rho)[1]


def _times_the_mean(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    new = m * old + (1 - m) * h.mean(0)
    return (slope(rho, new.detach()) * new).sum(), new.detach()


def _over_the_units(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    penalty, new = _running(old, h, m, rho)
    return penalty / len(old), new


def _old_returned(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    return _running(old, h, m, rho)[0], old


def _slope_followed(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    new = m * old + (1 - m) * h.mean(0)
    return (slope(rho, new) * h.mean(0)).sum(), new.detach()


def _batch_detached(old: Tensor, h: Tensor, m: float, rho: float) -> tuple[Tensor, Tensor]:
    return _running(old, h.detach(), m, rho)


_VALUES = (
    Mistake(
        "naive",
        "the new running mean is put into the KL itself. Its gradient passes through the factor 1 − m and is too "
        "small: take the slope of the KL as a constant, and multiply it by the batch's average.",
        _naive,
    ),
    Mistake(
        "m exchanged",
        "m and 1 − m are exchanged: the old mean keeps the weight m, the batch gets 1 − m.",
        _exchanged,
    ),
    Mistake(
        "slope at the batch",
        "the slope is taken at the batch's average. It belongs at the new running mean, which scatters less.",
        _at_the_batch,
    ),
    Mistake(
        "slope at the old mean",
        "the slope is taken at the old running mean; the batch should count in it as well.",
        _at_the_old,
    ),
    Mistake(
        "times the running mean",
        "the slope is multiplied by the running mean, in which the batch counts with 1 − m only. Multiply it by the "
        "batch's average.",
        _times_the_mean,
    ),
    Mistake(
        "averaged over the units",
        "the products are averaged over the units. S is their sum.",
        _over_the_units,
    ),
    Mistake(
        "old mean returned",
        "the second result is the old running mean: with it nothing would ever move.",
        _old_returned,
    ),
)
_GRADIENTS = (
    Mistake(
        "slope not detached",
        "the values are correct, but the gradient also goes through the slope. It is to be a constant: detach the new "
        "running mean.",
        _slope_followed,
    ),
    Mistake(
        "batch detached",
        "the values are correct, but no gradient reaches h: the batch's average in the product is to carry it. Look "
        "for detach, item or no_grad.",
        _batch_detached,
    ),
)


def _gradient(function: Answer) -> Answer:
    """The gradient of S with respect to the batch's activations, zeros where there is none."""

    @functools.wraps(function)
    def gradient_of(old: Tensor, h: Tensor, m: float, rho: float) -> Any:
        leaf = h.clone().requires_grad_()
        value = one_of_two(0, *_NAMES)(call(function, old, leaf, m, rho))
        return flat_gradient(value + 0 * leaf.sum(), (leaf,), "running_penalty")

    return gradient_of


def _judge(answer: Answer) -> None:
    generator, draws = fresh(), []
    for _ in range(3):
        n, d_h = integer(9, 14, generator), integer(3, 7, generator)
        old, h = (uniform(0.05, 0.9, *shape, generator=generator, dtype=torch.float64) for shape in ((d_h,), (n, d_h)))
        m, rho = (float(uniform(low, high, generator=generator)) for low, high in ((0.7, 0.95), (0.02, 0.3)))
        draws.append((old, h, m, rho))
    for index, name in enumerate(_NAMES):
        text = f"{name} is {{got}}, and it should be {{expected}}."
        compare(answer, _running, draws, _VALUES, text, one_of_two(index, *_NAMES), what=name)
    text = "the values are correct, but the gradient with respect to h is {got}, and it should be {expected}."
    known = tuple(Mistake(m.name, m.message, _gradient(m.make)) for m in _GRADIENTS)
    compare(_gradient(answer), _gradient(_running), draws, known, text, what="the gradient")


running = Check(
    "running_penalty",
    _judge,
    "the slope at the running mean, the gradient through the batch.",
    (*_VALUES, *_GRADIENTS),
)
