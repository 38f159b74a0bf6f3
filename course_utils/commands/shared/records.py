"""The claims of notebooks, read out of their stored outputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.commands.shared import notebooks
from course_utils.errors import InputError

if TYPE_CHECKING:
    import nbformat

    from course_utils.claims import Claim

__all__ = ["Entry", "read_claims", "read_league", "records"]


@dataclass(frozen=True)
class Entry:
    """A claim and the notebook it is stored in."""

    path: Path
    claim: Claim


def records(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """The claims of one notebook as they are stored, in order."""
    from course_utils.claims import MIME_TYPE  # with torch, which a command's --help does without

    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [dict(output.data[MIME_TYPE]) for output in outputs if MIME_TYPE in output.get("data", {})]


def read_claims(paths: Iterable[Path]) -> list[Entry]:
    """Every claim stored in the notebooks at ``paths``.

    Raises:
        InputError: if a stored record lacks a part of a claim, as one made by another version of the helpers would.
    """
    from course_utils.claims import Claim

    entries = []
    for path in paths:
        for record in records(notebooks.read(path)):
            known: dict[str, Any] = {field.name: record.get(field.name) for field in fields(Claim)}
            if missing := sorted(set(known) - set(record)):
                raise InputError(f"{notebooks.relative(path)}: a stored claim has no {missing[0]}; execute it again.")
            if known["measured"] is None:
                known["measured"] = float("nan")  # JSON has no NaN
            entries.append(Entry(path, Claim(**known)))
    return entries


def read_league(notebook: nbformat.NotebookNode) -> dict[str, Any] | None:
    """The league of samples that a notebook has measured, as it is stored; ``None`` where it has none."""
    from course_utils.metrics.league import MIME_TYPE  # with torch, which a command's --help does without

    outputs = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    found = [dict(data[MIME_TYPE]) for data in outputs if MIME_TYPE in data]
    return found[-1] if found else None
