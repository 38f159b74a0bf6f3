"""The check of centres that move to the means of their points, with clusters that have none."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal

__all__ = ["moved_centres"]


def _reference(x: Tensor, a: Tensor, centres: Tensor) -> Tensor:
    """Point by point: sums and counts, and a division where there is something to divide."""
    sums, counts = torch.zeros_like(centres), [0] * len(centres)
    for point, j in zip(x, a.tolist(), strict=True):
        sums[j] += point
        counts[j] += 1
    return torch.stack([sums[j] / n if n else centres[j] for j, n in enumerate(counts)])


def _sums(x: Tensor, a: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Sums (c, d) and numbers (c, 1) of the points of each cluster."""
    members = one_hot(a, len(centres)).to(x)
    return members.T @ x, members.sum(0)[:, None]


def _filled(x: Tensor, a: Tensor, centres: Tensor, empty: Tensor) -> Tensor:
    """The means, with other centres for clusters without points."""
    sums, counts = _sums(x, a, centres)
    return torch.where(counts > 0, sums / counts.clamp(min=1), empty)


def _middle(x: Tensor, a: Tensor, centres: Tensor) -> Tensor:
    found = centres.clone()
    for j in a.unique():
        found[j] = x[a == j].median(0).values
    return found


_MISTAKES = (
    Mistake(
        "nan",
        "a cluster without points gets nan: 0 is divided by 0. One such centre, and all distances from it are nan in "
        "the next step. The text says where it should be.",
        lambda x, a, centres: _filled(x, a, centres, torch.full_like(centres, torch.nan)),
    ),
    Mistake(
        "origin",
        "a cluster without points is moved to the origin, where there may be no data at all. The text says where it "
        "should be.",
        lambda x, a, centres: _filled(x, a, centres, torch.zeros_like(centres)),
    ),
    Mistake(
        "mean of all",
        "a cluster without points is moved to the mean of all points. The text asks for another place.",
        lambda x, a, centres: _filled(x, a, centres, x.mean(0).expand_as(centres)),
    ),
    Mistake(
        "dropped",
        "a cluster without points is missing from the result. Then the numbers of the others no longer fit.",
        lambda x, a, centres: _filled(x, a, centres, centres)[a.unique()],
    ),
    Mistake(
        "sum",
        "the points of a cluster are added up and not divided by their number.",
        lambda x, a, centres: torch.where(_sums(x, a, centres)[1] > 0, _sums(x, a, centres)[0], centres),
    ),
    Mistake(
        "over all points",
        "the sum of a cluster is divided by the number of all points. Divide by the number of its own.",
        lambda x, a, centres: torch.where(_sums(x, a, centres)[1] > 0, _sums(x, a, centres)[0] / len(x), centres),
    ),
    Mistake(
        "median",
        "these are medians. The point with the smallest sum of squared distances is the mean.",
        _middle,
    ),
    Mistake(
        "halfway",
        "the centres go half the way. In k-means they go all the way to the mean.",
        lambda x, a, centres: (centres + _filled(x, a, centres, centres)) / 2,
    ),
    Mistake(
        "not moved",
        "the centres are where they were.",
        lambda x, a, centres: centres.clone(),
    ),
)


def _draw(generator: torch.Generator, empty: tuple[int, ...], c: int) -> tuple[Tensor, Tensor, Tensor]:
    """Points, an assignment that leaves the named clusters empty, one cluster of a single point, and old centres."""
    n, d = integer(40, 60, generator), integer(2, 5, generator)
    used = torch.tensor([j for j in range(c) if j not in empty])
    assigned = used[torch.randint(1, len(used), (n,), generator=generator)]
    assigned[integer(0, n - 1, generator)] = used[0]
    return normal(n, d, generator=generator).exp() + 1, assigned, 3 * normal(c, d, generator=generator) + 1


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, (2,), 5), _draw(generator, (), 4), _draw(generator, (0, 3, 6), 7)]
    draws.append(_draw(generator, (1, 3), 4)) if integer(0, 1, generator) else draws.append(_draw(generator, (5,), 6))
    draws[1:2] = in_double(draws[1:2])
    text = "a centre is {got}, and should be {expected}."
    compare(answer, _reference, draws, _MISTAKES, text, what="the result", rtol=5e-4)


moved_centres = Check(
    "move",
    _judge,
    "each centre is the mean of its points, and a centre without points stays where it was.",
    _MISTAKES,
)
