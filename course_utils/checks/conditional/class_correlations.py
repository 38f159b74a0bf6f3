"""The check of the mean correlation between classes of something measured."""

from __future__ import annotations

import math
from itertools import combinations

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal, uniform

__all__ = ["class_correlation"]


def _reference(values: Tensor) -> float:
    """Pair by pair, in plain numbers."""
    found = []
    for one, other in combinations(values.tolist(), 2):
        a, b = ([v - sum(row) / len(row) for v in row] for row in (one, other))
        product = sum(p * q for p, q in zip(a, b, strict=True))
        found.append(product / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b)))
    return sum(found) / len(found)


def _pairs(matrix: Tensor) -> Tensor:
    """The entries above the diagonal, one for each pair."""
    i, j = torch.triu_indices(len(matrix), len(matrix), offset=1)
    return matrix[i, j]


def _cosines(values: Tensor) -> Tensor:
    rows = values / values.norm(dim=1, keepdim=True)
    return rows @ rows.T


_MISTAKES = (
    Mistake(
        "diagonal counted",
        "the correlation of each class with itself, which is always 1, is counted as well. Leave the diagonal out.",
        lambda values: values.corrcoef().mean(),
    ),
    Mistake(
        "diagonal divided",
        "the diagonal is left out of the sum, but not out of the number that the sum is divided by.",
        lambda values: _pairs(values.corrcoef()).sum() * 2 / len(values) ** 2,
    ),
    Mistake(
        "over classes",
        "these are correlations between two z, over the classes. Asked are those between two classes, over all z.",
        lambda values: _pairs(values.T.corrcoef()).mean(),
    ),
    Mistake(
        "covariance",
        "these are covariances, which depend on the unit of what is measured. Divide by both standard deviations.",
        lambda values: _pairs(values.cov()).mean(),
    ),
    Mistake(
        "biased covariance",
        "these are covariances, which depend on the unit of what is measured. Divide by both standard deviations, "
        "taken with the same divisor.",
        lambda values: _pairs(values.cov(correction=0)).mean(),
    ),
    Mistake(
        "mean not subtracted",
        "the mean of each class is not subtracted: this is the cosine of the raw values, near 1 whatever z does.",
        lambda values: _pairs(_cosines(values)).mean(),
    ),
    Mistake(
        "squared",
        "the correlations are squared: a style that turns round from class to class would look like one that is held.",
        lambda values: _pairs(values.corrcoef()).square().mean(),
    ),
    Mistake(
        "without sign",
        "the correlations have lost their sign: a style that turns round from class to class would look like one that "
        "is held.",
        lambda values: _pairs(values.corrcoef()).abs().mean(),
    ),
    Mistake(
        "neighbours",
        "only neighbouring classes are compared, 0 with 1, 1 with 2 and so on. Take all pairs.",
        lambda values: values.corrcoef().diagonal(offset=1).mean(),
    ),
    Mistake(
        "first class",
        "only the first class is compared with the others. Take all pairs.",
        lambda values: values.corrcoef()[0, 1:].mean(),
    ),
    Mistake(
        "summed",
        "the correlations are summed over the pairs. Take their mean.",
        lambda values: _pairs(values.corrcoef()).sum(),
    ),
    Mistake(
        "summed twice",
        "the correlations are summed over all entries off the diagonal. Take their mean.",
        lambda values: 2 * _pairs(values.corrcoef()).sum(),
    ),
)


def _draw(generator: torch.Generator) -> tuple[Tensor]:
    """Values (num_classes, n) with means and spreads of their own; some pairs are correlated, some the other way."""
    num_classes, n = integer(4, 6, generator), integer(12, 20, generator)
    common = normal(1, n, generator=generator) * uniform(0.5, 1.5, num_classes, 1, generator=generator)
    common[1] *= -1
    values = common + 0.7 * normal(num_classes, n, generator=generator)
    spreads = uniform(0.2, 0.6, num_classes, 1, generator=generator)
    return (spreads * values + uniform(1, 3, num_classes, 1, generator=generator),)


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator) for _ in range(4)]
    draws[1:2] = in_double(draws[1:2])
    draws.append((draws[0][0][:2],))
    text = "the mean correlation is {got}, and pair by pair it is {expected}."
    compare(answer, _reference, draws, _MISTAKES, text, what="the mean correlation", atol=1e-5)


class_correlation = Check(
    "class_correlation",
    _judge,
    "it is the mean over all pairs of classes, and it does not depend on the unit of what was measured.",
    _MISTAKES,
)
