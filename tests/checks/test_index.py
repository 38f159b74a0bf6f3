"""The index of the checks: exercises are found by looking, each is imported by itself, no name hides another."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import checks

FOLDER = Path(checks.__file__).parent
EXERCISES = sorted(p.name for p in FOLDER.iterdir() if (p / "__init__.py").exists() and p.name != "core")


def test_the_exercises_are_the_folders_beside_core():
    assert set(EXERCISES) | {"ready"} == set(dir(checks))
    assert {"gaussian", "contractive"} <= set(EXERCISES)


def test_an_unknown_exercise_is_an_attribute_error_that_lists_them():
    with pytest.raises(AttributeError, match=r"no exercise 'gausian'; there are: .*gaussian"):
        checks.gausian  # noqa: B018


def test_an_exercise_is_imported_when_it_is_first_used_and_no_other():
    code = (
        "import sys; from course_utils import checks; checks.gaussian.unbiased;"
        "names = [m.split('.') for m in sys.modules if m.startswith('course_utils.checks.')];"
        "print(sorted({name[2] for name in names}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['core', 'gaussian']"


@pytest.mark.parametrize("folder", ["core", *EXERCISES])
def test_no_module_bears_the_name_of_something_that_its_package_exports(folder):
    modules = {path.stem for path in (FOLDER / folder).glob("*.py")}
    exports = set(__import__(f"course_utils.checks.{folder}", fromlist=["__all__"]).__all__)
    assert not modules & exports


@pytest.mark.parametrize("folder", ["core", *EXERCISES])
def test_an_index_holds_imports_and_names_alone(folder):
    tree = ast.parse((FOLDER / folder / "__init__.py").read_text())
    assert all(isinstance(node, (ast.Expr, ast.ImportFrom, ast.Assign)) for node in tree.body)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_checks_of_an_exercise_import_no_other_exercise(exercise):
    for path in (FOLDER / exercise).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("course_utils.checks"):
                assert node.module == "course_utils.checks.core" or node.module.split(".")[2] == exercise
