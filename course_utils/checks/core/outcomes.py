"""The three outcomes of a check, each shown in a line or two.

A check takes what the student wrote and ends in one of three ways: *not attempted* and *wrong* raise (so that
nbgrader gives no points), *right* is displayed. None of them shows a stack trace, none writes to stderr.
"""

from __future__ import annotations

import html
import textwrap
from typing import Any

__all__ = ["NotAttempted", "Outcome", "Right", "Wrong", "is_gap", "kind_of"]


class Outcome(Exception):
    """An answer that is not right (yet); Jupyter shows its message alone."""

    label = ""
    colour = ""

    def _render_traceback_(self) -> list[str]:
        label, *rest = textwrap.fill(f"{self.label} {self}", width=88, break_on_hyphens=False).split("\n")
        return [label.replace(self.label, f"\x1b[{self.colour}m{self.label}\x1b[0m", 1), *rest]


class NotAttempted(Outcome):
    """The gap is still open."""

    label = "○ Not attempted:"
    colour = "1;34"


class Wrong(Outcome):
    """The answer does not do what was asked; the message says what is wrong with it."""

    label = "✗ Not right yet:"
    colour = "1;31"


class Right:
    """The outcome that does not raise."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __repr__(self) -> str:
        return f"✓ Right: {self.message}"

    def _repr_html_(self) -> str:
        style = "border-left:4px solid #009E73;padding:2px 8px"
        return f'<div style="{style}"><b>✓ Right:</b> {html.escape(self.message)}</div>'


def is_gap(value: Any) -> bool:
    """Whether a value, or any entry of a dict, list or tuple, is still ``...`` (or None)."""
    if isinstance(value, dict):
        return any(is_gap(entry) for entry in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_gap(entry) for entry in value)
    return value is ... or value is None


def kind_of(value: Any) -> str:
    """The type of a value with its article, for a message: ``a list of 3``, ``an int``."""
    kind = type(value).__name__
    size = f" of {len(value)}" if isinstance(value, (list, tuple, dict)) else ""
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}{size}"
