"""Predictions, compared with a run: which of four pairs of curves belongs to which state of the game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from course_utils.checks.adversarial.side_by_side import GAMES, play
from course_utils.checks.core import Check, Mistake, Wrong, fresh

__all__ = ["prediction"]

STATES = ("balanced", "cycling", "too strong", "too weak")

_NAMES = tuple(f"curve_{letter}" for letter in GAMES)
_RIGHT = dict(zip(_NAMES, ("cycling", "too weak", "too strong", "balanced"), strict=True))
_MESSAGES: Mapping[str, Mapping[str, str]] = {
    "curve_a": {
        "balanced": "curve_a: both curves have a mean not far from ½. Do they also stay near it?",
        "too strong": "curve_a: now and then D(x) is far above D(G(z)). Does it stay so?",
        "too weak": "curve_a: now and then D(G(z)) is above D(x). What happens to it afterwards?",
    },
    "curve_b": {
        "balanced": "curve_b: which of the two curves is the upper one? Which one should be, if the discriminator "
        "knows anything at all?",
        "cycling": "curve_b: do these curves go up and down again and again?",
        "too strong": "curve_b: a good discriminator gives real samples the higher value. Look at the colours.",
    },
    "curve_c": {
        "balanced": "curve_c: how far apart are the two curves at the end? Who is winning?",
        "cycling": "curve_c: do these curves change places, or does each keep to its side?",
        "too weak": "curve_c: look which of the two curves is the upper one, and how near it is to 1.",
    },
    "curve_d": {
        "cycling": "curve_d: the curves tremble a little. How large is that beside the other panels?",
        "too strong": "curve_d: D(x) is the upper curve, true. By how much, at the end?",
        "too weak": "curve_d: look at the first steps. Could this discriminator tell the two kinds of samples apart "
        "then?",
    },
}


def _state(gap: float, swing: float) -> str:
    """The state that two symptoms tell.

    Args:
        gap: mean of D(x) minus mean of D(G(z)), over the second half of a game.
        swing: standard deviation of D(G(z)) over the steps of that half.
    """
    if gap > 0.45:
        return "too strong"
    if gap < 0:
        return "too weak"
    return "cycling" if swing > 0.05 else "balanced"


def _measured() -> tuple[dict[str, str], dict[str, tuple[float, float]]]:
    """The state of each game and its symptoms, which are medians over nine starts."""
    games = play(fresh())
    late = games[:, :, games.shape[2] // 2 :]  # (games, starts, steps, 2)
    gaps = late.mean(2).diff(dim=2)[..., 0].neg().median(1).values
    swings = late[..., 1].std(2).median(1).values
    found = dict(zip(_NAMES, zip(gaps.tolist(), swings.tolist(), strict=True), strict=True))
    return {name: _state(*symptoms) for name, symptoms in found.items()}, found


def _valid(answers: Mapping[str, Any]) -> dict[str, str]:
    """The words as they are meant, whatever their case and the blanks around them."""
    meant = {name: " ".join(a.lower().split()) if isinstance(a, str) else a for name, a in answers.items()}
    for name, word in meant.items():
        if not isinstance(word, str) or word not in STATES:
            words = ", ".join(f'"{state}"' for state in STATES)
            raise Wrong(f"{name} is {answers[name]!r}; choose one of the words {words}.")
    return meant


def _judge(*answers: Any) -> None:
    given = _valid(dict(zip(_NAMES, answers, strict=True)))
    measured, symptoms = _measured()
    if given == measured:
        print("medians over nine new starts, second half: D(x) − D(G(z)), and how much D(G(z)) swings")
        print(", ".join(f"{name} {gap:+.2f} ± {swing:.2f}" for name, (gap, swing) in symptoms.items()))
        return
    wrong = next(name for name in _NAMES if given[name] != measured[name])
    if message := _MESSAGES[wrong].get(given[wrong]):
        raise Wrong(message)
    raise Wrong(f"{wrong}: the game was played again just now, and this time it was not {given[wrong]}.")


prediction = Check(
    f"{', '.join(_NAMES[:-1])} or {_NAMES[-1]}",
    _judge,
    "all four games, played again just now from nine new starts, show the symptoms that you recognised.",
    tuple(
        Mistake(f"{name} {word}", message, tuple({**_RIGHT, name: word}.values()))
        for name, messages in _MESSAGES.items()
        for word, message in messages.items()
    ),
)
