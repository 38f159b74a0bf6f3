"""The check of the best discriminator, a ratio of two densities."""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, uniform

__all__ = ["optimal_discriminator"]


def _best(p_data: Tensor, p_g: Tensor) -> Tensor:
    """p_data/(p_data + p_g) number by number, in fractions; ½ where both are 0."""
    found = []
    for real, made in zip(p_data.flatten().tolist(), p_g.flatten().tolist(), strict=True):
        a, b = Fraction(real), Fraction(made)
        found.append(float(a / (a + b)) if a + b else 0.5)
    return torch.tensor(found, dtype=p_data.dtype).view(p_data.shape)


def _formula(p_data: Tensor, p_g: Tensor) -> Tensor:
    return p_data / (p_data + p_g)


_BEST = (
    Mistake(
        "nan where both are 0",
        "where both densities are 0 the formula is 0/0, which gives nan. The text asks for ½ there.",
        _formula,
    ),
    Mistake(
        "0 where both are 0",
        "where both densities are 0 this gives 0. The text asks for ½ there.",
        lambda p_data, p_g: _formula(p_data, p_g).nan_to_num(),
    ),
    Mistake(
        "ε below the line",
        "a small number is added to the sum of the densities. Far from the data both are smaller than that, and yet "
        "their ratio says clearly which of them a sample comes from.",
        lambda p_data, p_g: p_data / (p_data + p_g + 1e-8),
    ),
    Mistake(
        "ratio",
        "this is p_data/p_g. The probability that a sample is real has the sum of both below the line.",
        lambda p_data, p_g: p_data / p_g,
    ),
    Mistake(
        "p_g on top",
        "this is the probability that a sample is made: p_g stands on top.",
        lambda p_data, p_g: torch.where(p_data + p_g > 0, _formula(p_g, p_data), 0.5),
    ),
    Mistake(
        "p_g on top, nan",
        "this is the probability that a sample is made: p_g stands on top; and where both densities are 0 it is nan.",
        lambda p_data, p_g: _formula(p_g, p_data),
    ),
    Mistake(
        "logit",
        "this is the logit of the best discriminator, log(p_data/p_g). Asked is the probability.",
        lambda p_data, p_g: (p_data / p_g).log(),
    ),
    Mistake(
        "sigmoid of the difference",
        "this is the sigmoid of p_data − p_g. The logit of the best discriminator is the difference of the logarithms.",
        lambda p_data, p_g: (p_data - p_g).sigmoid(),
    ),
    Mistake(
        "sigmoid of the ratio",
        "this is the sigmoid of p_data/p_g: a logarithm is missing inside.",
        lambda p_data, p_g: (p_data / p_g).sigmoid(),
    ),
    Mistake(
        "share of the peak",
        "the densities are divided by the largest sum of all places. Each place has a sum of its own.",
        lambda p_data, p_g: p_data / (p_data + p_g).max(),
    ),
)


def _draw(generator: torch.Generator, *shape: int) -> tuple[Tensor, Tensor]:
    """Two densities at some places: ordinary ones, very small ones, and one or both of them 0."""
    p_data, p_g = (uniform(0.05, 3.0, *shape, generator=generator) for _ in range(2))
    p_data[0], p_g[0] = 0.0, 0.0
    p_g[1] = 0.0
    p_data[2] = 0.0
    p_data[3], p_g[3] = 1e-20 * p_data[3], 1e-20 * p_g[3]
    return p_data, p_g


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, integer(6, 12, generator)) for _ in range(3)]
    draws.append(_draw(generator, 5, 4))
    draws[1:2] = in_double(draws[1:2])
    text = "D* is {got}, and p_data/(p_data + p_g) is {expected}."
    compare(answer, _best, draws, _BEST, text, what="D*")


optimal_discriminator = Check(
    "optimal_discriminator",
    _judge,
    "the ratio is correct at every place, where the densities are tiny too, and it is ½ where both are 0.",
    _BEST,
)
