"""Where a set comes from: the user's folder, the course's cache, the system's package, a download.

Each source is tried in this order; what goes wrong with one is said in one line, and the next is tried. Only a
damaged file in the user's own folder stops the search, because it is theirs to mend. No source hands out a file that
has not been verified.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from IPython.display import display

from course_utils.data.catalogue import FileSet
from course_utils.data.downloads import CACHE, download, set_aside
from course_utils.data.files import DamagedError, MissingError, collect, folders_below, near_miss
from course_utils.data.folders import cache_folder, own_folder
from course_utils.errors import DataError

__all__ = ["Copy", "StandInBanner", "announce", "loaded_sources", "obtain", "survey"]

OWN = "your folder"
SYSTEM = "Debian's package"
_loaded: list[str] = []


@dataclass(frozen=True)
class Copy:
    """A set that was found: the kind of its source, and the verified contents of its files by name."""

    source: str
    contents: dict[str, bytes]


def obtain(data: FileSet) -> Copy | None:
    """Find a set, or download it.

    Returns:
        What was found, or ``None`` if it is nowhere to be had.

    Raises:
        InputError: if ``COURSE_DATA`` is no folder or ``COURSE_MIRROR`` no address.
        DataError: if the user's own folder holds a damaged file.
    """
    for kind, folders in _places(data):
        try:
            return Copy(f"{data.title}, {kind}", collect(data, folders))
        except MissingError as missing:
            if kind == OWN:
                print(_lack(data, str(missing)), flush=True)
        except DamagedError as damaged:
            print(_mend(data, kind, damaged), flush=True)
    result = download(data)
    return result and Copy(f"{data.title}, {result[0]}", result[1])


def survey(data: FileSet) -> str:
    """The source of a set on this machine, ``"none here"``, or which file is damaged; nothing is downloaded."""
    for kind, folders in _places(data):
        try:
            collect(data, folders)
        except MissingError:
            continue
        except DamagedError as damaged:
            return f"{damaged.path} is damaged ({damaged.problem})"
        return kind
    return "none here"


def loaded_sources() -> list[str]:
    """The ``source`` of every set that this process has loaded, in the order of first use."""
    return list(_loaded)


def announce(source: str, sizes: str, banner: StandInBanner | None = None) -> None:
    """Say in a line what was loaded, and remember it for :func:`loaded_sources`; a banner is shown the first time."""
    if source not in _loaded:
        _loaded.append(source)
        if banner:
            display(banner)
    print(f"{source}: {sizes}")


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


def _places(data: FileSet) -> Iterator[tuple[str, list[Path]]]:
    """The kinds of source on this machine, in order, with the folders that the files may lie in."""
    if own := own_folder():
        yield OWN, folders_below(data, own)
    yield CACHE, [cache_folder() / data.folder]
    if data.system_folder:
        yield SYSTEM, [data.system_folder]


def _lack(data: FileSet, name: str) -> str:
    """That the user's own folder has no file of that name, in a line, and what comes nearest to it."""
    near = near_miss(data, own_folder() or Path(), name)
    hint = f"; what comes nearest is {near} (move, rename or unpack it)" if near else ""
    return f"Your folder (COURSE_DATA) has no {data.folder}/{name}{hint}: going on to the next source of {data.title}."


def _mend(data: FileSet, kind: str, damaged: DamagedError) -> str:
    """What is done about a damaged file, in a line; the user's own is left to them, and stops the search."""
    path, problem = damaged.path, damaged.problem
    if kind == OWN:
        raise DataError(
            f"{path.relative_to(own_folder() or '').as_posix()} in your folder (COURSE_DATA) is damaged or cannot be "
            f"read: {problem}. Put a good copy in its place, or delete it and the course looks elsewhere."
        ) from None
    if kind == CACHE:
        aside = f"set aside as {path.name}.damaged and " if set_aside(data, path) else ""
        return f"{path.name} of {data.title} in {CACHE} is damaged: {problem}; it is {aside}fetched anew."
    return (
        f"{path} is damaged: {problem}; mend it with: sudo apt install --reinstall {data.system_package}. "
        f"Going on to the next source of {data.title}."
    )
