"""What was asked of a lecture: read from its spec, and refused in a line where it cannot be understood."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_notebooks as sample

from course_utils.commands.shared import specs
from course_utils.errors import InputError


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(sample.course(tmp_path))
    return tmp_path


def test_a_spec_is_read(course: Path) -> None:
    spec = specs.read_all()["01_sample"]
    assert (spec.minutes, spec.headline) == (4, "t/trained")
    assert spec.claims == (
        specs.Required("t/exact", "exact", "<=", 1.0),
        specs.Required("t/trained", "trained", "<=", 2.0, "MNIST", 1.0),
    )


def test_a_budget_is_that_of_the_folder_and_of_the_spec(course: Path) -> None:
    lecture, solution, exercise = (
        course / name / "01_sample.ipynb" for name in ("notebooks", "solutions", "exercises")
    )
    assert specs.budget(lecture) == 240
    assert specs.budget(solution) == 180
    assert specs.budget(course / "notebooks" / "02_unasked.ipynb") == float("inf")
    assert [specs.budget(path, "quick") for path in (lecture, solution, exercise)] == [15, 8, 6]


FAULTS = {
    "no toml": ("minutes = 4", "minutes = ", "cannot be read as a spec: Invalid value"),
    "no minutes": ("minutes = 4\n", "", "lacks minutes"),
    "minutes in words": ("minutes = 4", 'minutes = "four"', "minutes is 'four'; it takes a number above 0"),
    "minutes below zero": ("minutes = 4", "minutes = -4", "minutes is -4"),
    "a slip": ("minutes", "minuets", 'there is no "minuets" in a spec. Did you mean "minutes"?'),
    "no headline": (
        '"t/trained"\n',
        '"t/other"\n',
        'the headline "t/other" is none of its claims (t/exact, t/trained)',
    ),
    "twice": ('id = "t/exact"', 'id = "t/trained"', 'the claim "t/trained" stands there twice'),
    "no list": ("claims = [", "claims = 3\nmore = [", 'there is no "more" in a spec'),
    "numbers": ("claims = [", "claims = [ 3,", "claims is no list of tables"),
    "no bound": (", bound = 1.0", "", 'claim "t/exact" lacks bound'),
    "a bound in words": ("bound = 1.0", 'bound = "1"', "claim \"t/exact\": bound is '1'; it takes a number"),
    "an unknown kind": ('"exact", op', '"exactly", op', 'kind is "exactly". Did you mean "exact"?'),
    "an unknown operator": ('op = "<=", bound = 1.0', 'op = "=<", bound = 1.0', 'op is "=<". Did you mean'),
    "a list for an operator": ('op = "<=", bound = 1.0', 'op = ["<="], bound = 1.0', "op is \"['<=']\""),
    "a number for data": ('data = "MNIST"', "data = 3", "data is 3; it takes a text"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_spec_is_refused_in_one_line(course: Path, fault: str) -> None:
    former, latter, message = FAULTS[fault]
    path = course / "specs" / "01_sample.toml"
    assert former in sample.SPEC
    path.write_text(sample.SPEC.replace(former, latter, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        specs.read(path)
    assert str(caught.value).startswith("specs/01_sample.toml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(course: Path) -> None:
    (course / "specs" / "01_sample.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as a spec"):
        specs.read_all()
