"""Cleaning up: what the commands made goes, what anybody else made stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sample_notebooks as sample

from course_utils.commands import clean
from course_utils.errors import InputError

OURS = (
    "build/01_sample.html",
    "build/test.log",
    "build/slides/index.html",
    "build/slides/01_sample.html",
    "build/lib/course_utils/errors.py",
    "dist/course_utils-1.0.0.tar.gz",
    "course_utils.egg-info/PKG-INFO",
    ".pytest_cache/README.md",
    ".ruff_cache/x",
    ".mypy_cache/x",
    "course_utils/__pycache__/x.pyc",
    "course_utils/commands/__pycache__/x.pyc",
    "tests/support/__pycache__/x.pyc",
)
THEIRS = (
    "build/course/gradebook.db",
    "build/notes.txt",
    "build/slides/node_modules/reveal.js/dist/reveal.js",
    "exercises/01_sample.ipynb",
    "exercises/.ipynb_checkpoints/01_sample-checkpoint.ipynb",
    "exercises copy/.ipynb_checkpoints/01_sample-checkpoint.ipynb",
    "exercises copy/__pycache__/x.pyc",
    "my project/build/thesis.html",
    "other.egg-info/PKG-INFO",
    ".venv/lib/__pycache__/x.pyc",
    "course_utils/commands/clean.py",
)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = sample.course(tmp_path / "a course with blanks")
    for name in OURS + THEIRS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    monkeypatch.chdir(folder)
    return folder


def test_what_was_made_goes_and_nothing_else(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clean.main([]) == 0
    assert [name for name in OURS if (course / name).exists()] == []
    assert [name for name in THEIRS if not (course / name).is_file()] == []
    assert not (course / "dist").exists()
    assert "Kept: build/course, build/notes.txt, build/slides." in capsys.readouterr().out
    assert clean.main([]) == 0
    assert capsys.readouterr().out.startswith("0 files and folders removed.")


def test_an_empty_build_folder_goes_too(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("build/course/gradebook.db", "build/notes.txt", "build/slides/node_modules/reveal.js/dist/reveal.js"):
        (course / name).unlink()
        for folder in (course / name).parents:
            if folder != course / "build" and not any(folder.iterdir()):
                folder.rmdir()
    clean.main([])
    assert not (course / "build").exists()
    assert "Kept" not in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_what_a_link_leads_to_stays(course: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for name in ("thesis.html", "__pycache__/x.pyc"):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text("years of work")
    (course / "build" / "thesis.html").symlink_to(elsewhere / "thesis.html")
    (course / "tests" / "mine").symlink_to(elsewhere)
    clean.main([])
    assert sorted(path.name for path in elsewhere.rglob("*") if path.is_file()) == ["thesis.html", "x.pyc"]


def test_another_project_with_the_same_folders_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("notebooks/a", "solutions/a", "dist/a", "build/a.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="nothing is removed"):
        clean.main([])
    assert (tmp_path / "dist" / "a").is_file()
    assert (tmp_path / "build" / "a.html").is_file()
