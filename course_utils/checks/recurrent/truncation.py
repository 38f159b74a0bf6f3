"""The checks of two ways to leave improbable characters out: top-p and min-p.

All probabilities are multiples of 1/1,024, so that their sums are exact whatever order they are added in.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer

__all__ = ["min_p_filter", "top_p_filter"]

_PARTS = 1_024
_Kept = Callable[[Tensor, float], Tensor]  # which characters stay: True and False


def _probabilities(generator: torch.Generator, rows: int) -> Tensor:
    """Distributions (rows, V), or (V,) for no rows, whose entries are all different within a row."""
    V, found = integer(7, 9, generator), []
    while len(found) < max(rows, 1):
        parts = torch.randperm(200, generator=generator)[: V - 1] + 4
        last = _PARTS - int(parts.sum())
        if last > 3 and last not in parts.tolist():
            row = torch.cat([parts, torch.tensor([last])])
            found.append(row[torch.randperm(V, generator=generator)] / _PARTS)
    return torch.stack(found) if rows else found[0]


def _renormalised(keep: _Kept) -> Answer:
    """A filter that keeps some characters, and divides by what is kept."""

    def filtered(probs: Tensor, share: float) -> Tensor:
        kept = torch.where(keep(probs, share), probs, 0.0)
        return kept / kept.sum(-1, keepdim=True)

    return filtered


def _as_it_is(keep: _Kept) -> Answer:
    return lambda probs, share: torch.where(keep(probs, share), probs, 0.0)


def _softmaxed(keep: _Kept) -> Answer:
    return lambda probs, share: torch.softmax(torch.where(keep(probs, share), probs, 0.0), -1)


def _inverted(keep: _Kept) -> _Kept:
    return lambda probs, share: ~keep(probs, share)


# top-p ----------------------------------------------------------------------------------------------------------------


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


def _sets(inside: Callable[[Tensor, Tensor, float], Tensor], *, descending: bool = True) -> _Kept:
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
    return _renormalised(_RIGHT_SET)(probs.sort(-1, descending=True).values, top_p)


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
    _renormalised(_all_ties),
)
_TOP_P = (
    Mistake(
        "crossing character dropped",
        "the character with which the sum reaches top_p is dropped, so that less than top_p is kept, and nothing at "
        "all where the first character alone exceeds it.",
        _renormalised(_sets(lambda before, after, top_p: after <= top_p)),
    ),
    Mistake(
        "crossing character dropped, except the first",
        "the character with which the sum reaches top_p is dropped, so that less than top_p is kept. It belongs to the "
        "set.",
        _renormalised(_sets(_first_kept)),
    ),
    Mistake(
        "one too many",
        "where the sum is top_p exactly, one more character is kept. At least top_p is asked for, and the smallest set "
        "that has it.",
        _renormalised(_sets(lambda before, after, top_p: before <= top_p)),
    ),
    Mistake(
        "not renormalised",
        "the right characters are kept, but their probabilities no longer add up to 1.",
        _as_it_is(_RIGHT_SET),
    ),
    Mistake(
        "softmax",
        "a softmax stands where probabilities are to be divided by their sum. It gives the characters that were left "
        "out a share again, since exp(0) is 1.",
        _softmaxed(_RIGHT_SET),
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
        _renormalised(_wrong_way_back),
    ),
    Mistake(
        "ascending",
        "the least probable characters are taken first. The set is filled from the most probable one.",
        _renormalised(_sets(lambda before, after, top_p: before < top_p, descending=False)),
    ),
    Mistake(
        "not sorted",
        "the sum runs through the alphabet. It should run from the most probable character to the least probable one.",
        _renormalised(lambda probs, top_p: probs.cumsum(-1) - probs < top_p),
    ),
    Mistake(
        "the rest",
        "this keeps the tail, and drops the set that should be kept.",
        _renormalised(_inverted(_RIGHT_SET)),
    ),
    Mistake(
        "threshold",
        "top_p is compared with each probability by itself. It is the sum of the most probable ones that has to "
        "reach it.",
        _renormalised(lambda probs, top_p: probs >= top_p),
    ),
)


def _between(probs: Tensor, generator: torch.Generator, beyond: int = 0) -> float:
    """A top_p that lies between two sums of a row's sorted probabilities, never on one of any row."""
    sums = probs.sort(-1, descending=True).values.cumsum(-1).reshape(-1, probs.shape[-1])[0]
    place = integer(2 + beyond, len(sums) - 3 + beyond, generator)
    return float(sums[place]) - 1 / (2 * _PARTS)


def _judge_top_p(answer: Answer) -> None:
    generator = fresh()
    one, few, many = (_probabilities(generator, rows) for rows in (0, 3, 5))

    # no ties: the set is one and the same for everybody
    draws = [(one, _between(one, generator)), (few, _between(few, generator)), (many, _between(many, generator))]
    draws += [(few, 1 / (2 * _PARTS)), (few, 1.0), in_double((many, _between(many, generator, beyond=1)))]
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

# min-p ----------------------------------------------------------------------------------------------------------------


def _min_p(probs: Tensor, min_p: float) -> Tensor:
    """Row by row, in fractions."""
    rows = []
    for row in probs.reshape(-1, probs.shape[-1]).tolist():
        least = Fraction(min_p) * Fraction(max(row))
        total = sum(value for value in row if Fraction(value) >= least)
        rows.append([value / total if Fraction(value) >= least else 0.0 for value in row])
    return torch.tensor(rows, dtype=probs.dtype).view(probs.shape)


def _from(level: Callable[[Tensor], Tensor]) -> _Kept:
    """The characters with at least min_p times a level."""
    return lambda probs, min_p: probs >= min_p * level(probs)


def _largest(probs: Tensor) -> Tensor:
    return probs.amax(-1, keepdim=True)


_MIN_P = (
    Mistake(
        "absolute",
        "min_p is compared with the probabilities themselves. It counts as a share of the largest one, so that it asks "
        "for less where the model is unsure.",
        _renormalised(lambda probs, min_p: probs >= min_p),
    ),
    Mistake(
        "not renormalised",
        "the right characters are kept, but their probabilities no longer add up to 1.",
        _as_it_is(_from(_largest)),
    ),
    Mistake(
        "softmax",
        "a softmax stands where probabilities are to be divided by their sum. It gives the characters that were left "
        "out a share again, since exp(0) is 1.",
        _softmaxed(_from(_largest)),
    ),
    Mistake(
        "one largest for all",
        "one largest probability is taken for all rows. Each row has its own.",
        _renormalised(_from(lambda probs: probs.max())),
    ),
    Mistake(
        "mean",
        "the threshold is a share of the mean probability, not of the largest.",
        _renormalised(_from(lambda probs: probs.mean(-1, keepdim=True))),
    ),
    Mistake(
        "strictly more",
        "a character with exactly min_p times the largest probability is dropped. It has at least as much as is asked.",
        _renormalised(lambda probs, min_p: probs > min_p * _largest(probs)),
    ),
    Mistake(
        "the rest",
        "this keeps the characters below the threshold, and drops those that should be kept.",
        _renormalised(lambda probs, min_p: probs < min_p * _largest(probs)),
    ),
    Mistake(
        "nearer than min_p",
        "the threshold is 1 − min_p times the largest probability. It is min_p times the largest.",
        _renormalised(lambda probs, min_p: probs >= (1 - min_p) * _largest(probs)),
    ),
    Mistake(
        "difference",
        "min_p is subtracted from the largest probability. The threshold is their product.",
        _renormalised(lambda probs, min_p: probs >= _largest(probs) - min_p),
    ),
)


def _in_between(probs: Tensor, generator: torch.Generator) -> float:
    """A min_p that lies between two ratios of the first row's probabilities to its largest."""
    values = probs.reshape(-1, probs.shape[-1])[0].sort(descending=True).values
    place = integer(2, len(values) - 2, generator)
    return float(values[place - 1] + values[place]) / 2 / float(values[0])


def _on_the_threshold(generator: torch.Generator) -> Tensor:
    """A distribution (V,) one of whose entries is exactly a quarter of the largest."""
    row = torch.tensor([512, 128, 160, 96, 64, 40, 24]) / _PARTS
    return row[torch.randperm(len(row), generator=generator)]


def _judge_min_p(answer: Answer) -> None:
    generator = fresh()
    one, few, many = (_probabilities(generator, rows) for rows in (0, 3, 5))
    draws = [(probs, _in_between(probs, generator)) for probs in (one, few, many)]
    draws += [in_double((many, 0.131)), (few, 0.0), (many, 1.0), (_on_the_threshold(generator), 0.25)]
    steep = torch.tensor([[960, 40, 16, 8], [264, 256, 254, 250]]) / _PARTS  # sure of itself, and not
    draws += [(steep, 0.3), (torch.full((2, 8), 1 / 8), 0.9)]
    text = "min_p_filter gives {got}, and with the characters that have min_p times the largest it is {expected}."
    compare(answer, _min_p, draws, _MIN_P, text, what="what min_p_filter returns")


min_p_filter = Check(
    "min_p_filter",
    _judge_min_p,
    "few characters where the model is sure, many where it is not, and always the most probable one.",
    _MIN_P,
)
