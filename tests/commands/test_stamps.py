"""Stale means that something it uses has changed: a package and notebooks are planted, and changed in one place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import sample_notebooks as sample
from nbformat.v4 import new_code_cell, new_notebook
from sample_notebooks import ROOT

from course_utils.commands import stale
from course_utils.commands.shared import stamps

FILES = {
    "__init__.py": '"""A package."""\n',
    "losses.py": '''"""Losses."""
HALF = 0.5

def squared_error(x_hat, x):
    """Half of it."""
    return HALF * _square(x_hat - x)

def absolute_error(x_hat, x):
    return abs(x_hat - x)

def _square(x):
    return x * x
''',
    "training/__init__.py": "from course_utils.training.loop import fit\n",
    "training/loop.py": """from course_utils.training.history import History

def fit(model, loss) -> "Unused":
    history = History()
    return history.add(loss(model))

class Unused:
    pass
""",
    "training/history.py": "class History:\n    def add(self, value):\n        return value\n",
    "data/__init__.py": "from course_utils.data.images import load_images\nfrom course_utils.data import toy\n",
    "data/images.py": "from course_utils.data.catalogue import find\n\ndef load_images(name):\n    return find(name)\n",
    "data/catalogue.py": "def find(name):\n    return __import__(f'course_utils.data.sets.{name}')\n",
    "data/sets/mnist.py": "SUM = 1\n",
    "data/toy.py": "def circle(n):\n    return n\n",
    "widgets/__init__.py": "def __getattr__(name):\n    return name\n",
    "widgets/walk.py": "def walk_explorer(x):\n    return x\n",
    "widgets/noise.py": "def noise_explorer(x):\n    return x\n",
    "checks/__init__.py": "def __getattr__(name):\n    return name\n",
    "checks/gaussian/__init__.py": "from course_utils.checks.gaussian.likelihood import log_likelihood\n",
    "checks/gaussian/likelihood.py": "def _judge(x):\n    return x\n\nlog_likelihood = _judge\n",
}
NOTEBOOKS = {
    "linear": "%matplotlib inline\nfrom course_utils.losses import squared_error as error\nerror(1, 2)",
    "deep": "from course_utils import data, losses\nfrom course_utils.training import fit\n\n"
    "def loss(model):\n    return losses.squared_error(model, data.load_images('mnist'))\n\nfit(1, loss)",
    "walk": "from course_utils import widgets\nfrom course_utils.data import toy\nwidgets.walk_explorer(toy.circle(3))",
    "exercise": "from course_utils import checks\nchecks.gaussian.log_likelihood(1)",
    "alone": "x = 1",
}


def node(code: str) -> nbformat.NotebookNode:
    return new_notebook(cells=[new_code_cell(code)])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "course_utils"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


def add(name: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def move(folder: Path) -> None:
    """The losses into a house of their own, as a reader of the package would do it."""
    (folder / "losses").mkdir()
    (folder / "losses.py").rename(folder / "losses" / "errors.py")
    (folder / "losses" / "__init__.py").write_text(
        "from course_utils.losses.errors import absolute_error, squared_error\n"
    )


def changed_names(package: Path, change: Callable[[Path], None]) -> dict[str, list[str]]:
    """Which notebooks are stale after a change, and which definitions they miss."""
    before = {name: stamps.definitions(node(code), package) for name, code in NOTEBOOKS.items()}
    change(package)
    stamps._package.cache_clear()
    return {name: names for name, stamp in before.items() if (names := stamps.changes(stamp, package))}


def test_a_stamp_holds_what_is_used_and_what_that_uses(package: Path) -> None:
    used = {name: list(stamps.definitions(node(code), package)) for name, code in NOTEBOOKS.items()}
    assert used == {
        "linear": ["HALF", "_square", "squared_error"],
        "deep": ["HALF", "History", "_square", "find", "fit", "load_images", "squared_error"],
        "walk": ["__getattr__", "circle", "walk_explorer"],
        "exercise": ["__getattr__", "_judge", "log_likelihood"],
        "alone": [],
    }


@pytest.mark.parametrize(
    "change",
    [
        move,
        add("losses.py", "\ndef huber(x_hat, x):\n    return x\n"),
        add("data/sets/garments.py", "SUM = 2\n"),
        add("widgets/units.py", "def units_explorer(x):\n    return x\n"),
        add("checks/denoising/__init__.py", "from course_utils.checks.denoising.noise import noise\n"),
        add("training/loop.py", "\nfrom course_utils.losses import HALF\n"),
        edit("losses.py", '"""Half of it."""', '"""Half of the square."""'),
        edit("losses.py", "HALF * _square(x_hat - x)", "(HALF *  # a remark\n        _square(x_hat - x))"),
        edit("losses.py", "abs(x_hat - x)", "abs(x - x_hat)"),
        edit("training/loop.py", "class Unused:", "class Unused(int):"),
        edit("widgets/noise.py", "return x", "return -x"),
    ],
    ids=str.split("moved loss set explorer exercise import docstring layout unused annotation another-explorer"),
)
def test_nothing_is_stale(package: Path, change: Callable[[Path], None]) -> None:
    assert changed_names(package, change) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (edit("losses.py", "(x_hat - x)", "(x - x_hat)"), {"linear": ["squared_error"], "deep": ["squared_error"]}),
        (edit("losses.py", "HALF = 0.5", "HALF = 0.6"), {"linear": ["HALF"], "deep": ["HALF"]}),
        (edit("losses.py", "return x * x", "return x**2"), {"linear": ["_square"], "deep": ["_square"]}),
        (edit("training/history.py", "return value", "return -value"), {"deep": ["History"]}),
        (edit("training/history.py", "History", "Record"), {"deep": ["History"]}),
        (edit("widgets/walk.py", "return x", "return -x"), {"walk": ["walk_explorer"]}),
        (edit("checks/gaussian/likelihood.py", "return x", "return 2 * x"), {"exercise": ["_judge"]}),
    ],
    ids=["token", "constant", "helper", "method", "renamed", "explorer", "check"],
)
def test_exactly_the_notebooks_that_use_it_are_stale(
    package: Path, change: Callable[[Path], None], expected: dict[str, list[str]]
) -> None:
    assert changed_names(package, change) == expected


def test_what_a_module_does_on_import_counts(package: Path) -> None:
    found = changed_names(package, add("training/__init__.py", "print('Hello')\n"))
    assert found == {}, "what was not there when it was executed has no hash to miss"
    found = changed_names(package, edit("training/__init__.py", "'Hello'", "'Good day'"))
    assert found == {"deep": ["statements of course_utils.training"]}


def test_two_definitions_of_one_name_are_both_kept(package: Path) -> None:
    add("data/toy.py", "\ndef _square(x):\n    return x\n\ndef ring(n):\n    return _square(n)\n")(package)
    code = "from course_utils import losses\nfrom course_utils.data import toy\nlosses.squared_error(1, toy.ring(2))"
    stamp = stamps.definitions(node(code), package)
    assert len(stamp["_square"].split()) == 2
    edit("data/toy.py", "def _square(x):\n    return x", "def _square(x):\n    return x * x * x")(package)
    stamps._package.cache_clear()
    assert stamps.changes(stamp, package) == ["_square"]


def test_what_stands_in_a_closed_module_is_left_out(package: Path) -> None:
    code = "from course_utils import losses, widgets\nwidgets.walk_explorer(losses.squared_error)"
    assert list(stamps.definitions(node(code), package, without=["widgets"])) == ["HALF", "_square", "squared_error"]
    assert list(stamps.definitions(node(code), package, without=["loss"])) == [
        *("HALF", "__getattr__", "_square", "squared_error", "walk_explorer")
    ]


def test_stale_names_the_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    course = sample.course(tmp_path)
    monkeypatch.chdir(course)
    notebook = sample.notebook([new_code_cell("from course_utils.errors import did_you_mean\ndid_you_mean('a', 'b')")])
    stamp = stamps.definitions(notebook)
    assert list(stamp) == ["did_you_mean", "statements of course_utils"]
    notebook.metadata["course"] = {"code_hash": stamps.code_hash(notebook), "definitions": stamp}
    path = sample.write(notebook, course / "notebooks" / "01_sample.ipynb")
    seeds = course / "benchmarks" / "seeds" / "01.json"
    seeds.parent.mkdir(parents=True)
    seeds.write_text(json.dumps(notebook.metadata["course"]))
    assert stale.main([]) == 0
    assert "Every stored output belongs" in capsys.readouterr().out
    notebook.metadata["course"]["definitions"]["did_you_mean"] = "0"
    sample.write(notebook, path)
    assert [reason for _, reason in stale.stale([path])] == ["of the helpers it uses, did_you_mean changed"]
    seeds.write_text(json.dumps(notebook.metadata["course"] | {"code_hash": "0"}))
    assert [file for file, _ in stale.stale([path])] == [path, seeds]
    assert stale.main([]) == 0
    assert "make seeds" in capsys.readouterr().out


TRACE = """
import os, sys
package = os.path.dirname(__import__("course_utils").__file__) + os.sep
called = set()
def importing(frame):
    while frame and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame and frame.f_code.co_filename.startswith(package)
def note(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(package) and not importing(frame):
        called.add(code.co_qualname.split(".")[0])
import nbformat
cells = [cell.source for cell in nbformat.read(sys.argv[1], 4).cells if cell.cell_type == "code"]
sys.setprofile(note)
for source in cells:
    exec(compile(source, "cell", "exec"), globals())
sys.setprofile(None)
print("called", *sorted(called))
"""


def test_no_definition_runs_that_the_stamp_does_not_hold() -> None:
    """What is read from the source is held against a run of a stored notebook, call by call."""
    path = ROOT / "solutions" / "01_gaussian_maximum_likelihood.ipynb"
    command = [sys.executable, "-c", TRACE, str(path)]
    variables = os.environ | {"COURSE_PROFILE": "quick", "COURSE_STRICT": "0", "COURSE_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=True, timeout=120)
    called = set(done.stdout.splitlines()[-1].split()[1:]) - {"<lambda>"}
    stamp = set(stamps.definitions(nbformat.read(path, as_version=4)))
    assert {"Check", "setup", "show"} <= called
    assert called - stamp == set()
