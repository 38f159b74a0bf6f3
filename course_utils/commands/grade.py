"""Grade submitted exercises with nbgrader, in a course of its own in build/course."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from course_utils.commands.shared import notebooks
from course_utils.commands.shared.grading.collecting import assemble, collect, lay_out
from course_utils.commands.shared.grading.reporting import leftovers_text, table, write_tables
from course_utils.commands.shared.grading.scoring import grade, grades_by_hand
from course_utils.errors import InputError

__all__ = ["main"]

_MARK = ".made-by-course-utils"
_EPILOG = """
SUBMISSIONS is a folder, or a zip, of what students handed in, in one of these shapes, also mixed:
  SUBMISSIONS/ada/NN_name/NN_name.ipynb   as nbgrader collects them
  SUBMISSIONS/ada/NN_name.ipynb           a folder, or a zip, for each student
  SUBMISSIONS/ada.ipynb                   a file for each student
Folders and files named as Moodle, Canvas and Blackboard name them say whose they are, too. A notebook is recognised by
the checks in it, or by its name. What lies beside it in a student's folder, a module say, goes with it.
The course is kept in build/course, gradebook and all: `nbgrader formgrader` works there for grading by hand.
"""


def main(arguments: list[str]) -> int:
    """``python -m course_utils grade SUBMISSIONS``: print the scores, and what became of each file.

    Returns:
        0 when everything that was handed in is graded, else 1.
    """
    options = _options(arguments)
    os.environ["COURSE_PROFILE"] = "full" if options.full else "quick"
    root, solutions = notebooks.root(), notebooks.find([], ["solutions"])
    course = options.course or root / "build" / "course"
    _prepare(options.submissions, course, fresh=options.fresh, is_own=options.course is None)
    with tempfile.TemporaryDirectory() as scratch:
        submissions, leftovers = collect(options.submissions, Path(scratch), solutions)
        assemble(course, solutions)
        lay_out(course, submissions)
    remarks = {(one.student, one.exercise): one.remarks for one in submissions}
    scores = grade(course, remarks, config=root / "nbgrader_config.py", feedback=options.feedback)
    scores = [replace(score, remarks=remarks[score.student, score.exercise] + score.remarks) for score in scores]
    print(f"\n{table(scores)}")
    if leftovers:
        print(f"\n{leftovers_text(leftovers)}")
    print(f"\nAlso in {', '.join(map(notebooks.relative, write_tables(course, scores, submissions, leftovers)))}")
    return int(any(score.failure for score in scores) or any(leftover.is_fault for leftover in leftovers))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "course_utils grade",
        description="Grade submitted exercises with nbgrader.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="the folder of what students handed in")
    parser.add_argument("--feedback", action="store_true", help="write a page for each student: build/course/feedback")
    parser.add_argument(
        "--fresh", action="store_true", help="start build/course anew; not where grades were given by hand"
    )
    parser.add_argument("--full", action="store_true", help="execute in the full profile (default: quick; same checks)")
    parser.add_argument("--course", type=Path, help="where nbgrader's course is kept (default: build/course)")
    return parser.parse_args(arguments)


def _prepare(submissions: Path, course: Path, *, fresh: bool, is_own: bool) -> None:
    """Make the folder of nbgrader's course, or start it anew; refuse one that this command has not made.

    Raises:
        InputError: if the submissions lie in it, it holds something else, or grades that a person has given.
    """
    if submissions.resolve().is_relative_to(course.resolve()):
        raise InputError(f"{submissions} lies in {course}, where this command writes; copy the submissions elsewhere.")
    if course.resolve().is_relative_to(submissions.resolve()):
        raise InputError(f"{course}, where this command writes, lies in {submissions}; copy the submissions elsewhere.")
    is_ours = (course / _MARK).is_file() or (is_own and (course / "source").is_dir())
    if course.exists() and not (is_ours or (course.is_dir() and not any(course.iterdir()))):
        raise InputError(f"{course} holds something else than this command's work; name an empty folder with --course.")
    by_hand = grades_by_hand(course)
    if fresh and by_hand:
        raise InputError(
            f"{notebooks.relative(course)} holds {by_hand} grades and comments given by hand, which --fresh would "
            "forget. Move it elsewhere, or name another folder with --course."
        )
    if fresh and course.is_dir():
        shutil.rmtree(course)
    course.mkdir(parents=True, exist_ok=True)
    (course / _MARK).touch()
