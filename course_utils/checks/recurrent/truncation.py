"""The check of min-p, which leaves out characters that are improbable beside the most probable one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, uniform
from course_utils.checks.recurrent.kept_characters import (
    PARTS,
    Kept,
    as_it_is,
    distributions,
    renormalised,
    softmaxed,
)

__all__ = ["min_p_filter"]


def _min_p(probs: Tensor, min_p: float) -> Tensor:
    """Row by row, in fractions."""
    rows = []
    for row in probs.reshape(-1, probs.shape[-1]).tolist():
        least = Fraction(min_p) * Fraction(max(row))
        total = sum(value for value in row if Fraction(value) >= least)
        rows.append([value / total if Fraction(value) >= least else 0.0 for value in row])
    return torch.tensor(rows, dtype=probs.dtype).view(probs.shape)


def _from(level: Callable[[Tensor], Tensor]) -> Kept:
    """The characters with at least min_p times a level."""
    return lambda probs, min_p: probs >= min_p * level(probs)


def _largest(probs: Tensor) -> Tensor:
    return probs.amax(-1, keepdim=True)


_MIN_P = (
    Mistake(
        "absolute",
        "min_p is compared with the probabilities themselves. It counts as a share of the largest one, so that it asks "
        "for less where the model is unsure.",
        renormalised(lambda probs, min_p: probs >= min_p),
    ),
    Mistake(
        "not renormalised",
        "the right characters are kept, but their probabilities no longer add up to 1.",
        as_it_is(_from(_largest)),
    ),
    Mistake(
        "softmax",
        "a softmax stands where probabilities are to be divided by their sum. It gives the characters that were left "
        "out a share again, since exp(0) is 1.",
        softmaxed(_from(_largest)),
    ),
    Mistake(
        "one largest for all",
        "one largest probability is taken for all rows. Each row has its own.",
        renormalised(_from(lambda probs: probs.max())),
    ),
    Mistake(
        "mean",
        "the threshold is a share of the mean probability, not of the largest.",
        renormalised(_from(lambda probs: probs.mean(-1, keepdim=True))),
    ),
    Mistake(
        "strictly more",
        "a character with exactly min_p times the largest probability is dropped. It has at least as much as is asked.",
        renormalised(lambda probs, min_p: probs > min_p * _largest(probs)),
    ),
    Mistake(
        "the rest",
        "this keeps the characters below the threshold, and drops those that should be kept.",
        renormalised(lambda probs, min_p: probs < min_p * _largest(probs)),
    ),
    Mistake(
        "nearer than min_p",
        "the threshold is 1 − min_p times the largest probability. It is min_p times the largest.",
        renormalised(lambda probs, min_p: probs >= (1 - min_p) * _largest(probs)),
    ),
    Mistake(
        "difference",
        "min_p is subtracted from the largest probability. The threshold is their product.",
        renormalised(lambda probs, min_p: probs >= _largest(probs) - min_p),
    ),
)


def _in_between(probs: Tensor, generator: torch.Generator) -> float:
    """A min_p that lies between two ratios of the first row's probabilities to its largest."""
    values = probs.reshape(-1, probs.shape[-1])[0].sort(descending=True).values
    place = integer(2, len(values) - 2, generator)
    share = float(uniform(0.3, 0.7, generator=generator))  # of no other row's ratios either
    return float(torch.lerp(values[place], values[place - 1], share)) / float(values[0])


def _on_the_threshold(generator: torch.Generator) -> Tensor:
    """A distribution (V,) one of whose entries is exactly a quarter of the largest."""
    row = torch.tensor([512, 128, 160, 96, 64, 40, 24]) / PARTS
    return row[torch.randperm(len(row), generator=generator)]


def _judge_min_p(answer: Answer) -> None:
    generator = fresh()
    one, few, many = (distributions(generator, rows) for rows in (0, 3, 5))
    draws = [(probs, _in_between(probs, generator)) for probs in (one, few, many)]
    draws += [in_double((many, 0.131)), (few, 0.0), (many, 1.0), (_on_the_threshold(generator), 0.25)]
    steep = torch.tensor([[960, 40, 16, 8], [264, 256, 254, 250]]) / PARTS  # sure of itself, and not
    draws += [(steep, 0.3), (torch.full((2, 8), 1 / 8), 0.9)]
    text = "min_p_filter gives {got}, and with the characters that have min_p times the largest it is {expected}."
    compare(answer, _min_p, draws, _MIN_P, text, what="what min_p_filter returns")


min_p_filter = Check(
    "min_p_filter",
    _judge_min_p,
    "few characters where the model is sure, many where it is not, and always the most probable one.",
    _MIN_P,
)
