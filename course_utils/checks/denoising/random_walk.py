"""The check of one step of Langevin dynamics, for any score and any draw of the random numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, compare, fresh, integer, normal, uniform

__all__ = ["langevin"]


class _Pull:
    """The score of a normal density, x ↦ −A x, which remembers what it was asked."""

    def __init__(self, A: Tensor) -> None:
        self.A, self.asked = A, list[Tensor]()

    def __call__(self, x: Tensor) -> Tensor:
        self.asked.append(x.detach().clone())
        return -x @ self.A.to(x)


def _step(x: Tensor, score: Answer, alpha: float, z: Tensor) -> Tensor:
    """One addition after the other: the noise first, and then half a step uphill from where the point was."""
    return alpha**0.5 * z + x + 0.5 * (alpha * score(x))


def _into(x: Tensor, score: Answer, alpha: float, z: Tensor) -> Tensor:
    return x.copy_(_step(x, score, alpha, z))


_MISTAKES = (
    Mistake(
        "no half",
        "the step along the score is twice as long as it should be: the pull and the noise would not balance.",
        lambda x, score, alpha, z: x + alpha * score(x) + alpha**0.5 * z,
    ),
    Mistake(
        "downhill",
        "the points walk away from the data: the score points uphill, and the step goes the same way.",
        lambda x, score, alpha, z: x - alpha / 2 * score(x) + alpha**0.5 * z,
    ),
    Mistake(
        "α for √α",
        "the random numbers are multiplied by α. What is the standard deviation of a noise of variance α?",
        lambda x, score, alpha, z: x + alpha / 2 * score(x) + alpha * z,
    ),
    Mistake(
        "half the noise",
        "the noise is too weak: of the two terms, only the one along the score has a factor of one half.",
        lambda x, score, alpha, z: x + alpha / 2 * score(x) + (alpha / 2) ** 0.5 * z,
    ),
    Mistake(
        "no noise",
        "the random numbers are not used: without noise all points would end on the summits.",
        lambda x, score, alpha, z: x + alpha / 2 * score(x),
    ),
    Mistake(
        "no score",
        "the points only diffuse: nothing in the step asks the score where to go.",
        lambda x, score, alpha, z: x + alpha**0.5 * z,
    ),
    Mistake(
        "the step alone",
        "what comes back is the change of the points, not the points after it.",
        lambda x, score, alpha, z: alpha / 2 * score(x) + alpha**0.5 * z,
    ),
    Mistake(
        "noise first",
        "the score is asked at the point after the noise; it belongs to the point before the step.",
        lambda x, score, alpha, z: x + alpha**0.5 * z + alpha / 2 * score(x + alpha**0.5 * z),
    ),
    Mistake(
        "its own random numbers",
        "the step draws random numbers of its own. Use those that it is handed, so that a walk can be repeated.",
        lambda x, score, alpha, z: x + alpha / 2 * score(x) + alpha**0.5 * torch.randn_like(x),
    ),
    Mistake(
        "in place",
        "langevin_step writes into the points that it is given: return new ones.",
        _into,
    ),
)
_SAY = {mistake.name: mistake.message for mistake in _MISTAKES}


def _judge(langevin_step: Answer) -> None:
    generator, draws = fresh(), []
    for low in (0.1, 0.4, 1.7):  # away from 1, where α and √α are hard to tell apart
        n, d = integer(4, 7, generator), integer(3, 6, generator)
        A = normal(d, d, generator=generator)
        pull = _Pull(A @ A.T / d + torch.eye(d))
        x, z = (normal(n, d, generator=generator) for _ in range(2))
        draws.append((2 * x, pull, low + float(uniform(0, 0.2, generator=generator)), z))
    x, pull, alpha, z = draws[0]
    torch.manual_seed(1)
    first = call(langevin_step, x, pull, alpha, z, overwritten=_SAY["in place"])
    torch.manual_seed(2)
    again = call(langevin_step, x, pull, alpha, z)
    if isinstance(first, Tensor) and isinstance(again, Tensor) and not torch.equal(first, again):
        raise Wrong(_SAY["its own random numbers"])
    known = [mistake for mistake in _MISTAKES if mistake.name not in ("its own random numbers", "in place")]
    text = "after one step the points are {got}; they should be {expected}."
    compare(langevin_step, _step, draws, known, text, what="what langevin_step returns", overwritten=_SAY["in place"])


langevin = Check(
    "langevin_step",
    _judge,
    "half a step of size α uphill, and noise of variance α: pull and noise balance.",
    _MISTAKES,
)
