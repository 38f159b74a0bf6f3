"""Checks: the two estimators, and what they are on average."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    close,
    compare,
    fresh,
    in_double,
    kind_of,
    normal,
    number,
    uniform,
)

__all__ = ["fit_gaussian", "unbiased"]


def _pair(value: Any) -> Tensor:
    length = value.numel() if isinstance(value, Tensor) else len(value) if isinstance(value, (tuple, list)) else 1
    if length != 2:
        raise Wrong(f"two numbers are asked for, the mean and the std, and what comes back is {kind_of(value)}.")
    return torch.tensor([number(value[0], "the mean"), number(value[1], "the std")], dtype=torch.float64)


def _judge_fit(answer: Answer) -> None:
    g, classes = fresh(), []
    for n in (2, 5, 6, 8, 11):
        mean, std = uniform(100, 190, generator=g), uniform(2, 9, generator=g)
        classes.append(in_double((mean + std * normal(n, generator=g),)))
    text = "for one class the maximum of ℓ lies at (mean, std) = {expected}, and your function says {got}."
    compare(answer, lambda x: scipy.stats.norm.fit(x.numpy()), classes, _FIT, text, _pair, rtol=1e-5)


_FIT = (
    Mistake(
        "n - 1",
        "your std is too large by the factor √(n/(n−1)): that divisor is not the one that maximises ℓ.",
        lambda x: (x.mean(), x.std()),
    ),
    Mistake(
        "variance returned",
        "the second value is in cm²: it is the variance, and the parameter asked for is the standard deviation.",
        lambda x: (x.mean(), x.var(correction=0)),
    ),
    Mistake(
        "n - 1 variance returned",
        "the second value is in cm², a variance, and it is not even the one that maximises ℓ: look at its divisor.",
        lambda x: (x.mean(), x.var()),
    ),
    Mistake(
        "order",
        "the two values come in the wrong order: the mean is asked for first.",
        lambda x: (x.std(correction=0), x.mean()),
    ),
    Mistake(
        "median",
        "your first value is the median; it has as many students above as below, but it does not maximise ℓ.",
        lambda x: (x.quantile(0.5), x.std(correction=0)),
    ),
    Mistake(
        "absolute deviation",
        "your second value averages the distances from the mean without squaring them first.",
        lambda x: (x.mean(), (x - x.mean()).abs().mean()),
    ),
    Mistake(
        "mean not subtracted",
        "your second value is nearly as large as the heights: it measures them from 0 and not from the mean.",
        lambda x: (x.mean(), (x**2).mean().sqrt()),
    ),
)

fit_gaussian = Check(
    "fit_gaussian",
    _judge_fit,
    "on every class drawn, no other pair of μ and σ makes the heights more likely.",
    _FIT,
)


def _verdicts(mean: str, mle: str, corrected: str, root: str) -> dict[str, str]:
    return {"mean": mean, "MLE variance": mle, "n-1 variance": corrected, "n-1 std": root}


_ORDER = {"low": -1, "right": 0, "high": 1}
"""The three verdicts on an estimator's average, as the sign of its bias."""
_RIGHT_VERDICTS = _verdicts("right", "low", "right", "low")
_RIGHT_RATIO = 4 / 5  # (n - 1) / n

_UNBIASED = (
    Mistake(
        "two variances, one verdict",
        "in every class the two variances differ by the same factor, so they cannot both be right on average.",
        (_verdicts("right", "right", "right", "right"), 1.0),
    ),
    Mistake(
        "variance and root",
        "you say that a variance and its square root are both right on average. Try it on the numbers 1 and 9: is the "
        "root of their average the average of their roots?",
        (_verdicts("right", "low", "right", "right"), 0.8),
    ),
    Mistake(
        "the wrong way round",
        "of your two verdicts on the variances, the smaller of the two is the one you call larger.",
        (_verdicts("right", "high", "low", "low"), 1.25),
    ),
    Mistake(
        "verdict against ratio",
        "your ratio and your verdict on the MLE variance contradict each other.",
        (_verdicts("right", "low", "right", "low"), 1.25),
    ),
    Mistake(
        "ratio of the stds",
        "your ratio belongs to the standard deviations; the one asked for is that of the variances.",
        (_verdicts("right", "low", "right", "low"), 0.8**0.5),
    ),
    Mistake(
        "one over n",
        "your ratio says what is missing, as a share of σ²; the one asked for is what is left.",
        (_verdicts("right", "low", "right", "low"), 0.2),
    ),
)


def _judge_unbiased(verdicts: Any, ratio: Any) -> None:
    """The order matters: contradictions first, which say nothing of which half of them is wrong."""
    right = _RIGHT_VERDICTS
    if not isinstance(verdicts, dict) or set(verdicts) != set(right):
        raise Wrong(f"verdicts should be a dict with these names: {', '.join(right)}.")
    verdicts = {name: str(verdict).strip().lower() for name, verdict in verdicts.items()}
    if not set(verdicts.values()) <= set(_ORDER):
        raise Wrong('each verdict is one of "low", "right" and "high".')
    share = number(ratio, "ratio")
    mle, corrected, root = (_ORDER[verdicts[name]] for name in ("MLE variance", "n-1 variance", "n-1 std"))
    named = {mistake.name: mistake.message for mistake in _UNBIASED}
    if mle == corrected == 0:
        raise Wrong(named["two variances, one verdict"])
    if mle > corrected:
        raise Wrong(named["the wrong way round"])
    if corrected == root == 0:
        raise Wrong(named["variance and root"])
    for mistake in _UNBIASED:
        if mistake.name in ("ratio of the stds", "one over n") and close(share, mistake.make[1], rtol=1e-3):
            raise Wrong(mistake.message)
    if mle != np.sign(round(share - 1, 3)):
        raise Wrong(named["verdict against ratio"])
    wrong = sum(verdicts[name] != verdict for name, verdict in right.items())
    if wrong:
        raise Wrong(f"{wrong} of the four verdicts will not stand. The cell below measures all four.")
    if not close(share, _RIGHT_RATIO, rtol=1e-3):
        raise Wrong(f"the verdicts are right; the ratio at n = 5 is not {share:g}. The cell below measures it.")


unbiased = Check(
    "One of verdicts and ratio",
    _judge_unbiased,
    "all four, and the ratio. The cell below measures what you have predicted.",
    _UNBIASED,
)
