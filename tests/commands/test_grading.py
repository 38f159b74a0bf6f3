"""nbgrader's real generate_assignment and autograde: the stub gets nothing, the solution everything, a mistake its due.

One course is graded, with all its submissions, by one command; the tests read the gradebook's scores.
"""

from __future__ import annotations

import copy
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import sample_notebooks as sample
from sample_notebooks import ROOT, STEM

from course_utils.commands import grade, release
from course_utils.commands.grade import Score
from course_utils.errors import InputError

REAL = sorted((ROOT / "solutions").glob("*.ipynb"))
STEMS = [path.stem for path in REAL]


def checks(notebook: nbformat.NotebookNode) -> dict[str, float]:
    """The points of each check, in order."""
    roles = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    return {role["grade_id"]: float(role["points"]) for role in roles if role.get("grade")}


def first_gap_wrong(solution: nbformat.NotebookNode, stub: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The solution with a wrong answer in its first gap, the number 0.5, whatever is asked."""
    answer = copy.deepcopy(solution)
    first = next(i for i, cell in enumerate(answer.cells) if cell.metadata.get("nbgrader", {}).get("solution"))
    wrong = re.sub(r"^(\s+)\.\.\.$", r"\1return 0.5", stub.cells[first].source, flags=re.MULTILINE)
    answer.cells[first].source = re.sub(r"= \.\.\.", "= 0.5", wrong)
    assert "..." not in answer.cells[first].source.replace("0.5", "")
    return answer


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in which ada handed in every solution, bob every stub, and eve a mistake in each, one with a warning."""
    course = sample.course(tmp_path_factory.mktemp("course"))
    handed_in = course / "handed in"
    for path in REAL:
        solution = nbformat.read(path, as_version=4)
        master = sample.write(solution, course / "solutions" / path.name)
        stub = nbformat.reads(release.make(master, ROOT / "nbgrader_config.py"), as_version=4)
        sample.write(solution, handed_in / "ada" / path.stem / path.name)  # as nbgrader collects
        sample.write(stub, handed_in / "bob" / path.name)  # a folder for each student
        sample.write(first_gap_wrong(solution, stub), handed_in / "eve" / path.name)
    wrong = sample.solution()
    sample.write(wrong, course / "solutions" / f"{STEM}.ipynb")
    wrong.cells[2].source = wrong.cells[2].source.replace("n + 1", "n + 2")
    wrong.cells[4].source += "\nimport warnings\nwarnings.warn('seen')"
    sample.write(wrong, handed_in / "eve.ipynb")  # a file for each student
    done = run(course, str(handed_in))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    (course / "said.txt").write_text(done.stdout, encoding="utf-8")
    return course


def run(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COURSE_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "course_utils", "grade", *arguments]
    return subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)


def scores(course: Path, student: str, stem: str) -> tuple[float, float]:
    with (course / "build" / "course" / "scores.csv").open(encoding="utf-8") as file:
        rows = {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}
    row = rows[student, stem]
    return float(row["points"]), float(row["of"])


def autograded(course: Path, student: str, stem: str) -> nbformat.NotebookNode:
    path = course / "build" / "course" / "autograded" / student / stem / f"{stem}.ipynb"
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("stem", STEMS)
def test_the_solution_gets_every_point(graded: Path, stem: str) -> None:
    most = sum(checks(nbformat.read(graded / "solutions" / f"{stem}.ipynb", as_version=4)).values())
    assert most > 0
    assert scores(graded, "ada", stem) == (most, most)


@pytest.mark.parametrize("stem", STEMS)
def test_the_stub_gets_nothing_and_its_only_errors_say_not_attempted(graded: Path, stem: str) -> None:
    points, most = scores(graded, "bob", stem)
    assert points == 0
    assert most > 0
    cells = autograded(graded, "bob", stem).cells
    errors = [output.ename for cell in cells for output in cell.get("outputs", []) if output.output_type == "error"]
    assert errors == ["NotAttempted"] * len(checks(nbformat.read(graded / "solutions" / f"{stem}.ipynb", as_version=4)))


@pytest.mark.parametrize("stem", STEMS)
def test_a_mistake_costs_its_check_and_no_other(graded: Path, stem: str) -> None:
    worth = list(checks(nbformat.read(graded / "solutions" / f"{stem}.ipynb", as_version=4)).values())
    assert scores(graded, "eve", stem) == (sum(worth[1:]), sum(worth))


def test_a_mistake_costs_its_check_and_a_warning_nothing(graded: Path) -> None:
    assert scores(graded, "eve", STEM) == (2, 5)


def test_the_table_says_where_points_were_lost(graded: Path) -> None:
    said = (graded / "said.txt").read_text(encoding="utf-8").splitlines()
    row = next(line for line in said if line.startswith("eve") and STEM in line)
    assert row.split(STEM)[1].split() == ["2", "of", "5", "check-1", "(0/3)"]


def test_what_is_handed_in_again_is_graded_again(graded: Path, tmp_path: Path) -> None:
    again = shutil.copytree(graded / "build" / "course", tmp_path / "again")
    sample.write(sample.solution(), tmp_path / "better" / "eve.ipynb")
    done = run(graded, str(tmp_path / "better"), "--course", str(again))
    assert done.returncode == 0, done.stderr
    assert f"eve      {STEM}  5 of 5" in done.stdout


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    return sample.write(sample.solution(), tmp_path / "solutions" / f"{STEM}.ipynb")


def test_no_submissions_is_said(tmp_path: Path, solution: Path) -> None:
    with pytest.raises(InputError, match="no folder of submissions"):
        grade.collect(tmp_path / "nowhere", tmp_path, [solution])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="There is no notebook in"):
        grade.collect(tmp_path / "empty", tmp_path, [solution])


def test_a_foreign_notebook_is_named(tmp_path: Path, solution: Path) -> None:
    sample.write(sample.notebook([]), tmp_path / "in" / "ada.ipynb")
    with pytest.raises(InputError, match=r"ada\.ipynb has the checks of no exercise"):
        grade.collect(tmp_path / "in", tmp_path, [solution])


def test_nothing_but_a_course_is_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PROFILE", "quick")  # the command sets it, too
    mine = tmp_path / "thesis" / "draft.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    course = tmp_path / "course"
    sample.write(sample.solution(), course / "source" / STEM / f"{STEM}.ipynb")
    handed_in = sample.write(sample.solution(), course / "submitted" / "ada" / f"{STEM}.ipynb")
    for folder, submissions in ((mine.parent, tmp_path), (course, handed_in.parent), (course, course)):
        with pytest.raises(InputError, match=r"holds something else|lies in"):
            grade.main([str(submissions), "--course", str(folder), "--fresh"])
    assert mine.is_file()
    assert handed_in.is_file()


def test_two_files_of_one_student_are_named(tmp_path: Path, solution: Path) -> None:
    for name in ("one.ipynb", "two.ipynb"):
        sample.write(sample.solution(), tmp_path / "in" / "ada" / name)
    with pytest.raises(InputError, match=f"ada handed in {STEM} twice"):
        grade.collect(tmp_path / "in", tmp_path, [solution])


def test_table_adds_up() -> None:
    score = Score("ada", STEM, {"a": (1.0, 2.0), "b": (3.0, 3.0)})
    assert (score.points, score.most) == (4, 5)
    assert grade.table([score]).splitlines()[1].split() == ["ada", STEM, "4", "of", "5", "a", "(1/2)"]
