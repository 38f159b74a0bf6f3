"""Grade submitted exercises with nbgrader, in a course of its own in build/course."""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.commands.shared import notebooks
from course_utils.errors import CourseError, InputError

__all__ = ["GradingError", "Score", "assemble", "collect", "grade", "main", "table"]

_EPILOG = """
SUBMISSIONS is a folder of what students handed in, in one of these shapes, also mixed:
  SUBMISSIONS/ada/NN_name/NN_name.ipynb   as nbgrader collects them
  SUBMISSIONS/ada/NN_name.ipynb           a folder for each student
  SUBMISSIONS/ada.ipynb                   a file for each student
A file that does not bear an exercise's name is recognised by the checks in it.
The course is kept in build/course, gradebook and all: `nbgrader formgrader` works there for grading by hand.
"""


class GradingError(CourseError):
    """nbgrader could not do its part; the message says at which step, and ends with what nbgrader said."""


@dataclass(frozen=True)
class Score:
    """What nbgrader gave one student for one exercise; ``checks`` holds (points, of how many) for each check."""

    student: str
    exercise: str
    checks: dict[str, tuple[float, float]]
    manual: bool = False

    @property
    def points(self) -> float:
        """The sum over the checks."""
        return sum(points for points, _ in self.checks.values())

    @property
    def most(self) -> float:
        """The points there are."""
        return sum(most for _, most in self.checks.values())


def assemble(course: Path, solutions: Iterable[Path]) -> None:
    """Lay the solutions out as nbgrader expects its masters: ``course/source/STEM/STEM.ipynb``."""
    for path in solutions:
        target = course / "source" / path.stem
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / path.name)


def collect(folder: Path, course: Path, solutions: Sequence[Path]) -> list[tuple[str, str]]:
    """Copy what students handed in to where nbgrader looks for it.

    Args:
        folder: the submissions; for the shapes it may have see ``python -m course_utils grade --help``.
        course: nbgrader's course.
        solutions: the masters of the exercises that are graded.

    Returns:
        (student, exercise) for every submission, sorted.

    Raises:
        InputError: if there are no submissions, a file belongs to no exercise, or two are one student's for the same.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder of submissions; see `python -m course_utils grade --help`.")
    identities = {path.stem: _identities(path) for path in solutions}
    found: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.rglob("*.ipynb")):
        inner = path.relative_to(folder)
        if any(part.startswith(".") for part in inner.parts):
            continue
        own = _identities(path)
        exercise = max(identities, key=lambda stem: len(identities[stem] & own), default="")
        if not exercise or not identities[exercise] & own:
            raise InputError(f"{path} has the checks of no exercise ({', '.join(identities)}); take it out.")
        student = inner.parts[0] if len(inner.parts) > 1 else path.stem.replace(exercise, "").strip("-_ ")
        if not student:
            raise InputError(f"{path} does not say whose it is: put it into a folder with the student's name.")
        if (student, exercise) in found:
            raise InputError(f"{student} handed in {exercise} twice: {found[student, exercise]} and {path}.")
        found[student, exercise] = path
    if not found:
        raise InputError(f"There is no notebook in {folder}; see `python -m course_utils grade --help`.")
    for (student, exercise), path in found.items():
        target = course / "submitted" / student / exercise
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / f"{exercise}.ipynb")
    return sorted(found)


def grade(
    course: Path,
    submissions: Iterable[tuple[str, str]],
    *,
    config: Path,
    feedback: bool = False,
    say: Callable[[str], Any] = print,
) -> list[Score]:
    """Run nbgrader's ``generate_assignment`` and ``autograde`` in ``course`` and read the scores from its gradebook.

    Args:
        course: as :func:`assemble` and :func:`collect` left it.
        submissions: (student, exercise) pairs.
        config: nbgrader's configuration, the course's ``nbgrader_config.py``.
        feedback: whether to write a page for each student too (``course/feedback``).
        say: told the progress, one line per step.

    Raises:
        InputError: if nbgrader is not installed.
        GradingError: if a step of nbgrader fails.
    """
    try:
        from nbgrader.apps import NbGraderAPI
        from nbgrader.coursedir import CourseDirectory
        from traitlets.config import PyFileConfigLoader
    except ImportError:
        install = f'"{sys.executable}" -m pip install -c constraints.txt -e ".[instructors]"'
        raise InputError(f"Grading needs nbgrader. In the course's folder: {install}") from None
    tools = str(Path(sys.executable).parent)  # nbgrader starts alembic, which lies beside this Python
    os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", "")])
    settings = PyFileConfigLoader(config.name, str(config.parent)).load_config()
    settings.CourseDirectory.root = str(course.resolve())
    nbgrader = NbGraderAPI(coursedir=CourseDirectory(config=settings), config=settings)
    pairs = list(submissions)
    # SQLAlchemy 2.1 remarks on how nbgrader 0.9.6 fills its gradebook; what is filled in is right.
    warnings.filterwarnings("ignore", message="Object of type <Submitted.*> not in session")
    for exercise in sorted({exercise for _, exercise in pairs}):
        _step(nbgrader.generate_assignment(exercise), f"made {exercise} from its solution", say)
    scores = []
    for student, exercise in pairs:
        _step(nbgrader.autograde(exercise, student), f"graded {student}, {exercise}", say)
        if feedback:
            _step(nbgrader.generate_feedback(exercise, student), f"wrote feedback for {student}, {exercise}", say)
        with nbgrader.gradebook as gradebook:
            scores.append(_score(gradebook.find_submission(exercise, student)))
    return scores


def table(scores: Iterable[Score]) -> str:
    """The scores as text: a row for each student and exercise, with the checks that lost points."""
    rows = [("student", "exercise", "points", "lost at")]
    for score in scores:
        lost = [f"{name} ({points:g}/{most:g})" for name, (points, most) in score.checks.items() if points < most]
        by_hand = ["to be graded by hand"] if score.manual else []
        points = f"{score.points:g} of {score.most:g}"
        rows.append((score.student, score.exercise, points, ", ".join(lost + by_hand)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def main(arguments: list[str]) -> int:
    """``python -m course_utils grade SUBMISSIONS``: grade what students handed in and print their scores."""
    parser = argparse.ArgumentParser(
        "course_utils grade",
        description="Grade submitted exercises with nbgrader.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="the folder of what students handed in")
    parser.add_argument("--feedback", action="store_true", help="write a page for each student: build/course/feedback")
    parser.add_argument("--fresh", action="store_true", help="forget build/course first, with grades given by hand")
    parser.add_argument("--full", action="store_true", help="execute in the full profile (default: quick; same checks)")
    parser.add_argument("--course", type=Path, help="where nbgrader's course is kept (default: build/course)")
    options = parser.parse_args(arguments)
    os.environ["COURSE_PROFILE"] = "full" if options.full else "quick"
    root, solutions = notebooks.root(), notebooks.find([], ["solutions"])
    course = options.course or root / "build" / "course"
    _check_apart(options.submissions, course)
    if options.fresh and course.is_dir():
        shutil.rmtree(course)
    shutil.rmtree(course / "submitted", ignore_errors=True)
    assemble(course, solutions)
    pairs = collect(options.submissions, course, solutions)
    scores = grade(course, pairs, config=root / "nbgrader_config.py", feedback=options.feedback)
    print(f"\n{table(scores)}")
    with (course / "scores.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "exercise", "points", "of"])
        writer.writerows([score.student, score.exercise, score.points, score.most] for score in scores)
    print(f"\nAlso in {notebooks.relative(course / 'scores.csv')}")
    return 0


def _check_apart(submissions: Path, course: Path) -> None:
    """Refuse folders in which clearing the course would take something else away."""
    if submissions.resolve().is_relative_to(course.resolve()):
        raise InputError(f"{submissions} lies in {course}, which is cleared first; copy the submissions elsewhere.")
    if course.is_dir() and any(course.iterdir()) and not (course / "source").is_dir():
        raise InputError(f"{course} holds something else than nbgrader's course; name an empty folder with --course.")


def _identities(path: Path) -> set[str]:
    """The grade_ids of a notebook's cells."""
    cells = notebooks.read(path).cells
    return {cell.metadata["nbgrader"]["grade_id"] for cell in cells if "grade_id" in cell.metadata.get("nbgrader", {})}


def _score(submission: Any) -> Score:
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    checks = {grade.name: (float(grade.score), float(grade.max_score)) for grade in grades}
    return Score(submission.student.id, submission.name, checks, any(grade.needs_manual_grade for grade in grades))


def _step(result: dict[str, Any], what: str, say: Callable[[str], Any]) -> None:
    if not result["success"]:
        told = [
            line.strip() for line in str(result.get("log") or result.get("error") or "").splitlines() if line.strip()
        ]
        errors = [line for line in told if "Error" in line or "Cannot" in line] or [*filter(None, told), ""][-1:]
        raise GradingError(f'nbgrader failed at the step "{what}": {errors[-1]} (--fresh starts anew)')
    say(what)
