"""Predictions, compared with a run: two clusterings, the false alarms of a threshold, and what a rate forgets."""

from __future__ import annotations

import torch

from course_utils.checks.codes import small_runs
from course_utils.checks.core import mistaken, prediction_check

__all__ = ["prediction"]

_RIGHT = {"rotated": "same", "copied": "lower", "other_points": "higher", "small_rate": "lower"}
_MESSAGES = {
    "rotated lower": "rotated: k-means looks at distances alone. Which of them does a rotation change?",
    "rotated higher": "rotated: write down the squared distance of two points before and after. What could make the "
    "groups easier to tell apart?",
    "copied same": "copied: how often does the feature that says nothing appear in a squared distance now?",
    "copied higher": "copied: what do the copies tell about the groups that one of them does not tell?",
    "other_points lower": "other_points: whose errors did the components make small, those of the points that they "
    "were fitted to, or those of the others?",
    "other_points same": "other_points: the components were chosen so that the fitted points have small errors. Was "
    "anything chosen for the new ones?",
    "small_rate same": "small_rate: the first head reads the code of the old layers. How far has that code moved in "
    "each of the two cases?",
    "small_rate higher": "small_rate: the first head still expects the code that it was trained with. In which case is "
    "more left of it?",
}


def _run(generator: torch.Generator) -> dict[str, float]:
    return {name: getattr(small_runs, name)(generator) for name in _RIGHT}


prediction = prediction_check(
    tuple(_RIGHT),
    _run,
    mistaken(_RIGHT, _MESSAGES),
    band=(0.8, 1.25),
    title="changed over unchanged",
    quantity="result",
)
