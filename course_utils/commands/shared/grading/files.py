"""What lies in a folder of submissions: every file, those in zips too, and whose it is by where it lies."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["Leftover", "Owner", "distinct", "is_notebook", "owner", "unpacked"]

_MOST_BYTES = 500_000_000
_NOTEBOOK = re.compile(r"\.ipynb(\.(txt|json))?$", re.IGNORECASE)  # browsers and mail programs add an ending
_PLATFORMS = (
    re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(file|onlinetext)_?.*"),  # Moodle
    re.compile(r"(?P<name>[^_\W]+)_(LATE_)?(?P<number>\d{3,})_\d{3,}_.+"),  # Canvas
    re.compile(r".+_(?P<name>[^_]+)_(?P<number>attempt)_\d{4}(-\d\d){5}.*"),  # Blackboard
)
_AGAIN = re.compile(r"(\s*\(\d+\)|[ _-]+(copy|Copy|Kopie)\d*)+$")


@dataclass(frozen=True)
class Leftover:
    """A file that is not graded, and why; ``is_fault`` where somebody has to look at it."""

    file: str
    reason: str
    is_fault: bool = True


@dataclass(frozen=True)
class Owner:
    """Whose a file is.

    Attributes:
        name: the student, as nbgrader shall call them.
        number: what a learning platform tells two students of one name by; empty elsewhere.
        folder: the student's own folder; None where only the file's name says whose it is.
    """

    name: str
    number: str = ""
    folder: PurePosixPath | None = None


def is_notebook(place: PurePosixPath) -> bool:
    """Whether a file's name says that it is a notebook: ``.ipynb``, in capitals too, or ``.ipynb.txt``."""
    return bool(_NOTEBOOK.search(place.name))


def unpacked(folder: Path, scratch: Path) -> tuple[dict[PurePosixPath, Path], list[Leftover]]:
    """Every file of a folder, or of a zip, by its place in it; zips are opened and stand there as folders.

    Args:
        folder: what was handed in.
        scratch: an empty folder, for what the zips hold.

    Returns:
        Place → where the file can be read; and what was passed over or could not be opened.
    """
    files: dict[PurePosixPath, Path] = {}
    leftovers: list[Leftover] = []
    waiting = [(PurePosixPath(), folder)]
    while waiting:
        above, path = waiting.pop()
        if above.name.startswith(".") or above.name in ("__MACOSX", "__pycache__"):
            leftovers.append(Leftover(str(above), "passed over: hidden, or made by a program", is_fault=False))
        elif path.is_dir():
            waiting += [(above / inner.name, inner) for inner in sorted(path.iterdir(), reverse=True)]
        elif path.suffix.lower() == ".zip":
            inner = scratch / str(len(list(scratch.iterdir())))
            reason = _unzip(path, inner)
            if reason:
                leftovers.append(Leftover(str(above) if above.parts else path.name, reason))
            else:
                waiting.append((above, inner))
        else:
            files[above] = path
    return files, leftovers


def _unzip(path: Path, target: Path) -> str:
    """Unpack a zip; what stood in the way, if anything did."""
    target.mkdir()
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                return f"unpacks to more than {_MOST_BYTES / 1e6:g} MB, and is not opened"
            archive.extractall(target)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        return f"is a zip that cannot be opened: {error}"
    return ""


def owner(place: PurePosixPath, stems: Collection[str]) -> Owner | None:
    """Whose a file is, by its place among the submissions; None where the place does not say.

    A learning platform's name for a folder or a file decides; then the first folder; then the file's own name,
    without the exercise's and without the number that a browser adds. Folders named after an exercise are looked into.

    Args:
        place: where the file lies in the folder of submissions.
        stems: the names of the exercises.
    """
    for depth, part in enumerate(place.parts, 1):
        match = next(filter(None, (pattern.fullmatch(part) for pattern in _PLATFORMS)), None)
        if match and _safe(match["name"]):
            folder = PurePosixPath(*place.parts[:depth]) if depth < len(place.parts) else None
            return Owner(_safe(match["name"]), match["number"], folder)
    depth = next((depth for depth, part in enumerate(place.parts[:-1], 1) if part not in stems), 0)
    if depth:
        name = _safe(re.sub(r"(?i)\.zip$", "", place.parts[depth - 1]))
        return Owner(name, folder=PurePosixPath(*place.parts[:depth])) if name else None
    name = _NOTEBOOK.sub("", place.name)
    for stem in sorted(stems, key=len, reverse=True):
        name = name.replace(stem, "")
    name = _safe(_AGAIN.sub("", name).strip("-_ "))
    return Owner(name) if name else None


def distinct(owners: Collection[Owner]) -> Iterator[tuple[Owner, str]]:
    """Each owner with a name of their own: two of one name get the platform's number to it."""
    for one in owners:
        twins = {other.number for other in owners if other.name == one.name}
        yield one, f"{one.name} {one.number}".strip() if len(twins) > 1 else one.name


def _safe(name: str) -> str:
    """A student's name without the characters that nbgrader or a file system would read as something else."""
    return re.sub(r'[\[\]*?/\\:|<>"+,{}]', "_", name).strip(" .")
