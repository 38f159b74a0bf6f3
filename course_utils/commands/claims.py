"""The claims of all notebooks, read out of their stored outputs, and the tables that the README shows of them."""

from __future__ import annotations

import argparse
import base64
import re
from collections.abc import Iterable
from pathlib import Path

import nbformat

from course_utils.commands.shared import notebooks
from course_utils.commands.shared.records import Entry, read_claims
from course_utils.errors import InputError

__all__ = ["claims_table", "gallery", "main", "notebooks_table", "replace_between"]


def claims_table(entries: Iterable[Entry]) -> str:
    """A Markdown table with a row per claim: what was promised, measured, the bar, where the bar comes from."""
    rows = ["| claim | what was measured | measured | bar | where the bar comes from | |", "|---|---|---|---|---|---|"]
    for entry in entries:
        claim = entry.claim
        name = f"[`{claim.id}`]({notebooks.relative(entry.path)})"
        bar = claim.bar + (f" (stretch {claim.stretch:g})" if claim.stretch is not None else "")
        cells = [name, claim.text, f"**{claim.value}**", bar, claim.source, claim.verdict]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def notebooks_table(paths: Iterable[Path]) -> str:
    """A Markdown table with a row per lecture: what it asks, minutes measured, and its headline claim.

    The headline is the claim that the notebook's metadata names as ``headline``; without one, the first that was
    trained, or else the first.
    """
    rows = ["| notebook | what it asks | minutes | headline claim |", "|---|---|---|---|"]
    for path in paths:
        notebook = notebooks.read(path)
        made = notebook.metadata.get("course", {})
        stored = [entry.claim for entry in read_claims([path])]
        wanted = notebook.metadata.get("headline")
        best = (
            next((claim for claim in stored if claim.id == wanted), None)
            or next((claim for claim in stored if claim.kind == "trained"), None)
            or next(iter(stored), None)
        )
        links = [f"[{title(notebook, path)}]({notebooks.relative(path)})"]
        for folder, word in (("exercises", "exercise"), ("solutions", "solution")):
            twin = path.parent.parent / folder / path.name
            if twin.is_file():
                links.append(f"[{word}]({notebooks.relative(twin)})")
        minutes = f"{made['seconds'] / 60:.1f}" if "seconds" in made else "not executed yet"
        headline = f"{best.text}: **{best.value}** (bar {best.bar})" if best else "none"
        cells = [" · ".join(links), question(notebook), minutes, headline]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def gallery(paths: Iterable[Path], folder: Path) -> str:
    """Pictures of the lectures for the README: every figure whose cell is tagged ``gallery``, written into ``folder``.

    Args:
        paths: the stored lectures.
        folder: emptied of older pictures, then filled with ``NN-1.png``, ``NN-2.png``, …

    Returns:
        Markdown, one image per figure, with the figure's own alternative text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    lines = []
    for path in paths:
        tagged = [cell for cell in notebooks.read(path).cells if "gallery" in cell.metadata.get("tags", [])]
        figures = [o for cell in tagged for o in cell.outputs if "image/png" in o.get("data", {})]
        for number, figure in enumerate(figures, 1):
            picture = folder / f"{path.stem[:2]}-{number}.png"
            picture.write_bytes(base64.b64decode(figure.data["image/png"]))
            alt = figure.metadata.get("image/png", {}).get("alt", "")
            lines.append(f"![{alt}]({notebooks.relative(picture)})")
    return "\n\n".join(lines)


def title(notebook: nbformat.NotebookNode, path: Path) -> str:
    """The notebook's first heading, or its stem."""
    return notebooks.heading(notebook, 0) or path.stem


def question(notebook: nbformat.NotebookNode) -> str:
    """The first sentence of the first markdown cells that ends in a question mark; empty when there is none."""
    for cell in [cell for cell in notebook.cells if cell.cell_type == "markdown"][:3]:
        text = re.sub(r"^#.*$", "", cell.source, flags=re.MULTILINE)
        text = re.sub(r"[*_>]+", "", " ".join(text.split()))
        found = re.search(r"(?:^|[.:!?]\s+)([^.:!?]{10,220}\?)", text)
        if found:
            return found[1].strip()
    return ""


def replace_between(text: str, name: str, table: str) -> str:
    """``text`` with what stands between ``<!-- name:begin -->`` and ``<!-- name:end -->`` replaced.

    Raises:
        InputError: if the two marks are not there, in this order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise InputError(f"README.md lacks the marks {begin} and {end}; put them where the table should stand.")
    return f"{before}{begin}\n{table}\n{end}{after}"


def main(arguments: list[str]) -> int:
    """``python -m course_utils claims``: a table of all claims; ``--readme`` writes the README's tables and gallery."""
    parser = argparse.ArgumentParser("course_utils claims", description="The claims of all stored notebooks.")
    parser.add_argument("notebook", nargs="*", help="number, stem or path; all lectures when left out")
    parser.add_argument("--readme", action="store_true", help="write the README's tables and its gallery")
    options = parser.parse_args(arguments)
    lectures = notebooks.find(options.notebook, ["notebooks"])
    entries = read_claims(lectures)
    if not options.readme:
        for entry in entries:
            print(f"{entry.path.stem[:2]} {entry.claim}")
        print(f"{len(entries)} claims, {sum(e.claim.verdict == 'holds' for e in entries)} of them judged and holding.")
        return 0
    if options.notebook:
        raise InputError("--readme writes the tables of all notebooks; name none.")
    readme = notebooks.root() / "README.md"
    text = replace_between(readme.read_text(encoding="utf-8"), "claims", claims_table(entries))
    text = replace_between(text, "gallery", gallery(lectures, notebooks.root() / "notebooks" / "gallery"))
    notebooks.write_text(readme, replace_between(text, "notebooks", notebooks_table(lectures)))
    print(f"README.md: {len(lectures)} notebooks, {len(entries)} claims")
    return 0
