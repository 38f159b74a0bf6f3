"""Predictions: how experiments end, said in advance with one word each, and held against a run.

Each experiment gives a ratio of two quantities; a band around 1 turns it into one of three words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from course_utils.checks.core.check import Check, Mistake
from course_utils.checks.core.draws import fresh
from course_utils.checks.core.outcomes import Wrong

__all__ = ["WORDS", "between", "in_the_first", "mistaken", "prediction_check", "words"]

WORDS = ("lower", "same", "higher")

Words = Mapping[str, str]  # one word for each experiment, by its name
Choice = Callable[[Sequence[Mistake], Words, Words], Mistake | None]

_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}


def words(ratios: Mapping[str, float], band: tuple[float, float]) -> dict[str, str]:
    """Each ratio's word: "same" above the band's first number and up to its second."""
    low, high = band
    return {name: WORDS[(ratio > low) + (ratio > high)] for name, ratio in ratios.items()}


def mistaken(right: Words, messages: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Mistakes in one prediction each, with the others right.

    Args:
        right: how the experiments end on every draw.
        messages: what to tell who predicts a wrong word, by name and word with a space between them; each message
            begins with the name and a colon.
    """

    def make(name: str, word: str) -> tuple[str, ...]:
        return tuple({**right, name: word}.values())

    return tuple(Mistake(key, message, make(*key.split())) for key, message in messages.items())


def in_the_first(mistakes: Sequence[Mistake], predicted: Words, measured: Words) -> Mistake | None:
    """The mistake that has the student's word for the first wrong prediction, and begins its message with the name."""
    wrong = _first_wrong(predicted, measured)
    for mistake in mistakes:
        answer = dict(zip(predicted, mistake.make, strict=True))
        if mistake.message.startswith(f"{wrong}: ") and answer[wrong] == predicted[wrong]:
            return mistake
    return None


def between(mistakes: Sequence[Mistake], predicted: Words, measured: Words) -> Mistake | None:
    """The first mistake of which each word is either the student's or the measured one."""
    for mistake in mistakes:
        answer = dict(zip(predicted, mistake.make, strict=True))
        if all(word in (measured[name], predicted[name]) for name, word in answer.items()):
            return mistake
    return None


def prediction_check(
    names: Sequence[str],
    run: Callable[[torch.Generator], dict[str, float]],
    mistakes: Sequence[Mistake],
    *,
    band: tuple[float, float],
    title: str,
    digits: str = ".2f",
    quantity: str = "error",
    choose: Choice = in_the_first,
) -> Check:
    """The check of a gap that holds one word for each of several experiments.

    It runs them with a fresh generator, tells a wrong prediction, and prints the ratios when all are right.

    Args:
        names: the variables that hold the words, in the order in which the check is handed them.
        run: the experiments: the ratio that each measures, by its name and in the order of ``names``.
        mistakes: known ones, whose ``make`` holds one word for each name.
        band: see :func:`words`.
        title: what the printed ratios are.
        digits: how a ratio is printed, as a format specification.
        quantity: what a ratio is called where no known mistake fits.
        choose: the known mistake that fits a wrong answer, or None: :func:`in_the_first` or :func:`between`.
    """

    def judge(*predictions: Any) -> None:
        predicted = _valid(dict(zip(names, predictions, strict=True)))
        ratios = run(fresh())
        measured = words(ratios, band)
        if predicted == measured:
            print(f"{title}: " + ", ".join(f"{name} {ratio:{digits}}" for name, ratio in ratios.items()))
            return
        if mistake := choose(mistakes, predicted, measured):
            raise Wrong(mistake.message)
        wrong = _first_wrong(predicted, measured)
        raise Wrong(f"{wrong}: the experiment was run just now, and its {quantity} is not {predicted[wrong]}.")

    gap = f"{', '.join(names[:-1])} or {names[-1]}"
    praise = f"all {_NUMBERS[len(names)]} experiments, run just now, end as you predicted."
    return Check(gap, judge, praise, tuple(mistakes))


def _valid(predicted: dict[str, Any]) -> dict[str, str]:
    """The words as they are meant, whatever their case and the blanks around them."""
    meant = {name: word.strip().lower() if isinstance(word, str) else word for name, word in predicted.items()}
    for name, word in meant.items():
        if not isinstance(word, str) or word not in WORDS:
            raise Wrong(f'{name} is {predicted[name]!r}; predict with one of the words "lower", "same" and "higher".')
    return meant


def _first_wrong(predicted: Words, measured: Words) -> str:
    return next(name for name in predicted if predicted[name] != measured[name])
