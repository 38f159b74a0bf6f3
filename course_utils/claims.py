"""The numbers a notebook promises: measured in the run that is stored, held against a bar, and judged.

A claim has one of three kinds:

* ``exact`` -- closed forms and toys; judged in every profile.
* ``trained`` -- judged in the full profile, on the real data that it names; what a formula generates is real, too.
* ``timing`` -- a ratio measured in one run; judged in the full profile, and only under ``COURSE_STRICT=1``.

A judged claim that misses its bar raises under ``COURSE_STRICT=1``; for a reader on another machine the row reads
*missed here*, and Run All goes on.
"""

from __future__ import annotations

import html
import math
import operator
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from IPython.display import display

from course_utils import runtime
from course_utils.errors import CourseError, InputError, did_you_mean

__all__ = ["MIME_TYPE", "Claim", "ClaimMissed", "check", "clear", "table"]

MIME_TYPE = "application/vnd.course-utils.claim+json"
KINDS = ("exact", "trained", "timing")
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_SIGNS = {"<=": "≤", ">=": "≥", "<": "<", ">": ">"}


class Source(Protocol):
    """What a claim needs to know of a data set: every data set of the course has these two."""

    @property
    def source(self) -> str: ...

    @property
    def is_real(self) -> bool: ...


class ClaimMissed(CourseError):
    """A judged claim missed its bar while ``COURSE_STRICT=1``."""


@dataclass(frozen=True)
class Claim:
    """One measured promise. ``bound`` and ``measured`` are in ``unit``; ``data`` names the source, never a path."""

    id: str
    text: str
    kind: str
    measured: float
    op: str
    bound: float
    stretch: float | None
    unit: str
    holds: bool
    judged: bool
    profile: str
    data: str | None
    seed: int
    source: str

    @property
    def bar(self) -> str:
        """The bar as people write it, for example ``≤ 0.02``."""
        return f"{_SIGNS[self.op]} {self.bound:g}{self._unit}"

    @property
    def verdict(self) -> str:
        """``holds``, ``missed here``, or why it is not judged."""
        if not self.judged:
            return "measured, not judged"
        return "holds" if self.holds else "missed here"

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""

    @property
    def value(self) -> str:
        """The measured value with its unit, four significant digits."""
        return f"{self.measured:.4g}{self._unit}"

    def __str__(self) -> str:
        sign = {"holds": "✓", "missed here": "✗"}.get(self.verdict, "·")
        return f"{sign} {self.id}: {self.text}: {self.value} (bar {self.bar}) — {self.verdict}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        record = asdict(self)
        if not math.isfinite(self.measured):
            record["measured"] = None  # JSON has no NaN
        return {"text/plain": str(self), "text/html": _page([self]), MIME_TYPE: record}


_ledger: dict[str, Claim] = {}


def check(
    id: str,
    measured: float,
    op: str,
    bound: float,
    text: str,
    *,
    source: str,
    kind: str = "trained",
    data: Source | None = None,
    unit: str = "",
    stretch: float | None = None,
) -> None:
    """Hold ``measured`` against its bar, show the row, and keep it for :func:`table`.

    Args:
        id: ``notebook/what``, for example ``"linear-ae/excess-mse"``.
        measured: a finite number (a one-element tensor will do), in ``unit``.
        op: ``"<="``, ``">="``, ``"<"`` or ``">"``.
        bound: the bar, in the same unit.
        text: what was measured, on what, in a few words.
        source: where the bar comes from: a paper, an equation, a closed form.
        kind: ``"trained"``, ``"exact"`` or ``"timing"``; it decides when the claim is judged.
        data: the data set it was measured on; a *trained* claim names one.
        unit: for example ``"degrees"``.
        stretch: a harder bar that would be welcome, for the table.

    Raises:
        InputError: if kind, operator or id is not known, or a *trained* claim names no data.
        ClaimMissed: if the claim is judged, misses, and ``COURSE_STRICT=1``.
    """
    if kind not in KINDS:
        raise InputError(f'The claim "{id}" is of kind "{kind}". {did_you_mean(kind, KINDS)}')
    if op not in OPERATORS:
        raise InputError(f'The claim "{id}" compares with "{op}". {did_you_mean(op, OPERATORS)}')
    if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9.-]+", id):
        raise InputError(f'The claim id "{id}" is not of the form notebook/what, in small letters.')
    if kind == "trained" and data is None:
        raise InputError(f'The claim "{id}" is trained on data and names none: pass data=….')
    value = float(measured)
    here = runtime.current()
    claim = Claim(
        id=id,
        text=text,
        kind=kind,
        measured=value,
        op=op,
        bound=float(bound),
        stretch=stretch,
        unit=unit,
        holds=math.isfinite(value) and OPERATORS[op](value, bound),
        judged=_is_judged(kind, data, here),
        profile=here.profile,
        data=data.source if data is not None else None,
        seed=here.seed,
        source=source,
    )
    _ledger[id] = claim
    display(claim)
    if here.strict and claim.judged and not claim.holds:
        raise ClaimMissed(f"{claim}. COURSE_STRICT=1 asks for every judged claim to hold.")


def table() -> None:
    """Show every claim checked in this session: what was promised, measured, the bar and where it comes from."""
    rows = list(_ledger.values())
    plain = "\n".join(str(claim) for claim in rows) or "No claim has been checked yet."
    display({"text/plain": plain, "text/html": _page(rows, full=True)}, raw=True)


def clear() -> None:
    """Forget the claims of this session."""
    _ledger.clear()


def _is_judged(kind: str, data: Source | None, here: runtime.Runtime) -> bool:
    if kind == "exact":
        return True
    if kind == "timing":
        return here.strict and here.profile == "full"
    return here.profile == "full" and data is not None and data.is_real


def _page(rows: list[Claim], *, full: bool = False) -> str:
    """An HTML table that takes its colours from the page around it, light or dark."""
    colours = {"holds": "#009E73", "missed here": "#D55E00"}
    head = ["claim", "what was measured", "measured", "bar"] + (["where the bar comes from"] if full else []) + [""]
    lines = []
    for row in rows:
        colour = colours.get(row.verdict, "#888888")
        bar = row.bar + (f" (stretch {row.stretch:g})" if row.stretch is not None else "")
        cells = [
            f'<code style="white-space:nowrap">{html.escape(row.id)}</code>',
            html.escape(row.text),
            f"<b>{html.escape(row.value)}</b>",
        ]
        cells += [html.escape(bar)] + ([html.escape(row.source)] if full else [])
        cells += [f'<span style="border-left:4px solid {colour};padding-left:6px">{row.verdict}</span>']
        lines.append("<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in cells) + "</tr>")
    header = "".join(f'<th style="text-align:left">{title}</th>' for title in head)
    return f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
