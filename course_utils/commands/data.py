"""Find or fetch every data set beforehand, verify it, and say where it is; then train the judges of images."""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.data.catalogue import FileSet, ImageSet

__all__ = ["main", "steps"]

Step = tuple[str, Callable[[], str | None]]
"""What is prepared, and what does it: returns what came of it, or ``None`` if it could not be done."""


def steps() -> list[Step]:
    """Everything there is to prepare, in order; a notebook that needs more beforehand gets its step here."""
    from course_utils.data.catalogue import FileSet, ImageSet, known  # with torch, which the help does without

    ready: set[str] = set()
    sets = [(data.title, partial(_prepare, data, ready)) for data in known(FileSet).values()]
    judges = [(f"The judge of {data.title}", partial(_judge, data, ready)) for data in known(ImageSet).values()]
    return [*sets, *judges]


def _prepare(data: FileSet, ready: set[str]) -> str | None:
    """Find or fetch a set; its name is added to those that are ``ready``."""
    from course_utils.data.sources import obtain

    copy = obtain(data)
    if copy is None:
        return None
    ready.add(data.name)
    return f"{copy.source}, {sum(map(len, copy.contents.values())) / 1e6:.1f} MB, verified"


def _judge(data: ImageSet, ready: set[str]) -> str | None:
    """Train the judge of a set that is ready, unless it is kept already."""
    if data.name not in ready:
        print(f"      The data of {data.title} are missing or damaged; a judge is not prepared on a stand-in.")
        return None
    from course_utils.data import load_images
    from course_utils.metrics import load_judge

    with contextlib.redirect_stdout(io.StringIO()):  # the set's own step has said all of it
        images = load_images(data.name)
    before = _files(data.name)
    judge = load_judge(images)
    kept = "kept already" if before and before == _files(data.name) else "trained now"
    return f"accuracy {judge.accuracy:.2%} on the test images, {kept}, {judge.seconds:.0f} s of training"


def _files(name: str) -> dict[str, int]:
    """The kept judges of a set, whatever settings they have, and when each was written."""
    from course_utils.data import cache_folder

    paths = (cache_folder() / "models").glob(f"judge-{name}-*.safetensors")
    return {path.name: path.stat().st_mtime_ns for path in paths}


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
