"""Where a set comes from: the user's folder, the course's cache, the system's package, a download.

Each source is tried in this order; what goes wrong with one is said in one line, and the next is tried. Only a
damaged file in the user's own folder stops the search, because it is theirs to mend. No source hands out a file that
has not been verified.
"""

from __future__ import annotations

import html
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from IPython.display import display

from course_utils.data.catalogue import DataSet
from course_utils.data.fetch import fetch, set_aside
from course_utils.data.files import DamagedError, MissingError, collect
from course_utils.data.folders import cache_folder, own_folder, session_folder
from course_utils.errors import DataError

__all__ = ["Found", "StandInBanner", "announce_stand_in", "loaded_sources", "open_set", "remember"]

CACHE = "the course's cache"
_loaded: list[str] = []
_announced: set[str] = set()


@dataclass(frozen=True)
class Found:
    """A set that was found: the kind of its source, and its verified, unpacked files by name."""

    source: str
    files: dict[str, Path]


@contextmanager
def open_set(data: DataSet) -> Iterator[Found | None]:
    """Find a set, for as long as the ``with`` block lasts.

    Yields:
        Where it was found, or ``None`` if it is nowhere to be had.

    Raises:
        InputError: if ``COURSE_DATA`` is no folder or ``COURSE_MIRROR`` no address.
        DataError: if the user's own folder holds a damaged file.
    """
    with ExitStack() as stack:
        yield _find(data, stack)


def loaded_sources() -> list[str]:
    """The ``source`` of every set that this process has loaded, in the order of first use."""
    return list(_loaded)


def remember(source: str) -> None:
    """Enter a source into :func:`loaded_sources`."""
    if source not in _loaded:
        _loaded.append(source)


class StandInBanner:
    """Says, in a notebook and in plain text, that a set is not the real one."""

    def __init__(self, title: str, stand_in: str) -> None:
        self.lines = [
            f"Stand-in data: {title} is not here and could not be downloaded.",
            f"In its place: {stand_in}.",
            "Figures and numbers will differ from the text, and claims about the real data are not judged.",
            'For the real data: go online once and run "make data", or let COURSE_DATA name a folder that holds it.',
        ]

    def __repr__(self) -> str:
        width = max(map(len, self.lines)) + 2
        return "\n".join(
            ["!" * (width + 2), *(f"! {line.ljust(width - 2)} !" for line in self.lines), "!" * (width + 2)]
        )

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines)
        style = "border:2px solid #D55E00;border-left-width:10px;padding:6px 12px;margin:4px 0"
        return f'<div role="alert" style="{style}"><b>{first}</b><br>{"<br>".join(rest)}</div>'


def announce_stand_in(data: DataSet, stand_in: str) -> None:
    """Show the banner, once per set and process."""
    if data.name not in _announced:
        _announced.add(data.name)
        display(StandInBanner(data.title, stand_in))


def _find(data: DataSet, stack: ExitStack) -> Found | None:
    return (
        _in_own_folder(data, stack)
        or _in_cache(data, stack)
        or _in_session(data, stack)
        or _in_system(data, stack)
        or _downloaded(data, stack)
    )


def _open(data: DataSet, folder: Path, stack: ExitStack, kind: str) -> Found:
    def scratch() -> Path:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="course-unpacked-")))

    return Found(f"{data.title}, {kind}", collect(data, folder, scratch))


def _in_own_folder(data: DataSet, stack: ExitStack) -> Found | None:
    root = own_folder()
    if root is None:
        return None
    try:
        return _open(data, root / data.folder, stack, "your folder")
    except MissingError as missing:
        _say(f"Your folder (COURSE_DATA) has no {data.folder}/{missing}: going on to the next source of {data.title}.")
        return None
    except DamagedError as damaged:
        raise DataError(
            f"{data.folder}/{damaged.path.name} in your folder (COURSE_DATA) is damaged or cannot be read: "
            f"{damaged.problem}. "
            "Put a good copy in its place, or delete it and the course looks elsewhere."
        ) from None


def _in_cache(data: DataSet, stack: ExitStack) -> Found | None:
    try:
        return _open(data, cache_folder() / data.folder, stack, CACHE)
    except MissingError:
        return None
    except DamagedError as damaged:
        if set_aside(data, damaged.path):
            mend = f"it is set aside as {damaged.path.name}.damaged and fetched anew"
        else:
            mend = "it is fetched anew"
        _say(f"{damaged.path.name} of {data.title} in {CACHE} is damaged: {damaged.problem}; {mend}.")
        return None


def _in_session(data: DataSet, stack: ExitStack) -> Found | None:
    root = session_folder()
    if root is None:
        return None
    try:
        return _open(data, root / data.folder, stack, "downloaded for this session")
    except (MissingError, DamagedError):
        shutil.rmtree(root / data.folder, ignore_errors=True)
        return None


def _in_system(data: DataSet, stack: ExitStack) -> Found | None:
    if data.system_folder is None:
        return None
    try:
        return _open(data, data.system_folder, stack, "Debian's package")
    except MissingError:
        return None
    except DamagedError as damaged:
        _say(
            f"{damaged.path} is damaged: {damaged.problem}; mend it with: "
            f"sudo apt install --reinstall {data.system_package}. Going on to the next source of {data.title}."
        )
        return None


def _downloaded(data: DataSet, stack: ExitStack) -> Found | None:
    root = fetch(data)
    if root is None:
        return None
    kind = CACHE if root == cache_folder() else "downloaded for this session"
    try:
        return _open(data, root / data.folder, stack, kind)
    except (MissingError, DamagedError) as error:
        _say(f"{data.title} was downloaded and is gone again: {error}.")
        return None


def _say(line: str) -> None:
    print(line, flush=True)
