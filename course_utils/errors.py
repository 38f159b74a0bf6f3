"""Errors written for people: what happened, with which value, and what to do about it."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable

__all__ = ["CourseError", "DataError", "InputError", "did_you_mean"]


class CourseError(Exception):
    """An error whose message says everything; Jupyter shows the message without a stack trace."""

    def _render_traceback_(self) -> list[str]:
        return textwrap.wrap(f"{type(self).__name__}: {self}", width=100, break_long_words=False)


class InputError(CourseError, ValueError):
    """A value given to the course's helpers that they cannot work with."""


class DataError(CourseError):
    """Data that is missing, damaged or not what its name says."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The known names as a sentence, led by the one that looks most like ``name``.

    >>> did_you_mean("mnits", ["mnist", "fashion-mnist"])
    'Did you mean "mnist"? There are: mnist, fashion-mnist.'
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f'Did you mean "{close[0]}"? ' if close else ""
    return f"{hint}There are: {', '.join(names)}."
