"""What the tests of both exercises' checks share: the cells of a solution notebook as answers to its checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course_utils.checks.core import Check, Wrong


def cells(solution: Path) -> list[nbformat.NotebookNode]:
    return nbformat.read(solution, as_version=4).cells


def defined(solution: Path, gap: str, given: dict[str, Any], *, solved: bool) -> dict[str, Any]:
    """What the solution notebook's cell defines, over ``given``, with its regions or with stubs in their place."""
    source = next(c.source for c in cells(solution) if c.metadata.get("nbgrader", {}).get("grade_id") == gap)
    if not solved:
        source = re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "...", source, flags=re.S)
    names = dict(given)
    exec(source, names)
    return names


def as_answers(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def wrong_message(check: Check, *given: Any) -> str:
    """The message of a wrong answer."""
    with pytest.raises(Wrong) as caught:
        check(*given)
    return str(caught.value)
