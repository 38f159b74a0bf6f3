"""nbgrader's real generate_assignment and autograde: the stub gets nothing, the solution everything, a mistake its due.

One course is graded, with all its submissions, by one command; the tests read the gradebook's scores.
"""

from __future__ import annotations

import copy
import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
import sample_notebooks as sample
from sample_notebooks import ROOT, STEM

from course_utils.commands import grade, release
from course_utils.commands.shared.grading import scoring
from course_utils.commands.shared.grading.collecting import collect
from course_utils.commands.shared.grading.reporting import table
from course_utils.commands.shared.grading.scoring import Score
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


def rows(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The rows of ``scores.csv`` by student and exercise."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}


def scores(course: Path, student: str, stem: str) -> tuple[float, float]:
    row = rows(course / "build" / "course" / "scores.csv")[student, stem]
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
    assert (again / "submitted" / "ada").is_dir(), "what others handed in before stays"


def without_roles(node: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as a site leaves it that throws away what it does not know."""
    for cell in node.cells:
        cell.metadata.pop("nbgrader", None)
        cell.metadata["nbgrader"] = None
    return node


def changed(*changes: Callable[[nbformat.NotebookNode], object]) -> str:
    """The sample's solution as text, changed."""
    node = sample.solution()
    for change in changes:
        change(node)
    return json.dumps(node, ensure_ascii=False)


def dead(node: nbformat.NotebookNode) -> None:
    node.cells[1].source += "\nimport os\nos._exit(1)"


def rows_of(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


RIGHT = changed().encode()
OTHER = changed(lambda n: n.cells.pop(4)).encode()
WHOSE = {
    f"ada/{STEM}.ipynb": "ada",
    f"eve/{STEM}/{STEM}.ipynb": "eve",
    f"Grace Hopper_1234567_assignsubmission_file_/{STEM} (1).ipynb": "Grace Hopper",
    f"Mary Ward_1234568_assignsubmission_file_{STEM}.ipynb": "Mary Ward",
    f"Ann Lee_1000001_assignsubmission_file_/{STEM}.ipynb": "Ann Lee 1000001",
    f"Ann Lee_1000002_assignsubmission_file_/{STEM}.ipynb": "Ann Lee 1000002",
    f"turingalan_LATE_30001_40001_{STEM}-1.ipynb": "turingalan",
    f"Exercise_noether_attempt_2026-01-31-12-00-00_{STEM}.ipynb": "noether",
    f"{STEM}/kay.ipynb": "kay",
    f"{STEM}/liskov/final.ipynb": "liskov",
    "bob (1).ipynb": "bob",
    f"{STEM}_dijkstra.ipynb": "dijkstra",
    f"a[b]*/{STEM}.ipynb": "a_b__",
    f"capital/{STEM}.IPYNB": "capital",
    f"mail/{STEM}.ipynb.txt": "mail",
}
READABLE = {
    "a mark": changed().encode("utf-8-sig"),
    "wide": changed().encode("utf-16"),
    "wide without a mark": changed().encode("utf-16-le"),
    "Windows": changed(lambda n: n.cells[0].update(source="Größe")).encode("cp1252"),
    "no roles": changed(without_roles).encode(),
    "no metadata": changed(lambda n: [cell.pop("metadata") for cell in n.cells]).encode(),
}
UNREADABLE = {
    f"cut/{STEM}.ipynb": (RIGHT[:300], "is cut short or damaged"),
    f"list/{STEM}.ipynb": (b"[]", "is no notebook: its JSON holds a list"),
    f"cells/{STEM}.ipynb": (b'{"cells": 3, "nbformat": 4, "nbformat_minor": 5}', "cannot be read as a notebook"),
    f"bare/{STEM}.ipynb": (b"{}", "cannot be read as a notebook"),
    f"empty/{STEM}.ipynb": (b"", "is empty"),
    f"zeros/{STEM}.ipynb": (bytes(99), "is empty"),
    f"{STEM} (2).ipynb": (RIGHT, "does not say whose it is"),
    f"two/{STEM}.ipynb": (RIGHT, f"two handed in {STEM} twice: two/{STEM}-new.ipynb and two/{STEM}.ipynb"),
    f"two/{STEM}-new.ipynb": (OTHER, f"two handed in {STEM} twice"),
    "scan/answers.pdf": (b"%PDF", "is no notebook"),
    "packed/answers.rar": (b"Rar!", "is an archive that is not opened here"),
    "torn.zip": (b"PK no zip", "is a zip that cannot be opened"),
    "foreign/other.ipynb": (nbformat.writes(sample.notebook([])).encode(), f"has the checks of no exercise ({STEM})"),
}


def sources(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


def roles(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in notebook.cells]


def test_each_file_has_its_owner(tmp_path: Path, solution: Path) -> None:
    handed_in = rows_of(dict.fromkeys(WHOSE, RIGHT), tmp_path / "in")
    submissions, leftovers = collect(handed_in, tmp_path, [solution])
    assert {one.file: one.student for one in submissions} == WHOSE
    assert leftovers == []
    assert {one.exercise for one in submissions} == {STEM}


@pytest.mark.parametrize("name", READABLE)
def test_a_notebook_is_read_whatever_happened_on_the_way(tmp_path: Path, solution: Path, name: str) -> None:
    handed_in = rows_of({"ada/answers.ipynb": READABLE[name]}, tmp_path / "in")
    (submission,), _ = collect(handed_in, tmp_path, [solution])
    assert sources(submission.notebook)[1:] == sources(sample.solution())[1:]
    assert roles(submission.notebook) == ["", "", "gap-1", "check-1", "gap-2", "check-2"]
    assert submission.remarks == ()


@pytest.mark.parametrize("file", UNREADABLE)
def test_what_cannot_be_graded_has_its_reason_and_the_others_are_collected(
    tmp_path: Path, solution: Path, file: str
) -> None:
    files = {name: content for name, (content, _) in UNREADABLE.items()} | {f"ada/{STEM}.ipynb": RIGHT}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    submissions, leftovers = collect(rows_of(files, tmp_path / "in"), scratch, [solution])
    assert [one.student for one in submissions] == ["ada"]
    assert {one.file for one in leftovers if one.is_fault} == set(UNREADABLE)
    reason = next(one.reason for one in leftovers if one.file == file)
    assert reason.startswith(UNREADABLE[file][1])
    assert "\n" not in reason


def test_zips_are_opened_and_the_same_notebook_counts_once(tmp_path: Path, solution: Path) -> None:
    handed_in = rows_of({f"ada/{STEM}.ipynb": RIGHT, f"ada/{STEM} (1).ipynb": RIGHT}, tmp_path / "in")
    with zipfile.ZipFile(handed_in / "bob.zip", "w") as archive:
        archive.writestr(f"my work/{STEM}.ipynb", RIGHT)
        archive.writestr("__MACOSX/x", b"")
        archive.writestr("../../escape.txt", b"")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in filter(Path.is_file, handed_in.rglob("*")):
            archive.write(path, path.relative_to(handed_in))
    for number, submitted in enumerate((handed_in, tmp_path / "all.zip")):
        scratch = tmp_path / f"scratch{number}"
        scratch.mkdir()
        submissions, leftovers = collect(submitted, scratch, [solution])
        assert [(one.student, one.file) for one in submissions] == [
            ("ada", f"ada/{STEM} (1).ipynb"),
            ("bob", f"bob.zip/my work/{STEM}.ipynb"),
        ]
        assert next(one for one in leftovers if one.file == f"ada/{STEM}.ipynb").reason.startswith("says the same as")
        assert not any(one.is_fault for one in leftovers)
    assert not list(tmp_path.glob("escape.txt"))


def test_what_lies_beside_a_notebook_goes_with_it(tmp_path: Path, solution: Path) -> None:
    files = {
        f"ada/{STEM}.ipynb": RIGHT,
        "ada/own/__init__.py": b"",
        "ada/course_utils/checks/x.py": b"",
        "notes.txt": b"",
    }
    submissions, leftovers = collect(rows_of(files | {"bob.ipynb": RIGHT}, tmp_path / "in"), tmp_path, [solution])
    assert [sorted(map(str, one.beside)) for one in submissions] == [["own/__init__.py"], []]
    assert {one.file: one.reason for one in leftovers} == {
        "ada/own/__init__.py": "goes with the notebook beside it",
        "ada/course_utils/checks/x.py": "is part of the course's own package, which the checks use as it is here",
        "notes.txt": "is no notebook",
    }
    assert not any(one.is_fault for one in leftovers)


def test_a_draft_beside_the_answer_costs_nothing(tmp_path: Path, solution: Path) -> None:
    draft = nbformat.writes(sample.notebook([nbformat.v4.new_code_cell("def successor(n):\n    return n")])).encode()
    handed_in = rows_of({"ada/a draft.ipynb": draft, f"ada/{STEM}.ipynb": RIGHT}, tmp_path / "in")
    (submission,), leftovers = collect(handed_in, tmp_path, [solution])
    assert submission.file == f"ada/{STEM}.ipynb"
    assert [(one.file, one.reason) for one in leftovers] == [
        ("ada/a draft.ipynb", f"has few of the checks that ada/{STEM}.ipynb has")
    ]


MENDED: dict[str, tuple[Callable[[nbformat.NotebookNode], object], list[str], tuple[str, ...]]] = {
    "a copied gap": (
        lambda n: n.cells.insert(3, copy.deepcopy(n.cells[2])),
        ["", "", "", "gap-1", "check-1", "gap-2", "check-2"],
        ("gap-1 stood there 2 times; one of them counts",),
    ),
    "a check copied and written over": (
        lambda n: n.cells.append(copy.deepcopy(n.cells[3]) | {"source": "mine = 1"}),
        ["", "", "gap-1", "check-1", "gap-2", "check-2", ""],
        ("check-1 stood there 2 times; one of them counts",),
    ),
    "checks deleted": (
        lambda n: [n.cells.pop(5), n.cells.pop(3)],
        ["", "", "gap-1", "check-1", "gap-2", "check-2"],
        ("check-1 was missing and is put back", "check-2 was missing and is put back"),
    ),
    "a check deleted below a cell of the student's own": (
        lambda n: n.cells.__setitem__(3, nbformat.v4.new_code_cell("def successor(n): return 1 + n")),
        ["", "", "gap-1", "", "check-1", "gap-2", "check-2"],
        ("check-1 was missing and is put back",),
    ),
    "gap and check deleted": (
        lambda n: [n.cells.pop(3), n.cells.pop(2)],
        ["", "", "gap-2", "check-2", "check-1"],
        ("check-1 was missing and is put back",),
    ),
    "a check made prose": (
        lambda n: n.cells.__setitem__(3, nbformat.v4.new_markdown_cell("x", metadata=n.cells[3].metadata)),
        ["", "", "gap-1", "check-1", "gap-2", "check-2"],
        (),
    ),
}


@pytest.mark.parametrize("name", MENDED)
def test_checks_are_there_once_and_as_they_should_be(tmp_path: Path, solution: Path, name: str) -> None:
    change, expected, remarks = MENDED[name]
    handed_in = rows_of({f"ada/{STEM}.ipynb": changed(change).encode()}, tmp_path / "in")
    (submission,), _ = collect(handed_in, tmp_path, [solution])
    assert sorted(roles(submission.notebook)) == sorted(expected)
    assert set(roles(submission.notebook)) >= {"check-1", "check-2"}
    assert submission.remarks == remarks
    by_role = dict(zip(roles(submission.notebook), submission.notebook.cells, strict=True))
    assert by_role["check-1"].source == "check_successor(successor)"
    assert by_role["check-1"].cell_type == "code"
    assert by_role["check-1"].metadata.nbgrader.points == 3
    if name != "gap and check deleted":
        assert roles(submission.notebook) == expected


MIXED = {
    f"deleted/{STEM}.ipynb": changed(lambda n: [n.cells.pop(5), n.cells.pop(3)]).encode(),
    f"Strip Ped_1234567_assignsubmission_file_/{STEM}.ipynb": changed(
        without_roles, lambda n: n.cells[2].update(source="from own import successor")
    ).encode("utf-16"),
    "Strip Ped_1234567_assignsubmission_file_/own.py": b"def successor(n):\n    return n + 1\n",
    f"cut/{STEM}.ipynb": RIGHT[:300],
    f"gone/{STEM}.ipynb": changed(dead).encode(),
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A course that was graded with everything above, and what the command said."""
    course = sample.course(tmp_path_factory.mktemp("mixed"))
    sample.write(sample.solution(), course / "solutions" / f"{STEM}.ipynb")
    done = run(course, str(rows_of(MIXED, course / "handed in")), "--feedback")
    assert done.returncode == 1
    assert done.stderr == ""
    return course, done.stdout


@pytest.mark.parametrize("student", ["deleted", "Strip Ped"])
def test_what_was_mended_gets_its_points_and_its_feedback(mixed: tuple[Path, str], student: str) -> None:
    assert scores(mixed[0], student, STEM) == (5, 5)
    assert (mixed[0] / "build" / "course" / "feedback" / student / STEM / f"{STEM}.html").is_file()


def test_a_submission_that_ends_the_kernel_is_listed_with_the_words_of_nbgrader(mixed: tuple[Path, str]) -> None:
    table_of_scores = rows(mixed[0] / "build" / "course" / "scores.csv")
    assert {student for student, _ in table_of_scores} == {"deleted", "Strip Ped", "gone"}
    row = table_of_scores["gone", STEM]
    assert (row["points"], row["of"]) == ("", "")
    assert row["remark"].startswith("DeadKernelError: Kernel died")
    assert re.search(rf"^gone +{STEM} +not graded +DeadKernelError", mixed[1], flags=re.M)


def test_every_file_that_was_handed_in_is_in_the_report(mixed: tuple[Path, str]) -> None:
    assert f"\ncut/{STEM}.ipynb: is cut short or damaged" in mixed[1].split("Not graded:")[1]
    assert "check-1 was missing and is put back" in mixed[1]
    with (mixed[0] / "build" / "course" / "files.csv").open(encoding="utf-8", newline="") as file:
        report = {row["file"]: row for row in csv.DictReader(file)}
    assert set(report) == set(MIXED)
    assert all(row["student"] or row["what became of it"] for row in report.values())


def test_an_empty_folder_or_file_of_submissions_is_said(tmp_path: Path, solution: Path) -> None:
    with pytest.raises(InputError, match="no folder of submissions"):
        collect(tmp_path / "nowhere", tmp_path, [solution])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="There is no notebook in"):
        collect(tmp_path / "empty", tmp_path, [solution])


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    return sample.write(sample.solution(), tmp_path / "solutions" / f"{STEM}.ipynb")


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PROFILE", "quick")  # the command sets it, too


@pytest.mark.usefixtures("quiet")
def test_nothing_but_a_course_is_cleared(tmp_path: Path) -> None:
    mine = tmp_path / "thesis" / "draft.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    course = tmp_path / "course"
    sample.write(sample.solution(), course / "source" / STEM / f"{STEM}.ipynb")
    handed_in = sample.write(sample.solution(), course / "submitted" / "ada" / f"{STEM}.ipynb")
    (tmp_path / "in").mkdir()
    for folder, submissions in (
        (mine.parent, tmp_path),
        (mine.parent, tmp_path / "in"),
        (course, handed_in.parent),
        (course, course),
        (course, tmp_path),
        (course, tmp_path / "in"),  # a course of nbgrader that somebody else made
    ):
        for options in ([], ["--fresh"]):
            with pytest.raises(InputError, match=r"holds something else|lies in"):
                grade.main([str(submissions), "--course", str(folder), *options])
    assert mine.is_file()
    assert handed_in.is_file()


@pytest.mark.usefixtures("quiet")
def test_grades_given_by_hand_are_not_forgotten(graded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(graded)
    course = shutil.copytree(graded / "build" / "course", tmp_path / "course")
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook, gradebook:
        gradebook.execute("UPDATE grade SET manual_score = 1 WHERE id = (SELECT min(id) FROM grade)")
    before = (course / "gradebook.db").read_bytes()
    sample.write(sample.solution(), tmp_path / "in" / "ada.ipynb")
    with pytest.raises(InputError, match="holds 1 grades and comments given by hand, which --fresh would forget"):
        grade.main([str(tmp_path / "in"), "--course", str(course), "--fresh"])
    assert (course / "gradebook.db").read_bytes() == before
    (course / "gradebook.db").write_bytes(b"no database")
    with pytest.raises(InputError, match="cannot be read as nbgrader's gradebook"):
        grade.main([str(tmp_path / "in"), "--course", str(course), "--fresh"])


FAILURES = {
    "ValueError: no such thing": "Traceback\n  File x\nsome.module.ValueError: no such thing\n",
    "DeadKernelError: Kernel died": "nbclient.exceptions.DeadKernelError: Kernel died\n\n[ERROR] There was an error",
    "While processing x, the kernel hung": "[WARNING] y\n[ERROR] While processing x, the kernel hung\n[ERROR] Please",
    "nbgrader says nothing": "",
}


@pytest.mark.parametrize("expected", FAILURES)
def test_the_reason_is_the_one_that_says_something(expected: str) -> None:
    error = (
        "Traceback\nnbgrader.converters.base.NbGraderException: Please see the error log\n"
        if FAILURES[expected]
        else ""
    )
    assert scoring.why({"success": False, "error": error, "log": FAILURES[expected]}) == expected
    assert scoring.why({"success": True, "log": FAILURES[expected]}) == ""


def test_stopping_stops_the_command_and_not_one_submission() -> None:
    with pytest.raises(KeyboardInterrupt):
        scoring.why({"success": False, "error": "Traceback\n  File x\nKeyboardInterrupt\n", "log": "[ERROR] Canceled"})


def test_table_adds_up() -> None:
    score = Score("ada", STEM, {"a": (1.0, 2.0), "b": (3.0, 3.0)})
    assert (score.points, score.most) == (4, 5)
    assert table([score]).splitlines()[1].split() == ["ada", STEM, "4", "of", "5", "a", "(1/2)"]
