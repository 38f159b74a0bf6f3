"""Measure a lecture's claims on three more seeds, into benchmarks/seeds/.

The seeds are those that follow the notebook's own, so that nobody chooses them. A claim that misses on one of them is
recorded like the others; it is the table that has to tell, and the test that has to fail.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from course_utils.commands.shared import notebooks, stamps
from course_utils.commands.shared.kernels import ExecutionError, execute
from course_utils.commands.shared.records import records
from course_utils.errors import InputError

__all__ = ["main", "measure"]

_MORE = 3
_FIGURES = ("plotting", "diagrams", "widgets")
"""What draws moves no number: a change there leaves the measurements as they are."""


def measure(path: Path, seeds: list[int], profile: str = "full") -> dict[str, Any]:
    """Execute a copy of the lecture once for each seed, strict, and collect its claims; the file stays as it is.

    Returns:
        ``notebook``, ``profile``, ``code_hash``, ``versions``, ``definitions`` that the numbers rest on (what only
        draws is left out), ``seconds`` of each run, and ``claims``: for each id its ``kind``, ``op``, ``bound``,
        ``unit``, ``stretch`` and ``runs``, a list of ``seed``, ``measured``, ``holds``, ``judged`` and ``data``.

    Raises:
        ExecutionError: if the notebook stops for another reason than a claim that misses.
    """
    claims: dict[str, dict[str, Any]] = {}
    seconds, course = [], {}
    definitions = stamps.definitions(notebooks.read(path), without=_FIGURES)
    for seed in seeds:
        print(f"{notebooks.relative(path)}, seed {seed}")
        environment = {"COURSE_SEED": str(seed), "COURSE_PROFILE": profile, "COURSE_STRICT": "1"}
        notebook = execute(path, environment=environment, forgive=["ClaimMissed"])
        course = notebook.metadata["course"]
        seconds.append(course["seconds"])
        for record in records(notebook):
            kept = {name: record[name] for name in ("kind", "op", "bound", "unit", "stretch")}
            claim = claims.setdefault(record["id"], kept | {"runs": []})
            claim["runs"].append({name: record[name] for name in ("seed", "measured", "holds", "judged", "data")})
    head = {name: course[name] for name in ("profile", "code_hash", "versions")}
    return {"notebook": path.stem} | head | {"definitions": definitions, "seconds": seconds, "claims": claims}


def main(arguments: list[str]) -> int:
    """``python -m course_utils seeds 07``: measure a lecture's claims on three more seeds; exit 1 if one misses."""
    parser = argparse.ArgumentParser("course_utils seeds", description="A lecture's claims on three more seeds.")
    parser.add_argument("notebook", nargs="?", help="number, stem or path of a lecture")
    path = notebooks.one(parser.parse_args(arguments).notebook, ["notebooks"], what="lecture")
    course = notebooks.read(path).metadata.get("course")
    if not course:
        raise InputError(f"{notebooks.relative(path)} was never executed, so its own seed is not known: make execute.")
    try:
        result = measure(path, [course["seed"] + step for step in range(1, _MORE + 1)])
    except ExecutionError as error:
        print(f"{error}\n{notebooks.relative(notebooks.seeds_file(path))} is untouched.")
        return 1
    notebooks.write_text(notebooks.seeds_file(path), json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    missed = False
    for identity, claim in result["claims"].items():
        values = " · ".join("nan" if run["measured"] is None else f"{run['measured']:.4g}" for run in claim["runs"])
        misses = [run["seed"] for run in claim["runs"] if not run["holds"]]
        missed = missed or bool(misses)
        print(f"{'✗' if misses else '✓'} {identity}: {values} {claim['unit']} (bar {claim['op']} {claim['bound']:g})")
    print(f"{notebooks.relative(notebooks.seeds_file(path))}: written")
    return 1 if missed else 0
