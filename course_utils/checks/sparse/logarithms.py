"""Check: the penalty from pre-activations, safe where a sigmoid underflows."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from course_utils.checks.core import Answer, Check, Mistake, compare, differentiated, fresh, integer, normal, uniform
from course_utils.losses import sparsity_kl

__all__ = ["stable"]


def _penalty(log_on: Tensor, log_off: Tensor, rho: float) -> Tensor:
    """The penalty from log ρ̂ and log(1 − ρ̂)."""
    on = rho * (math.log(rho) - log_on)
    return (on + (1 - rho) * (math.log1p(-rho) - log_off)).sum()


def _logarithms(a: Tensor) -> tuple[Tensor, Tensor]:
    """The logarithms of ρ̂ and 1 − ρ̂, by shifting each column to its largest logarithm."""

    def of_the_mean(logarithms: Tensor) -> Tensor:
        most = logarithms.detach().amax(0)
        return most + (logarithms - most).exp().mean(0).log()

    return of_the_mean(logsigmoid(a)), of_the_mean(logsigmoid(-a))


def _reference(a: Tensor, rho: float) -> Tensor:
    return _penalty(*_logarithms(a), rho)


_DIRECT = (
    "one of the draws has a unit that is off, or on, for every image. There the sigmoid is exactly 0 or 1 and the "
    "penalty infinite: stay with logarithms, logsigmoid and logsumexp, to the end."
)
_STABLE = (
    Mistake("direct", _DIRECT, lambda a, rho: sparsity_kl(rho, a.sigmoid().mean(0))),
    Mistake(
        "clamped",
        "the averages are clamped: the value is finite, but a unit beyond the limits gets no gradient. Compute "
        "log ρ̂ from logsigmoid and logsumexp.",
        lambda a, rho: sparsity_kl(rho, a.sigmoid().mean(0).clamp(1e-6, 1 - 1e-6)),
    ),
    Mistake(
        "mean of logarithms",
        "this is the mean of the logarithms. The logarithm of the mean is wanted: logsumexp, minus log n.",
        lambda a, rho: _penalty(logsigmoid(a).mean(0), logsigmoid(-a).mean(0), rho),
    ),
    Mistake(
        "log n forgotten",
        "log n is forgotten: logsumexp gives the logarithm of a sum over the images, and ρ̂ is a mean.",
        lambda a, rho: _penalty(logsigmoid(a).logsumexp(0), logsigmoid(-a).logsumexp(0), rho),
    ),
    Mistake(
        "the same twice",
        "log(1 − ρ̂) is computed from a as well. It needs −a, since 1 − h(a) = h(−a).",
        lambda a, rho: _penalty(_logarithms(a)[0], _logarithms(a)[0], rho),
    ),
    Mistake(
        "over the units",
        "the sum inside the logarithm runs over the units of each image. ρ̂ is a mean over the images, dim=0.",
        lambda a, rho: _reference(a.T, rho),
    ),
    Mistake(
        "cross-entropy",
        "this is the cross-entropy; the entropy of ρ is still to be taken off. At ρ̂ = ρ a divergence is zero.",
        lambda a, rho: _reference(a, rho) - a.shape[1] * (rho * math.log(rho) + (1 - rho) * math.log1p(-rho)),
    ),
    Mistake(
        "averaged over the units",
        "the divergences are averaged over the units. Sum them.",
        lambda a, rho: _reference(a, rho) / a.shape[1],
    ),
)


def _judge(answer: Answer) -> None:
    generator, draws = fresh(), []
    for extreme in (0.0, 0.0, -900.0, 900.0):
        n, d_h = integer(9, 14, generator), integer(3, 7, generator)
        a = 2 * normal(n, d_h, generator=generator, dtype=torch.float64) - 1
        if extreme:
            a[:, 0] += extreme  # where even double precision has a sigmoid of exactly 0 or 1
        draws.append((a, float(uniform(0.02, 0.3, generator=generator))))
    text = "the penalty is {got}, and it should be {expected}."
    compare(answer, _reference, draws, _STABLE, text, what="the penalty")
    without = "the numbers are correct, but no gradient passes through them. Look for item, float, detach or no_grad."
    one, other = (differentiated(function, 0, without) for function in (answer, _reference))
    compare(one, other, draws, (), "the value is correct, its gradient is {got} and should be {expected}.")


stable = Check(
    "stable_penalty",
    _judge,
    "finite, and with the pull that a unit needs, however far out it is.",
    _STABLE,
)
