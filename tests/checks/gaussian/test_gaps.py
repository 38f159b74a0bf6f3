"""The checks of exercise 01: what they call open, right and wrong, and the cells that wait for an answer."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from torch.distributions import Exponential, MixtureSameFamily, Normal

from course_utils.checks import gaussian
from course_utils.checks.core import Wrong

EXERCISE = gap_cells.Exercise(
    "01_gaussian_maximum_likelihood",
    gaussian,
    names={
        "log-likelihood": ("log_likelihood",),
        "fit-gaussian": ("fit_gaussian",),
        "unbiased": ("verdicts", "ratio"),
        "sample-exponential": ("sample_exponential",),
        "sample-histogram": ("sample_histogram",),
        "mixture-log-likelihood": ("mixture_log_likelihood",),
    },
    given={"math": math, "torch": torch},
)

VERDICTS = {"mean": "right", "MLE variance": "low", "n-1 variance": "right", "n-1 std": "low"}


def _log_p(x, mean, std):
    return Normal(mean, std).log_prob(x)


UNKNOWN: dict[str, dict[str, Callable[..., Any] | tuple[Any, ...]]] = {
    "log-likelihood": {
        "bits": lambda x, mean, std: _log_p(x, mean, std).sum() / math.log(2),
        "π for 2π": lambda x, mean, std: (_log_p(x, mean, std) + 0.5 * math.log(2)).sum(),
        "log std squared": lambda x, mean, std: (_log_p(x, mean, std) - torch.log(std)).sum(),
        "a fit of its own": lambda x, mean, std: _log_p(x, x.mean(), x.std()).sum(),
        "one student short": lambda x, mean, std: _log_p(x[1:], mean, std).sum(),
    },
    "fit-gaussian": {
        "n + 1": lambda x: (x.mean(), (x.var() * (len(x) - 1) / (len(x) + 1)).sqrt()),
        "range": lambda x: (x.mean(), (x.max() - x.min()) / 2),
        "mid-range": lambda x: ((x.max() + x.min()) / 2, x.std(correction=0)),
        "only the mean": lambda x: x.mean(),
        "a sum": lambda x: (x.sum(), x.std(correction=0)),
        "written into the heights": lambda x: (x.mean(), x.sub_(x.mean()).square_().mean().sqrt()),
    },
    "unbiased": {
        "a biased mean": ({**VERDICTS, "mean": "high"}, 0.8),
        "the root too high": ({**VERDICTS, "n-1 std": "high"}, 0.8),
        "another n": (VERDICTS, 0.75),
        "a word for a number": (VERDICTS, "four fifths"),
        "another word": ({**VERDICTS, "mean": "unbiased"}, 0.8),
        "a list": (list(VERDICTS.values()), 0.8),
        "a list in the dict": ({**VERDICTS, "mean": ["right"]}, 0.8),
        "one missing": ({"mean": "right"}, 0.8),
    },
    "sample-exponential": {
        "log base 2": lambda u, rate: -torch.log2(1 - u) / rate,
        "1 + u": lambda u, rate: torch.log(1 + u) / rate,
        "odds": lambda u, rate: u / (1 - u) / rate,
        "sorted": lambda u, rate: (-torch.log(1 - u) / rate).sort().values,
        "rate squared": lambda u, rate: -torch.log(1 - u) / rate**2,
        "one number": lambda u, rate: (-torch.log(1 - u) / rate).mean(),
    },
    "sample-histogram": {
        "from the other end": lambda u, e, c: torch.from_numpy(np.interp(1 - u, _table(c), e)),
        "between the centres": lambda u, e, c: torch.from_numpy(np.interp(u, _table(c)[1:], (e[1:] + e[:-1]) / 2)),
        "uniform": lambda u, e, c: e[0] + u * (e[-1] - e[0]),
        "NumPy": lambda u, e, c: np.interp(u, _table(c), e),
        "a step without its remainder": lambda u, e, c: e[torch.searchsorted(_table(c), u) - 1] + u,
    },
    "mixture-log-likelihood": {
        "half a graph": lambda x, w, m, s: _mixture(w, m.detach(), s).log_prob(x).sum(),
        "saved from log 0": lambda x, w, m, s: (_log_p(x[:, None], m, s).exp() @ w + 1e-30).log().sum(),
        "weights squared": lambda x, w, m, s: (_log_p(x[:, None], m, s) + 2 * w.log()).logsumexp(1).sum(),
        "the best only": lambda x, w, m, s: (_log_p(x[:, None], m, s) + w.log()).max(1).values.sum(),
        "variances": lambda x, w, m, s: (_log_p(x[:, None], m, s.sqrt()) + w.log()).logsumexp(1).sum(),
        "over everything": lambda x, w, m, s: (_log_p(x[:, None], m, s) + w.log()).logsumexp((0, 1)),
        "the wrong dimension": lambda x, w, m, s: (_log_p(x[:, None], m, s) + w.log()).logsumexp(0).sum(),
        "no spread": lambda x, w, m, s: (_log_p(x[:, None], m, torch.ones_like(s)) + w.log()).logsumexp(1).sum(),
    },
}


def _table(counts):
    return torch.cat([torch.zeros(1), counts.cumsum(0) / counts.sum()])


RIGHT: list[tuple[str, Any]] = [
    ("log-likelihood", lambda x, mean, std: sum(_log_p(value, mean, std) for value in x)),
    ("log-likelihood", lambda x, mean, std: float(Normal(mean.float(), std.float()).log_prob(x.float()).sum())),
    ("fit-gaussian", lambda x: [float(x.mean()), np.std(x.numpy())]),
    ("fit-gaussian", lambda x: torch.stack([x.mean(), x.var(correction=0).sqrt()])),
    ("sample-exponential", lambda u, rate: -torch.log1p(-u) / rate),
    ("sample-exponential", lambda u, rate: Exponential(rate).icdf(u.float())),
    ("sample-histogram", lambda u, e, c: torch.from_numpy(np.interp(u, _table(c), e))),
    ("mixture-log-likelihood", lambda x, w, m, s: _mixture(w, m, s).log_prob(x).sum()),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT
    below = 2  # a folded hint stands between them


def _mixture(weights, means, stds):
    return MixtureSameFamily(torch.distributions.Categorical(weights), Normal(means, stds))


@pytest.mark.parametrize(
    ("ratio", "verdicts"),
    [(4 / 5, VERDICTS), (torch.tensor(0.8), dict(reversed(VERDICTS.items())))],
)
def test_the_right_prediction_may_be_written_in_several_ways(ratio, verdicts):
    gaussian.unbiased(verdicts, ratio)


def test_the_prediction_is_not_given_away():
    """However an answer is wrong, its message does not say which of the verdicts to change."""
    words = ("low", "right", "high")
    for mle in words:
        for corrected in words:
            for root in words:
                given = {"mean": "right", "MLE variance": mle, "n-1 variance": corrected, "n-1 std": root}
                if given == VERDICTS:
                    continue
                message = EXERCISE.outcome("unbiased", given, 0.8)
                assert not any(f'"{word}"' in message for word in words)
                assert "n-1 std" not in message


def test_a_crash_in_the_answer_is_named_with_its_line():
    def log_likelihood(x, mean, std):
        return x.sam()

    line = inspect.getsourcelines(log_likelihood)[1] + 1
    message = EXERCISE.outcome("log-likelihood", log_likelihood)
    assert message.startswith("log_likelihood stopped with AttributeError")
    assert f"(line {line})" in message


def test_a_missing_return_and_a_number_for_a_function_are_told_apart():
    def fit_gaussian(x):
        x.mean()

    assert "is the return missing" in EXERCISE.outcome("fit-gaussian", fit_gaussian)
    assert "should be a function" in EXERCISE.outcome("fit-gaussian", 170.0)


def test_a_check_writes_nothing_to_stderr_and_leaves_the_random_numbers_alone(capsys, recwarn):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    with pytest.raises(Wrong):
        gaussian.fit_gaussian(lambda x: (x.mean(), x[:1].std()))  # torch warns: no degrees of freedom
    gaussian.sample_exponential(*EXERCISE.answers("sample-exponential", solved=True))
    assert torch.rand(1) == expected
    assert capsys.readouterr().err == ""
    assert len(recwarn) == 0
