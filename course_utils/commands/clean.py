"""Remove what the course's commands made and can make again; nothing else, and no grades."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from course_utils.commands.shared import notebooks
from course_utils.errors import InputError

__all__ = ["main", "remains"]

_OWN = ("course_utils", "tests", "benchmarks")
_FILES = ("build/*.html", "build/*.log", "build/slides/*.html")
_FOLDERS = (
    *("build/lib", "build/bdist.*", "dist", "course_utils.egg-info"),
    *(".pytest_cache", ".ruff_cache", ".mypy_cache", ".import_linter_cache", "__pycache__"),
    *(f"{folder}/**/__pycache__" for folder in _OWN),
)
_EMPTY = ("build/slides", "build")


def remains(course: Path) -> list[Path]:
    """What can be removed in the folder ``course``: pages, logs, packages and caches, sorted.

    What lies in other folders, what a link leads to, checkpoints of notebooks and a gradebook are not among it.
    """
    files = [path for pattern in _FILES for path in course.glob(pattern) if path.is_file()]
    folders = [path for pattern in _FOLDERS for path in course.glob(pattern) if path.is_dir()]
    return sorted(path for path in files + folders if path.resolve() == course.resolve() / path.relative_to(course))


def main(arguments: list[str]) -> int:
    """``python -m course_utils clean``: remove it, and say what was kept."""
    argparse.ArgumentParser("course_utils clean", description=__doc__).parse_args(arguments)
    course = notebooks.root()
    if not (course / "course_utils" / "commands").is_dir():
        raise InputError(f"{course} has notebooks/ and solutions/, but not this course's package; nothing is removed.")
    paths = remains(course)
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for folder in (course / name for name in _EMPTY):
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()
    print(f"{len(paths)} files and folders removed.")
    if others := sorted((course / "build").glob("*")):
        print(f"Kept: {', '.join(map(notebooks.relative, others))}. Grades may be in there; delete it yourself.")
    return 0
