"""The course's notebooks as files: which there are, how they are read and written, what their outputs belong to.

Executing a notebook (:mod:`course_utils.commands.shared.kernels`) stores in its metadata, under ``course``, what the
outputs were made with.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import nbformat

__all__ = [
    "EXECUTED",
    "FOLDERS",
    "clean",
    "find",
    "heading",
    "one",
    "read",
    "relative",
    "root",
    "seeds_file",
    "write",
    "write_bytes",
    "write_text",
]

FOLDERS = ("notebooks", "solutions", "exercises")
EXECUTED = ("notebooks", "solutions")
"""The folders whose notebooks are stored with their outputs."""

_PACKAGE = Path(__file__).resolve().parents[2]
_WIDGET = "application/vnd.jupyter.widget-view+json"


def root() -> Path:
    """The course's folder: the one around the working directory that holds ``notebooks/`` and ``solutions/``.

    Raises:
        InputError: if there is none, neither around the working directory nor around the package.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, _PACKAGE.parent):
        if (folder / "notebooks").is_dir() and (folder / "solutions").is_dir():
            return folder
    raise InputError(f"{here} is not inside the course's folder, the one with notebooks/ and solutions/. Go there.")


def find(names: Iterable[str] = (), folders: Sequence[str] = FOLDERS) -> list[Path]:
    """The notebooks of ``folders`` that ``names`` ask for, in order; all of them when there are no names.

    Args:
        names: each a number (``"2"`` or ``"02"``), a stem, the start of one (``"02_linear"``), or a path.
        folders: where to look for numbers and stems; a path may lead elsewhere only when these are all.

    Raises:
        InputError: if a name fits nothing (the message names the notebooks there are), or a path has another role.
    """
    homes = [root() / folder for folder in folders]
    stored = [path for home in homes for path in sorted(home.glob("[0-9]*.ipynb"))]
    paths: list[Path] = []
    for name in names:
        path = Path(name)
        if path.suffix == ".ipynb" and path.is_file():
            if not set(FOLDERS) <= set(folders) and path.parent.resolve() not in map(Path.resolve, homes):
                places = " or ".join(f"{folder}/" for folder in folders)
                raise InputError(
                    f"{relative(path)} does not lie in {places} of the course; this command takes no other."
                )
            fitting = [path.resolve()]
        else:
            stem = name.removesuffix(".ipynb")
            wanted = f"{int(stem):02d}_" if stem.isdecimal() else stem
            fitting = [p for p in stored if p.stem == stem] or [
                p for p in stored if wanted and p.stem.startswith(wanted)
            ]
        if not fitting:
            stems = sorted({p.stem for p in stored})
            known = did_you_mean(name, stems) if stems else f"There are none yet in {', '.join(folders)}."
            raise InputError(f'No notebook is called "{name}". {known}')
        paths += [p for p in fitting if p not in paths]
    return paths if names else stored


def one(name: str | None, folders: Sequence[str] = FOLDERS, what: str = "notebook") -> Path:
    """The first notebook of ``folders`` that ``name`` asks for, see :func:`find`.

    Raises:
        InputError: if there is no name, or it fits nothing; the message names the notebooks there are.
    """
    if not name:
        stems = ", ".join(path.stem for path in find([], ["notebooks"])) or "none yet"
        raise InputError(f"Which {what}? Say NB=02 to make, or its number here. There are: {stems}.")
    return find([name], folders)[0]


def seeds_file(path: Path) -> Path:
    """Where the claims of the lecture at ``path``, measured on more seeds, are kept."""
    return root() / "benchmarks" / "seeds" / f"{path.stem[:2]}.json"


def relative(path: Path) -> str:
    """``path`` as people write it: from the course's folder when it lies in it."""
    try:
        return path.resolve().relative_to(root().resolve()).as_posix()
    except (InputError, ValueError):
        return str(path)


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Raises:
        InputError: if the file is no notebook (half-written, a merge left open, not JSON).
    """
    import nbformat

    try:
        text = path.read_text(encoding="utf-8")
        return nbformat.reads(text, as_version=4)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        reason = (str(error).splitlines() or ["unreadable"])[0][:120]
        raise InputError(f"{relative(path)} cannot be read as a notebook: {reason}. Restore it from git.") from None


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook as nbformat does, aside and then renamed into place."""
    import nbformat

    text = nbformat.writes(notebook, version=4)
    write_text(path, text if text.endswith("\n") else text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write ``text``, with line feeds on every system; see :func:`write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write aside and rename into place, so that nobody ever reads half of it, and a full disk costs nothing.

    A link stays a link, and a file keeps its permissions.
    """
    path = path.resolve() if path.is_symlink() else path
    mode = path.stat().st_mode if path.exists() else 0o644
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        aside.chmod(mode)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def clean(notebook: nbformat.NotebookNode) -> None:
    """Take out, in place, what says nothing to a reader: widget views (each has a static twin) and time stamps."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for name in ("execution", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(name, None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _WIDGET not in output.get("data", {})]
            if not cell.source.strip():
                cell.execution_count = None


def heading(notebook: nbformat.NotebookNode, index: int) -> str:
    """The last heading at or above cell ``index``, without its marks; empty when there is none."""
    for cell in reversed(notebook.cells[: index + 1]):
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", cell.source, flags=re.MULTILINE)
            if headings:
                return str(headings[-1])
    return ""
