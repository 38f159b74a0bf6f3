"""The check of an alarm: a threshold for a wanted rate of false alarms, and the AUC, which needs none."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    among,
    call,
    close,
    compare,
    fresh,
    integer,
    normal,
    number,
    uniform,
)

__all__ = ["alarm"]


def _threshold(normal_scores: Tensor, rate: float) -> Tensor:
    return normal_scores.quantile(1 - rate)


_THRESHOLD = (
    Mistake(
        "other end",
        "alarm_threshold lies at the low end: nearly all normal samples are above it and raise an alarm.",
        lambda normal_scores, rate: normal_scores.quantile(rate),
    ),
    Mistake(
        "largest",
        "alarm_threshold is the largest normal score, whatever the rate. It hangs on a single sample.",
        lambda normal_scores, rate: normal_scores.max(),
    ),
    Mistake(
        "share of the range",
        "alarm_threshold divides the range of the scores. Asked is a share of the samples.",
        lambda normal_scores, rate: normal_scores.min() + (1 - rate) * (normal_scores.max() - normal_scores.min()),
    ),
    Mistake(
        "both ends",
        "alarm_threshold leaves half of the rate above it, as if low scores raised an alarm as well.",
        lambda normal_scores, rate: normal_scores.quantile(1 - rate / 2),
    ),
    Mistake(
        "in per cent",
        "alarm_threshold takes the rate for a number of per cent. A rate of 0.05 is one sample in twenty.",
        lambda normal_scores, rate: normal_scores.quantile(1 - rate / 100),
    ),
    Mistake(
        "two standard deviations",
        "alarm_threshold is the mean plus two standard deviations, whatever the rate, and whatever the law of the "
        "scores.",
        lambda normal_scores, rate: normal_scores.mean() + 2 * normal_scores.std(),
    ),
    Mistake(
        "three standard deviations",
        "alarm_threshold is the mean plus three standard deviations, whatever the rate, and whatever the law of the "
        "scores.",
        lambda normal_scores, rate: normal_scores.mean() + 3 * normal_scores.std(),
    ),
    Mistake(
        "normal law",
        "alarm_threshold takes the scores for normally distributed. These are not: count them instead.",
        lambda normal_scores, rate: torch.distributions.Normal(normal_scores.mean(), normal_scores.std()).icdf(
            torch.tensor(1 - rate, dtype=normal_scores.dtype)
        ),
    ),
    Mistake(
        "place",
        "alarm_threshold gives the number of a sample, or how many samples raise an alarm. Asked is a score.",
        lambda normal_scores, rate: int(len(normal_scores) * (1 - rate)),
    ),
)


def _auc(normal_scores: Tensor, strange_scores: Tensor) -> float:
    """By counting all pairs."""
    above = (strange_scores[:, None] > normal_scores).double().mean()
    return float(above + (strange_scores[:, None] == normal_scores).double().mean() / 2)


def _ties(normal_scores: Tensor, strange_scores: Tensor) -> float:
    return float((strange_scores[:, None] == normal_scores).double().mean())


_AUC = (
    Mistake(
        "turned round",
        "auc is turned round: it counts how often a normal sample scores higher.",
        lambda normal_scores, strange_scores: 1 - _auc(normal_scores, strange_scores),
    ),
    Mistake(
        "folded",
        "auc is never below one half: where strange samples score lower, it should say so.",
        lambda normal_scores, strange_scores: max(
            _auc(normal_scores, strange_scores), _auc(strange_scores, normal_scores)
        ),
    ),
    Mistake(
        "ties lost",
        "auc counts ties as lost, or ranks equal scores one after the other. Equal scores share their mean rank, and a "
        "tied pair counts one half.",
        lambda n, s: _auc(n, s) - _ties(n, s) / 2,
    ),
    Mistake(
        "ties won",
        "auc counts ties as won, or ranks equal scores one after the other. Equal scores share their mean rank, and a "
        "tied pair counts one half.",
        lambda n, s: _auc(n, s) + _ties(n, s) / 2,
    ),
    Mistake(
        "ranks from 0",
        "auc is too low by one in as many as there are normal samples: ranks are counted from 1 in this formula.",
        lambda n, s: _auc(n, s) - 1 / len(n),
    ),
    Mistake(
        "lowest sum left in",
        "auc does not subtract the sum of ranks that strange samples have when they are the lowest, m(m + 1)/2.",
        lambda n, s: _auc(n, s) + (len(s) + 1) / (2 * len(n)),
    ),
    Mistake(
        "number of pairs",
        "auc is a number of pairs. Divide it by how many there are.",
        lambda n, s: _auc(n, s) * len(n) * len(s),
    ),
    Mistake(
        "from −1 to 1",
        "auc goes from −1 to 1 here: wins minus losses. It is the share of wins, from 0 to 1.",
        lambda n, s: 2 * _auc(n, s) - 1,
    ),
)


def _draw(generator: torch.Generator, step: float) -> Tensor:
    """Skewed scores (n,), in multiples of ``step`` where it is above 0, so that many tie."""
    n = integer(400, 900, generator)
    scores = (0.7 * normal(n, generator=generator)).exp() * 5 + uniform(0, 3, generator=generator)
    return (scores / step).round() * step if step else scores


def _judge_threshold(answer: Answer, generator: torch.Generator) -> None:
    rates = [float(uniform(*ends, generator=generator)) for ends in ((0.03, 0.08), (0.15, 0.3), (0.02, 0.1))]
    draws = [(_draw(generator, step), rate) for step, rate in zip((0.0, 0.0, 1.0), rates, strict=True)]
    draws[1] = draws[1][0].double(), draws[1][1]
    given = [number(call(answer, *case), "the result of alarm_threshold") for case in draws]
    wrong = [i for i, case in enumerate(draws) if not _fits(given[i], *case)]
    if not wrong:
        return
    for mistake in _THRESHOLD:
        if all(close(t, float(mistake.make(*case)), 1e-4, 1e-4) for t, case in zip(given, draws, strict=True)):
            raise Wrong(mistake.message)
    scores, rate = draws[wrong[0]]
    share = float((scores > given[wrong[0]]).double().mean())
    raise Wrong(f"alarm_threshold leaves {share:.1%} of the normal scores above it, and wanted were {rate:.1%}.")


def _fits(threshold: float, scores: Tensor, rate: float) -> bool:
    """Whether the share above is the wanted one, give or take one sample and those that tie with the threshold."""
    slack = (1 + 1e-6) / len(scores)
    at = torch.isclose(scores.double(), torch.tensor(threshold, dtype=torch.float64), rtol=1e-6, atol=0)
    above = (scores > threshold) & ~at
    low, high = float(above.double().mean()), float((above | at).double().mean())
    return low <= rate + slack and high >= rate - slack


def _judge(alarm_threshold: Answer, auc: Answer) -> None:
    generator = fresh()
    _judge_threshold(alarm_threshold, generator)
    pairs: list[tuple[Any, ...]] = []
    for shift in (0.0, 1.5, 3.0, -1.5):  # a score may be worse than a coin
        n, m = integer(20, 30, generator), integer(35, 45, generator)
        low, high = normal(n, generator=generator), normal(m, generator=generator) + shift
        pairs.append((low.round(decimals=1), torch.cat([high, low[:9]]).round(decimals=1)))  # at least 9 pairs tie
    pairs.append((torch.tensor([1.0, 2.0]), torch.tensor([1.0])))
    text = "auc is {got}, and over all pairs it is {expected}."
    compare(auc, _auc, pairs, _AUC, text, what="the result of auc")


_RIGHT = (_threshold, _auc)

alarm = Check(
    "alarm_threshold or auc",
    _judge,
    "the threshold leaves the wanted share of normal scores above it, and ranks and pairs give the same area.",
    among(_RIGHT, 0, _THRESHOLD) + among(_RIGHT, 1, _AUC),
)
