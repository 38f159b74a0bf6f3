"""nbgrader's part: the exercises made from their solutions, each submission graded, and its scores read back."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError, InputError

__all__ = ["GradingError", "Score", "grade", "grades_by_hand", "why"]


class GradingError(CourseError):
    """nbgrader could not do its part; the message says at which step, and ends with what nbgrader said."""


@dataclass(frozen=True)
class Score:
    """What nbgrader gave one student for one exercise.

    Attributes:
        student: whose it is.
        exercise: the exercise's stem.
        checks: (points, of how many) for each check.
        manual: whether something has to be graded by hand.
        remarks: what had to be mended beforehand.
        failure: nbgrader's reason why it is not graded; empty when it is.
    """

    student: str
    exercise: str
    checks: dict[str, tuple[float, float]]
    manual: bool = False
    remarks: tuple[str, ...] = ()
    failure: str = ""

    @property
    def points(self) -> float:
        """The sum over the checks."""
        return sum(points for points, _ in self.checks.values())

    @property
    def most(self) -> float:
        """The points there are."""
        return sum(most for _, most in self.checks.values())


def grade(
    course: Path,
    submissions: Iterable[tuple[str, str]],
    *,
    config: Path,
    feedback: bool = False,
    say: Callable[[str], Any] = print,
) -> list[Score]:
    """Run nbgrader's ``generate_assignment`` and ``autograde`` in ``course`` and read the scores from its gradebook.

    One submission that cannot be graded is a :class:`Score` with a failure, and the others are graded all the same.

    Args:
        course: nbgrader's course, with ``source`` and ``submitted``.
        submissions: (student, exercise) pairs.
        config: nbgrader's configuration, the course's ``nbgrader_config.py``.
        feedback: whether to write a page for each student too (``course/feedback``).
        say: told the progress, one line per step.

    Raises:
        InputError: if nbgrader is not installed.
        GradingError: if an exercise cannot be made from its solution.
    """
    nbgrader = _nbgrader(course, config)
    pairs = list(submissions)
    for exercise in sorted({exercise for _, exercise in pairs}):
        if reason := why(nbgrader.generate_assignment(exercise)):
            fresh = "" if grades_by_hand(course) else " (--fresh starts anew)"
            raise GradingError(f"nbgrader cannot make {exercise} from its solution: {reason}{fresh}")
        say(f"made {exercise} from its solution")
    scores = []
    for student, exercise in pairs:
        if reason := why(nbgrader.autograde(exercise, student)):
            say(f"could not grade {student}, {exercise}: {reason}")
            scores.append(Score(student, exercise, {}, failure=reason))
            continue
        say(f"graded {student}, {exercise}")
        reason = why(nbgrader.generate_feedback(exercise, student)) if feedback else ""
        if feedback:
            say(f"wrote feedback for {student}, {exercise}" if not reason else f"no feedback for {student}: {reason}")
        with nbgrader.gradebook as gradebook:
            scores.append(_score(gradebook.find_submission(exercise, student), reason and f"no feedback: {reason}"))
    return scores


def grades_by_hand(course: Path) -> int:
    """How many grades, points and comments a person has entered into the gradebook in ``course``.

    Raises:
        InputError: if there is a gradebook that cannot be read.
    """
    file = course / "gradebook.db"
    if not file.is_file():
        return 0
    counts = (
        "SELECT count(*) FROM grade WHERE manual_score IS NOT NULL OR extra_credit IS NOT NULL",
        "SELECT count(*) FROM comment WHERE manual_comment IS NOT NULL",
    )
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as gradebook:
            return sum(gradebook.execute(count).fetchone()[0] for count in counts)
    except sqlite3.Error as error:
        raise InputError(f"{file} cannot be read as nbgrader's gradebook: {error}. Move it away.") from None


def _nbgrader(course: Path, config: Path) -> Any:
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
    # SQLAlchemy 2.1 remarks on how nbgrader 0.9.6 fills its gradebook; what is filled in is right.
    warnings.filterwarnings("ignore", message="Object of type <Submitted.*> not in session")
    return NbGraderAPI(coursedir=CourseDirectory(config=settings), config=settings)


def _score(submission: Any, remark: str) -> Score:
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    checks = {grade.name: (float(grade.score), float(grade.max_score)) for grade in grades}
    manual = any(grade.needs_manual_grade for grade in grades)
    return Score(submission.student.id, submission.name, checks, manual, (remark,) if remark else ())


def why(result: dict[str, Any]) -> str:
    """Why nbgrader failed, in its own words: the error at the end of its log, not the one that points to the log."""
    if result["success"]:
        return ""
    error, log = (str(result.get(name) or "") for name in ("error", "log"))
    if error.rstrip().endswith("KeyboardInterrupt"):  # nbgrader catches it
        raise KeyboardInterrupt
    lines = [line.strip() for line in (error + log).splitlines() if line.strip()]
    errors = [
        line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line) and "NbGraderException" not in line
    ]
    words = errors[-1:] or [line for line in lines if "ERROR" in line][:1] or lines[-1:] or ["nbgrader says nothing"]
    return re.sub(r"^\[.*?\] |^(\w+\.)+(?=\w+)", "", words[0])
