"""The check of the Dirac-GAN: one simultaneous step, and the modulus of the step's eigenvalues at the equilibrium."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, Wrong, among, compare, fresh, kind_of, number, uniform

__all__ = ["dirac_gan"]


def _by_autograd(theta: Tensor, psi: Tensor, h: float, gamma: float) -> tuple[Tensor, Tensor]:
    """Both gradients at the old place, by autograd, from the losses as they are written down."""
    a, b = theta.detach().clone().requires_grad_(), psi.detach().clone().requires_grad_()
    loss_d = math.log(2) + torch.log1p(torch.exp(a * b)) + gamma / 2 * b * b
    loss_g = torch.log1p(torch.exp(-a * b))
    (slope_d,), (slope_g,) = torch.autograd.grad(loss_d, b), torch.autograd.grad(loss_g, a)
    return (a - h * slope_g).detach(), (b - h * slope_d).detach()


def _step(theta: Tensor, psi: Tensor, h: float, gamma: float) -> tuple[Tensor, Tensor]:
    logit = theta * psi
    return theta + h * psi * torch.sigmoid(-logit), psi - h * (theta * torch.sigmoid(logit) + gamma * psi)


def _discriminator_first(theta: Tensor, psi: Tensor, h: float, gamma: float) -> tuple[Tensor, Tensor]:
    psi = _step(theta, psi, h, gamma)[1]
    return _step(theta, psi, h, gamma)[0], psi


def _generator_first(theta: Tensor, psi: Tensor, h: float, gamma: float) -> tuple[Tensor, Tensor]:
    theta = _step(theta, psi, h, gamma)[0]
    return theta, _step(theta, psi, h, gamma)[1]


def _saturating(theta: Tensor, psi: Tensor, h: float, gamma: float) -> tuple[Tensor, Tensor]:
    return theta + h * psi * torch.sigmoid(theta * psi), _step(theta, psi, h, gamma)[1]


def _linear(theta: Tensor, psi: Tensor, h: float, gamma: float) -> tuple[Tensor, Tensor]:
    return theta + h * psi / 2, psi - h * (theta / 2 + gamma * psi)


_STEP = (
    Mistake(
        "discriminator first",
        "θ moves with the new ψ: the players take turns. In a simultaneous step both gradients are taken at the old "
        "place.",
        _discriminator_first,
    ),
    Mistake(
        "generator first",
        "ψ moves with the new θ: the players take turns. In a simultaneous step both gradients are taken at the old "
        "place.",
        _generator_first,
    ),
    Mistake(
        "sign of the penalty",
        "the penalty pushes ψ away from 0. Its gradient γψ is subtracted, as that of any loss.",
        lambda theta, psi, h, gamma: _step(theta, psi, h, -gamma),
    ),
    Mistake(
        "penalty doubled",
        "the penalty's gradient is twice as large as it should be: that of γ/2 · ψ² is γψ.",
        lambda theta, psi, h, gamma: _step(theta, psi, h, 2 * gamma),
    ),
    Mistake(
        "penalty halved",
        "the penalty's gradient is half of what it should be: that of γ/2 · ψ² is γψ.",
        lambda theta, psi, h, gamma: _step(theta, psi, h, gamma / 2),
    ),
    Mistake(
        "penalty forgotten",
        "the penalty is forgotten: the step does not depend on γ.",
        lambda theta, psi, h, gamma: _step(theta, psi, h, 0.0),
    ),
    Mistake(
        "penalty without h",
        "the penalty's gradient is not multiplied by the step size h.",
        lambda theta, psi, h, gamma: (_step(theta, psi, h, 0.0)[0], _step(theta, psi, h, 0.0)[1] - gamma * psi),
    ),
    Mistake(
        "saturating",
        "the generator follows the minimax loss, log(1 − D(θ)). Here it follows the non-saturating one, −log D(θ).",
        _saturating,
    ),
    Mistake(
        "linearised",
        "the sigmoids are replaced by ½, their value at the equilibrium. Away from it they depend on the logit ψθ.",
        _linear,
    ),
    Mistake(
        "uphill",
        "both players go uphill on their losses: the signs of the two steps are turned.",
        lambda theta, psi, h, gamma: _step(theta, psi, -h, gamma),
    ),
    Mistake(
        "swapped",
        "the two results have changed places: θ comes first.",
        lambda theta, psi, h, gamma: _step(theta, psi, h, gamma)[::-1],
    ),
)


def _by_linalg(h: float, gamma: float) -> float:
    """The largest modulus of the eigenvalues of the step's Jacobian at (0, 0), by torch."""
    jacobian = torch.tensor([[1.0, h / 2], [-h / 2, 1 - h * gamma]], dtype=torch.float64)
    return float(torch.linalg.eigvals(jacobian).abs().max())


def _root(h: float, gamma: float, slope: float = 0.5) -> float:
    return math.sqrt(1 - h * gamma + (h * slope) ** 2)


_MODULUS = (
    Mistake(
        "f′(0) = 1",
        "this takes f′(0) = 1. The derivative of −log(1 + e^(−t)) at 0 is the sigmoid of 0.",
        lambda h, gamma: _root(h, gamma, slope=1.0),
    ),
    Mistake(
        "real part",
        "this is the real part of the eigenvalues, 1 − hγ/2. Their modulus holds the imaginary part, too.",
        lambda h, gamma: 1 - h * gamma / 2,
    ),
    Mistake("no root", "this is the square of the modulus: a root is missing.", lambda h, gamma: _root(h, gamma) ** 2),
    Mistake(
        "sign of the penalty in the modulus",
        "the penalty makes the modulus larger here. It should damp the game.",
        lambda h, gamma: _root(h, -gamma),
    ),
    Mistake(
        "γ/2",
        "the penalty counts half as much as it should: the gradient of γ/2 · ψ² is γψ.",
        lambda h, gamma: _root(h, gamma / 2),
    ),
    Mistake("no γ", "the modulus does not depend on γ.", lambda h, gamma: _root(h, 0.0)),
    Mistake(
        "alternating",
        "this is the modulus of a game in which the players take turns, √(1 − hγ). In the simultaneous one the "
        "determinant has another term.",
        lambda h, gamma: math.sqrt(1 - h * gamma),
    ),
    Mistake(
        "imaginary part",
        "this is the imaginary part of the eigenvalues. The modulus is the root of the sum of both squares.",
        lambda h, gamma: h / 2 * math.sqrt(1 - gamma**2),
    ),
)


def _row(value: Any) -> Tensor:
    """θ and ψ after the step, in one row."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise Wrong(f"two numbers are asked for, θ and ψ after the step, and what comes back is {kind_of(value)}.")
    return torch.tensor([number(part, name) for part, name in zip(value, ("theta", "psi"), strict=True)]).double()


def _judge(dirac_step: Answer, eigenvalue_modulus: Answer) -> None:
    generator = fresh()
    draws: list[tuple[Any, ...]] = []
    for sign in (1, -1, 1, -1):
        theta = uniform(1.0, 2.0, generator=generator, dtype=torch.float64)
        psi = sign * uniform(0.7, 1.5, generator=generator, dtype=torch.float64)
        draws.append((theta, psi, *_sizes(generator)))
    text = "after the step θ and ψ are {got}, and they should be {expected}."
    compare(dirac_step, _by_autograd, draws, _STEP, text, _row, what="θ and ψ after the step")
    text = "the modulus is {got}, and torch.linalg.eigvals finds {expected}."
    pairs = [(0.1, 0.0), *(_sizes(generator) for _ in range(4))]
    compare(eigenvalue_modulus, _by_linalg, pairs, _MODULUS, text, what="the modulus", rtol=1e-6)


def _sizes(generator: torch.Generator) -> tuple[float, float]:
    """A step size h and a γ below 1, so that the game turns."""
    return float(uniform(0.05, 0.5, generator=generator)), float(uniform(0.1, 0.9, generator=generator))


dirac_gan = Check(
    "dirac_step or eigenvalue_modulus",
    _judge,
    "autograd takes the same step, and torch.linalg finds the same modulus.",
    among((_step, _root), 0, _STEP) + among((_step, _root), 1, _MODULUS),
)
