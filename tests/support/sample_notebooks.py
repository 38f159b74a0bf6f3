"""Small notebooks that tests write: a lecture and a solution in a course folder of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
STEM = "01_sample"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SPEC = """
minutes = 4
headline = "t/trained"
claims = [
    { id = "t/exact", kind = "exact", op = "<=", bound = 1.0 },
    { id = "t/trained", kind = "trained", op = "<=", bound = 2.0, data = "MNIST", stretch = 1.0 },
]
""".lstrip()
JUDGES = """
from course_utils.checks.core import Check, Wrong, call, number

def is_next(answer):
    if number(call(answer, 1)) != 2:
        raise Wrong("one and one is two.")

def is_four(answer):
    if number(answer) != 4:
        raise Wrong("two and two is four.")

check_successor = Check("successor", is_next, "counting works.")
check_total = Check("total", is_four, "adding works.")
""".strip()


def course(folder: Path) -> Path:
    """An empty course with the real ``nbgrader_config.py``, and the spec of a lecture."""
    for name in ("notebooks", "solutions", "exercises", "specs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "specs" / f"{STEM}.toml").write_text(SPEC, encoding="utf-8")
    shutil.copyfile(ROOT / "nbgrader_config.py", folder / "nbgrader_config.py")
    return folder


def gap(identity: str, source: str) -> nbformat.NotebookNode:
    role = {"grade": False, "solution": True, "locked": False, "grade_id": identity, "schema_version": 3, "task": False}
    return new_code_cell(source, id=identity, metadata={"nbgrader": role})


def check(identity: str, source: str, points: int) -> nbformat.NotebookNode:
    role = {"grade": True, "solution": False, "locked": True, "grade_id": identity, "schema_version": 3, "task": False}
    return new_code_cell(source, id=identity, metadata={"nbgrader": role | {"points": points}})


def notebook(cells: Iterable[nbformat.NotebookNode]) -> nbformat.NotebookNode:
    return new_notebook(cells=list(cells), metadata=METADATA)


def solution() -> nbformat.NotebookNode:
    """A gap that is a function's body and one that is a variable, with a check each: 3 and 2 points."""
    return notebook(
        [
            new_markdown_cell(
                "# A sample\n\nCan you count?", id="title", metadata={"slideshow": {"slide_type": "slide"}}
            ),
            new_code_cell(JUDGES, id="judges"),
            gap("gap-1", "def successor(n):\n    ### BEGIN SOLUTION\n    return n + 1\n    ### END SOLUTION"),
            check("check-1", "check_successor(successor)", 3),
            gap("gap-2", "answer = ...\n### BEGIN SOLUTION\nanswer = 2 + 2\n### END SOLUTION"),
            check("check-2", "check_total(answer)", 2),
        ]
    )


def write(node: nbformat.NotebookNode, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(node, path)
    return path
