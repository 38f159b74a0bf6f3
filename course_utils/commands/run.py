"""Execute one notebook and write an HTML page into build/."""

from __future__ import annotations

import argparse
from pathlib import Path

import nbformat

from course_utils.commands.shared import notebooks, pages
from course_utils.commands.shared.kernels import ExecutionError, execute, took

__all__ = ["main", "page"]


def main(arguments: list[str]) -> int:
    """``python -m course_utils run 02``: execute a notebook with a line per cell and write a page into ``build/``."""
    parser = argparse.ArgumentParser("course_utils run", description="Execute a notebook, write a page into build/.")
    parser.add_argument("notebook", nargs="?", help="number or stem of a lecture, or the path of any notebook")
    path = notebooks.one(parser.parse_args(arguments).notebook)  # the lecture, when there is one
    notebook = notebooks.read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []  # the page shows this run alone
    notebook = pages.plain(notebook, notebooks.relative(path))
    print(notebooks.relative(path))
    failure: ExecutionError | None = None
    try:
        execute(path, notebook=notebook)
    except ExecutionError as error:
        failure = error
    print(took(path, notebook) if failure is None else failure)
    print(f"Page: {notebooks.relative(page(notebook, path))}")
    return 0 if failure is None else 1


def page(notebook: nbformat.NotebookNode, path: Path) -> Path:
    """Write the notebook as an HTML page into the course's ``build/`` and return where."""
    from nbconvert import HTMLExporter

    suffix = {"solutions": "_solution", "exercises": "_exercise"}.get(path.resolve().parent.name, "")
    target = notebooks.root() / "build" / f"{path.stem}{suffix}.html"
    notebooks.write_text(target, pages.html(notebook, path.stem, HTMLExporter))
    return target
