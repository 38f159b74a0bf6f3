"""Exercises from solutions: the same as nbgrader's own command makes, stable, and refused where they would leak."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import sample_notebooks as sample
from sample_notebooks import ROOT, STEM

from course_utils.commands import release
from course_utils.errors import InputError

SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    sample.course(tmp_path)
    sample.write(sample.solution(), tmp_path / "solutions" / f"{STEM}.ipynb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exercise(course: Path) -> nbformat.NotebookNode:
    return nbformat.read(course / "exercises" / f"{STEM}.ipynb", as_version=4)


def test_gaps_stay_and_answers_go(course: Path) -> None:
    assert release.main([]) == 0
    made = exercise(course)
    assert made.cells[2].source == "def successor(n):\n    ..."
    assert made.cells[4].source == "answer = ..."
    for cell in made.cells:
        if cell.cell_type == "code":
            ast.parse(cell.source)
            assert cell.outputs == []
            assert cell.execution_count is None


def test_check_cells_and_only_they_may_raise(course: Path) -> None:
    release.main([])
    tags = [cell.metadata.get("tags", []) for cell in exercise(course).cells]
    assert tags == [[], [], [], ["raises-exception"], [], ["raises-exception"]]
    solution = nbformat.read(course / "solutions" / f"{STEM}.ipynb", as_version=4)
    assert not any("tags" in cell.metadata for cell in solution.cells)


def test_what_outputs_were_made_with_goes(course: Path) -> None:
    node = sample.solution()
    node.metadata["course"] = {"profile": "full"}
    node.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="said\n")]
    node.cells[1].execution_count = 1
    sample.write(node, course / "solutions" / f"{STEM}.ipynb")
    release.main([])
    assert "course" not in exercise(course).metadata
    assert exercise(course).cells[1].outputs == []
    assert exercise(course).cells[0].metadata.slideshow.slide_type == "slide"


def test_a_second_release_changes_nothing(course: Path) -> None:
    release.main([])
    target = course / "exercises" / f"{STEM}.ipynb"
    before, stamp = target.read_bytes(), target.stat().st_mtime_ns
    assert release.main([]) == 0
    assert target.read_bytes() == before
    assert target.stat().st_mtime_ns == stamp
    assert release.main(["--check"]) == 0
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_an_exercise_that_somebody_works_in_is_kept(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release.main([])
    node = exercise(course)
    node.cells[2].source, node.cells[2].execution_count = "def successor(n):\n    return n + 1", 1
    path = sample.write(node, course / "exercises" / f"{STEM}.ipynb")
    before = path.read_bytes()
    assert release.main([]) == 1
    assert f"exercises/{STEM}.ipynb: somebody has worked in it; kept" in capsys.readouterr().out
    assert path.read_bytes() == before
    assert release.main(["--force"]) == 0
    assert exercise(course).cells[2].source == "def successor(n):\n    ..."


@pytest.mark.parametrize("place", ["notebooks", "exercises", "elsewhere"])
def test_a_path_that_is_no_solution_is_refused(course: Path, place: str) -> None:
    release.main([])
    before = (course / "exercises" / f"{STEM}.ipynb").read_bytes()
    other = course / place / f"{STEM}.ipynb"
    if place != "exercises":
        sample.write(sample.solution(), other)
    with pytest.raises(InputError, match=f"{place}/{STEM}.ipynb does not lie in solutions/ of the course"):
        release.main([str(other)])
    assert (course / "exercises" / f"{STEM}.ipynb").read_bytes() == before
    assert release.main([str(course / "solutions" / f"{STEM}.ipynb")]) == 0


def test_check_names_the_exercise_that_drifted(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release.main([])
    target = course / "exercises" / f"{STEM}.ipynb"
    target.write_text(target.read_text(encoding="utf-8").replace("Can you count?", "Can you?"), encoding="utf-8")
    drifted = target.read_bytes()
    capsys.readouterr()
    assert release.main(["--check"]) == 1
    assert f"exercises/{STEM}.ipynb: not what its solution gives" in capsys.readouterr().out
    assert target.read_bytes() == drifted


def test_check_names_an_exercise_without_a_solution(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release.main([])
    (course / "exercises" / f"{STEM}.ipynb").rename(course / "exercises" / "09_lost.ipynb")
    release.main(["01"])
    assert release.main(["--check"]) == 1
    assert "09_lost.ipynb: has no solution" in capsys.readouterr().out


def test_nbgrader_makes_the_same_file(course: Path) -> None:
    """With nbgrader's real command, for the sample and for every exercise of the course, byte for byte."""
    masters = []
    for path in [course / "solutions" / f"{STEM}.ipynb", *SOLUTIONS]:
        masters.append(sample.write(nbformat.read(path, as_version=4), course / "source" / path.stem / path.name))
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "--assignment=*"]
    done = subprocess.run(command, cwd=course, env=os.environ | {"PATH": tools}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for path in masters:
        theirs = course / "release" / path.stem / path.name
        assert theirs.read_bytes() == release.make(path).encode(), path.stem


def source(cell: int, text: str) -> Callable[[nbformat.NotebookNode], object]:
    return lambda node: node.cells[cell].update(source=text)


def grader(cell: int, **values: object) -> Callable[[nbformat.NotebookNode], object]:
    return lambda node: node.cells[cell].metadata.nbgrader.update(values)


FAULTS = {
    "never closed": (source(2, "def successor(n):\n    ### BEGIN SOLUTION\n    return 1"), "cell 3, line 2"),
    "never opened": (source(2, "def successor(n):\n    return 1\n    ### END SOLUTION"), "cell 3, line 3"),
    "nested": (source(2, "def f(n):\n    ### BEGIN SOLUTION\n    ### BEGIN SOLUTION\n    ### END SOLUTION"), "line 3"),
    "not a solution cell": (source(1, "x = ...\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION"), "cell 2"),
    "no region": (source(2, "def successor(n):\n    return n + 1"), "cell 3"),
    "no gap": (source(4, "### BEGIN SOLUTION\nanswer = 4\n### END SOLUTION"), "cell 5, line 1"),
    "does not parse": (
        source(2, "def f(n):\n    if n:\n### BEGIN SOLUTION\n        return 1\n### END SOLUTION"),
        "cell 3",
    ),
    "no points": (grader(3, points=0), "cell 4"),
    "used twice": (grader(5, grade_id="check-1"), "cell 6"),
    "no roles": (lambda node: node.cells[1].metadata.update(nbgrader=None), "cell 2: its metadata nbgrader is None"),
    "no checks": (lambda node: [node.cells.pop(5), node.cells.pop(3)], "no check"),
    "lacks a key": (lambda node: node.cells[3].metadata.nbgrader.pop("locked"), "locked"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_solution_is_refused_in_one_line(course: Path, fault: str) -> None:
    plant, where = FAULTS[fault]
    node = sample.solution()
    plant(node)
    path = sample.write(node, course / "solutions" / f"{STEM}.ipynb")
    with pytest.raises(InputError) as caught:
        release.main([])
    message = str(caught.value)
    assert message.startswith(f"solutions/{path.name}")
    assert where in message
    assert "\n" not in message
    assert not (course / "exercises" / path.name).exists()


def test_unknown_notebook_names_those_there_are(course: Path) -> None:
    with pytest.raises(InputError, match=f"There are: {STEM}"):
        release.main(["07"])


def test_a_file_that_is_no_notebook_is_named(course: Path) -> None:
    (course / "solutions" / f"{STEM}.ipynb").write_text('{"cells": [', encoding="utf-8")
    with pytest.raises(InputError, match=f"solutions/{STEM}.ipynb cannot be read as a notebook"):
        release.main([])
