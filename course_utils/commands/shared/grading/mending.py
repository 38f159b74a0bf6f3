"""A notebook as it was handed in, made fit for nbgrader: read whatever its encoding, its checks put back in place.

Only what a student wrote counts: the sources of the cells. Roles, points and the text of the checks come from the
solution, so that neither lost metadata, a copied cell nor a deleted check costs points, or gives them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from course_utils.errors import InputError

if TYPE_CHECKING:
    import nbformat

__all__ = ["likeness", "mend", "read"]


def read(content: bytes) -> nbformat.NotebookNode:
    """The notebook in the bytes of a file: sources and attachments of its cells, and nothing else.

    Raises:
        InputError: why they hold no notebook, as the end of a sentence that begins with the file's name.
    """
    import nbformat
    from nbformat.v4 import new_notebook

    text = _text(content)
    if not text.strip("\0 \r\n\t"):
        raise InputError("is empty")
    try:
        values = json.loads(text)
    except ValueError as error:
        raise InputError(f"is cut short or damaged: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"is no notebook: its JSON holds a {type(values).__name__}, not cells")
    try:
        if "worksheets" in values:  # as notebooks were before 2015
            values = nbformat.reads(text, as_version=4)
        return new_notebook(cells=[_fresh(cell) for cell in values["cells"]])
    except Exception as error:  # whatever is not where it should be
        reason = (str(error).strip().splitlines() or [""])[0][:120]
        raise InputError(f"cannot be read as a notebook: {type(error).__name__}: {reason}") from None


def likeness(notebook: nbformat.NotebookNode, solution: nbformat.NotebookNode) -> int:
    """How many graded cells and gaps of a solution a notebook has, by their ids or by what stands in them."""
    return len({identity for identity in _identities(notebook, solution) if identity})


def mend(
    notebook: nbformat.NotebookNode, solution: nbformat.NotebookNode
) -> tuple[nbformat.NotebookNode, tuple[str, ...]]:
    """The student's cells with the solution's roles and checks, each once; and what had to be mended, in words.

    Args:
        notebook: as :func:`read` gives it; it is changed.
        solution: the master of the exercise.
    """
    masters = {_role(cell)["grade_id"]: cell for cell in solution.cells if _role(cell)}
    identities = _identities(notebook, solution)
    remarks: list[str] = []
    for identity, master in masters.items():
        places = [index for index, name in enumerate(identities) if name == identity]
        untouched = [index for index in places if _marks(notebook.cells[index], master) == _marks(master, master)]
        chosen = (untouched or places or [-1])[-1]
        for index in places:
            identities[index] = identity if index == chosen else ""
        if len(places) > 1:
            remarks.append(f"{identity} stood there {len(places)} times; one of them counts")
    for cell, identity in zip(notebook.cells, identities, strict=True):
        cell.metadata.pop("nbgrader", None)
        if identity and _is_check(masters[identity]):
            cell.update(_copy(masters[identity]))
        elif identity and cell.cell_type == masters[identity].cell_type:
            cell.metadata["nbgrader"] = _role(masters[identity])
    for identity in [name for name, cell in masters.items() if name not in identities and _role(cell).get("grade")]:
        place = _place(identity, list(masters), identities, [_is_own(cell, solution) for cell in notebook.cells])
        notebook.cells.insert(place, _copy(masters[identity]))
        identities.insert(place, identity)
        remarks.append(f"{identity} was missing and is put back")
    return notebook, tuple(remarks)


def _text(content: bytes) -> str:
    """Bytes as text: UTF-8, UTF-16 or UTF-32, with or without a mark at the beginning; else Windows' own encoding."""
    for encoding in (json.detect_encoding(content), "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", errors="replace")


def _fresh(cell: Mapping[str, Any]) -> nbformat.NotebookNode:
    """A cell with its source, its role and the pictures pasted into it, and nothing else."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    metadata = {"nbgrader": role} if (role := _role(cell)) else {}
    if cell["cell_type"] == "code":
        return new_code_cell(source, metadata=metadata)
    pictures = {"attachments": cell["attachments"]} if cell.get("attachments") else {}
    return new_markdown_cell(source, metadata=metadata, **pictures)


def _role(cell: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of nbgrader in a cell; empty when there is none that names the cell."""
    role = (cell.get("metadata") or {}).get("nbgrader")
    return dict(role) if isinstance(role, Mapping) and isinstance(role.get("grade_id"), str) else {}


def _is_check(master: nbformat.NotebookNode) -> bool:
    return bool(_role(master).get("grade") and not _role(master).get("solution"))


def _copy(master: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A check as the solution has it; of a cell that is graded by hand an empty one."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    new_cell = new_code_cell if master.cell_type == "code" else new_markdown_cell
    return new_cell(master.source if _is_check(master) else "", metadata={"nbgrader": _role(master)})


def _identities(notebook: nbformat.NotebookNode, solution: nbformat.NotebookNode) -> list[str]:
    """For each cell of a notebook the grade_id of the solution's cell that it is; empty for the others.

    A cell says so itself; where the metadata are lost, a check is known by its text, a gap by the names it defines.
    """
    masters = {_role(cell)["grade_id"]: cell for cell in solution.cells if _role(cell)}
    identities = [_role(cell).get("grade_id", "") for cell in notebook.cells]
    identities = [identity if identity in masters else "" for identity in identities]
    for identity, master in masters.items():
        marks = _marks(master, master)
        if not marks or identity in identities:
            continue
        for index, cell in reversed(list(enumerate(notebook.cells))):
            if not identities[index] and marks <= _marks(cell, master):
                identities[index] = identity
                break
    return identities


def _marks(cell: nbformat.NotebookNode, master: nbformat.NotebookNode) -> frozenset[str]:
    """What a cell would be known by if it were the master: the text of a check, the names that a gap defines."""
    if cell.cell_type != "code" or master.cell_type != "code":
        return frozenset()
    if _is_check(master):
        return frozenset({re.sub(r"\s+", "", cell.source)})
    return frozenset(re.findall(r"^(?:def\s+|class\s+|)(\w+)(?=\s*(?:\(|:|=[^=]))", cell.source, flags=re.M))


def _is_own(cell: nbformat.NotebookNode, solution: nbformat.NotebookNode) -> bool:
    """Whether a student added a cell: nothing in the solution reads like it."""
    return all(cell.source != master.source for master in solution.cells)


def _place(identity: str, order: Sequence[str], identities: Sequence[str], own: Sequence[bool]) -> int:
    """Where a missing check goes: behind the cell that the solution has before it, and what a student added there."""
    before = [name for name in order[: order.index(identity)] if name in identities]
    if not before:
        return 0
    place = identities.index(before[-1]) + 1
    while place < len(own) and own[place] and not identities[place]:
        place += 1
    return place
