"""What every notebook file has to satisfy, as functions that list complaints: an empty list is a good notebook."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from course_utils.commands.shared import stamps
from course_utils.commands.shared.records import records
from course_utils.commands.shared.specs import Required

MOST_BYTES = 2_000_000
MOST_LINES = 15
SLIDES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
MACHINE = re.compile(r"/(?:work|root|home|tmp|Users|private|site-packages)/[\w.]|[A-Z]:\\+Users\\|ipykernel_\d+")
WARNING = re.compile(r"\b[A-Z]\w*Warning\b|\bUserWarning\b|^WARNING\b|\[W \d", re.MULTILINE)
AMERICAN = re.compile(
    r"\b(colors?|colored|coloring|behaviors?|normaliz\w+|generaliz\w+|regulariz\w+|optimiz\w+|minimiz\w+|maximiz\w+|"
    r"initializ\w+|visualiz\w+|summariz\w+|recogniz\w+|penaliz\w+|standardiz\w+|parametriz\w+|centers?|centered|"
    r"labeled|labeling|modeled|modeling|gray|grayscale|neighbors?|favor|favorite|analyz\w+|meters?|catalog|fulfill)\b",
    re.IGNORECASE,
)


def code_cells(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    """The code cells that hold something, each with its number in the notebook, from 1."""
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and cell.source.strip():
            yield number, cell


def outputs(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    for number, cell in code_cells(notebook):
        for output in cell.outputs:
            yield number, output


def freshness(notebook: nbformat.NotebookNode) -> list[str]:
    """Stored outputs belong to the stored code, in full, executed in order."""
    course = notebook.metadata.get("course")
    if not course:
        return ["was never executed with `make execute`: no metadata says what its outputs were made with"]
    complaints = []
    if course["code_hash"] != stamps.code_hash(notebook):
        complaints.append("its code has changed since it was executed: make execute")
    if course["profile"] != "full":
        complaints.append(f"was executed in the {course['profile']} profile")
    counts = [cell.execution_count for _, cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        complaints.append(f"its cells were not executed in order: {counts}")
    for name in ("seed", "data", "seconds", "versions", "definitions"):
        if name not in course:
            complaints.append(f'its metadata "course" lacks "{name}"')
    return complaints


def quietness(notebook: nbformat.NotebookNode) -> list[str]:
    """No error, no stderr, no warning among the outputs, and no debris of widgets."""
    complaints = []
    for number, output in outputs(notebook):
        if output.output_type == "error":
            complaints.append(f"cell {number} holds an error, {output.ename}")
        if output.output_type == "stream" and output.name == "stderr":
            complaints.append(f"cell {number} holds stderr: {output.text[:80]!r}")
        warning = WARNING.search(str(output.get("text") or output.get("data", {}).get("text/plain", "")))
        if warning:
            complaints.append(f"cell {number} holds a warning, {warning[0]}")
        if any("widget-view" in mime for mime in output.get("data", {})):
            complaints.append(f"cell {number} holds the view of a widget, which is dead without a kernel")
        if re.search(r"\r|\x1b\[A|\d+%\|.*\d+%\|", str(output.get("text", ""))):
            complaints.append(f"cell {number} holds more than one line of a progress bar")
    if "widgets" in notebook.metadata:
        complaints.append("its metadata holds the state of widgets")
    return complaints


def accessibility(notebook: nbformat.NotebookNode) -> list[str]:
    """Every picture says in words what it shows."""
    complaints = []
    for number, output in outputs(notebook):
        for mime in ("image/png", "image/jpeg", "image/svg+xml"):
            if mime in output.get("data", {}):
                alt = output.metadata.get(mime, {}).get("alt") or output.metadata.get("alt", "")
                if len(alt.split()) < 4:
                    complaints.append(f"cell {number} shows a picture without alternative text; use plotting.show")
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown" and re.search(r"!\[\s*\]\(|<img(?![^>]*\balt=)", cell.source):
            complaints.append(f"cell {number} shows a picture without alternative text")
    return complaints


def anonymity(notebook: nbformat.NotebookNode) -> list[str]:
    """No path of the machine it was executed on; pictures, which are long strings of anything, aside."""
    texts = [cell.source for cell in notebook.cells] + [json.dumps(notebook.metadata)]
    for _, output in outputs(notebook):
        texts += [str(output.get("text", "")), str(output.get("traceback", ""))]
        texts += [str(value) for mime, value in output.get("data", {}).items() if not mime.startswith("image/")]
    return [f"shows a path of one machine: {match[0]}…" for text in texts for match in MACHINE.finditer(text)]


def size(path: Path) -> list[str]:
    """Small enough to be rendered by a forge."""
    bytes_ = path.stat().st_size
    return [f"has {bytes_ / 1e6:.2f} MB; the most is {MOST_BYTES / 1e6} MB"] if bytes_ >= MOST_BYTES else []


def anatomy(notebook: nbformat.NotebookNode, most: int = MOST_LINES) -> list[str]:
    """Little code at a time, each piece introduced by prose; check cells do not count as code."""
    complaints, run = [], 0
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            run = 0
            continue
        lines = [line.strip() for line in cell.source.splitlines()]
        # a comment is prose, and a bracket that the formatter puts on a line of its own says nothing
        lines = [line for line in lines if line.strip(")]},") and not line.startswith("#")]
        if len(lines) > most:
            complaints.append(f"cell {number} has {len(lines)} lines of code; the most is {most}")
        run += 0 if cell.metadata.get("nbgrader", {}).get("grade") else 1
        if run > 2:
            complaints.append(f"cell {number} is the third code cell in a row; say something before it")
    if notebook.cells[0].cell_type != "markdown" or not notebook.cells[0].source.startswith("# "):
        complaints.append("does not begin with a title")
    return complaints


def slides(notebook: nbformat.NotebookNode) -> list[str]:
    """The same file is the instructor's deck."""
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type", "") for cell in notebook.cells]
    complaints = [f'cell {n} has the slide type "{k}"' for n, k in enumerate(kinds, 1) if k and k not in SLIDES]
    if kinds[0] != "slide":
        complaints.append("its first cell does not begin a slide")
    if sum(kind in ("slide", "subslide") for kind in kinds) < 5:
        complaints.append("has fewer than five slides; set slideshow.slide_type in the metadata of its cells")
    return complaints


def spelling(notebook: nbformat.NotebookNode) -> list[str]:
    """British spelling in prose (not in code, mathematics, links and quoted titles), and no control characters."""
    complaints = []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "markdown":
            continue
        if lost := re.search(r"[^\n -~\u00a0-\U0010ffff]", cell.source):
            complaints.append(f"cell {number} holds the character {lost[0]!r}: a backslash of a formula was lost")
        prose = re.sub(
            r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|\*[^*\n]+\*", " ", cell.source, flags=re.S
        )
        complaints += [
            f'cell {number} spells "{match[0]}"; the course writes British English'
            for match in AMERICAN.finditer(prose)
        ]
    return complaints


def exercise(notebook: nbformat.NotebookNode) -> list[str]:
    """Nothing of the solution is left, and Run All goes on past an open gap."""
    complaints = []
    if "SOLUTION" in json.dumps(notebook):
        complaints.append("still holds a mark of a solution region")
    if "course" in notebook.metadata:
        complaints.append("says what its solution's outputs were made with")
    for number, cell in code_cells(notebook):
        if cell.outputs or cell.execution_count is not None:
            complaints.append(f"cell {number} holds outputs")
        role = cell.metadata.get("nbgrader", {})
        if bool(role.get("grade")) != ("raises-exception" in cell.metadata.get("tags", [])):
            complaints.append(f"cell {number}: check cells, and only they, carry the tag raises-exception")
        if role.get("solution") and "..." not in cell.source:
            complaints.append(f"cell {number} has no gap")
    return complaints


def claims(notebook: nbformat.NotebookNode, required: tuple[Required, ...]) -> list[str]:
    """Every claim of the lecture is judged and holds, and every required one is there with no looser a bar."""
    stored, complaints = {record["id"]: record for record in records(notebook)}, []
    for identity, record in stored.items():
        if not (record["judged"] and record["holds"]):
            state = "is not judged" if not record["judged"] else f"misses: {record['measured']}"
            complaints.append(f"{identity} {state}")
    for claim in required:
        record = stored.get(claim.id)
        if record is None:
            complaints.append(f"{claim.id} is not there")
            continue
        complaints += _bar(claim, record)
        if record["profile"] != "full":
            complaints.append(f"{claim.id} was measured in the {record['profile']} profile")
        if not _passes(record["measured"], claim):
            complaints.append(f"{claim.id} measured {record['measured']}, which the required bar does not admit")
        if claim.data and str(record["data"]).split(",")[0] != claim.data:
            complaints.append(f"{claim.id} was measured on {record['data']}, not on {claim.data}")
    return complaints


def seeds(notebook: nbformat.NotebookNode, measured: dict[str, Any], required: tuple[Required, ...]) -> list[str]:
    """The same claims on at least three more seeds, of the code that is stored, the worst of them passing."""
    course, complaints = notebook.metadata["course"], []
    if measured["code_hash"] != course["code_hash"]:
        complaints.append("was measured with other code than the stored notebook's: make seeds")
    if measured["profile"] != "full":
        complaints.append(f"was measured in the {measured['profile']} profile")
    for claim in required:
        record = measured["claims"].get(claim.id)
        if record is None:
            complaints.append(f"{claim.id} is not there")
            continue
        complaints += _bar(claim, record)
        others = {run["seed"] for run in record["runs"]} - {course["seed"]}
        if len(others) < 3:
            complaints.append(f"{claim.id} has {len(others)} seeds beside the notebook's own; it takes 3")
        values = [run["measured"] for run in record["runs"] if run["measured"] is not None]
        worst = max(values, default=math.inf) if claim.op.startswith("<") else min(values, default=-math.inf)
        if claim.kind == "trained" and abs(claim.bound - worst) < max(values, default=0) - min(values, default=0):
            complaints.append(f"{claim.id}: the worst seed, {worst}, is nearer to the bar than the seeds are apart")
        for run in record["runs"]:
            if not (run["judged"] and run["holds"] and _passes(run["measured"], claim)):
                complaints.append(f"{claim.id} does not hold with seed {run['seed']}: {run['measured']}")
    return complaints


def _bar(claim: Required, record: dict[str, Any]) -> list[str]:
    looser = record["bound"] > claim.bound if claim.op.startswith("<") else record["bound"] < claim.bound
    if record["op"].rstrip("=") != claim.op.rstrip("=") or record["kind"] != claim.kind or looser:
        stored = f"{record['kind']} {record['op']} {record['bound']}"
        return [f"{claim.id} is {stored}; required: {claim.kind} {claim.op} {claim.bound}"]
    return []


def _passes(measured: float | None, claim: Required) -> bool:
    if measured is None or not math.isfinite(measured):
        return False
    return measured <= claim.bound if claim.op.startswith("<") else measured >= claim.bound
