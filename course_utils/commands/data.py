"""Find or fetch every data set beforehand, verify it, and say where it is."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.data.catalogue import FileSet

__all__ = ["main", "steps"]

Step = tuple[str, Callable[[], str | None]]
"""What is prepared, and what does it: returns what came of it, or ``None`` if it could not be done."""


def steps() -> list[Step]:
    """Everything there is to prepare, in order; a notebook that needs more beforehand gets its step here."""
    from course_utils.data.catalogue import FileSet, known  # with torch, which the help does without

    return [(data.title, partial(_prepare, data)) for data in known(FileSet).values()]


def _prepare(data: FileSet) -> str | None:
    from course_utils.data.sources import obtain

    copy = obtain(data)
    return None if copy is None else f"{copy.source}, {sum(map(len, copy.contents.values())) / 1e6:.1f} MB, verified"


def main(arguments: list[str]) -> int:
    """Prepare everything, one line per step.

    Args:
        arguments: none but ``--help``.

    Returns:
        0 when everything is there, 1 when something is missing or damaged.
    """
    argparse.ArgumentParser(prog="python -m course_utils data", description=__doc__).parse_args(arguments)
    todo = steps()
    failed = 0
    for number, (title, do) in enumerate(todo, start=1):
        print(f"[{number}/{len(todo)}] {title} …", flush=True)
        start = time.perf_counter()
        try:
            outcome = do()
        except CourseError as error:
            outcome = None
            print(f"      {error}")
        if outcome is None:
            failed += 1
            print(f"    ✗ {title} is not ready.", flush=True)
        else:
            print(f"    ✓ {outcome} ({time.perf_counter() - start:.1f} s)", flush=True)
    if failed:
        print(
            f"{failed} of {len(todo)} could not be prepared; the course runs all the same, on built-in stand-ins. "
            "For the real data go online and run this again, or let COURSE_DATA name a folder that holds it."
        )
        return 1
    print("Everything is ready; the course needs no network from here on.")
    return 0
