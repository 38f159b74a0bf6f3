"""The check of top-p, the smallest set of most probable characters that holds a share of the probability."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer
from course_utils.checks.recurrent.kept_characters import (
    PARTS,
    Kept,
    as_it_is,
    distributions,
    inverted,
    renormalised,
    softmaxed,
)

__all__ = ["top_p_filter"]


def _top_p(probs: Tensor, top_p: float) -> Tensor:
    """Row by row, character by character, in fractions: the definition read aloud."""
    rows = []
    for row in probs.reshape(-1, probs.shape[-1]).tolist():
        kept: list[int] = []
        order = sorted(range(len(row)), key=lambda place: -row[place])
        while sum(Fraction(row[place]) for place in kept) < Fraction(top_p):
            kept.append(order[len(kept)])
        total = sum(row[place] for place in kept)
        rows.append([value / total if place in kept else 0.0 for place, value in enumerate(row)])
    return torch.tensor(rows, dtype=probs.dtype).view(probs.shape)


def _sets(inside: Callable[[Tensor, Tensor, float], Tensor], *, descending: bool = True) -> Kept:
    """A set chosen by (sums before a character, sums with it, top_p) in sorted order, put back in its own order."""

    def keep(probs: Tensor, top_p: float) -> Tensor:
        values, order = probs.sort(-1, descending=descending)
        sums = values.cumsum(-1)
        return torch.zeros_like(probs, dtype=torch.bool).scatter(-1, order, inside(sums - values, sums, top_p))

    return keep


_RIGHT_SET = _sets(lambda before, after, top_p: before < top_p)


def _first_kept(before: Tensor, after: Tensor, top_p: float) -> Tensor:
    """Without the crossing character, but never without the first one."""
    return (after <= top_p) | (before == 0)


def _left_sorted(probs: Tensor, top_p: float) -> Tensor:
    return renormalised(_RIGHT_SET)(probs.sort(-1, descending=True).values, top_p)


def _wrong_way_back(probs: Tensor, top_p: float) -> Tensor:
    values, order = probs.sort(-1, descending=True)
    return (values.cumsum(-1) - values < top_p).gather(-1, order)


def _all_ties(probs: Tensor, top_p: float) -> Tensor:
    smallest = torch.where(_RIGHT_SET(probs, top_p), probs, 2.0).amin(-1, keepdim=True)
    return probs >= smallest


_ALL_TIES = Mistake(
    "all ties",
    "when several characters are equally probable, all of them are kept even if some would do. The smallest set is "
    "asked for; which of the equal ones are in it is free.",
    renormalised(_all_ties),
)
_TOP_P = (
    Mistake(
        "crossing character dropped",
        "the character with which the sum reaches top_p is dropped, so that less than top_p is kept, and nothing at "
        "all where the first character alone exceeds it.",
        renormalised(_sets(lambda before, after, top_p: after <= top_p)),
    ),
    Mistake(
        "crossing character dropped, except the first",
        "the character with which the sum reaches top_p is dropped, so that less than top_p is kept. It belongs to the "
        "set.",
        renormalised(_sets(_first_kept)),
    ),
    Mistake(
        "one too many",
        "where the sum is top_p exactly, one more character is kept. At least top_p is asked for, and the smallest set "
        "that has it.",
        renormalised(_sets(lambda before, after, top_p: before <= top_p)),
    ),
    Mistake(
        "not renormalised",
        "the right characters are kept, but their probabilities no longer add up to 1.",
        as_it_is(_RIGHT_SET),
    ),
    Mistake(
        "softmax",
        "a softmax stands where probabilities are to be divided by their sum. It gives the characters that were left "
        "out a share again, since exp(0) is 1.",
        softmaxed(_RIGHT_SET),
    ),
    Mistake(
        "left sorted",
        "the probabilities come back in sorted order. Each has to stand at its own character again.",
        _left_sorted,
    ),
    Mistake(
        "put back the wrong way",
        "what was decided in sorted order is put back the wrong way: place i of the sorted row belongs to character "
        "order[i], so it is scattered there, not gathered from there.",
        renormalised(_wrong_way_back),
    ),
    Mistake(
        "ascending",
        "the least probable characters are taken first. The set is filled from the most probable one.",
        renormalised(_sets(lambda before, after, top_p: before < top_p, descending=False)),
    ),
    Mistake(
        "not sorted",
        "the sum runs through the alphabet. It should run from the most probable character to the least probable one.",
        renormalised(lambda probs, top_p: probs.cumsum(-1) - probs < top_p),
    ),
    Mistake(
        "the rest",
        "this keeps the tail, and drops the set that should be kept.",
        renormalised(inverted(_RIGHT_SET)),
    ),
    Mistake(
        "threshold",
        "top_p is compared with each probability by itself. It is the sum of the most probable ones that has to "
        "reach it.",
        renormalised(lambda probs, top_p: probs >= top_p),
    ),
)


def _between(probs: Tensor, generator: torch.Generator, beyond: int = 0) -> float:
    """A top_p that lies between two sums of a row's sorted probabilities, never on one of any row."""
    sums = probs.sort(-1, descending=True).values.cumsum(-1).reshape(-1, probs.shape[-1])[0]
    place = integer(2 + beyond, len(sums) - 3 + beyond, generator)
    return float(sums[place]) - 1 / (2 * PARTS)


def _judge_top_p(answer: Answer) -> None:
    generator = fresh()
    one, few, many = (distributions(generator, rows) for rows in (0, 3, 5))

    # no ties: the set is one and the same for everybody
    draws = [(one, _between(one, generator)), (few, _between(few, generator)), (many, _between(many, generator))]
    draws += [(few, 1 / (2 * PARTS)), (few, 1.0), in_double((many, _between(many, generator, beyond=1)))]
    draws += [(one, float(one.sort(descending=True).values[: integer(2, 4, generator)].sum()))]
    text = "top_p_filter gives {got}, and with the smallest set that reaches top_p it is {expected}."
    compare(answer, _top_p, draws, _TOP_P, text, what="what top_p_filter returns")

    # ties: only how many are kept is settled
    ties = torch.tensor([[1, 2, 2, 2, 1], [2, 1, 2, 1, 2]]) / 8
    tied = [(ties[0], 0.5), (ties, 0.4), (torch.full((4, 8), 1 / 8), 0.3)]
    text = "of equally probable characters {got} is kept in sorted order, and {expected} is needed."
    compare(
        answer, _top_p, tied, (_ALL_TIES,), text, lambda value: value.sort(-1).values, what="what top_p_filter returns"
    )


top_p_filter = Check(
    "top_p_filter",
    _judge_top_p,
    "the smallest set that reaches top_p, with the character that crosses it, each in its own place.",
    (*_TOP_P, _ALL_TIES),
)
