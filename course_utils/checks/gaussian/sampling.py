"""Checks: sampling by the inverse CDF, from a formula and from a table."""

from __future__ import annotations

from typing import Any

import scipy.stats
import torch
from torch import Tensor
from torch.distributions import Exponential

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    call,
    close,
    compare,
    fresh,
    in_double,
    tensor,
    uniform,
)

__all__ = ["sample_exponential", "sample_histogram"]


def _same_twice(answer: Answer, case: tuple[Any, ...], mistakes: tuple[Mistake, ...]) -> None:
    """A sampler by the inverse CDF draws nothing itself: the same u gives the same values."""
    first, second = (tensor(call(answer, *case), case[0].shape) for _ in range(2))
    if not close(first, second):
        raise Wrong(next(mistake.message for mistake in mistakes if mistake.name == "second random draw"))


def _judge_exponential(answer: Answer) -> None:
    g = fresh()
    draws = []
    for bounds in ((0.1, 0.5), (2, 5)):
        u = torch.cat([torch.tensor([0.0, 0.999]), uniform(0, 1, 50, generator=g)])  # torch.rand can return 0
        draws.append((u.double(), float(uniform(*bounds, generator=g))))
    _same_twice(answer, (draws[0][0][2:], *draws[0][1:]), _EXPONENTIAL)
    compare(
        answer,
        lambda u, rate: Exponential(torch.tensor(rate, dtype=torch.float64)).icdf(u),
        draws,
        _EXPONENTIAL,
        otherwise="F of your waiting times should give u back, and it does not: where F⁻¹ is {expected}, "
        "your function returns {got}.",
    )


_EXPONENTIAL = (
    Mistake(
        "negative times",
        "your waiting times are negative: the logarithm of a number below 1 has a sign to be turned.",
        lambda u, rate: torch.log(1 - u) / rate,
    ),
    Mistake(
        "negative times from log u",
        "your waiting times are negative, and the latest comes where u is smallest: two signs to look at.",
        lambda u, rate: torch.log(u) / rate,
    ),
    Mistake(
        "1 - u taken for u",
        "the histogram would be right, but this is not F⁻¹: it falls where F rises, and torch.rand can return "
        "exactly 0, for which you get inf.",
        lambda u, rate: -torch.log(u) / rate,
    ),
    Mistake(
        "multiplied by the rate",
        "a higher rate makes your students come less often: see what the rate does to the waiting time, and its unit.",
        lambda u, rate: -torch.log(1 - u) * rate,
    ),
    Mistake(
        "rate ignored",
        "your waiting times do not depend on the rate.",
        lambda u, rate: -torch.log(1 - u),
    ),
    Mistake(
        "second random draw",
        "with the same u you return other times each call: all the chance is in u already, F⁻¹ adds none.",
        lambda u, rate: torch.empty_like(u).exponential_(rate),
    ),
    Mistake(
        "density returned",
        "this is the density p(x) at x = u; you are given a probability u and asked for the time x that belongs to it.",
        lambda u, rate: rate * torch.exp(-rate * u),
    ),
    Mistake(
        "CDF returned",
        "this is F itself, which turns a time into a probability; the way back is asked for.",
        lambda u, rate: 1 - torch.exp(-rate * u),
    ),
)

sample_exponential = Check(
    "sample_exponential",
    _judge_exponential,
    "F takes each of your waiting times back to the u it came from.",
    _EXPONENTIAL,
)


def _judge_histogram(answer: Answer) -> None:
    g = fresh()
    draws = []
    for num_bins, empty in ((4, [2]), (7, [3]), (9, [3, 4, 8]), (1, [])):
        edges = 100 + torch.cat([torch.zeros(1), uniform(2, 12, num_bins, generator=g)]).cumsum(0)
        counts = torch.randint(1, 40, (num_bins,), generator=g).float()
        counts[empty] = 0
        u = torch.cat([torch.zeros(1), uniform(0, 1, 100, generator=g)])
        draws.append(in_double((u, edges, counts)))
    _same_twice(answer, (draws[0][0][2:], *draws[0][1:]), _HISTOGRAM)
    compare(
        answer,
        lambda u, edges, counts: torch.as_tensor(scipy.stats.rv_histogram((counts, edges), density=False).ppf(u)),
        draws,
        _HISTOGRAM,
        otherwise="the CDF of the histogram, read at your heights, does not give u back: F⁻¹(u) is {expected}, "
        "and your function returns {got}.",
    )


def _place(u: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """The bin that each u falls into, and how far into it, in [0, 1)."""
    table = torch.cat([counts.new_zeros(1), counts.cumsum(0) / counts.sum()])
    i = torch.searchsorted(table, u, right=True) - 1
    return i, (u - table[i]) / (table[i + 1] - table[i])


def _interpolate(u: Tensor, edges: Tensor, counts: Tensor) -> Tensor:
    i, fraction = _place(u, counts)
    return edges[i] + fraction * (edges[i + 1] - edges[i])


_HISTOGRAM = (
    Mistake(
        "left edges",
        "every height you return is the left edge of its bin: within a bin, all heights should be equally likely.",
        lambda u, edges, counts: edges[_place(u, counts)[0]],
    ),
    Mistake(
        "right edges",
        "every height you return is the right edge of its bin: within a bin, all heights should be equally likely.",
        lambda u, edges, counts: edges[_place(u, counts)[0] + 1],
    ),
    Mistake(
        "bin centres",
        "every height you return is the centre of its bin: within a bin, all heights should be equally likely.",
        lambda u, edges, counts: (edges[1:] + edges[:-1])[_place(u, counts)[0]] / 2,
    ),
    Mistake(
        "equal widths",
        "you gave every bin the width of the first one, and these bins are not all equally wide.",
        lambda u, edges, counts: edges[(p := _place(u, counts))[0]] + p[1] * (edges[1] - edges[0]),
    ),
    Mistake(
        "counts times widths",
        "you weighted each bin by its width too: the counts are numbers of students already, not densities.",
        lambda u, edges, counts: _interpolate(u, edges, counts * edges.diff()),
    ),
    Mistake(
        "second random draw",
        "with the same u you return other heights each time: where in its bin a height falls, u decides as well.",
        lambda u, edges, counts: (
            edges[_place(u, counts)[0]] + torch.rand(u.shape, dtype=u.dtype) * edges.diff()[_place(u, counts)[0]]
        ),
    ),
    Mistake(
        "not normalised",
        "all your heights fall into the first bin: u lies between 0 and 1, and your table goes up to the number of "
        "students.",
        lambda u, edges, counts: edges[0] + u / counts[0] * (edges[1] - edges[0]),
    ),
    Mistake(
        "counts ignored",
        "you spread the heights as if every bin held the same number of students.",
        lambda u, edges, counts: _interpolate(u, edges, torch.ones_like(counts)),
    ),
)

sample_histogram = Check(
    "sample_histogram",
    _judge_histogram,
    "bins of any width, an empty one among them, and every height in its place.",
    _HISTOGRAM,
)
