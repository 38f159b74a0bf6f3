"""The course's commands: ``python -m course_utils COMMAND``.

A command's module is imported when it is asked for, so that ``doctor`` works where torch does not.
"""

from __future__ import annotations

import importlib
import sys

from course_utils.errors import CourseError, did_you_mean

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "doctor": ("course_utils.commands.doctor:main", "what works here, and what to do about what does not"),
    "lab": ("course_utils.commands.lab:main", "start JupyterLab at the start page"),
    "test": ("course_utils.commands.test:main", "unit tests, ruff, mypy, and every notebook executed"),
    "data": ("course_utils.commands.data:main", "fetch, verify and prepare every data set beforehand"),
    "run": ("course_utils.commands.run:main", "execute one notebook and write an HTML page into build/"),
    "execute": ("course_utils.commands.execute:main", "execute in place, full and strict, and store the outputs"),
    "seeds": ("course_utils.commands.seeds:main", "measure a lecture's claims on three more seeds"),
    "stale": ("course_utils.commands.stale:main", "list the notebooks executed with older helpers"),
    "release": ("course_utils.commands.release:main", "make the exercises from the solutions"),
    "claims": ("course_utils.commands.claims:main", "the table of all claims, out of the stored notebooks"),
    "slides": ("course_utils.commands.slides:main", "reveal.js pages of lectures and solutions into build/slides/"),
    "grade": ("course_utils.commands.grade:main", "grade submitted exercises with nbgrader"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; 1 for an error written for people, 2 for an unknown command."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help", "help"):
        print(_usage())
        return 0
    if name not in COMMANDS:
        print(f'There is no command "{name}". {did_you_mean(name, COMMANDS)}', file=sys.stderr)
        return 2
    module, function = COMMANDS[name][0].split(":")
    try:
        return int(getattr(importlib.import_module(module), function)(rest) or 0)
    except CourseError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{name}: stopped.", file=sys.stderr)
        return 130


def _usage() -> str:
    lines = [f"  {name:<10}{text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["usage: python -m course_utils COMMAND [--help]", "", *lines])


if __name__ == "__main__":
    sys.exit(main())
