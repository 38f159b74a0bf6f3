"""List the notebooks executed with older helpers."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from course_utils.commands.shared import stamps
from course_utils.commands.shared.notebooks import EXECUTED, find, read, relative

__all__ = ["main", "stale"]


def stale(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Those of ``paths`` whose stored outputs are older than what makes them, each with the reason."""
    for path in paths:
        notebook = read(path)
        made = notebook.metadata.get("course")
        if not made:
            yield path, "was never executed with `make execute`"
        elif made.get("code_hash") != stamps.code_hash(notebook):
            yield path, "its own code has changed since it was executed"
        elif made.get("helpers_hash") != stamps.helpers_hash(made.get("helpers", [])):
            yield path, "the helpers it imports have changed since it was executed"


def main(arguments: list[str]) -> int:
    """``python -m course_utils stale``: list the notebooks to execute again; the exit status is 0 either way."""
    parser = argparse.ArgumentParser("course_utils stale", description="List the notebooks to execute again.")
    parser.add_argument("notebook", nargs="*", help="number, stem or path; all lectures and solutions when left out")
    names = parser.parse_args(arguments).notebook
    found = list(stale(find(names, EXECUTED)))
    for path, reason in found:
        print(f"{relative(path)}: {reason}")
    print("Execute them again: make execute" if found else "Every stored output belongs to the code as it stands.")
    return 0
