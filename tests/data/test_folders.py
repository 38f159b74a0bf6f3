"""Folders named in the environment mean the same folder in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRINT = "from course_utils.data.folders import *; print(own_folder(), cache_folder(), sep=chr(10))"
CHILD = f"""
import os, subprocess, sys
import course_utils
os.makedirs("elsewhere")
subprocess.run([sys.executable, "-c", {PRINT!r}], cwd="elsewhere", check=True)
"""


@pytest.mark.parametrize("before", ["", "~/"])
def test_folders_are_made_absolute_once(tmp_path: Path, before: str) -> None:
    """A command is started here, and the kernels that it starts elsewhere see the same folders."""
    real, link = tmp_path / "real", tmp_path / "my_data"
    real.mkdir()
    link.symlink_to(real, target_is_directory=True)
    environment = os.environ | {
        "COURSE_DATA": f"{before}my_data",
        "COURSE_CACHE": f"{before}./caches/../my_cache",
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(link), str(tmp_path / "my_cache")]
