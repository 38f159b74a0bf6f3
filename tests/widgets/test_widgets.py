"""Explorers are found by looking: each module has one and its twin, loaded when it is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from course_utils import widgets

FOLDER = Path(widgets.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ("__init__", "explore"))


def test_every_module_has_an_explorer_and_its_twin():
    assert len(MODULES) >= 6
    assert dir(widgets) == sorted(f"{name}_{kind}" for name in MODULES for kind in ("explorer", "snapshots"))
    for name in MODULES:
        module = import_module(f"course_utils.widgets.{name}")
        assert sorted(module.__all__) == [f"{name}_explorer", f"{name}_snapshots"]
        for public in module.__all__:
            assert getattr(widgets, public) is getattr(module, public)


def test_no_explorer_knows_another():
    for name in MODULES:
        tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
        imports = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        others = {f"course_utils.widgets.{other}" for other in MODULES}
        assert not imports & others
        assert "course_utils.widgets" not in imports


def test_an_explorer_is_loaded_when_it_is_asked_for():
    code = (
        "import sys; from course_utils import widgets; widgets.walk_snapshots;"
        "print(sorted(name for name in sys.modules if name.startswith('course_utils.widgets.')))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "['course_utils.widgets.explore', 'course_utils.widgets.walk']"


def test_an_unknown_explorer_is_named_with_those_there_are():
    with pytest.raises(AttributeError, match=r"'walk_explorers'.*walk_explorer, walk_snapshots"):
        _ = widgets.walk_explorers
