"""Make the exercises from the solutions, with nbgrader's own preprocessors.

``make release`` and ``nbgrader generate_assignment`` run the same preprocessors in the same order on the same file,
so they give the same exercise byte for byte. Before that, a solution is inspected: what nbgrader would get wrong in
silence, or report with a stack trace, becomes one line that names the notebook and the cell.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import Preprocessor
from traitlets import Bool

from course_utils.commands.shared import notebooks
from course_utils.errors import InputError

__all__ = ["MarkChecks", "inspect", "main", "make"]

_BEGIN, _END = "BEGIN SOLUTION", "END SOLUTION"


class MarkChecks(Preprocessor):
    """The course's own step of a release; ``nbgrader_config.py`` names it, after ``ClearOutput``.

    * Check cells get Jupyter's tag ``raises-exception``: Run All goes on past a gap that is still open.
    * A variable's gap keeps one ``...``: the stub that stands below ``answer = ...`` goes.
    * Cells tagged ``solution-only`` go: the text that explains an answer.
    * What the solution's outputs were made with goes, as the outputs do.
    """

    enabled = Bool(True, help="Whether check cells are marked.").tag(config=True)

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple[nbformat.NotebookNode, dict]:
        """Change ``nb`` in place; both arguments are handed back, as nbconvert asks."""
        for name in ("course", "widgets"):
            nb.metadata.pop(name, None)
        nb.cells = [cell for cell in nb.cells if "solution-only" not in cell.metadata.get("tags", [])]
        for cell in nb.cells:
            if _grader(cell, "grade") and cell.cell_type == "code":
                tags = [tag for tag in cell.metadata.get("tags", []) if tag != "raises-exception"]
                cell.metadata["tags"] = [*tags, "raises-exception"]
            if _grader(cell, "solution") and cell.cell_type == "code":
                cell.source = re.sub(
                    r"^(\w+(?:\s*:[^=\n]+)?\s*=\s*\.\.\.[^\n]*)\n\.\.\.$", r"\1", cell.source, flags=re.M
                )
        return nb, resources


def inspect(notebook: nbformat.NotebookNode, name: str) -> None:
    """Whether an exercise can be made of this solution.

    Args:
        notebook: the solution.
        name: what to call it in a message.

    Raises:
        InputError: one line that names the cell: a region that is not closed, not opened or nested; a region in a
            cell that nbgrader does not know as a solution; a gap that is neither the body of a function nor a
            variable set to ``...`` above the region; a grade_id used twice; a check without points.
    """
    seen: dict[str, int] = {}
    for number, cell in enumerate(notebook.cells, 1):
        where = f"{name}, cell {number}"
        if not isinstance(cell.metadata.get("nbgrader", {}), dict):
            raise InputError(f"{where}: its metadata nbgrader is {cell.metadata.nbgrader!r}; remove it.")
        identity = cell.metadata.get("nbgrader", {}).get("grade_id")
        if identity is not None and identity in seen:
            raise InputError(
                f'{where}: grade_id "{identity}" is used in cell {seen[identity]} already; choose another.'
            )
        seen[identity] = number
        if _grader(cell, "grade") and not float(cell.metadata.nbgrader.get("points", 0)) > 0:
            raise InputError(f'{where}: the check "{identity}" has no points; set nbgrader.points in its metadata.')
        regions = _regions(cell, where)
        if regions and not _grader(cell, "solution"):
            raise InputError(f'{where}: a solution region in a cell whose metadata lacks nbgrader "solution": true.')
        if not regions and _grader(cell, "solution") and cell.cell_type == "code":
            raise InputError(
                f"{where}: a solution cell without a region; put its answer between ### BEGIN SOLUTION"
                " and ### END SOLUTION."
            )
    if any(_grader(cell, "solution") for cell in notebook.cells) and not any(
        _grader(cell, "grade") for cell in notebook.cells
    ):
        raise InputError(f"{name}: there are gaps and no check with points; add check cells.")


def make(path: Path, config: Path | None = None) -> str:
    """The text of the exercise that the solution at ``path`` gives.

    Args:
        path: the solution notebook.
        config: nbgrader's configuration; by default the course's ``nbgrader_config.py``.

    Raises:
        InputError: if nbgrader is not installed or the solution cannot be released; see :func:`inspect`.
    """
    try:
        from nbgrader.converters import GenerateAssignment
        from nbgrader.nbgraderformat import MetadataValidator, ValidationError
    except ImportError:
        install = f'"{sys.executable}" -m pip install -c constraints.txt -e ".[instructors]"'
        raise InputError(f"Exercises are made with nbgrader. In the course's folder: {install}") from None
    notebook = notebooks.read(path)
    inspect(notebook, notebooks.relative(path))
    try:
        MetadataValidator().validate_nb(notebook)
    except (ValidationError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{notebooks.relative(path)}: nbgrader does not accept its metadata: {reason}") from None
    settings = _settings(config or notebooks.root() / "nbgrader_config.py")
    settings.SaveCells.enabled = False  # a release needs no gradebook
    converter = GenerateAssignment(config=settings)
    exporter = converter.exporter_class(config=converter.config)
    for preprocessor in converter.preprocessors:
        exporter.register_preprocessor(preprocessor)
    resources = {"nbgrader": {"notebook": path.stem, "assignment": path.stem, "student": ".", "db_url": ""}}
    text, _ = exporter.from_notebook_node(notebook, resources)
    _parses(nbformat.reads(text, as_version=4), notebooks.relative(path))
    return str(text)


def main(arguments: list[str]) -> int:
    """``python -m course_utils release [02 …] [--check]``: write the exercises, or say which have drifted.

    Returns:
        1 when an exercise is not, or not now, what its solution gives; else 0.
    """
    parser = argparse.ArgumentParser("course_utils release", description="Make the exercises from the solutions.")
    parser.add_argument("notebook", nargs="*", help="number, stem or path of a solution; all when left out")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if an exercise is not what it should be"
    )
    parser.add_argument("--force", action="store_true", help="overwrite an exercise even if somebody has worked in it")
    options = parser.parse_args(arguments)
    course, drifted = notebooks.root(), []
    solutions = notebooks.find(options.notebook, ["solutions"])
    for path in solutions:
        text, target = make(path), course / "exercises" / path.name
        if target.is_file() and target.read_bytes() == text.encode():
            print(f"{notebooks.relative(target)}: as it should be")
        elif options.check:
            drifted.append(target)
            print(f"{notebooks.relative(target)}: not what its solution gives; run `make release`")
        elif not options.force and _is_worked_on(target):
            drifted.append(target)
            print(f"{notebooks.relative(target)}: somebody has worked in it; kept. Move it away, or add --force")
        else:
            notebooks.write_text(target, text)
            print(f"{notebooks.relative(target)}: written")
    if not options.notebook:
        stems = {path.stem for path in solutions}
        for path in (p for p in notebooks.find([], ["exercises"]) if p.stem not in stems):
            drifted.append(path)
            print(f"{notebooks.relative(path)}: has no solution in solutions/; delete it, or add its solution")
    return 1 if drifted else 0


def _settings(path: Path) -> Any:
    from traitlets.config import PyFileConfigLoader

    if not path.is_file():
        raise InputError(f"{path} is missing; it tells nbgrader how to make an exercise. Restore it from git.")
    return PyFileConfigLoader(path.name, str(path.parent)).load_config()


def _is_worked_on(exercise: Path) -> bool:
    """Whether cells were run in an exercise, which a release leaves without outputs."""
    if not exercise.is_file():
        return False
    cells = [cell for cell in notebooks.read(exercise).cells if cell.cell_type == "code"]
    return any(cell.outputs or cell.execution_count is not None for cell in cells)


def _grader(cell: nbformat.NotebookNode, role: str) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get(role, False))


def _regions(cell: nbformat.NotebookNode, where: str) -> int:
    """The number of solution regions in a cell, each well formed and a gap of one of the two kinds."""
    opened, count = 0, 0
    lines = cell.source.splitlines()
    for number, line in enumerate(lines, 1):
        if _BEGIN in line:
            if opened:
                raise InputError(
                    f"{where}, line {number}: a solution region inside the one of line {opened}; close that."
                )
            opened, count = number, count + 1
            variable = any(re.match(r"\w+(\s*:[^=]+)?\s*=\s*\.\.\.", above) for above in lines[: number - 1])
            if cell.cell_type == "code" and not line.startswith((" ", "\t")) and not variable:
                raise InputError(
                    f"{where}, line {number}: a gap is the body of a function, or a variable set to `...` above it."
                )
        elif _END in line:
            if not opened:
                raise InputError(f"{where}, line {number}: END SOLUTION without a BEGIN SOLUTION above it.")
            opened = 0
    if opened:
        raise InputError(f"{where}, line {opened}: the solution region is never closed; add ### END SOLUTION.")
    return count


def _parses(exercise: nbformat.NotebookNode, name: str) -> None:
    """Every gap leaves code that can be run, and leaves a gap."""
    for number, cell in enumerate(exercise.cells, 1):
        if cell.cell_type != "code" or not _grader(cell, "solution"):
            continue
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            raise InputError(f"{name}, cell {number}: without its solution it does not parse: {error.msg}.") from None
        if "..." not in cell.source:
            raise InputError(
                f"{name}, cell {number}: a solution cell without a gap; add a region or drop its metadata."
            )
