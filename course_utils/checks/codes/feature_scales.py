"""The check of features in units of their spread, by the statistics of the training data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, in_double, integer, normal, uniform

__all__ = ["standardised"]

Statistics = Callable[[Tensor, Tensor], Tensor]


def _reference(train: Tensor, x: Tensor) -> Tensor:
    """Feature by feature; the tolerance covers both conventions, a division by n and by n − 1."""
    columns = []
    for j in range(train.shape[1]):
        centred = train[:, j] - train[:, j].sum() / len(train)
        spread = (centred.square().sum() / len(train)).sqrt()
        columns.append((x[:, j] - train[:, j].sum() / len(train)) / (spread if spread > 0 else 1))
    return torch.stack(columns, dim=1)


def _safe(spread: Tensor) -> Tensor:
    return torch.where(spread > 0, spread, 1.0)


def _with(of: Statistics) -> tuple[Answer, ...]:
    """By the statistics of other data, with and without care for a feature that is constant."""
    return (
        lambda train, x: (x - of(train, x).mean(0)) / _safe(of(train, x).std(0, correction=0)),
        lambda train, x: (x - of(train, x).mean(0)) / of(train, x).std(0, correction=0),
    )


_OWN = (
    "the data are scaled by their own mean and spread, not by those of the training data. Then the same image gets "
    "another code in another batch."
)
_BOTH = "mean and spread are those of training data and new data together. The new data should play no part in them."
_ONE = "all features share one mean and one spread. Each feature has a unit of its own, and needs its own spread."
_NAN = (
    "a feature that is constant in the training data gives nan or inf: its spread is 0. The text says what to divide "
    "by there."
)
_MISTAKES = (
    Mistake("own statistics", _OWN, _with(lambda train, x: x)[0]),
    Mistake(
        "both together",
        _BOTH,
        _with(lambda train, x: torch.cat([train, x]))[0],
    ),
    Mistake(
        "one for all",
        _ONE,
        lambda train, x: (x - train.mean()) / train.std(),
    ),
    Mistake(
        "constant feature",
        _NAN,
        _with(lambda train, x: train)[1],
    ),
    Mistake(
        "ε below the line",
        "a small number is added to the spread. In a feature that was constant in training, a small change then "
        "becomes a huge number, and outweighs all others. The text says what to divide by there.",
        lambda train, x: (x - train.mean(0)) / (train.std(0, correction=0) + 1e-8),
    ),
    Mistake(
        "constant to 0",
        "a feature that is constant in the training data is set to 0 everywhere. The text asks for its mean to be "
        "subtracted, and for no more.",
        lambda train, x: torch.where(
            train.std(0) > 0, (x - train.mean(0)) / _safe(train.std(0, correction=0)), torch.zeros_like(x)
        ),
    ),
    Mistake(
        "variance",
        "the features are divided by their variance. The standard deviation is its root.",
        lambda train, x: (x - train.mean(0)) / _safe(train.var(0, correction=0)),
    ),
    Mistake(
        "not centred",
        "the mean is not subtracted.",
        lambda train, x: x / _safe(train.std(0, correction=0)),
    ),
    Mistake(
        "not scaled",
        "the mean is subtracted, and nothing is divided by the spread.",
        lambda train, x: x - train.mean(0),
    ),
    Mistake(
        "from 0 to 1",
        "the training data are scaled to the range from 0 to 1. Asked is a spread of 1: the range hangs on the two "
        "most extreme points alone.",
        lambda train, x: (x - train.amin(0)) / _safe(train.amax(0) - train.amin(0)),
    ),
    Mistake(
        "training data",
        "these are the training data, standardised. Asked are the new data.",
        lambda train, x: (train - train.mean(0)) / _safe(train.std(0, correction=0)),
    ),
)


def _draw(generator: torch.Generator, n: int) -> tuple[Tensor, Tensor]:
    """Training data (4096, d) and new data (n, d): unlike scales, and one feature that is constant in training."""
    d = integer(4, 6, generator)
    scales = 10 ** uniform(-1.5, 2.5, d, generator=generator)
    train, x = ((normal(m, d, generator=generator) + 2) * scales for m in (4096, n))
    j = integer(0, d - 1, generator)
    train[:, j] = integer(0, 3, generator) / 2  # a sum without rounding, so that its spread is 0 in each dtype
    x[:, j] = train[0, j] + uniform(0, 1, n, generator=generator).round(decimals=2)
    x[0, j] = train[0, j]
    return train, x


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator, integer(6, 9, generator)) for _ in range(3)]
    draws[1:2] = in_double(draws[1:2])
    draws.append((draws[0][0], draws[0][1][1:2]))
    text = "a feature is {got}, and should be {expected}."
    compare(answer, _reference, draws, _MISTAKES, text, what="the result", rtol=1e-3, atol=1e-4)


standardised = Check(
    "standardised",
    _judge,
    "each feature is in units of its spread in the training data, and a constant one does no harm.",
    _MISTAKES,
)
