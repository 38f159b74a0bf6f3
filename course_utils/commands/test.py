"""Unit tests, style, types, and every notebook executed: one pytest run over tests and notebooks."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from course_utils.commands.shared.notebooks import FOLDERS, root
from course_utils.errors import InputError

__all__ = ["environment", "main", "parts"]


def main(arguments: list[str]) -> int:
    """``python -m course_utils test``: run every part, even after one has failed; 1 if any has.

    Raises:
        InputError: if pytest and its company are not installed.
    """
    parser = argparse.ArgumentParser("course_utils test", description="Test the course and execute its notebooks.")
    parser.add_argument("--full", action="store_true", help="the full profile, every claim judged")
    parser.add_argument("--workers", type=int, help="how many tests and notebooks run side by side")
    options = parser.parse_args(arguments)
    course, cores = root(), _cores()
    workers = options.workers or max(2, min(cores, 4))
    variables = environment(full=options.full, threads=max(1, cores // workers))
    failed = []
    for name, command in parts(course, workers).items():
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        status = subprocess.run([sys.executable, "-m", *command], cwd=course, env=variables, check=False).returncode
        missing = _missing(command[0]) if status else ""
        if missing:
            raise InputError(missing)
        if status:
            failed.append(name)
            print(f"{name}: failed ({time.monotonic() - started:.0f} s)", flush=True)
    if failed:
        print(f"\nNot right: {', '.join(failed)}.", file=sys.stderr)
    return int(bool(failed))


def parts(course: Path, workers: int) -> dict[str, list[str]]:
    """What is run, each as the arguments after ``python -m``; pytest last, so that its closing line is."""
    where = [name for name in ("tests", *FOLDERS) if (course / name).is_dir()]
    side_by_side = ["-n", str(workers), "--dist", "loadscope"]
    nbval = ["--nbval-lax", "--nbval-current-env", "--nbval-kernel-startup-timeout", "180"]
    return {
        "style (ruff check)": ["ruff", "check", "."],
        "layout (ruff format)": ["ruff", "format", "--check", "."],
        "types (mypy)": ["mypy"],
        "tests and notebooks (pytest)": ["pytest", *side_by_side, *nbval, "-m", "not browser", *where],
    }


def environment(*, full: bool, threads: int) -> dict[str, str]:
    """The variables of a test run: the profile, and CPU threads shared fairly; what the user has set stays.

    Args:
        full: the full profile and strict claims, else quick.
        threads: CPU threads for each of the notebooks that run side by side.
    """
    variables = {"COURSE_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), **os.environ}
    variables["COURSE_PROFILE"] = "full" if full else "quick"
    if full:
        variables["COURSE_STRICT"] = "1"
    return variables


def _cores() -> int:
    """The cores this process may use, which a container may hold below those of the machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _missing(module: str) -> str:
    if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0:
        return ""
    install = f'"{sys.executable}" -m pip install -c constraints.txt -e ".[test,instructors]"'
    return f"{module} is not installed. Install what the tests need: {install}"
