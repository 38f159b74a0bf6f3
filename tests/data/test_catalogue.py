"""Data sets are found by looking: a file more is a set more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import small_sets

from course_utils.commands import data as prepare
from course_utils.data import load_images, load_text, sets
from course_utils.data.catalogue import DataSet, FileSet, known
from course_utils.errors import InputError

ANOTHER = """
from dataclasses import replace
from course_utils.data.sets.mnist import SET as MNIST
SET = replace(MNIST, name="small-squares", title="Small squares", folder="squares", mirror_folder="squares")
"""


@pytest.mark.usefixtures("cache")
def test_a_set_is_a_file(tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sets"
    folder.mkdir()
    (folder / "small_squares.py").write_text(ANOTHER)
    before = [title for title, _ in prepare.steps()]
    monkeypatch.setattr(sets, "__path__", [*sets.__path__, str(folder)])
    small_sets.lay(own / "squares")
    data = load_images("small-squares")
    small_sets.assert_small(data)
    assert data.source == "Small squares, your folder"
    assert sorted(title for title, _ in prepare.steps()) == sorted(
        [*before, "Small squares", "The judge of Small squares"]
    )
    with pytest.raises(InputError, match='Did you mean "small-squares"'):
        load_images("small-square")


def test_files_are_named_like_their_sets() -> None:
    files = {path.stem for path in Path(sets.__path__[0]).glob("*.py")} - {"__init__"}
    assert {name.replace("-", "_") for name in known(DataSet)} == files
    assert len(files) >= 4
    assert {name: data.name for name, data in known(FileSet).items()} == {name: name for name in known(FileSet)}


def test_help_does_without_torch() -> None:
    code = "import sys; from course_utils.__main__ import main; sys.modules['torch'] = None; main(['data', '--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "fetch every data set beforehand" in done.stdout


def test_names_are_suggested() -> None:
    with pytest.raises(InputError, match='Did you mean "mnist"'):
        load_images("mnits")
    with pytest.raises(InputError, match='Did you mean "tiny-shakespeare"'):
        load_text("shakespear")
