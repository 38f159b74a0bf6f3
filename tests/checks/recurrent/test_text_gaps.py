"""The checks of exercise 11, sections 6 to 10: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import gap_cells
import numpy as np
import pytest
import torch
from character_rnn import EXERCISE, TEXT
from torch import Tensor
from torch.distributions import Categorical
from torch.nn.functional import one_hot

from course_utils.checks import recurrent

pytestmark = pytest.mark.usefixtures("one_thread")

Counts = dict[str, dict[str, int]]


def _softmax(logits: Tensor, temperature: float) -> Tensor:
    return torch.softmax(logits / temperature, -1)


def _guarded(probabilities: Any, zero: Any = None) -> Any:
    """A temperature that is refused below 0, and handled apart at 0."""

    def answer(logits: Tensor, temperature: float) -> Tensor:
        if temperature < 0:
            raise ValueError(f"temperature is {temperature}")
        if temperature == 0:
            return (zero or _shared)(logits)
        return probabilities(logits, temperature)

    return answer


def _shared(logits: Tensor) -> Tensor:
    largest = (logits == logits.amax(-1, keepdim=True)).to(logits.dtype)
    return largest / largest.sum(-1, keepdim=True)


def _complains(text: str) -> Any:
    """A correct answer whose refusal of a negative temperature has another text."""

    def answer(logits: Tensor, temperature: float) -> Tensor:
        if temperature < 0:
            raise RuntimeError(text)
        return _softmax(logits, temperature) if temperature else _shared(logits)

    return answer


def _nucleus(probs: Tensor, top_p: float) -> Tensor:
    values, order = probs.sort(-1, descending=True)
    keep = torch.zeros_like(probs, dtype=torch.bool).scatter(-1, order, values.cumsum(-1) - values < top_p)
    return torch.where(keep, probs, 0.0)


def _normal(kept: Tensor) -> Tensor:
    return kept / kept.sum(-1, keepdim=True)


def _min_p(probs: Tensor, min_p: float) -> Tensor:
    return torch.where(probs >= min_p * probs.amax(-1, keepdim=True), probs, 0.0)


def _table(text: str, longest: int) -> Counts:
    table: Counts = {}
    for length in range(longest + 1):
        for t in range(length, len(text)):
            seen = table.setdefault(text[t - length : t], {})
            seen[text[t]] = seen.get(text[t], 0) + 1
    return table


def _discounted(counts: Counts, context: str, character: str, D: float, V: int) -> float:
    shorter = _discounted(counts, context[1:], character, D, V) if context else 1 / V
    seen = counts.get(context)
    if not seen:
        return shorter
    return (max(seen.get(character, 0) - D, 0) + D * len(seen) * shorter) / sum(seen.values())


def _witten_bell(counts: Counts, context: str, character: str, D: float, V: int) -> float:
    shorter = _witten_bell(counts, context[1:], character, D, V) if context else 1 / V
    seen = counts.get(context)
    if not seen:
        return shorter
    return (seen.get(character, 0) + len(seen) * shorter) / (sum(seen.values()) + len(seen))


def _correlations(states: Tensor, positions: Tensor) -> Tensor:
    return torch.corrcoef(torch.cat([states.T, positions[None]]))[-1, :-1].nan_to_num()


def _unit(change: Any) -> Any:
    """The correct search, with something else made of index and correlation."""

    def answer(states: Tensor, positions: Tensor) -> Any:
        found = _correlations(states, positions)
        index = int(found.abs().argmax())
        return change(index, float(found[index]))

    return answer


UNKNOWN: dict[str, dict[str, Any]] = {
    "tempered": {
        "root": _guarded(lambda logits, temperature: _softmax(logits, temperature**0.5)),
        "clamped": _guarded(lambda logits, temperature: _softmax(logits, max(temperature, 0.5))),
        "one added": _guarded(lambda logits, temperature: _softmax(logits, 1 + temperature)),
        "index at zero": _guarded(_softmax, lambda logits: logits.argmax(-1)),
        "whole numbers at zero": _guarded(_softmax, lambda logits: one_hot(logits.argmax(-1), logits.shape[-1])),
        "logits at zero": _guarded(_softmax, lambda logits: logits),
        "refuses zero": lambda logits, temperature: Categorical(logits=logits / (1 / (1 / temperature))).probs,
        "all tied ones": _guarded(_softmax, lambda logits: (logits == logits.amax(-1, keepdim=True)).float()),
        "error without a word": _complains(""),
        "error about something else": _complains("probability tensor contains either inf, nan or element < 0"),
        "a list": _guarded(lambda logits, temperature: _softmax(logits, temperature).tolist()),
        "an array": _guarded(lambda logits, temperature: _softmax(logits, temperature).numpy()),
        "one more dimension": _guarded(lambda logits, temperature: _softmax(logits, temperature)[None]),
    },
    "top-p-filter": {
        "top-k": lambda probs, top_p: _normal(torch.where(probs >= probs.topk(3).values[..., -1:], probs, 0.0)),
        "even": lambda probs, top_p: _normal((_nucleus(probs, top_p) > 0).float()),
        "first row's set": lambda probs, top_p: _normal(
            probs * (_nucleus(probs, top_p) > 0).reshape(-1, probs.shape[-1])[0]
        ),
        "mask": lambda probs, top_p: _nucleus(probs, top_p) > 0,
        "logarithms": lambda probs, top_p: _normal(_nucleus(probs, top_p)).log(),
        "rounded": lambda probs, top_p: _normal(_nucleus(probs, round(top_p, 1))),
        "top_p squared": lambda probs, top_p: _normal(_nucleus(probs, top_p**2)),
        "divided by top_p": lambda probs, top_p: _nucleus(probs, top_p) / top_p,
        "only rows": lambda probs, top_p: _normal(_nucleus(probs, top_p)) if probs.ndim == 2 else probs,
        "a list": lambda probs, top_p: _normal(_nucleus(probs, top_p)).tolist(),
    },
    "min-p-filter": {
        "top-p": lambda probs, min_p: _normal(_nucleus(probs, min_p)),
        "even": lambda probs, min_p: _normal((_min_p(probs, min_p) > 0).float()),
        "of the second": lambda probs, min_p: _normal(
            torch.where(probs >= min_p * probs.topk(2).values[..., -1:], probs, 0.0)
        ),
        "squared": lambda probs, min_p: _normal(_min_p(probs, min_p**2)),
        "logarithms": lambda probs, min_p: _normal(_min_p(probs, min_p)).log(),
        "mask": lambda probs, min_p: _min_p(probs, min_p) > 0,
        "threshold instead of zero": lambda probs, min_p: _normal(
            torch.maximum(probs, min_p * probs.amax(-1, keepdim=True))
        ),
        "a number": lambda probs, min_p: float((_min_p(probs, min_p) > 0).sum()),
    },
    "count-contexts": {
        "upper case": lambda text, longest: _table(text.upper(), longest),
        "a Counter of pairs": lambda text, longest: Counter((text[t - 1 : t], text[t]) for t in range(1, len(text))),
        "counts by position": lambda text, longest: {
            context: {list(seen).index(c): n for c, n in seen.items()}
            for context, seen in _table(text, longest).items()
        },
        "a list": lambda text, longest: list(_table(text, longest).items()),
        "totals": lambda text, longest: {c: sum(seen.values()) for c, seen in _table(text, longest).items()},
        "twice": lambda text, longest: _table(text + text, longest),
        "without neighbours that repeat": lambda text, longest: {
            context: {c: n for c, n in seen.items() if n > 1} for context, seen in _table(text, longest).items()
        },
        "bytes": lambda text, longest: {c.encode(): seen for c, seen in _table(text, longest).items()},
        "longest fixed": lambda text, longest: _table(text, 3),
    },
    "discounted-probability": {
        "Witten and Bell": _witten_bell,
        "half the discount": lambda counts, context, character, D, V: _discounted(counts, context, character, D / 2, V),
        "another alphabet": lambda counts, context, character, D, V: _discounted(counts, context, character, D, V + 1),
        "shortened to two": lambda counts, context, character, D, V: _discounted(counts, context[-2:], character, D, V),
        "half and half": lambda counts, context, character, D, V: (
            (_discounted(counts, context, character, D, V) + _discounted(counts, context[1:], character, D, V)) / 2
        ),
        "reversed": lambda counts, context, character, D, V: _discounted(counts, context[::-1], character, D, V),
        "a string": lambda *case: str(_discounted(*case)),
        "a pair": lambda *case: (_discounted(*case), 1 - _discounted(*case)),
    },
    "perplexity-and-bits": {
        "median": lambda log_probs: (torch.exp(-log_probs.median()), -log_probs.mean() / math.log(2)),
        "bits per byte": lambda log_probs: (torch.exp(-log_probs.mean()), -log_probs.mean() / math.log(2) / 8),
        "power of bits, rounded": lambda log_probs: (
            torch.exp(-log_probs.mean()),
            (-log_probs.mean() / math.log(2)).round(),
        ),
        "one number": lambda log_probs: torch.exp(-log_probs.mean()),
        "three numbers": lambda log_probs: (torch.exp(-log_probs.mean()), -log_probs.mean(), 1.0),
        "one each": lambda log_probs: (torch.exp(-log_probs), -log_probs / math.log(2)),
        "n minus 1": lambda log_probs: (
            torch.exp(-log_probs.sum() / max(len(log_probs) - 1, 1)),
            -log_probs.mean() / math.log(2),
        ),
        "strings": lambda log_probs: ("7.4", "2.9"),
    },
    "position-unit": {
        "last unit": lambda states, positions: (states.shape[1] - 1, float(_correlations(states, positions)[-1])),
        "correlation alone": lambda states, positions: _correlations(states, positions),
        "sign turned": _unit(lambda index, correlation: (index, -correlation)),
        "counted from 1": _unit(lambda index, correlation: (index + 1, correlation)),
        "swapped": _unit(lambda index, correlation: (correlation, index)),
        "rounded": _unit(lambda index, correlation: (index, round(correlation, 1) + 0.01)),
        "index alone": _unit(lambda index, correlation: index),
        "differences": lambda states, positions: _unit(lambda *found: found)(states.diff(dim=0), positions[1:]),
        "first half": lambda states, positions: _unit(lambda *found: found)(
            states[: len(states) // 2], positions[: len(states) // 2]
        ),
        "a string": _unit(lambda index, correlation: (f"unit {index}", correlation)),
    },
}


def _looped(probs: Tensor, top_p: float) -> Tensor:
    """Top-p with a loop over rows and characters."""
    if probs.ndim == 2:
        return torch.stack([_looped(row, top_p) for row in probs])
    kept, total = torch.zeros_like(probs), 0.0
    for place in probs.argsort(descending=True).tolist():
        if total >= top_p:
            break
        kept[place] = probs[place]
        total += float(probs[place])
    return kept / kept.sum()


def _from_the_tail(probs: Tensor, top_p: float) -> Tensor:
    """Top-p from the other end: the least probable ones go, as long as no more than 1 − top_p goes with them."""
    values, order = probs.sort(-1)
    gone = torch.zeros_like(probs, dtype=torch.bool).scatter(-1, order, values.cumsum(-1) <= 1 - top_p)
    return _normal(probs.masked_fill(gone, 0))


def _searched(probs: Tensor, top_p: float) -> Tensor:
    """Top-p by a search for the crossing, in sorted order, back through the inverse of the order."""
    values, order = probs.sort(-1, descending=True)
    sums = values.cumsum(-1)
    crossing = (sums >= top_p).int().argmax(-1, keepdim=True)
    kept = values * (torch.arange(probs.shape[-1]) <= crossing)
    return _normal(kept.gather(-1, order.argsort(-1)))


def _counted(text: str, longest: int) -> Any:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for t, character in enumerate(text):
        for length in range(min(longest, t) + 1):
            table[text[t - length : t]][character] += 1
    return table


def _iterated(counts: Counts, context: str, character: str, D: float, V: int) -> float:
    probability = 1 / V
    for length in range(len(context) + 1):
        seen = counts.get(context[len(context) - length :])
        if seen is None:
            return probability
        n = sum(seen.values())
        probability = max(seen.get(character, 0) - D, 0) / n + D * len(seen) / n * probability
    return probability


def _by_numpy(states: Tensor, positions: Tensor) -> tuple[np.int64, np.float64]:
    z = (states - states.mean(0)) / states.std(0).clamp(min=1e-12)
    p = (positions - positions.mean()) / positions.std()
    found = (z * p[:, None]).sum(0).numpy() / (len(p) - 1)
    return np.abs(found).argmax(), found[np.abs(found).argmax()]


def _unit_by_unit(states: Tensor, positions: Tensor) -> list[Any]:
    best = [0, 0.0]
    for j in range(states.shape[1]):
        found = torch.corrcoef(torch.stack([states[:, j], positions]))[0, 1]
        if not found.isnan() and abs(found) > abs(best[1]):
            best = [j, found.item()]
    return best


RIGHT: list[tuple[str, Any]] = [
    ("tempered", _guarded(_softmax)),
    ("tempered", _guarded(_softmax, lambda logits: one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype))),
    ("tempered", _guarded(lambda logits, temperature: _softmax(logits.double(), temperature))),
    (
        "tempered",
        _guarded(lambda logits, temperature: _normal(torch.softmax(logits.double(), -1) ** (1 / temperature))),
    ),
    ("tempered", _guarded(lambda logits, temperature: Categorical(logits=logits / temperature).probs)),
    ("tempered", _guarded(_softmax, lambda logits: _softmax(logits, 1e-6))),
    ("tempered", lambda logits, temperature: _complains("no temperature below 0")(logits, max(temperature, -0.5))),
    ("top-p-filter", _looped),
    ("top-p-filter", _from_the_tail),
    ("top-p-filter", _searched),
    ("top-p-filter", lambda probs, top_p: _normal(_nucleus(probs.double(), top_p))),
    ("min-p-filter", lambda probs, min_p: _normal(_min_p(probs, min_p))),
    ("min-p-filter", lambda probs, min_p: _normal(probs * (probs / probs.max(-1, keepdim=True).values >= min_p))),
    (
        "min-p-filter",
        lambda probs, min_p: (
            torch.stack([_normal(_min_p(row, min_p)) for row in probs])
            if probs.ndim == 2
            else _normal(_min_p(probs, min_p))
        ),
    ),
    ("count-contexts", _counted),
    ("count-contexts", lambda text, longest: {c: Counter(seen) for c, seen in _table(text, longest).items()}),
    ("discounted-probability", _discounted),
    ("discounted-probability", _iterated),
    ("discounted-probability", lambda *case: torch.tensor(_discounted(*case))),
    (
        "perplexity-and-bits",
        lambda log_probs: (math.exp(-log_probs.mean()), float(-log_probs.mean()) / math.log(2)),
    ),
    ("perplexity-and-bits", lambda log_probs: [2 ** (bits := float(-log_probs.double().mean()) / math.log(2)), bits]),
    (
        "perplexity-and-bits",
        lambda log_probs: torch.stack([torch.exp(-log_probs.mean()), -log_probs.mean() * math.log2(math.e)]),
    ),
    ("position-unit", _unit(lambda index, correlation: (index, correlation))),
    ("position-unit", _unit(lambda index, correlation: [torch.tensor(index), torch.tensor(correlation)])),
    ("position-unit", _by_numpy),
    ("position-unit", _unit_by_unit),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    gaps = TEXT
    unknown = UNKNOWN
    right = RIGHT


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_temperature_keeps_the_dtype_and_the_order(dtype):
    (answer,) = EXERCISE.answers("tempered")
    logits = torch.tensor([1.0, 3.0, 2.0], dtype=dtype)
    for temperature in (0, 0.1, 1, 10):
        probabilities = answer(logits, temperature)
        assert probabilities.dtype is dtype
        assert int(probabilities.argmax()) == 1
        assert float(probabilities.sum()) == pytest.approx(1)


def test_a_set_that_crosses_is_known_by_hand():
    (top_p,), (min_p,) = EXERCISE.answers("top-p-filter"), EXERCISE.answers("min-p-filter")
    probs = torch.tensor([0.1, 0.5, 0.15, 0.25])
    assert top_p(probs, 0.6).tolist() == pytest.approx([0, 2 / 3, 0, 1 / 3])
    assert min_p(probs, 0.4).tolist() == pytest.approx([0, 2 / 3, 0, 1 / 3])
    assert top_p(probs, 0.2).tolist() == [0, 1, 0, 0]


def test_discounted_probabilities_add_up_to_one_in_every_context():
    (count,), (probability,) = EXERCISE.answers("count-contexts"), EXERCISE.answers("discounted-probability")
    counts = count("the then there thus than that", 4)
    for context in ("", "t", "th", "the ", "xyz", "zth", "a much longer context th"):
        assert sum(probability(counts, context, c, 0.75, 10) for c in "abehnrstu ") == pytest.approx(1)


def test_an_answer_that_adds_entries_to_the_counts_is_told_so():
    def grows(counts: Counts, context: str, character: str, D: float, V: int) -> float:
        counts.setdefault(context, {})
        return _discounted(counts, context, character, D, V)

    assert "writes into counts" in EXERCISE.outcome("discounted-probability", grows)


def test_a_wrong_count_is_named_with_its_context():
    message = EXERCISE.outcome("count-contexts", UNKNOWN["count-contexts"]["without neighbours that repeat"])
    assert "is counted 0 times after" in message


def test_the_temperature_that_is_refused_may_be_named_by_its_value():
    recurrent.tempered(_complains("-0.5 is below 0"))


def test_unequal_shares_of_a_tie_are_shown():
    message = EXERCISE.outcome("tempered", UNKNOWN["tempered"]["all tied ones"])
    assert "here they get 1 and 1" in message


def test_a_correlation_of_a_fractional_index_is_refused():
    message = EXERCISE.outcome("position-unit", UNKNOWN["position-unit"]["swapped"])
    assert "whole number" in message
