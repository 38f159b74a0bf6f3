"""List the notebooks, and the measurements on more seeds, that were made with something that has changed since."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from course_utils.commands.shared import stamps
from course_utils.commands.shared.notebooks import EXECUTED, find, read, relative, seeds_file

__all__ = ["main", "stale"]

_NAMED = 6


def stale(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """What is older than that which makes it: stored outputs, and a lecture's seeds; each with the reason.

    Args:
        paths: lectures and solutions.

    Returns:
        An iterator over the notebook or the file of seeds, and what has changed, by name.
    """
    for path in paths:
        notebook = read(path)
        code_hash = stamps.code_hash(notebook)
        record = notebook.metadata.get("course")
        reason = _reason(record, code_hash, "its own") if record else "was never executed with `make execute`"
        if reason:
            yield path, reason
        seeds = seeds_file(path)
        if path.parent.name == "notebooks" and seeds.is_file():
            reason = _reason(json.loads(seeds.read_text(encoding="utf-8")), code_hash, "the lecture's")
            if reason:
                yield seeds, reason


def _reason(record: Mapping[str, Any], code_hash: str, whose: str) -> str:
    """Why what ``record`` tells of is stale; empty when it is not. ``whose`` code the hash is of, for the sentence."""
    if record.get("code_hash") != code_hash:
        return f"{whose} code has changed since it was executed"
    if "definitions" not in record:
        return "it does not say which definitions of the helpers it was made with"
    names = stamps.changes(record["definitions"])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"of the helpers it uses, {', '.join(names[:_NAMED])}{more} changed" if names else ""


def main(arguments: list[str]) -> int:
    """``python -m course_utils stale``: list what to execute again; the exit status is 0 either way."""
    parser = argparse.ArgumentParser("course_utils stale", description="List the notebooks to execute again.")
    parser.add_argument("notebook", nargs="*", help="number, stem or path; all lectures and solutions when left out")
    names = parser.parse_args(arguments).notebook
    files = list(stale(find(names, EXECUTED)))
    for path, reason in files:
        print(f"{relative(path)}: {reason}")
    if any(path.suffix == ".json" for path, _ in files):
        print("Measure them again: make seeds NB=…")
    if any(path.suffix == ".ipynb" for path, _ in files):
        print("Execute them again: make execute NB=…")
    if not files:
        print("Every stored output belongs to the code as it stands.")
    return 0
