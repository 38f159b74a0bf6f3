"""Submissions out of what was handed in: each file is somebody's answer to an exercise, goes with one, or says why not.

Nothing is guessed: two different notebooks of one student for one exercise are both refused, with a reason.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from course_utils.commands.shared import notebooks
from course_utils.commands.shared.grading import mending
from course_utils.commands.shared.grading.files import Leftover, Owner, distinct, is_notebook, owner, unpacked
from course_utils.errors import InputError

if TYPE_CHECKING:
    import nbformat

__all__ = ["Submission", "assemble", "collect", "lay_out"]

_HELP = "see `python -m course_utils grade --help`"
_MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Submission:
    """One student's notebook for one exercise.

    Attributes:
        student: whose it is.
        exercise: the exercise's stem.
        file: where it lay among the submissions.
        notebook: what is graded: the student's cells, mended.
        remarks: what had to be mended, in words.
        beside: the files that go with it, a module of the student's own say: place → where it can be read.
    """

    student: str
    exercise: str
    file: str
    notebook: nbformat.NotebookNode
    remarks: tuple[str, ...] = ()
    beside: Mapping[PurePosixPath, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class _Candidate:
    place: PurePosixPath
    owner: Owner
    exercise: str
    notebook: nbformat.NotebookNode
    likeness: int


def collect(folder: Path, scratch: Path, solutions: Sequence[Path]) -> tuple[list[Submission], list[Leftover]]:
    """What was handed in, sorted by student and exercise, and every file that is not graded, with the reason.

    Args:
        folder: the submissions, a folder or a zip; for its shapes see ``python -m course_utils grade --help``.
        scratch: an empty folder, for what zips hold; the submissions refer to it.
        solutions: the masters of the exercises that are graded.

    Raises:
        InputError: if there is no folder, or no notebook in it.
    """
    if not (folder.is_dir() or (folder.is_file() and folder.suffix.lower() == ".zip")):
        raise InputError(f"{folder} is no folder of submissions; {_HELP}.")
    masters = {path.stem: notebooks.read(path) for path in solutions}
    files, leftovers = unpacked(folder, scratch)
    if not any(map(is_notebook, files)) and not any(leftover.is_fault for leftover in leftovers):
        raise InputError(f"There is no notebook in {folder}; {_HELP}.")
    candidates: list[_Candidate] = []
    for place in filter(is_notebook, files):
        try:
            candidates.append(_candidate(place, files[place].read_bytes(), masters))
        except (InputError, OSError) as error:
            leftovers.append(Leftover(str(place), str(error)))
    submissions, refused = _submissions(candidates, masters, files)
    companions = {path for submission in submissions for path in submission.beside.values()}
    have_answered = {candidate.place.parts[0] for candidate in candidates}
    for place, path in files.items():
        if path in companions:
            leftovers.append(Leftover(str(place), "goes with the notebook beside it", is_fault=False))
        elif not is_notebook(place):
            alone = len(place.parts) > 1 and place.parts[0] not in have_answered
            leftovers.append(Leftover(str(place), _why_not_taken(place, path) or "is no notebook", is_fault=alone))
    return submissions, sorted(leftovers + refused, key=lambda leftover: leftover.file)


def lay_out(course: Path, submissions: Iterable[Submission]) -> None:
    """Write each submission where nbgrader looks for it, in the place of that student's former one."""
    for submission in submissions:
        target = course / "submitted" / submission.student / submission.exercise
        aside = target.with_name(f".{target.name}.new")
        shutil.rmtree(aside, ignore_errors=True)  # of a run that was stopped
        for place, path in submission.beside.items():
            (aside / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, aside / place)
        notebooks.write(submission.notebook, aside / f"{submission.exercise}.ipynb")
        if target.is_dir():
            shutil.rmtree(target)
        aside.rename(target)


def assemble(course: Path, solutions: Iterable[Path]) -> None:
    """Lay the solutions out as nbgrader expects its masters: ``course/source/STEM/STEM.ipynb``."""
    for path in solutions:
        notebooks.write_bytes(course / "source" / path.stem / path.name, path.read_bytes())


def _candidate(place: PurePosixPath, content: bytes, masters: Mapping[str, nbformat.NotebookNode]) -> _Candidate:
    """Whose a notebook is, and for which exercise.

    Raises:
        InputError: why it cannot be said, as the end of a sentence that begins with the file's name.
    """
    notebook = mending.read(content)
    likeness = {stem: mending.likeness(notebook, master) for stem, master in masters.items()}
    exercise = max(likeness, key=lambda stem: (likeness[stem], stem in place.name), default="")
    if not likeness.get(exercise):
        raise InputError(f"has the checks of no exercise ({', '.join(masters)})")
    whose = owner(place, list(masters))
    if whose is None:
        raise InputError("does not say whose it is: put it into a folder with the student's name")
    return _Candidate(place, whose, exercise, notebook, likeness[exercise])


def _submissions(
    candidates: Sequence[_Candidate], masters: Mapping[str, nbformat.NotebookNode], files: Mapping[PurePosixPath, Path]
) -> tuple[list[Submission], list[Leftover]]:
    """One submission for each student and exercise; the candidates that are none, with the reason."""
    names = dict(distinct([candidate.owner for candidate in candidates]))
    groups: dict[tuple[str, str], list[_Candidate]] = {}
    for candidate in candidates:
        groups.setdefault((names[candidate.owner], candidate.exercise), []).append(candidate)
    submissions, refused = [], []
    for (student, exercise), group in sorted(groups.items()):
        # A notebook with less than half of the graded cells that another has is a draft beside it.
        most = max(one.likeness for one in group)
        rivals = [one for one in group if 2 * one.likeness >= most]
        first, *others = rivals
        drafts = [one for one in group if one not in rivals]
        refused += [Leftover(str(one.place), f"has few of the checks that {first.place} has") for one in drafts]
        if len({_sources(one.notebook) for one in rivals}) > 1:
            places = " and ".join(str(one.place) for one in rivals)
            reason = f"{student} handed in {exercise} twice: {places}; leave one of them"
            refused += [Leftover(str(one.place), reason) for one in rivals]
            continue
        refused += [Leftover(str(one.place), f"says the same as {first.place}", is_fault=False) for one in others]
        notebook, remarks = mending.mend(first.notebook, masters[exercise])
        submissions.append(Submission(student, exercise, str(first.place), notebook, remarks, _beside(first, files)))
    return submissions, refused


def _beside(candidate: _Candidate, files: Mapping[PurePosixPath, Path]) -> dict[PurePosixPath, Path]:
    """What lies in a student's own folder with the notebook, by its place beside it."""
    here = candidate.place.parent
    if candidate.owner.folder is None:
        return {}
    near = {place: path for place, path in files.items() if place.is_relative_to(here) and not is_notebook(place)}
    return {place.relative_to(here): path for place, path in near.items() if not _why_not_taken(place, path)}


def _why_not_taken(place: PurePosixPath, path: Path) -> str:
    if path.suffix.lower() in (".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"):
        return "is an archive that is not opened here; unpack it, or make it a zip"
    if "course_utils" in place.parts:
        return "is part of the course's own package, which the checks use as it is here"
    if path.stat().st_size > _MOST_BYTES:
        return f"is larger than {_MOST_BYTES / 1e6:g} MB"
    return ""


def _sources(notebook: nbformat.NotebookNode) -> str:
    return hashlib.sha256("\0".join(cell.source for cell in notebook.cells).encode()).hexdigest()
