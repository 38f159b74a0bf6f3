"""Check: the gradient of the sparsity penalty by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, by_hand, compare, fresh, integer, normal
from course_utils.checks.sparse.activations import kl, rates

__all__ = ["gradient", "slope"]


def slope(rho: float, rho_hat: Tensor) -> Tensor:
    """The derivative of KL(ρ‖ρ̂) with respect to ρ̂."""
    return -rho / rho_hat + (1 - rho) / (1 - rho_hat)


def _autograd(a: Tensor, rho: float) -> Tensor:
    a = a.detach().requires_grad_()
    return torch.autograd.grad(kl(rho, a.sigmoid().mean(0)).sum(), a)[0]


def _bell(a: Tensor) -> Tensor:
    return a.sigmoid() * (1 - a.sigmoid())


_GRADIENT = (
    Mistake(
        "no derivative of the sigmoid",
        "the derivative of the sigmoid is forgotten: this is the gradient for the activations h, not for the "
        "pre-activations a.",
        lambda a, rho: (slope(rho, a.sigmoid().mean(0)) / len(a)).expand_as(a),
    ),
    Mistake(
        "slope of tanh",
        "1 − h² is the slope of tanh. In terms of h = σ(a), what is that of the sigmoid?",
        lambda a, rho: slope(rho, a.sigmoid().mean(0)) / len(a) * (1 - a.sigmoid().square()),
    ),
    Mistake(
        "no 1/n",
        "it is n times too large: each activation is only one of n in the average ρ̂.",
        lambda a, rho: slope(rho, a.sigmoid().mean(0)) * _bell(a),
    ),
    Mistake(
        "wrong sign",
        "the sign is wrong: for a unit with ρ̂ above ρ, a larger activation has to raise the penalty.",
        lambda a, rho: -slope(rho, a.sigmoid().mean(0)) * _bell(a) / len(a),
    ),
    Mistake(
        "slope at every activation",
        "the slope of the KL is taken at each activation. It is taken at the average ρ̂_j, the same for all images.",
        lambda a, rho: slope(rho, a.sigmoid()) * _bell(a) / len(a),
    ),
    Mistake(
        "averages over the units",
        "the averages run over the units of each image. ρ̂ has one number a unit, the mean over the images.",
        lambda a, rho: slope(rho, a.sigmoid().mean(1, keepdim=True)) * _bell(a) / len(a),
    ),
    Mistake(
        "only the first term",
        "the slope has two terms, and that of the unit being off is missing.",
        lambda a, rho: -rho / a.sigmoid().mean(0) * _bell(a) / len(a),
    ),
    Mistake(
        "averaged over the units",
        "it is divided by the number of units as well. The penalty is a sum over them.",
        lambda a, rho: slope(rho, a.sigmoid().mean(0)) * _bell(a) / a.numel(),
    ),
)


def _judge_gradient(answer: Answer) -> None:
    generator, draws = fresh(), []
    for quiet in (1, 1, 1, 9):  # the last: units that are hardly ever active
        n, d_h = integer(9, 14, generator), integer(3, 7, generator)
        a = 1.5 * normal(n, d_h, generator=generator, dtype=torch.float64) - quiet  # float64, as in the notebook
        draws.append((a, rates(generator)[0]))
    text = "the gradient is {got}, and autograd finds {expected}."
    compare(by_hand(answer), _autograd, draws, _GRADIENT, text, what="the gradient")


gradient = Check("penalty_gradient", _judge_gradient, "autograd finds the same, number by number.", _GRADIENT)
