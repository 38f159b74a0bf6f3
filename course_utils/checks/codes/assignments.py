"""The check of points that are given to their nearest centre, and of the inertia of an assignment."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    among,
    call,
    compare,
    fresh,
    in_double,
    integer,
    normal,
    tensor,
    uniform,
)

__all__ = ["nearest_centre"]


def _squares(x: Tensor, centres: Tensor) -> Tensor:
    """Squared distances of all points from all centres, (n, c)."""
    return (x[:, None] - centres).square().sum(2)


def _nearest(x: Tensor, centres: Tensor) -> Tensor:
    """Point by point, in plain numbers."""
    found = []
    for row in _squares(x, centres).tolist():
        found.append(row.index(min(row)))
    return torch.tensor(found)


_NEAREST = (
    Mistake(
        "farthest",
        "assign gives each point to the centre that is farthest away.",
        lambda x, centres: _squares(x, centres).argmax(1),
    ),
    Mistake(
        "nearest point",
        "assign has one entry for each centre: this is the point that is nearest to it. Asked is the centre "
        "that is nearest to each point.",
        lambda x, centres: _squares(x, centres).argmin(0),
    ),
    Mistake(
        "squared distance",
        "assign gives the squared distance from the nearest centre. Asked is the number of that centre.",
        lambda x, centres: _squares(x, centres).min(1).values,
    ),
    Mistake(
        "distance",
        "assign gives the distance from the nearest centre. Asked is the number of that centre.",
        lambda x, centres: _squares(x, centres).min(1).values.sqrt(),
    ),
    Mistake(
        "inner product",
        "assign takes the centre with the largest inner product. A long centre then wins points that lie "
        "nearer to another one.",
        lambda x, centres: (x @ centres.T).argmax(1),
    ),
    Mistake(
        "angle",
        "assign takes the centre with the smallest angle, seen from the origin. Asked is the distance.",
        lambda x, centres: torch.cosine_similarity(x[:, None], centres, dim=2).argmax(1),
    ),
    Mistake(
        "absolute differences",
        "assign adds up absolute differences. The distance of k-means adds up squares.",
        lambda x, centres: (x[:, None] - centres).abs().sum(2).argmin(1),
    ),
    Mistake(
        "one-hot",
        "assign gives a row of zeros and a one for each point. Asked is the number of the centre.",
        lambda x, centres: torch.nn.functional.one_hot(_squares(x, centres).argmin(1), len(centres)),
    ),
)


def _inertia(x: Tensor, a: Tensor, centres: Tensor) -> float:
    return sum(float((point - centres[j]).square().sum()) for point, j in zip(x, a.tolist(), strict=True))


def _of(x: Tensor, a: Tensor, centres: Tensor) -> Tensor:
    return (x - centres[a]).square().sum(1)


_INERTIA = (
    Mistake(
        "mean over the points",
        "inertia is averaged over the points. It is their sum.",
        lambda x, a, centres: _of(x, a, centres).mean(),
    ),
    Mistake(
        "mean over all numbers",
        "inertia is averaged over points and dimensions. It is the sum over both.",
        lambda x, a, centres: (x - centres[a]).square().mean(),
    ),
    Mistake(
        "no square",
        "inertia adds up distances. Asked are their squares.",
        lambda x, a, centres: _of(x, a, centres).sqrt().sum(),
    ),
    Mistake(
        "one for each point",
        "inertia gives one number for each point. Asked is the sum of all.",
        _of,
    ),
    Mistake(
        "assigned anew",
        "inertia looks for the nearest centre itself, and does not use the assignment that it is handed. Then the sum "
        "of an assignment that is out of date cannot be measured.",
        lambda x, a, centres: _squares(x, centres).min(1).values.sum(),
    ),
    Mistake(
        "all pairs",
        "inertia adds up the squared distances from all centres. Each point counts with its own centre alone.",
        lambda x, a, centres: _squares(x, centres).sum(),
    ),
    Mistake(
        "from the mean",
        "inertia adds up the squared distances from the mean of all points. Each point counts with its own centre.",
        lambda x, a, centres: (x - x.mean(0)).square().sum(),
    ),
)

_FLOATS = "the numbers of the centres are {}. They are used as an index, and have to be of the type torch.int64."


def _draw(generator: torch.Generator, n: int, c: int, d: int) -> tuple[Tensor, Tensor]:
    """Points (n, d) and centres (c, d) of which no point has two that are nearly as near."""
    centres = 2 * normal(c, d, generator=generator) * uniform(0.4, 1.6, c, 1, generator=generator)
    x = 2 * normal(8 * n, d, generator=generator) + 0.5
    if c > 1:
        near = _squares(x, centres).topk(2, largest=False).values
        x = x[near[:, 1] - near[:, 0] > 0.05]
    return x[:n], centres


def _refuse_ties(assign: Answer, generator: torch.Generator) -> None:
    """Two centres at one place: each of them is a right answer, and a third one is not."""
    x, centres = _draw(generator, 30, 4, 3)
    centres = torch.cat([centres, centres[1:2]])
    found = tensor(call(assign, x, centres), (len(x),), "the result of assign")
    squares = _squares(x, centres)
    if not squares.gather(1, found.long().clamp(0, 4)[:, None])[:, 0].equal(squares.min(1).values):
        raise Wrong("where two centres lie at the same place, assign gives a point to a third one.")


def _judge(assign: Answer, inertia: Answer) -> None:
    generator = fresh()
    sizes = [(integer(70, 90, generator), integer(4, 7, generator), integer(3, 6, generator)) for _ in range(3)]
    draws = [_draw(generator, *size) for size in (*sizes, (1, 3, 2), (5, 1, 2))]
    draws[1:2] = in_double(draws[1:2])
    text = "assign gives {got}, and the nearest centre is {expected}."
    compare(assign, _nearest, draws, _NEAREST, text, what="the result of assign")
    found = call(assign, *draws[0])
    if found.dtype not in (torch.int64, torch.int32):
        raise Wrong(_FLOATS.format(found.dtype))
    _refuse_ties(assign, generator)
    cases = [(x, torch.randint(len(m), (len(x),), generator=generator), m) for x, m in draws]
    text = "inertia is {got}, and the squared distances from the assigned centres add up to {expected}."
    compare(inertia, _inertia, cases, _INERTIA, text, what="the inertia")


_RIGHT = (_nearest, _inertia)

nearest_centre = Check(
    "assign or inertia",
    _judge,
    "each point is given to a nearest centre, and the inertia is that of the assignment that is handed in.",
    among(_RIGHT, 0, _NEAREST) + among(_RIGHT, 1, _INERTIA),
)
