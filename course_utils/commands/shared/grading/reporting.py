"""What came of grading, for people and for a spreadsheet: scores, and every file that was handed in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from course_utils.commands.shared import notebooks
from course_utils.commands.shared.grading.collecting import Submission
from course_utils.commands.shared.grading.files import Leftover
from course_utils.commands.shared.grading.scoring import Score

__all__ = ["leftovers_text", "table", "write_tables"]


def table(scores: Iterable[Score]) -> str:
    """The scores as text: a row for each student and exercise, with the checks that lost points."""
    rows = [("student", "exercise", "points", "lost at")]
    for score in scores:
        lost = [f"{name} ({points:g}/{most:g})" for name, (points, most) in score.checks.items() if points < most]
        by_hand = ["to be graded by hand"] if score.manual else []
        points = "not graded" if score.failure else f"{score.points:g} of {score.most:g}"
        reasons = [score.failure] if score.failure else [", ".join(lost + by_hand)]
        rows.append((score.student, score.exercise, points, "; ".join(filter(None, [*reasons, *score.remarks]))))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def leftovers_text(leftovers: Sequence[Leftover]) -> str:
    """The files that are not graded and that somebody has to look at, a line each; how many others there are."""
    faults = [leftover for leftover in leftovers if leftover.is_fault]
    lines = [f"{leftover.file}: {leftover.reason}" for leftover in faults]
    others = len(leftovers) - len(faults)
    return "\n".join(
        [*(["Not graded:", *lines] if lines else []), *([f"{others} other files: see files.csv."] if others else [])]
    )


def write_tables(
    course: Path, scores: Sequence[Score], submissions: Sequence[Submission], leftovers: Sequence[Leftover]
) -> list[Path]:
    """Write ``scores.csv`` and ``files.csv`` into ``course``: what each student has, what became of each file."""
    rows = [["student", "exercise", "points", "of", "remark"]]
    for score in scores:
        numbers = ["", ""] if score.failure else [str(score.points), str(score.most)]
        rows.append([score.student, score.exercise, *numbers, score.failure or "; ".join(score.remarks)])
    files = [["file", "student", "exercise", "what became of it"]]
    files += [[one.file, one.student, one.exercise, "; ".join(one.remarks)] for one in submissions]
    files += [[leftover.file, "", "", leftover.reason] for leftover in leftovers]
    paths = []
    for name, lines in (("scores.csv", rows), ("files.csv", files)):
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        notebooks.write_text(course / name, text.getvalue())
        paths.append(course / name)
    return paths
