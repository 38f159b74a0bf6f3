"""Beginning a notebook: the files are whole and in their places, and tests fail until they are filled."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import notebook_rules as rules
import pytest
import sample_notebooks as sample
from sample_notebooks import ROOT

from course_utils.commands import new, release
from course_utils.commands.shared import notebooks, specs
from course_utils.errors import InputError

STEM = "12_flows"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(sample.course(tmp_path))
    return tmp_path


def files(course: Path) -> dict[Path, bytes]:
    return {path.relative_to(course): path.read_bytes() for path in course.rglob("*") if path.is_file()}


def test_a_notebook_begins_with_six_files(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(course)
    assert new.main([STEM]) == 0
    after = files(course)
    assert {path.as_posix() for path in after.keys() - before.keys()} == {
        "notebooks/12_flows.ipynb",
        "solutions/12_flows.ipynb",
        "specs/12_flows.toml",
        "course_utils/checks/flows/__init__.py",
        "course_utils/checks/flows/answers.py",
        "tests/checks/flows/test_gaps.py",
    }
    assert {path: after[path] for path in before} == before, "no shared file is edited"
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 7
    assert "specs/12_flows.toml" in said[-1]
    assert b"{" not in after[Path("course_utils/checks/flows/answers.py")]


def test_lecture_and_solution_carry_their_metadata(course: Path) -> None:
    new.begin(STEM)
    lecture, solution = (notebooks.read(course / folder / f"{STEM}.ipynb") for folder in ("notebooks", "solutions"))
    for notebook in (lecture, solution):
        assert all(cell.metadata.slideshow.slide_type in rules.SLIDES for cell in notebook.cells)
        assert rules.anatomy(notebook) == []
    assert rules.slides(lecture) == []
    assert lecture.cells[0].source.startswith("# 12 · Flows\n")
    release.inspect(solution, "the solution")
    exercise = release.make(course / "solutions" / f"{STEM}.ipynb")
    assert "SOLUTION" not in exercise
    assert "checks.flows.first(first)" in exercise
    assert specs.read_all()[STEM].claims[0].id == "flows/first"


@pytest.fixture
def whole(course: Path) -> Path:
    """A course with the real package and the support of the real tests."""
    for name in ("course_utils", "tests/support"):
        shutil.copytree(ROOT / name, course / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copyfile(ROOT / name, course / name)
    return course


def python(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(course), "COURSE_PROFILE": "quick"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)


def test_what_is_begun_is_in_the_style_of_the_course(whole: Path) -> None:
    new.begin(STEM)
    for command in (["check"], ["format", "--check"]):
        done = python(whole, "ruff", *command, ".")
        assert done.returncode == 0, done.stdout


def test_the_tests_fail_until_the_files_are_filled(whole: Path) -> None:
    new.begin(STEM)
    lecture = notebooks.read(whole / "notebooks" / f"{STEM}.ipynb")
    assert rules.freshness(lecture) != []
    assert rules.claims(lecture, specs.read_all()[STEM].claims) == ["flows/first is not there"]
    command = ("pytest", "-q", "-p", "no:cacheprovider", "tests/checks/flows")
    done = python(whole, *command)
    assert re.search(r"^1 failed, \d passed", done.stdout.splitlines()[-1]), done.stdout
    assert "test_each_gap_knows_mistakes_by_name" in done.stdout

    checks, tests = whole / "course_utils/checks/flows/answers.py", whole / "tests/checks/flows/test_gaps.py"
    fill(
        checks, "()  #", '(Mistake("a", "a sum.", lambda x: x.sum()), Mistake("b", "a largest.", lambda x: x.max()))  #'
    )
    fill(tests, '{"first": {}}', '{"first": {"zero": lambda x: 0 * x.mean(), "twice": lambda x: 2 * x.mean()}}')
    done = python(whole, *command)
    assert done.returncode == 0, done.stdout


def fill(path: Path, former: str, latter: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(former) == 1
    path.write_text(text.replace(former, latter), encoding="utf-8")


@pytest.mark.parametrize(
    "stem",
    ["flows", "12", "12_Flows", "12-flows", "1_flows", "12_flows.ipynb", "12_class", "12_core", "../12_flows", ""],
)
def test_a_wrong_name_is_refused(course: Path, stem: str) -> None:
    before = files(course)
    with pytest.raises(InputError, match="is no name for a notebook; take two digits"):
        new.main([stem])
    assert files(course) == before


@pytest.mark.parametrize("place", ["notebooks/12_streams.ipynb", "exercises/12_flows.ipynb", "solutions/12_a.ipynb"])
def test_a_number_that_is_taken_is_refused(course: Path, place: str) -> None:
    sample.write(sample.solution(), course / place)
    before = files(course)
    with pytest.raises(InputError, match=f"The number 12 is taken, by {place}"):
        new.main([STEM])
    assert files(course) == before


@pytest.mark.parametrize(
    "place", ["specs/12_flows.toml", "course_utils/checks/flows/answers.py", "tests/checks/flows/test_gaps.py"]
)
def test_nothing_is_overwritten(course: Path, place: str) -> None:
    (course / place).parent.mkdir(parents=True, exist_ok=True)
    (course / place).write_text("mine")
    before = files(course)
    with pytest.raises(InputError, match=f"{place} is there already"):
        new.main([STEM])
    assert files(course) == before
