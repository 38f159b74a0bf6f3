"""The course's commands: ``python -m course_utils COMMAND``.

Every module in ``commands/`` is one; the first line of its docstring says what it does. A command is imported when it
is asked for, so that ``doctor`` works where torch does not.
"""

from __future__ import annotations

import ast
import errno
import importlib
import io
import sys
from pathlib import Path

from course_utils.errors import CourseError, did_you_mean

__all__ = ["commands", "main"]


def commands() -> dict[str, str]:
    """Name → what it does, of every command; read from the files, nothing is imported."""
    paths = sorted((Path(__file__).parent / "commands").glob("[a-z]*.py"))
    texts = {path.stem: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in paths}
    return {name: text.partition("\n")[0] for name, text in texts.items()}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; 1 for an error written for people, 2 for an unknown command."""
    _degrade()
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    known = commands()
    if name in ("-h", "--help", "help"):
        lines = [f"  {command:<9}{text}" for command, text in known.items()]
        print("\n".join(["usage: python -m course_utils COMMAND [--help]", "", *lines]))
        return 0
    if name not in known:
        print(f'There is no command "{name}". {did_you_mean(name, known)}', file=sys.stderr)
        return 2
    try:
        return int(importlib.import_module(f"course_utils.commands.{name}").main(rest) or 0)
    except CourseError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = f", at {error.filename}" if error.filename else ""
        print(f"{name}: the disk is full{where}; make room and try again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{name}: stopped.", file=sys.stderr)
        return 130


def _degrade() -> None:
    """Let a console that lacks a character, → or ✓ say, show another instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
