"""The check of the chances by which the next centre of a start is drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal

__all__ = ["start_chances"]


def _reference(x: Tensor, centres: Tensor) -> Tensor:
    """Point by point, in plain numbers."""
    squares = [min(float((point - m).square().sum()) for m in centres) for point in x]
    return torch.tensor([square / sum(squares) for square in squares], dtype=torch.float64)


def _squares(x: Tensor, centres: Tensor) -> Tensor:
    return (x[:, None] - centres).square().sum(2)


def _share(values: Tensor) -> Tensor:
    return values / values.sum()


_MISTAKES = (
    Mistake(
        "no square",
        "these chances are proportional to the distance. Asked is its square.",
        lambda x, centres: _share(_squares(x, centres).min(1).values.sqrt()),
    ),
    Mistake(
        "not divided",
        "these are squared distances. Chances add up to 1.",
        lambda x, centres: _squares(x, centres).min(1).values,
    ),
    Mistake(
        "from all centres",
        "the squared distances from all centres are added up. What counts is the distance from the nearest one: a "
        "point that lies on one centre would still have a chance.",
        lambda x, centres: _share(_squares(x, centres).sum(1)),
    ),
    Mistake(
        "from the farthest",
        "the distance from the farthest centre is taken. What counts is the nearest one.",
        lambda x, centres: _share(_squares(x, centres).max(1).values),
    ),
    Mistake(
        "from the last",
        "only the last centre is looked at. A point near an earlier one is no good start either.",
        lambda x, centres: _share(_squares(x, centres)[:, -1]),
    ),
    Mistake(
        "from the first",
        "only the first centre is looked at. A point near a later one is no good start either.",
        lambda x, centres: _share(_squares(x, centres)[:, 0]),
    ),
    Mistake(
        "from the mean",
        "the distance from the mean of the centres is taken. What counts is the nearest centre.",
        lambda x, centres: _share((x - centres.mean(0)).square().sum(1)),
    ),
    Mistake(
        "softmax",
        "this is a softmax: an exponential of the squared distance. Asked are chances proportional to it.",
        lambda x, centres: _squares(x, centres).min(1).values.softmax(0),
    ),
    Mistake(
        "farthest point",
        "the farthest point has all the chance. Such a start runs after every outlier.",
        lambda x, centres: torch.nn.functional.one_hot(_squares(x, centres).min(1).values.argmax(), len(x)).to(x),
    ),
    Mistake(
        "over the largest",
        "the largest number is 1 here. Chances add up to 1.",
        lambda x, centres: _squares(x, centres).min(1).values / _squares(x, centres).min(1).values.max(),
    ),
    Mistake(
        "all alike",
        "all points have the same chance, wherever the centres lie.",
        lambda x, centres: torch.full_like(x[:, 0], 1 / len(x)),
    ),
)


def _draw(generator: torch.Generator, c: int) -> tuple[Tensor, Tensor]:
    """Points (n, d), some of them far out, and c of them as centres (c, d)."""
    n, d = integer(12, 25, generator), integer(2, 4, generator)
    x = normal(n, d, generator=generator) * torch.linspace(0.3, 1.3, n)[:, None] + 1
    return x, x[torch.randperm(n, generator=generator)[:c]]


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, c) for c in (3, 4, 2, 1)]
    draws[1:2] = in_double(draws[1:2])
    text = "a chance is {got}, and should be {expected}."
    compare(answer, _reference, draws, _MISTAKES, text, what="the result", rtol=5e-4, atol=1e-5)


start_chances = Check(
    "start_chances",
    _judge,
    "they are the squared distances from the nearest centre, divided by their sum; a point on a centre has none.",
    _MISTAKES,
)
