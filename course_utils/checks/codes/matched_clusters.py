"""The check of the accuracy of a clustering, with clusters and classes matched one to one at best."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, Wrong, compare, fresh, integer, number

__all__ = ["best_share", "matched_accuracy"]


def best_share(assigned: Tensor, labels: Tensor, num_classes: int) -> float:
    """All ways to match, one after the other."""
    table = _table(assigned, labels, num_classes).tolist()
    ways = permutations(range(num_classes))
    return max(sum(table[j][c] for j, c in enumerate(way)) for way in ways) / len(labels)


def _table(assigned: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """How many points of each cluster (row) have each label (column)."""
    return torch.bincount(assigned * num_classes + labels, minlength=num_classes**2).view(num_classes, num_classes)


def _greedy(assigned: Tensor, labels: Tensor, num_classes: int) -> float:
    """The largest entry first, then the largest of what is left."""
    table, hits = _table(assigned, labels, num_classes), 0
    for _ in range(num_classes):
        j, c = divmod(int(table.argmax()), num_classes)
        hits += int(table[j, c])
        table[j, :], table[:, c] = -1, -1
    return hits / len(labels)


def _in_turn(assigned: Tensor, labels: Tensor, num_classes: int) -> float:
    """Each cluster in turn takes the best class that is left."""
    table, hits = _table(assigned, labels, num_classes), 0
    for row in table:
        c = int(row.argmax())
        hits += int(row[c])
        table[:, c] = -1
    return hits / len(labels)


def _worst(assigned: Tensor, labels: Tensor, num_classes: int) -> float:
    table = _table(assigned, labels, num_classes).tolist()
    ways = permutations(range(num_classes))
    return min(sum(table[j][c] for j, c in enumerate(way)) for way in ways) / len(labels)


_MISTAKES = (
    Mistake(
        "no matching",
        "the number of a cluster is taken for a label. The numbers of clusters mean nothing: look for the matching "
        "with the most hits.",
        lambda assigned, labels, num_classes: (assigned == labels).double().mean(),
    ),
    Mistake(
        "purity",
        "each cluster takes its most frequent class, and two clusters may take the same one. Matched one to one, each "
        "class is taken once.",
        lambda assigned, labels, num_classes: _table(assigned, labels, num_classes).amax(1).sum() / len(labels),
    ),
    Mistake(
        "purity of classes",
        "each class takes its most frequent cluster, and two classes may take the same one: a single large cluster "
        "would be perfect. Matched one to one, each cluster is taken once.",
        lambda assigned, labels, num_classes: _table(assigned, labels, num_classes).amax(0).sum() / len(labels),
    ),
    Mistake(
        "greedy",
        "the largest entry of the table is matched first, then the largest of the rest. An early match can cost more "
        "hits later than it brings: look for the best of all matchings.",
        _greedy,
    ),
    Mistake(
        "in turn",
        "each cluster in turn takes the best class that is left. The result hangs on their order: look for the best of "
        "all matchings.",
        _in_turn,
    ),
    Mistake(
        "fewest hits",
        "this is the matching with the fewest hits. Is something minimised that should be maximised?",
        _worst,
    ),
    Mistake(
        "number of hits",
        "this is the number of hits. Divide it by the number of points.",
        lambda assigned, labels, num_classes: best_share(assigned, labels, num_classes) * len(labels),
    ),
    Mistake(
        "share of misses",
        "this is the share of points that are not in the cluster of their class.",
        lambda assigned, labels, num_classes: 1 - best_share(assigned, labels, num_classes),
    ),
    Mistake(
        "hits over classes",
        "the hits are divided by the number of classes. Divide them by the number of points.",
        lambda assigned, labels, num_classes: best_share(assigned, labels, num_classes) * len(labels) / num_classes,
    ),
)


def _expanded(table: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    """Clusters and labels of points in random order, as many of each pair as the table says."""
    c = len(table)
    pairs = torch.arange(c * c).repeat_interleave(table.flatten())
    pairs = pairs[torch.randperm(len(pairs), generator=generator)]
    return pairs // c, pairs % c, c


def _telling(generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    """Clusters and labels on which the best matching and all mistakes give different numbers."""
    while True:
        c = integer(3, 5, generator)
        table = torch.randint(0, 14, (c, c), generator=generator) + 8 * torch.eye(c, dtype=torch.int64).roll(1, 0)
        case = _expanded(table, generator)
        found = [float(answer(*case)) for answer in (best_share, *(mistake.make for mistake in _MISTAKES))]
        if len({round(value, 9) for value in found}) == len(found):
            return case


def _share(value: Any) -> Any:
    share = number(value, "the accuracy")
    if share < 0:
        raise Wrong(f"an accuracy lies between 0 and 1, and this is {share:.4g}.")
    return value


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_telling(generator) for _ in range(3)]
    perfect = torch.diag(torch.tensor([5, 8, 3, 9])).roll(1, 1)
    without = torch.tensor([[9, 1, 2], [0, 0, 0], [8, 3, 4]])  # a cluster that has no points
    single = torch.tensor([[7, 0, 0], [6, 0, 0], [0, 0, 0]])  # a single class, and one cluster without points
    draws += [_expanded(table, generator) for table in (perfect, without, single)]
    text = "the accuracy is {got}, and the best of all matchings reaches {expected}."
    compare(answer, best_share, draws, _MISTAKES, text, _share, what="the accuracy")


matched_accuracy = Check(
    "matched_accuracy",
    _judge,
    "no other matching of clusters and classes has more hits.",
    _MISTAKES,
)
