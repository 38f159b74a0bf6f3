"""What works here, and what to do about what does not.

Nothing here imports torch into this process: a broken torch is what the page is for.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CHECKS", "Finding", "data_state", "examine", "main", "report"]

INSTALL = f'"{sys.executable}" -m pip install -c constraints.txt -e .'


@dataclass(frozen=True)
class Finding:
    """One line of the page: what was looked at, whether it works, in which state it is, what to do if it does not."""

    name: str
    works: bool
    state: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{'ok' if self.works else '!!'}  {self.name:<12}{self.state}"
        return f"{line}\n    {'':<12}→ {self.advice}" if self.advice else line


def main(arguments: list[str]) -> int:
    """Print the page; 0 if everything that the course needs works, else 1."""
    argparse.ArgumentParser("course_utils doctor", description=__doc__).parse_args(arguments)
    with ThreadPoolExecutor() as pool:  # each check waits for a Python of its own
        findings = list(pool.map(examine, CHECKS))
    print(report(findings))
    return int(any(not finding.works for finding in findings))


def examine(name: str) -> Finding:
    """Run one check; a check that itself breaks is a finding too."""
    try:
        return CHECKS[name]()
    except Exception as error:
        return Finding(name, False, f"{type(error).__name__}: {error}", f"Install again: {INSTALL}")


def report(findings: list[Finding]) -> str:
    """The findings as one page, closed by a sentence."""
    broken = [finding.name for finding in findings if not finding.works]
    closing = f"To mend: {', '.join(broken)}." if broken else "Everything the course needs works."
    return "\n".join(["What works here", "", *map(str, findings), "", closing])


def _python() -> Finding:
    state = f"{platform.python_version()} in {sys.prefix}"
    right = (3, 11) <= sys.version_info[:2] < (3, 14)
    advice = "" if right else "The course needs Python 3.11, 3.12 or 3.13: install one and make the environment anew."
    return Finding("Python", right, state, advice)


def _torch() -> Finding:
    code, output, error = _elsewhere("import torch; print(torch.__version__); torch.ones(2) @ torch.ones(2)")
    if code != 0:
        return Finding("torch", False, error, f"Install again: {INSTALL}")
    return Finding("torch", True, output.strip())


def _torchvision() -> Finding:
    code, _, error = _elsewhere("from course_utils.data._torchvision import load; load()")
    if code != 0:
        return Finding("torchvision", False, error, f"Install again: {INSTALL}")
    return Finding("torchvision", True, f"{_version('torchvision')}, fits torch {_version('torch')}")


def _device() -> Finding:
    code, output, error = _elsewhere(
        "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else "
        "'Apple GPU (mps)' if torch.backends.mps.is_available() else 'none, and none is needed: the CPU does')"
    )
    return Finding("GPU", code == 0, output.strip() if code == 0 else error, "" if code == 0 else "Mend torch first.")


def _jupyterlab() -> Finding:
    return _needs("JupyterLab", "jupyterlab", "jupyterlab", "from jupyterlab.labapp import LabApp")


def _kernel() -> Finding:
    code = "from jupyter_client.kernelspec import KernelSpecManager as M; print(M().get_kernel_spec('python3').argv[0])"
    status, _, error = _elsewhere(code)
    version = _version("ipykernel")
    works = status == 0 and version is not None
    return Finding("kernel", works, f"ipykernel {version}" if works else error, "" if works else f"Install: {INSTALL}")


def _widgets() -> Finding:
    finding = _needs("widgets", "ipywidgets", "ipywidgets", "import ipywidgets, anywidget")
    extensions = Path(sys.prefix) / "share/jupyter/labextensions"
    halves = {"jupyterlab-widgets": "@jupyter-widgets/jupyterlab-manager", "anywidget": "anywidget"}
    missing = [package for package, folder in halves.items() if not (extensions / folder).is_dir()]
    if finding.works and missing:
        advice = f'"{sys.executable}" -m pip install --force-reinstall --no-deps {" ".join(missing)}'
        return Finding("widgets", False, f"{finding.state}, but JupyterLab's half of it is missing", advice)
    return finding


def _nbgrader() -> Finding:
    version = _version("nbgrader")
    if version is None:
        install = f'"{sys.executable}" -m pip install -c constraints.txt -e ".[instructors]"'
        return Finding("nbgrader", True, f"not installed; only instructors need it ({install})")
    return _needs("nbgrader", "nbgrader", "nbgrader", "import nbgrader")


def _data() -> Finding:
    code, output, error = _elsewhere("from course_utils.commands.doctor import data_state; print(data_state())")
    if code != 0:
        return Finding("data", False, error, "Mend this first; then `make data` fetches what is missing.")
    if "damaged" in output:
        return Finding("data", False, output.strip(), "Put a good copy in its place, or delete it and run `make data`.")
    advice = "`make data` fetches what is missing; until then a stand-in takes its place." if "none" in output else ""
    return Finding("data", True, output.strip(), advice)


def _cache() -> Finding:
    code, output, error = _elsewhere("from course_utils.data.folders import cache_folder; print(cache_folder())")
    if code != 0:
        return Finding("cache", False, error, "Mend torch and torchvision first.")
    folder = Path(output.strip())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Finding("cache", True, f"{folder} can be written")
    except OSError as error:
        advice = "Let COURSE_CACHE name a folder that can be written; until then every session downloads anew."
        return Finding("cache", False, f"{folder}: {error.strerror}", advice)


def data_state() -> str:
    """Which data sets are on this machine, verified, and from which source; nothing is downloaded."""
    from course_utils.data.catalogue import FileSet, known
    from course_utils.data.sources import survey

    return "; ".join(f"{data.title}: {survey(data)}" for data in known(FileSet).values())


CHECKS: dict[str, Callable[[], Finding]] = {
    "Python": _python,
    "torch": _torch,
    "torchvision": _torchvision,
    "GPU": _device,
    "data": _data,
    "cache": _cache,
    "JupyterLab": _jupyterlab,
    "kernel": _kernel,
    "widgets": _widgets,
    "nbgrader": _nbgrader,
}


def _needs(name: str, distribution: str, module: str, code: str) -> Finding:
    status, _, error = _elsewhere(code)
    if status != 0:
        return Finding(name, False, error, f"Install: {INSTALL}")
    return Finding(name, True, f"{module} {_version(distribution)}")


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _elsewhere(code: str) -> tuple[int, str, str]:
    """Run code in a Python of its own; status, what it printed, and the last line of its complaint."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        errors="replace",
        capture_output=True,
        timeout=120,
        check=False,
    )
    complaint = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    last = complaint[-1] if complaint else f"stopped with status {done.returncode}"
    return done.returncode, done.stdout, last.removeprefix("course_utils.errors.")
