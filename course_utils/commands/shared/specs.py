"""What was asked of a lecture, written down apart from it: ``specs/NN_name.toml``.

A spec names the minutes that the lecture may take, its headline claim, and the claims that it has to hold. The lecture
may hold more claims, and tighter bounds; not fewer, and not looser ones.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from course_utils.commands.shared import notebooks
from course_utils.errors import InputError, did_you_mean

__all__ = ["Required", "Spec", "budget", "read", "read_all"]

_QUICK_SECONDS = {"notebooks": 15.0, "solutions": 8.0, "exercises": 6.0}
_SOLUTION_SECONDS = 180.0


@dataclass(frozen=True)
class Required:
    """One required claim.

    Attributes:
        id: ``notebook/what``.
        kind: ``"exact"``, ``"trained"`` or ``"timing"``.
        op: ``"<="``, ``">="``, ``"<"`` or ``">"``.
        bound: the loosest bar that is admitted.
        data: the data set it has to be measured on, as its source begins, for example ``"MNIST"``.
        stretch: a harder bar that is welcome and not asked for.
    """

    id: str
    kind: str
    op: str
    bound: float
    data: str | None = None
    stretch: float | None = None


@dataclass(frozen=True)
class Spec:
    """What was asked of one lecture: minutes in the full profile, the id of its headline claim, its required claims."""

    minutes: float
    headline: str
    claims: tuple[Required, ...]


def read(path: Path) -> Spec:
    """The spec in the file at ``path``.

    Raises:
        InputError: one line that names the file and what is wrong in it.
    """
    where = notebooks.relative(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{where} cannot be read as a spec: {error}") from None
    _check_names(values, Spec, where)
    if not (_is_number(values["minutes"]) and values["minutes"] > 0):
        raise InputError(f"{where}: minutes is {values['minutes']!r}; it takes a number above 0.")
    if not (isinstance(values["claims"], list) and all(isinstance(claim, dict) for claim in values["claims"])):
        raise InputError(f"{where}: claims is no list of tables, each with id, kind, op and bound.")
    claims = tuple(_required(claim, where) for claim in values["claims"])
    ids = [claim.id for claim in claims]
    if twice := next((name for name in ids if ids.count(name) > 1), None):
        raise InputError(f'{where}: the claim "{twice}" stands there twice.')
    if values["headline"] not in ids:
        raise InputError(f'{where}: the headline "{values["headline"]}" is none of its claims ({", ".join(ids)}).')
    return Spec(values["minutes"], values["headline"], claims)


def read_all() -> dict[str, Spec]:
    """Stem → spec of every file in ``specs/``, in order."""
    return {path.stem: read(path) for path in sorted((notebooks.root() / "specs").glob("*.toml"))}


def budget(path: Path, profile: str = "full") -> float:
    """The seconds that a notebook may take on two CPU cores without a GPU; infinite for a lecture without a spec."""
    folder = path.resolve().parent.name
    if profile == "quick":
        return _QUICK_SECONDS.get(folder, float("inf"))
    if folder == "solutions":
        return _SOLUTION_SECONDS
    spec = notebooks.root() / "specs" / f"{path.stem}.toml"
    return 60.0 * read(spec).minutes if folder == "notebooks" and spec.is_file() else float("inf")


def _required(values: dict[str, Any], where: str) -> Required:
    from course_utils.claims import KINDS, OPERATORS  # with torch, which a command's --help does without

    where = f'{where}, claim "{values.get("id", "without an id")}"'
    _check_names(values, Required, where)
    for name, known in (("kind", KINDS), ("op", tuple(OPERATORS))):
        if values[name] not in known:
            raise InputError(f'{where}: {name} is "{values[name]}". {did_you_mean(str(values[name]), known)}')
    for name in ("id", "data"):
        if name in values and not isinstance(values[name], str):
            raise InputError(f"{where}: {name} is {values[name]!r}; it takes a text.")
    for name in ("bound", "stretch"):
        if name in values and not _is_number(values[name]):
            raise InputError(f"{where}: {name} is {values[name]!r}; it takes a number.")
    return Required(**values)


def _check_names(values: dict[str, Any], kind: type[Spec | Required], where: str) -> None:
    """Every name that ``kind`` needs is there, and no name that it does not know."""
    known = {field.name: field.default for field in fields(kind)}
    for name in values:
        if name not in known:
            raise InputError(f'{where}: there is no "{name}" in a spec. {did_you_mean(name, known)}')
    if missing := [name for name, default in known.items() if default is not None and name not in values]:
        raise InputError(f"{where} lacks {missing[0]}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
