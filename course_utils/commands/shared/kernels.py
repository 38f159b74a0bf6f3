"""Executing a notebook without a browser: one line per cell, then a page to look at, or the outputs stored in place."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from course_utils.commands.shared import notebooks, specs, stamps
from course_utils.errors import CourseError

__all__ = ["ExecutionError", "execute", "store", "took"]

_ASK = """
import platform, sys
from importlib.metadata import version
from IPython import get_ipython
from course_utils import runtime
data = sys.modules.get("course_utils.data")
get_ipython().display_pub.publish({"application/json": {
    "profile": runtime.current().profile,
    "seed": runtime.current().seed,
    "data": sorted(set(data.loaded_sources())) if data else [],
    "versions": {"python": platform.python_version()}
    | {name: version(name).split("+")[0] for name in ("torch", "torchvision", "numpy", "course_utils")},
}})
"""
_ASK_ASIDE = f"import builtins as _builtins\n_builtins.exec({_ASK!r}, {{}})"
"""Asked in names of its own, past those of the notebook, which may have another ``print`` or ``sorted``."""


class ExecutionError(CourseError):
    """A notebook stopped, or said something that must not be stored; the message names the cell."""


class _ThisPython(KernelSpecManager):
    """Knows one kernel: the Python that runs this command, whatever else is installed on the machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(
            argv=argv,
            display_name="Python 3 (ipykernel)",
            language="python",
            metadata={"supported_encryption": "curve"},
        )


class _Client(NotebookClient):
    def create_kernel_manager(self) -> AsyncKernelManager:
        self.km = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=_ThisPython(),
            transport_encryption="auto",  # without it the kernel warns on this command's stderr
            config=self.config,
        )
        return self.km


def execute(
    path: Path,
    *,
    environment: dict[str, str] | None = None,
    forgive: Sequence[str] = (),
    say: Callable[[str], Any] = lambda text: print(text, end="", flush=True),
    notebook: nbformat.NotebookNode | None = None,
) -> nbformat.NotebookNode:
    """Execute the notebook at ``path`` in a kernel of its own, in the notebook's folder; the file is not written.

    Args:
        path: the notebook.
        environment: variables set for the kernel, over those of this process.
        forgive: names of exceptions at which the notebook goes on (as at a cell tagged ``raises-exception``).
        say: told the progress, one line per cell, in two pieces.
        notebook: filled with the outputs as they come; by default a fresh copy of what the file holds.

    Returns:
        The notebook with outputs and, in ``metadata["course"]``, what they were made with.

    Raises:
        ExecutionError: if a cell raises or the kernel dies; the message names notebook, cell, heading and error.
    """
    notebook = notebook or notebooks.read(path)
    definitions = stamps.definitions(notebook)  # as they are now: a long run may outlast them
    kept = {name: notebook.metadata[name] for name in ("kernelspec", "language_info") if name in notebook.metadata}
    client = _Client(
        notebook,
        timeout=None,
        iopub_timeout=60,
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        allow_error_names=list(forgive),
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    seconds = 0.0
    with client.setup_kernel(env=os.environ | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"} | (environment or {})):
        for number, index in enumerate(code, 1):
            say(f"[{number:{len(str(len(code)))}}/{len(code)}] {_label(notebook, index)} … ")
            started = time.perf_counter()
            try:
                client.execute_cell(notebook.cells[index], index)
            except (CellExecutionError, DeadKernelError) as error:
                say("stopped\n")
                raise ExecutionError(f"{_where(path, notebook, index)}: {_reason(error)}") from None
            seconds += time.perf_counter() - started
            say(f"{time.perf_counter() - started:.1f} s\n")
        made = _ask(client, notebook)
    notebook.metadata.update(kept)
    notebook.metadata["course"] = {
        "profile": made["profile"],
        "seed": made["seed"],
        "data": made["data"],
        "seconds": round(seconds, 1),
        "versions": made["versions"],
        "code_hash": stamps.code_hash(notebook),
        "definitions": definitions,
    }
    return notebook


def store(path: Path, *, environment: dict[str, str] | None = None) -> nbformat.NotebookNode:
    """Execute ``path`` and write its outputs and metadata into the file; on any failure the file stays as it was.

    Raises:
        ExecutionError: as :func:`execute`; also if the file changed meanwhile, or an output holds stderr, a warning
            say, or a path of this machine.
    """
    before = path.read_bytes()
    notebook = execute(path, environment=environment)
    if path.read_bytes() != before:
        raise ExecutionError(f"{notebooks.relative(path)} was saved by somebody else while it ran; execute it again.")
    notebooks.clean(notebook)
    own = {str(notebooks.root()), str(Path.home()), os.environ.get("COURSE_DATA") or os.devnull, sys.prefix}
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text = str(output.get("text", "")) + str([data[mime] for mime in data if not mime.startswith("image/png")])
            if output.output_type == "stream" and output.name == "stderr":
                first = (output.text.strip().splitlines() or [""])[0]
                raise ExecutionError(f"{_where(path, notebook, index)} wrote to stderr, which is not stored: {first}")
            here = next((folder for folder in own if len(folder) > 1 and folder in text), None)
            if here:
                raise ExecutionError(f"{_where(path, notebook, index)} shows a path of this machine, {here}.")
    notebooks.write(notebook, path)
    return notebook


def _ask(client: NotebookClient, notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """What the live kernel knows of the run, asked in a cell that is not kept."""
    question = nbformat.v4.new_code_cell(_ASK_ASIDE)
    notebook.cells.append(question)
    try:
        client.execute_cell(question, len(notebook.cells) - 1, store_history=False)
    except (CellExecutionError, DeadKernelError) as error:
        raise ExecutionError(f"The kernel could not say what it ran: {_reason(error)}") from None
    finally:
        notebook.cells.pop()
    answers = [output.data["application/json"] for output in question.outputs if output.output_type == "display_data"]
    if not answers:
        raise ExecutionError("The kernel did not say what it ran; does the notebook replace IPython's display?")
    return dict(answers[-1])


def _label(notebook: nbformat.NotebookNode, index: int) -> str:
    """The heading a cell stands under, or its first line when there is none, shortened to a line."""
    first = next(line.strip() for line in notebook.cells[index].source.splitlines() if line.strip())
    label = notebooks.heading(notebook, index) or first
    return label if len(label) <= 70 else label[:69] + "…"


def _where(path: Path, notebook: nbformat.NotebookNode, index: int) -> str:
    under = notebooks.heading(notebook, index)
    return f"{notebooks.relative(path)}, cell {index + 1}" + (f" (“{under}”)" if under else "")


def _reason(error: CellExecutionError | DeadKernelError) -> str:
    if isinstance(error, DeadKernelError):
        return "the kernel died; was the memory used up?"
    text = re.sub(r"\x1b\[[0-9;]*m", "", f"{error.ename}: {error.evalue}")
    return (text.strip().splitlines() or ["an error without a message"])[0][:400]


def took(path: Path, notebook: nbformat.NotebookNode) -> str:
    """How long a notebook took, beside what it may take, in a line."""
    made = notebook.metadata["course"]
    allowed = specs.budget(path, made["profile"])
    verdict = (
        "" if allowed == float("inf") else f", {'within' if made['seconds'] <= allowed else 'OVER'} its {allowed:g} s"
    )
    return f"{made['seconds']:g} s{verdict} ({made['profile']}, seed {made['seed']})"
