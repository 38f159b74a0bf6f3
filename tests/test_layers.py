"""Imports run one way. Floors are written down in pyproject.toml; the doors on one floor are found by looking."""

from __future__ import annotations

import re
from itertools import permutations

import grimp
import pytest
from importlinter import cli
from sample_notebooks import ROOT


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("course_utils", cache_dir=None)


def test_imports_run_one_way() -> None:
    assert cli.lint_imports(str(ROOT / "pyproject.toml"), cache_dir=None) == cli.EXIT_STATUS_SUCCESS


@pytest.mark.parametrize(("house", "common"), [("checks", "core"), ("widgets", "explore"), ("commands", "shared")])
def test_neighbours_do_not_know_one_another(graph: grimp.ImportGraph, house: str, common: str) -> None:
    """The checks of one exercise, an explorer, a command: each knows what all share, and nothing of its neighbours."""
    shared = f"course_utils.{house}.{common}"
    rooms = graph.find_children(f"course_utils.{house}") - {shared}
    assert len(rooms) >= 6
    pairs = [*permutations(sorted(rooms), 2), *((shared, room) for room in rooms)]
    chains = [graph.find_shortest_chain(one, other, as_packages=True) for one, other in pairs]
    assert [" -> ".join(chain) for chain in chains if chain] == []


def test_no_notebook_has_its_number_in_the_package() -> None:
    """Numbers of notebooks change; a drawing of all of them, and the example of a command, are the exceptions."""
    number = re.compile(r"\b(?:exercise|lecture|notebook|solution)s? \d{1,2}\b", re.IGNORECASE)
    paths = set((ROOT / "course_utils").rglob("*.py")) - {ROOT / "course_utils" / "diagrams" / "drawings.py"}
    places = [
        f"{path.name}: {match[0]}" for path in paths for match in number.finditer(path.read_text(encoding="utf-8"))
    ]
    assert places == []
