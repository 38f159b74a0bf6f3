"""Begin a notebook: lecture, solution, spec, checks, and a test that fails until they are filled."""

from __future__ import annotations

import argparse
import keyword
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.commands.shared import notebooks
from course_utils.errors import InputError

if TYPE_CHECKING:
    import nbformat

__all__ = ["begin", "main"]

_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_SETUP = """
import torch

from course_utils import {helper}
from course_utils.runtime import setup

runtime = setup(seed=1)
""".strip()

_LECTURE = (
    ("slide", "# {number} · {title}\n\n**The question.** What …?\n\n**You will be able to**\n\n- …"),
    ("skip code", _SETUP.replace("{helper}", "claims")),
    ("slide", "## The idea\n\n…"),
    ("slide", "## A toy whose truth is known\n\n…"),
    ("- code", "x = torch.arange(3.0)  # (n,)"),
    (
        "subslide",
        "…\n\n<details><summary><b>A question to the room.</b> Why …?</summary>\n\nBecause …\n\n</details>",
    ),
    ("- code", 'claims.check("{claim}", abs(float(x.mean()) - 1), "<=", 0.0, "…", kind="exact", source="…")'),
    ("slide", "## Break it\n\n…"),
    ("slide", "## Claims\n\nWhat this notebook promised, as measured in the run you are reading."),
    ("subslide code", "claims.table()"),
    ("slide", "## What we saw\n\n- …"),
)

_SOLUTION = (
    ("slide", "# Exercise {number} · {title}\n\n**The question.** What …?"),
    (
        "skip",
        "**How this works.** Replace each `...` by your own code and run the cell, then the one below it. That cell "
        "checks what\nyour code computes on data drawn afresh, and says *not attempted*, *not right yet*, or *right*. "
        "Check as often as you\nlike. Cells that need an answer you have not given say what they wait for, so "
        "*Run All* works at any time. Each hint\nhas two steps: open the second only when the first has not helped.",
    ),
    ("skip code", _SETUP.replace("{helper}", "checks")),
    ("slide", "## 1 · …\n\nWrite `first`."),
    (
        "subslide gap",
        'def first(x: torch.Tensor) -> torch.Tensor:\n    """…, from x (n,)."""\n'
        "    ### BEGIN SOLUTION\n    return x.mean()\n    ### END SOLUTION",
    ),
    ("- check", "checks.{name}.first(first)"),
    (
        "skip",
        "<details><summary><b>Hint, first step</b></summary>\n\n…\n</details>\n"
        "<details><summary><b>Hint, second step</b></summary>\n\n…\n</details>",
    ),
    ("subslide only", "**Why.** …"),
    ("slide", "## What you have shown\n\n…"),
)

_SPEC = """
minutes = 8
headline = "{claim}"
claims = [
    { id = "{claim}", kind = "exact", op = "<=", bound = 0.0 },
]
"""

_INDEX = '''
"""Checks of exercise {number}, {title}, under the names of its gaps."""

from course_utils.checks.{name}.answers import first

__all__ = ["first"]
'''

_CHECKS = '''
"""The check of …, part of exercise {number}."""

from __future__ import annotations

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, normal

__all__ = ["first"]

_MISTAKES: tuple[Mistake, ...] = ()  # at least two, each with what to say, and the code that makes it


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [(normal(n, generator=generator),) for n in (2, 3, 5)]
    compare(answer, lambda x: x.mean(), draws, _MISTAKES)


first = Check("first", _judge, "…", _MISTAKES)
'''

_TEST = '''
"""The checks of exercise {number}: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

from typing import Any

import gap_cells
import torch

from course_utils.checks import {name}

EXERCISE = gap_cells.Exercise("{stem}", {name}, names={"first": ("first",)}, given={"torch": torch})
UNKNOWN: dict[str, dict[str, Any]] = {"first": {}}  # at least two wrong answers a gap that are no known mistake
RIGHT: list[tuple[str, Any]] = []  # right answers that are not the notebook's, each with its gap


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT
'''


def main(arguments: list[str]) -> int:
    """``python -m course_utils new 12_flows``: write the files, and say what comes next."""
    parser = argparse.ArgumentParser("course_utils new", description=__doc__)
    parser.add_argument("stem", help="two digits and a name, for example 12_flows")
    stem = parser.parse_args(arguments).stem
    for path in begin(stem):
        print(f"{notebooks.relative(path)}: written")
    print(f"Write into specs/{stem}.toml what is asked of the lecture; then the lecture. CONTRIBUTING.md goes on.")
    return 0


def begin(stem: str) -> list[Path]:
    """Write the files that a notebook called ``stem`` begins with, and return them.

    Raises:
        InputError: if ``stem`` is no name for a notebook, or its number or one of its files is taken; then nothing is
            written.
    """
    match = re.fullmatch(r"(\d\d)_([a-z][a-z0-9]*(?:_[a-z0-9]+)*)", stem)
    if not match or keyword.iskeyword(match[2]) or match[2] in ("core", "ready"):
        raise InputError(f'"{stem}" is no name for a notebook; take two digits and small letters, as in 12_flows.')
    number, name = match.groups()
    for path in notebooks.find():
        if path.stem.startswith(f"{number}_"):
            raise InputError(f"The number {number} is taken, by {notebooks.relative(path)}.")
    words = {"stem": stem, "number": number, "name": name, "title": name.replace("_", " ").capitalize()}
    words["claim"] = f"{name.replace('_', '-')}/first"
    texts = {
        f"notebooks/{stem}.ipynb": _notebook(_LECTURE, words),
        f"solutions/{stem}.ipynb": _notebook(_SOLUTION, words),
        f"specs/{stem}.toml": _filled(_SPEC, words),
        f"course_utils/checks/{name}/__init__.py": _filled(_INDEX, words),
        f"course_utils/checks/{name}/answers.py": _filled(_CHECKS, words),
        f"tests/checks/{name}/test_gaps.py": _filled(_TEST, words),
    }
    files = {notebooks.root() / place: text.lstrip("\n") for place, text in texts.items()}
    if existing := [path for path in files if path.exists()]:
        raise InputError(f"{notebooks.relative(existing[0])} is there already; nothing is overwritten.")
    for path, text in files.items():
        notebooks.write_text(path, text)
    return list(files)


def _notebook(cells: Iterable[tuple[str, str]], words: dict[str, str]) -> str:
    """The text of a notebook, from pairs of what a cell is (its kind of slide, then its role) and its source."""
    import nbformat

    node = nbformat.v4.new_notebook(metadata=_METADATA)
    node.cells = [_cell(*kind.split(), source=_filled(source, words)) for kind, source in cells]
    return str(nbformat.writes(node, version=4)) + "\n"


def _cell(slide: str, role: str = "", *, source: str) -> nbformat.NotebookNode:
    from nbformat.v4 import new_code_cell, new_markdown_cell

    metadata: dict[str, Any] = {"slideshow": {"slide_type": slide}}
    if role in ("gap", "check"):
        is_check = role == "check"
        metadata["nbgrader"] = {
            **{"grade": is_check, "solution": not is_check, "locked": is_check, "task": False, "schema_version": 3},
            **({"grade_id": "first-check", "points": 1} if is_check else {"grade_id": "first"}),
        }
    if role == "only":
        metadata["tags"] = ["solution-only"]
    return (new_code_cell if role in ("code", "gap", "check") else new_markdown_cell)(source, metadata=metadata)


def _filled(source: str, words: dict[str, str]) -> str:
    """``source`` with ``{stem}`` and the other words put in; other braces stay."""
    for name, word in words.items():
        source = source.replace(f"{{{name}}}", word)
    return source
