"""The check of the codes at which a manifold of two dimensions is laid out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, Wrong, compare

__all__ = ["manifold_codes"]


def _quantiles(n: int) -> Tensor:
    """The inverse of the standard normal's cumulative distribution function at (i + ½) / n, ascending: (n,)."""
    return torch.tensor([NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)], dtype=torch.float64)


def _laid_out(places: Tensor) -> Tensor:
    """All pairs of the places in reading order: the largest z₂ in the first row, z₁ growing along it."""
    rows, columns = torch.meshgrid(places.flip(0), places, indexing="ij")
    return torch.stack([columns, rows], dim=2).flatten(0, 1)


def _at(places: Callable[[int], Tensor]) -> Answer:
    """The grid with other places along its two axes."""
    return lambda n: _laid_out(places(n))


def _halves(n: int) -> Tensor:
    return (torch.arange(n, dtype=torch.float64) + 0.5) / n


_CODES = (
    Mistake(
        "hits 0",
        "u = i / n begins at 0, where the inverse of the CDF is −∞. Take the middle of each of the n equal parts.",
        _at(lambda n: torch.special.ndtri(torch.arange(n, dtype=torch.float64) / n)),
    ),
    Mistake(
        "hits 0 and 1",
        "u runs from 0 to 1, both included, and the inverse of the CDF is infinite there. Take the middle of each of "
        "the n equal parts.",
        _at(lambda n: torch.special.ndtri(torch.linspace(0, 1, n, dtype=torch.float64))),
    ),
    Mistake(
        "n + 1 parts",
        "these lie at (i + 1) / (n + 1), the borders between n + 1 equal parts. Asked are the middles of n parts.",
        _at(lambda n: torch.special.ndtri(torch.arange(1, n + 1, dtype=torch.float64) / (n + 1))),
    ),
    Mistake(
        "uniform numbers",
        "these are the numbers u themselves. They say which share of the prior lies below; the code at which that is "
        "so is another number.",
        _at(_halves),
    ),
    Mistake(
        "evenly spaced",
        "the codes are evenly spaced, and the prior is not: most of such a grid lies where the prior hardly "
        "ever draws.",
        _at(lambda n: torch.linspace(-3, 3, n, dtype=torch.float64)),
    ),
    Mistake(
        "CDF itself",
        "this is the CDF at u. It is its inverse that takes a uniform number to a normal one.",
        _at(lambda n: torch.special.ndtr(_halves(n))),
    ),
    Mistake(
        "root of 2 forgotten",
        "all codes are too small by √2: the error function belongs to a normal variable of variance ½.",
        _at(lambda n: torch.erfinv(2 * _halves(n) - 1)),
    ),
    Mistake(
        "upside down",
        "the rows stand upside down: images are read from the top, and there z₂ is largest.",
        lambda n: _laid_out(_quantiles(n)).view(n, n, 2).flip(0).flatten(0, 1),
    ),
    Mistake(
        "mirrored",
        "z₁ falls along a row. It grows from left to right.",
        lambda n: _laid_out(_quantiles(n)).view(n, n, 2).flip(1).flatten(0, 1),
    ),
    Mistake(
        "column by column",
        "the grid is read column by column: the first n codes share their z₁. In reading order they share their z₂.",
        lambda n: _laid_out(_quantiles(n)).view(n, n, 2).transpose(0, 1).flatten(0, 1),
    ),
    Mistake(
        "z₁ and z₂ swapped",
        "the two numbers of each code have changed places: z₁ comes first.",
        lambda n: _laid_out(_quantiles(n)).flip(1),
    ),
    Mistake(
        "a square of codes",
        "this has the shape (n, n, 2). A decoder takes codes in rows: (n², 2), in reading order.",
        lambda n: _laid_out(_quantiles(n)).view(n, n, 2),
    ),
)
_BY_NAME = {mistake.name: mistake for mistake in _CODES}


def _look_at_spacing(value: Any, n: int) -> None:
    """A :class:`Wrong` when the first row of codes is evenly spaced, whatever its ends."""
    if not isinstance(value, Tensor) or value.shape != (n * n, 2) or not value.is_floating_point():
        return
    places = value.detach().cpu().double()[:, 0].unique()
    if len(places) != n or not places.isfinite().all() or torch.allclose(places, _halves(n), atol=1e-5):
        return
    steps = places.diff()
    if torch.allclose(steps, steps.mean(), rtol=1e-3):
        raise Wrong(_BY_NAME["evenly spaced"].message)


def _watched(answer: Answer) -> Answer:
    """The answer, with an eye on its spacing where the grid is wide enough to show it."""
    if not callable(answer):
        return answer

    @functools.wraps(answer)
    def watched(n: int) -> Any:
        value = answer(n)
        if n == 7:
            _look_at_spacing(value, n)
        return value

    return watched


def _judge(answer: Answer) -> None:
    text = "manifold_codes gives {got}, and it should be {expected}."
    draws = [(n,) for n in (7, 2, 3, 12)]
    compare(
        _watched(answer),
        lambda n: _laid_out(_quantiles(n)),
        draws,
        _CODES,
        text,
        what="what manifold_codes returns",
    )


manifold_codes = Check(
    "manifold_codes",
    _judge,
    "each code stands for an equal share of the prior, 1/n² of it, and the grid reads from the top.",
    _CODES,
)
