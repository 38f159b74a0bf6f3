"""The check of which latent dimensions a model uses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, Wrong, compare, fresh, in_double, integer, kind_of, normal

__all__ = ["active_units"]

# variance of q's mean over the images, and its mean over them; the first four are active
_UNITS = (
    *((1.0, 0.0), (0.3, -2.0), (0.02, 0.0), (0.015, 1.5)),
    *((0.007, 0.0), (0.004, 3.0), (5e-4, 0.0), (1e-3, 0.05), (2e-5, 1.0), (2e-5, 0.0), (0.0, -0.7)),
)

_ACTIVE = (
    Mistake(
        "standard deviation",
        "this is the standard deviation that is compared with .01. The rule speaks of the variance.",
        lambda mean: mean.std(0) > 0.01,
    ),
    Mistake(
        "mean not subtracted",
        "this is the mean of the squares: a unit whose mean is 3 for every image would be called active, and it says "
        "nothing about the image.",
        lambda mean: mean.square().mean(0) > 0.01,
    ),
    Mistake(
        "collapsed ones",
        "True marks the collapsed units here. Asked are the active ones.",
        lambda mean: mean.var(0) < 0.01,
    ),
    Mistake(
        "over the units",
        "the variance runs over the units and leaves one answer for each image. It is the images over which a unit has "
        "to vary.",
        lambda mean: mean.var(1) > 0.01,
    ),
    Mistake(
        "over everything",
        "this is one answer for all units together. Each unit has a variance of its own.",
        lambda mean: mean.var() > 0.01,
    ),
    Mistake(
        "numbers",
        "these are numbers. Asked is True or False for each unit: is its variance above .01?",
        lambda mean: mean.var(0),
    ),
    Mistake(
        "places",
        "these are whole numbers, such as the places of units or 0 and 1. Asked is True or False for each unit, so "
        "that the answer can pick columns of a table of codes.",
        lambda mean: (mean.var(0) > 0.01).nonzero()[:, 0],
    ),
)
_BY_NAME = {mistake.name: mistake for mistake in _ACTIVE}


def _draw(generator: torch.Generator) -> Tensor:
    """Means of q (N, k) whose units have the moments of _UNITS exactly, in some order."""
    N = integer(40, 60, generator)
    order = torch.randperm(len(_UNITS), generator=generator)
    variances, centres = torch.tensor(_UNITS, dtype=torch.float64)[order].T
    scattered = normal(N, len(_UNITS), generator=generator, dtype=torch.float64)
    scattered = (scattered - scattered.mean(0)) / scattered.std(0)
    return (centres + variances.sqrt() * scattered).float()


def _as_numbers(value: Any) -> Any:
    """True and False as 1 and 0; a :class:`Wrong` for a result of another kind."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(entry, bool) for entry in value):
        raise Wrong(f"what comes back is {kind_of(value)}; a tensor of True and False is asked for.")
    if not isinstance(value, Tensor):
        return value
    if value.dtype is torch.bool:
        return value.double()
    raise Wrong(_BY_NAME["numbers" if value.is_floating_point() else "places"].message)


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [(_draw(generator),) for _ in range(3)]
    draws += in_double([draws[0]])
    draws.append((draws[0][0][:, :1],))  # a code of one unit
    text = "active_units gives {got} (1 is True), and by the variance over the images it should be {expected}."
    compare(
        answer,
        lambda mean: (mean - mean.mean(0)).square().mean(0) > 0.01,
        draws,
        _ACTIVE,
        text,
        _as_numbers,
        what="what active_units returns",
    )


active_units = Check(
    "active_units",
    _judge,
    "a unit counts as active when its mean moves with the image, wherever that mean lies.",
    _ACTIVE,
)
