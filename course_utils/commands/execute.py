"""Execute notebooks in place, full and strict, and store the outputs."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from course_utils.commands.shared import notebooks
from course_utils.commands.shared.kernels import ExecutionError, execute, store, took
from course_utils.commands.shared.records import read_league

if TYPE_CHECKING:
    import nbformat

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """``python -m course_utils execute [02 …]``: execute lectures and solutions in place, in full and strict."""
    parser = argparse.ArgumentParser("course_utils execute", description="Execute lectures and solutions in place.")
    parser.add_argument("notebook", nargs="*", help="number, stem or path; all lectures and solutions when left out")
    parser.add_argument("--quick", action="store_true", help="try it out in the quick profile; nothing is stored")
    options = parser.parse_args(arguments)
    os.environ.pop("COURSE_SEED", None)  # what is stored is made with the notebook's own seed
    if not options.quick:
        os.environ.setdefault("COURSE_STRICT", "1")
    environment = {"COURSE_PROFILE": "quick" if options.quick else "full"}
    action = execute if options.quick else store
    failed = False
    for path in notebooks.find(options.notebook, notebooks.EXECUTED):
        print(notebooks.relative(path))
        try:
            notebook = action(path, environment=environment)
            print(took(path, notebook))
            if not options.quick:
                _keep_league(notebook)
        except ExecutionError as error:
            failed = True
            print(f"{error}\nThe stored file is untouched.")
    return 1 if failed else 0


def _keep_league(notebook: nbformat.NotebookNode) -> None:
    """Write the league of samples where later lectures read it, if this notebook has measured one."""
    if record := read_league(notebook):
        from course_utils.metrics import league_path

        path = league_path()
        notebooks.write_text(path, json.dumps(record, indent=1) + "\n")
        print(f"{notebooks.relative(path)}: written")
