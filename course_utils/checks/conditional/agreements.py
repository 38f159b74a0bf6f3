"""The check of the share of pictures whose judged class is the asked one."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal

__all__ = ["agreement"]


def _reference(logits: Tensor, y: Tensor) -> float:
    """Picture by picture, in plain numbers."""
    hits = sum(row.index(max(row)) == asked for row, asked in zip(logits.tolist(), y.tolist(), strict=True))
    return hits / len(y)


def _hits(logits: Tensor, y: Tensor) -> Tensor:
    return (logits.argmax(1) == y).double()


_MISTAKES = (
    Mistake(
        "mean of probabilities",
        "this is the mean probability that the judge gives to the asked class. Asked is how often that class is the "
        "judge's first choice.",
        lambda logits, y: logits.softmax(1)[torch.arange(len(y)), y].mean(),
    ),
    Mistake(
        "any order",
        "the judged classes and the asked ones are sorted, or counted, before they are compared. Compare picture by "
        "picture.",
        lambda logits, y: (logits.argmax(1).sort().values == y.sort().values).double().mean(),
    ),
    Mistake(
        "next picture",
        "each judged class is compared with the label of another picture: the labels are in another order.",
        lambda logits, y: _hits(logits, y.roll(1)).mean(),
    ),
    Mistake(
        "labels turned round",
        "the labels are compared from the last to the first.",
        lambda logits, y: _hits(logits, y.flip(0)).mean(),
    ),
    Mistake(
        "number of hits",
        "this is the number of pictures that agree. Divide it by the number of all pictures.",
        lambda logits, y: _hits(logits, y).sum(),
    ),
    Mistake(
        "share of errors",
        "this is the share of pictures that do not agree.",
        lambda logits, y: 1 - _hits(logits, y).mean(),
    ),
    Mistake(
        "hits over classes",
        "the hits are divided by the number of classes. Divide by the number of pictures.",
        lambda logits, y: _hits(logits, y).sum() / logits.shape[1],
    ),
    Mistake(
        "positive logit",
        "a picture counts here when the logit of its class is above 0. It counts when no other class has a larger one.",
        lambda logits, y: (logits[torch.arange(len(y)), y] > 0).double().mean(),
    ),
    Mistake(
        "least likely",
        "the class with the smallest logit is taken for the judge's choice.",
        lambda logits, y: _hits(-logits, y).mean(),
    ),
    Mistake(
        "mean over classes",
        "this is the mean of the shares of the classes. It is the share of all pictures only where all classes are "
        "equally many.",
        lambda logits, y: torch.stack([_hits(logits, y)[y == c].mean() for c in y.unique()]).mean(),
    ),
)


def _draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Logits (n, classes) of a judge who agrees in well over half of the cases, and labels (n,), not equally many."""
    n, num_classes = integer(50, 70, generator), integer(4, 8, generator)
    y = torch.randint(num_classes, (n,), generator=generator)
    y = torch.where(torch.rand(n, generator=generator) < 0.4, 1, y)
    logits = normal(n, num_classes, generator=generator)
    logits[torch.arange(n), y] += 2
    return logits + 2 * normal(n, 1, generator=generator), y


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator) for _ in range(4)]
    draws[1:2] = in_double(draws[1:2])
    text = "the agreement is {got}, and counted picture by picture it is {expected}."
    compare(answer, _reference, draws, _MISTAKES, text, what="the agreement")


agreement = Check(
    "agreement",
    _judge,
    "it is the share of the pictures of which the judge's first choice is the asked class.",
    _MISTAKES,
)
