"""The check of labels of which each class has equally many."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, fresh, integer, tensor

__all__ = ["balanced_labels"]

_CHANCE = (
    "each label is drawn by chance, so some classes are drawn more often than others. Count the classes out instead: "
    "the numbers of any two of them may differ by 1 at most."
)
_TOO_FEW = (
    "where num_classes does not divide n, the rest of the labels is missing. There should be n of them, and some "
    "classes have one more than others."
)
_TOO_HIGH = "there is a class num_classes. Classes are counted from 0, so the last one is num_classes − 1."
_LAST = (
    "where num_classes does not divide n, one class gets all the rest. Share it out: the numbers of any two classes "
    "may differ by 1 at most."
)
_FLOATS = "the labels are of floating point. Class numbers are whole numbers, torch.int64: they are used as an index."
_TOO_MANY = "there are n labels of each class. There should be n in all."

_MISTAKES = (
    Mistake("by chance", _CHANCE, lambda n, num_classes: torch.randint(num_classes, (n,))),
    Mistake("rest missing", _TOO_FEW, lambda n, num_classes: torch.arange(num_classes).repeat(n // num_classes)),
    Mistake("from 1", _TOO_HIGH, lambda n, num_classes: torch.arange(n) % num_classes + 1),
    Mistake(
        "rest to the last",
        _LAST,
        lambda n, num_classes: (torch.arange(n) // max(n // num_classes, 1)).clamp(max=num_classes - 1),
    ),
    Mistake("floats", _FLOATS, lambda n, num_classes: (torch.arange(n) % num_classes).float()),
    Mistake("n of each", _TOO_MANY, lambda n, num_classes: torch.arange(num_classes).repeat(n)),
)


def _refuse_shape(y: Tensor, n: int, num_classes: int) -> None:
    """A :class:`Wrong` for a number of labels other than n."""
    if y.ndim == 1 and len(y) == n - n % num_classes != n:
        raise Wrong(_TOO_FEW)
    if y.ndim == 1 and len(y) == n * num_classes != n:
        raise Wrong(_TOO_MANY)
    tensor(y, (n,), "the result")


def _refuse_counts(y: Tensor, n: int, num_classes: int, by_chance: bool) -> None:
    """A :class:`Wrong` for labels that are no classes, and for classes that are not equally many."""
    low, high = int(y.min()), int(y.max())
    if high == num_classes and low >= 0:
        raise Wrong(_TOO_HIGH)
    if low < 0 or high >= num_classes:
        raise Wrong(f"the labels go from {low} to {high}, and the classes are 0 to {num_classes - 1}.")
    counts = torch.bincount(y, minlength=num_classes)
    most, fewest = int(counts.max()), int(counts.min())
    if most - fewest <= 1:
        return
    if by_chance:
        raise Wrong(_CHANCE)
    if counts.sort().values[:-1].unique().numel() == 1 and most == n - (num_classes - 1) * (n // num_classes):
        raise Wrong(_LAST)
    raise Wrong(
        f"of {n} labels of {num_classes} classes, class {int(counts.argmax())} has {most} and class"
        f" {int(counts.argmin())} has {fewest}; the numbers may differ by 1 at most."
    )


def _judge(answer: Answer) -> None:
    generator = fresh()
    num_classes = integer(4, 9, generator)
    whole = num_classes * integer(30, 60, generator)
    cases = [(whole + integer(2, num_classes - 1, generator), num_classes), (whole, num_classes)]
    cases += [(3, 7), (10, 1), (1, 4)]  # fewer labels than classes, one class, one label
    for n, classes in cases:
        y = call(answer, n, classes)
        if not isinstance(y, Tensor):
            tensor(y, (n,), "the result")
        _refuse_shape(y, n, classes)
        if y.is_floating_point():
            raise Wrong(_FLOATS)
        if y.dtype is not torch.int64:
            raise Wrong(f"the labels are {y.dtype}; class numbers are torch.int64 in this course.")
        again = call(answer, n, classes)
        by_chance = not torch.equal(y.sort().values, again.sort().values)
        _refuse_counts(y, n, classes, by_chance)


balanced_labels = Check(
    "balanced_labels",
    _judge,
    "each class comes equally often, and at most one more of some where n cannot be shared out.",
    _MISTAKES,
)
