"""The checks of exercise 07: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from typing import Any

import gap_cells
import torch

from course_utils.checks import variational

EXERCISE = gap_cells.Exercise(
    "07_variational_autoencoder", variational, names={"first": ("first",)}, given={"torch": torch}
)
UNKNOWN: dict[str, dict[str, Any]] = {"first": {}}  # at least two wrong answers a gap that are no known mistake
RIGHT: list[tuple[str, Any]] = []  # right answers that are not the notebook's, each with its gap


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT
