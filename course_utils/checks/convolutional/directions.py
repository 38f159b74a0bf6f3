"""The check of a direction between two groups of codes."""

from __future__ import annotations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal, uniform

__all__ = ["code_direction"]


def _reference(z: Tensor, attribute: Tensor, number: int) -> Tensor:
    """One code after the other, from a sorted list."""
    order = sorted(range(len(z)), key=lambda i: float(attribute[i]))
    low, high = z.new_zeros(z.shape[1]), z.new_zeros(z.shape[1])
    for i in range(number):
        low += z[order[i]]
        high += z[order[-1 - i]]
    return (high - low) / number


def _ends(z: Tensor, attribute: Tensor, number: int) -> tuple[Tensor, Tensor]:
    order = attribute.argsort()
    return z[order[:number]], z[order[len(z) - number :]]


def _of(make: Answer) -> Answer:
    return lambda z, attribute, number: make(*_ends(z, attribute, number))


_DIRECTION = (
    Mistake(
        "reversed",
        "the direction points from large values to small ones. Asked is the mean of the largest minus that of the "
        "smallest.",
        _of(lambda low, high: low.mean(0) - high.mean(0)),
    ),
    Mistake(
        "sums",
        "the codes of each group are summed. Take their means, so that the direction does not grow with the groups.",
        _of(lambda low, high: high.sum(0) - low.sum(0)),
    ),
    Mistake(
        "length 1",
        "the direction is scaled to length 1. Its length says how far apart the groups are; leave it.",
        _of(lambda low, high: (high.mean(0) - low.mean(0)) / (high.mean(0) - low.mean(0)).norm()),
    ),
    Mistake(
        "only the largest",
        "this is the mean code of the large values. Subtract the mean of the small ones, or the direction also holds "
        "what all codes share.",
        _of(lambda low, high: high.mean(0)),
    ),
    Mistake(
        "against the mean of all",
        "the mean of all codes is subtracted, in place of that of the smallest values.",
        lambda z, attribute, number: _ends(z, attribute, number)[1].mean(0) - z.mean(0),
    ),
    Mistake(
        "added",
        "the two means are added. A direction is their difference.",
        _of(lambda low, high: high.mean(0) + low.mean(0)),
    ),
    Mistake(
        "two codes",
        "only the two outermost codes are compared. One code holds much besides the attribute; average whole groups.",
        _of(lambda low, high: high[-1] - low[0]),
    ),
    Mistake(
        "along the dimensions",
        "the means are taken over the dimensions of each code. Average over the codes: the direction has one number "
        "for each dimension.",
        _of(lambda low, high: high.mean(1) - low.mean(1)),
    ),
    Mistake(
        "first and last rows",
        "the groups are the first and the last rows of z. Sort by the attribute first.",
        lambda z, attribute, number: z[-number:].mean(0) - z[:number].mean(0),
    ),
)


def _draw(generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    n, k, number = integer(30, 40, generator), integer(5, 8, generator), integer(9, 12, generator)
    return 0.5 + normal(n, k, generator=generator), uniform(-1.0, 1.0, n, generator=generator), number


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator) for _ in range(4)]
    draws[1:2] = in_double(draws[1:2])
    text = "the direction is {got}, and the difference of the means is {expected}."
    compare(answer, _reference, draws, _DIRECTION, text, what="the direction")


code_direction = Check(
    "code_direction",
    _judge,
    "it is the mean code of the largest values minus that of the smallest.",
    _DIRECTION,
)
