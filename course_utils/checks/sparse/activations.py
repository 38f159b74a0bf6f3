"""Checks: average activations, and the divergence from the wanted one."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Bernoulli, kl_divergence
from torch.nn.functional import linear

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    compare,
    differentiated,
    fresh,
    images_and_encoder,
    in_double,
    integer,
    uniform,
)

__all__ = ["average", "divergence", "kl", "rates"]


def rates(generator: torch.Generator) -> tuple[float, Tensor]:
    """A wanted average activation from .02 to .3, and average activations (d_h,) from .02 to .9."""
    rho = float(uniform(0.02, 0.3, generator=generator))
    return rho, uniform(0.02, 0.9, integer(4, 8, generator), generator=generator, dtype=torch.float64)


_DEAD_END = (
    "the numbers are right, but no gradient passes through them, and the loss below will need it. Look for item, "
    "float, detach or no_grad."
)


# 1. The average activation -----------------------------------------------------------------------------------------

_AVERAGE = (
    Mistake(
        "over the wrong axis",
        "the mean runs over the wrong axis: this is one number an image, the average over its units. ρ̂ has one number "
        "a unit, the average over the images.",
        lambda x, W, b: linear(x, W, b).sigmoid().mean(1),
    ),
    Mistake(
        "over everything",
        "this is a single number, the average over images and units together. Very active units would hide inactive "
        "ones in it: keep one number a unit.",
        lambda x, W, b: linear(x, W, b).sigmoid().mean(),
    ),
    Mistake(
        "bias forgotten",
        "the bias b is forgotten: these are averages of σ(W x).",
        lambda x, W, b: linear(x, W).sigmoid().mean(0),
    ),
    Mistake(
        "before the sigmoid",
        "these are averages of the pre-activations a = W x + b. An activation is what comes out of the sigmoid.",
        lambda x, W, b: linear(x, W, b).mean(0),
    ),
    Mistake(
        "sigmoid of the mean",
        "the sigmoid is applied to the average; the average is to be taken of the sigmoids. For a bent function the "
        "two differ.",
        lambda x, W, b: linear(x, W, b).mean(0).sigmoid(),
    ),
    Mistake(
        "counted",
        "this is the share of images on which a unit is above one half. ρ̂ averages the activations themselves, so that "
        "a gradient can flow.",
        lambda x, W, b: (linear(x, W, b) > 0).to(x).mean(0),
    ),
    Mistake(
        "summed",
        "the activations are summed over the images; an average does not grow with their number.",
        lambda x, W, b: linear(x, W, b).sigmoid().sum(0),
    ),
)


def _compare_gradients(answer: Answer, reference: Answer, draws: list[tuple[Any, ...]], position: int) -> None:
    """What the loss below is made of has to carry a gradient."""
    one, other = (differentiated(function, position, _DEAD_END) for function in (answer, reference))
    compare(one, other, draws, (), "the numbers are right, their gradient is {got} and should be {expected}.")


def _judge_average(answer: Answer) -> None:
    generator = fresh()
    draws = in_double([images_and_encoder(generator, scale=scale) for scale in (1, 1, 1, 10)])
    text = "the averages are {got}, and they should be {expected}."

    def reference(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
        units = zip(W, b, strict=True)
        return torch.stack([torch.stack([(w @ one + c).sigmoid() for one in x]).mean() for w, c in units])

    x, W, b = draws[0]
    far = (x, W, torch.cat([b[:-2], b.new_tensor([200.0, -200.0])]))  # where an exponential overflows
    compare(answer, reference, [*draws, far], _AVERAGE, text, what="the average activation")
    _compare_gradients(answer, reference, draws, 1)


average = Check("average_activation", _judge_average, "one number a unit, averaged over the images.", _AVERAGE)


# 2. The divergence -------------------------------------------------------------------------------------------------


def kl(rho: float, rho_hat: Tensor) -> Tensor:
    """KL(ρ‖ρ̂_j) of each unit, from torch.distributions."""
    return kl_divergence(Bernoulli(torch.tensor(rho, dtype=rho_hat.dtype)), Bernoulli(rho_hat))


def _on(rho: float, rho_hat: Tensor) -> Tensor:
    return rho * (math.log(rho) - rho_hat.log())


def _off(rho: float, rho_hat: Tensor) -> Tensor:
    return (1 - rho) * (math.log(1 - rho) - (1 - rho_hat).log())


_DIVERGENCE = (
    Mistake(
        "arguments swapped",
        "the KL's arguments are swapped: this is KL(ρ̂‖ρ), which lets a unit become inactive for a small price. "
        "The wanted ρ comes first.",
        lambda rho, rho_hat: (
            rho_hat * (rho_hat.log() - math.log(rho)) + (1 - rho_hat) * ((1 - rho_hat).log() - math.log(1 - rho))
        ).sum(),
    ),
    Mistake(
        "averaged over the units",
        "the divergences are averaged over the units; with a thousand units β would be a thousand times too weak. Sum.",
        lambda rho, rho_hat: kl(rho, rho_hat).mean(),
    ),
    Mistake(
        "no second term",
        "the second term is missing, that of the unit being off: without it more activity only ever pays.",
        lambda rho, rho_hat: _on(rho, rho_hat).sum(),
    ),
    Mistake(
        "no first term",
        "the first term is missing, that of the unit being on: without it less activity only ever pays.",
        lambda rho, rho_hat: _off(rho, rho_hat).sum(),
    ),
    Mistake(
        "in bits",
        "these are bits: the logarithm has base 2. The course measures in nats, with the natural logarithm.",
        lambda rho, rho_hat: kl(rho, rho_hat).sum() / math.log(2),
    ),
    Mistake(
        "wrong sign",
        "the sign is wrong: a divergence is never negative, and the loss would drive ρ̂ away from ρ.",
        lambda rho, rho_hat: -kl(rho, rho_hat).sum(),
    ),
    Mistake(
        "cross-entropy",
        "this is the cross-entropy; the entropy of ρ is still to be taken off. At ρ̂ = ρ a divergence is zero.",
        lambda rho, rho_hat: -(rho * rho_hat.log() + (1 - rho) * (1 - rho_hat).log()).sum(),
    ),
    Mistake(
        "one for each unit",
        "this is one number a unit. The penalty is their sum.",
        kl,
    ),
)


def _judge_divergence(answer: Answer) -> None:
    generator = fresh()

    def reference(rho: float, rho_hat: Tensor) -> Tensor:
        return kl(rho, rho_hat).sum()

    draws = [rates(generator) for _ in range(3)]
    fixed = ((0.05, [1e-4, 3e-3, 0.999]), (0.2, [0.2]), (0.5, [0.5, 0.9]))
    draws += [(rho, torch.tensor(rho_hat, dtype=torch.float64)) for rho, rho_hat in fixed]
    text = "the penalty is {got}, and torch.distributions gives {expected}."
    compare(answer, reference, draws, _DIVERGENCE, text, what="the penalty")
    _compare_gradients(answer, reference, draws, 1)


divergence = Check("sparsity_penalty", _judge_divergence, "torch.distributions agrees.", _DIVERGENCE)
