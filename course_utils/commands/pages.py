"""Make what is generated: the tables of README and START_HERE, the gallery, and CLAIMS.md."""

from __future__ import annotations

import argparse
import base64
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.commands.shared import notebooks, specs
from course_utils.commands.shared.records import Entry, read_claims
from course_utils.errors import InputError

if TYPE_CHECKING:
    import nbformat

__all__ = ["claims_page", "gallery", "generated", "main", "replace_between", "superfluous"]

_CLAIMS = """
# Claims

A sentence with a number in it is a claim, and the notebook checks it in the run that you see. These are the measured
values of the stored runs, beside their bars. `benchmarks/seeds/` holds every lecture's claims on three more seeds, and
the worst of them passes too. `make pages` made this page.
""".strip()


def main(arguments: list[str]) -> int:
    """``python -m course_utils pages [--check]``: write what is generated, or say what is not as it should be."""
    parser = argparse.ArgumentParser("course_utils pages", description="Make the generated tables, pages and pictures.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is not as it should be")
    options = parser.parse_args(arguments)
    pages = generated()
    changed = [path for path, content in pages.items() if not path.is_file() or path.read_bytes() != content]
    old = superfluous(pages)
    if options.check:
        for path in changed + old:
            print(f"{notebooks.relative(path)}: not as it should be; run `make pages`")
        return int(bool(changed + old))
    for path in changed:
        notebooks.write_bytes(path, pages[path])
        print(f"{notebooks.relative(path)}: written")
    for path in old:  # after the others are written
        path.unlink()
        print(f"{notebooks.relative(path)}: removed, no figure gives it")
    print(f"{len(pages)} files, {len(changed) + len(old)} of them changed.")
    return 0


def generated() -> dict[Path, bytes]:
    """Path → content of every file that is made out of the stored lectures and their specs; nothing is written.

    Raises:
        InputError: if README.md or START_HERE.md lacks the marks between which a table stands.
    """
    course = notebooks.root()
    lectures = notebooks.find([], ["notebooks"])
    texts, pictures = gallery(lectures, course / "notebooks" / "gallery")
    tables = {
        "README.md": {"notebooks": _notebooks_table(lectures), "gallery": texts},
        "START_HERE.md": {"notebooks": _start_table(lectures)},
    }
    pages = {**pictures, course / "CLAIMS.md": claims_page(lectures).encode()}
    for name, parts in tables.items():
        text = (course / name).read_text(encoding="utf-8")
        for part, table in parts.items():
            text = replace_between(text, part, table, name)
        pages[course / name] = text.encode()
    return pages


def superfluous(pages: Iterable[Path]) -> list[Path]:
    """The pictures in the gallery that this command made once and that are not among ``pages``."""
    pictures = sorted((notebooks.root() / "notebooks" / "gallery").glob("*.png"))
    return [path for path in pictures if re.fullmatch(r"\d\d-\d+\.png", path.name) and path not in set(pages)]


def claims_page(lectures: Iterable[Path]) -> str:
    """CLAIMS.md: for each lecture a table with a row per claim."""
    parts = [_CLAIMS]
    for path in lectures:
        parts += [f"## {_title(notebooks.read(path), path)}", _claims_table(read_claims([path]))]
    return "\n\n".join(parts) + "\n"


def gallery(lectures: Iterable[Path], folder: Path) -> tuple[str, dict[Path, bytes]]:
    """Pictures of the lectures: every figure whose cell is tagged ``gallery``.

    Args:
        lectures: the stored lectures.
        folder: where the pictures go, as ``NN-1.png``, ``NN-2.png``, …

    Returns:
        Markdown, one image per figure, with the figure's own alternative text; and path → content of the pictures.
    """
    lines, pictures = [], {}
    for path in lectures:
        tagged = [cell for cell in notebooks.read(path).cells if "gallery" in cell.metadata.get("tags", [])]
        figures = [o for cell in tagged for o in cell.outputs if "image/png" in o.get("data", {})]
        for number, figure in enumerate(figures, 1):
            picture = folder / f"{path.stem[:2]}-{number}.png"
            pictures[picture] = base64.b64decode(figure.data["image/png"])
            alt = figure.metadata.get("image/png", {}).get("alt", "")
            lines.append(f"![{alt}]({notebooks.relative(picture)})")
    return "\n\n".join(lines), pictures


def replace_between(text: str, name: str, table: str, file: str = "README.md") -> str:
    """``text`` with what stands between ``<!-- name:begin -->`` and ``<!-- name:end -->`` replaced.

    Raises:
        InputError: if the two marks are not there, in this order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, opened, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise InputError(f"{file} lacks the marks {begin} and {end}; put them where the table should stand.")
    return f"{before}{begin}\n{table}\n{end}{after}"


def _claims_table(entries: Iterable[Entry]) -> str:
    """What was promised, measured, the bar, where the bar comes from."""
    rows = ["| claim | what was measured | measured | bar | where the bar comes from | |", "|---|---|---|---|---|---|"]
    for entry in entries:
        claim = entry.claim
        name = f"[`{claim.id}`]({notebooks.relative(entry.path)})"
        bar = claim.bar + (f" (stretch {claim.stretch:g})" if claim.stretch is not None else "")
        rows.append(_row([name, claim.text, f"**{claim.value}**", bar, claim.source, claim.verdict]))
    return "\n".join(rows)


def _notebooks_table(lectures: Iterable[Path]) -> str:
    """README's row per lecture: what it asks, minutes measured, and the headline claim that its spec names."""
    tasks = specs.read_all()
    rows = ["| notebook | what it asks | minutes | headline claim |", "|---|---|---|---|"]
    for path in lectures:
        notebook = notebooks.read(path)
        record = notebook.metadata.get("course", {})
        headline = tasks[path.stem].headline if path.stem in tasks else None
        claim = next((entry.claim for entry in read_claims([path]) if entry.claim.id == headline), None)
        links = [f"[{_title(notebook, path)}]({notebooks.relative(path)})", *_twins(path).values()]
        minutes = f"{record['seconds'] / 60:.1f}" if "seconds" in record else "not executed yet"
        text = f"{claim.text}: **{claim.value}** (bar {claim.bar})" if claim else "none"
        rows.append(_row([" · ".join(links), _question(notebook), minutes, text]))
    return "\n".join(rows)


def _start_table(lectures: Iterable[Path]) -> str:
    """START_HERE's row per lecture: links to it, to its exercise and to its solution."""
    rows = ["| | lecture | exercise | solution |", "| --- | --- | --- | --- |"]
    for path in lectures:
        title = re.sub(r"^\d+\s*·\s*", "", _title(notebooks.read(path), path))
        twins = _twins(path)
        cells = [path.stem[:2], f"[{title}]({notebooks.relative(path)})"]
        rows.append(_row([*cells, twins.get("exercises", ""), twins.get("solutions", "")]))
    return "\n".join(rows)


def _twins(path: Path) -> dict[str, str]:
    """Folder → a link, for the exercise and the solution that a lecture has."""
    twins = {folder: path.parent.parent / folder / path.name for folder in ("exercises", "solutions")}
    return {
        folder: f"[{folder.removesuffix('s')}]({notebooks.relative(twin)})"
        for folder, twin in twins.items()
        if twin.is_file()
    }


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _title(notebook: nbformat.NotebookNode, path: Path) -> str:
    """The notebook's first heading, or its stem."""
    return notebooks.heading(notebook, 0) or path.stem


def _question(notebook: nbformat.NotebookNode) -> str:
    """The first sentence of the first markdown cells that ends in a question mark; empty when there is none."""
    for cell in [cell for cell in notebook.cells if cell.cell_type == "markdown"][:3]:
        text = re.sub(r"^#.*$", "", cell.source, flags=re.MULTILINE)
        text = re.sub(r"[*_>]+", "", " ".join(text.split()))
        match = re.search(r"(?:^|[.:!?]\s+)([^.:!?]{10,220}\?)", text)
        if match:
            return match[1].strip()
    return ""
