"""Executing notebooks: what is stored, what is refused, and what a file keeps when something fails."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import sample_notebooks as sample
from nbformat.v4 import new_code_cell, new_markdown_cell

from course_utils.commands import execute, run, seeds, stale
from course_utils.commands.shared import notebooks, stamps
from course_utils.errors import InputError

SETUP = "from course_utils import claims\nfrom course_utils.runtime import setup\nruntime = setup(5)"
CLAIM = "claims.check('t/seed', runtime.seed, '<=', {}, 'the seed', source='us', kind='exact')"
WIDGET = "import ipywidgets\nipywidgets.IntSlider()"
BARS = "import sys\nfrom tqdm import tqdm\nfor _ in tqdm(range(300), file=sys.stdout, mininterval=0): pass"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(sample.course(tmp_path))
    monkeypatch.setenv("COURSE_THREADS", "1")
    for name in ("COURSE_PROFILE", "COURSE_STRICT", "COURSE_SEED"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def lecture(course: Path, *sources: str) -> Path:
    cells = [new_markdown_cell("# A title\n\n## The part that counts")]
    cells += [new_code_cell(source) for source in sources]
    return sample.write(sample.notebook(cells), course / "notebooks" / "01_sample.ipynb")


def test_execute_stores_outputs_and_what_they_were_made_with(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_SEED", "99")  # what is stored is made with the notebook's own seed
    path = lecture(course, SETUP, BARS, WIDGET, CLAIM.format(5), "import os, sys\nsys.executable == os.sys.executable")
    assert execute.main(["01"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "notebooks/01_sample.ipynb"
    assert [line.split(" … ")[0] for line in said[1:6]] == [f"[{n}/5] The part that counts" for n in range(1, 6)]
    assert "within its 240 s (full, seed 5)" in said[6]

    stored = nbformat.read(path, as_version=4)
    made = stored.metadata["course"]
    assert (made["profile"], made["seed"], made["data"]) == ("full", 5, [])
    assert {"check", "setup", "Claim"} <= set(made["definitions"])
    assert set(made["versions"]) == {"python", "torch", "torchvision", "numpy", "course_utils"}
    assert "+" not in made["versions"]["torch"]
    assert list(stale.stale([path])) == []
    cells = stored.cells[1:]
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5]
    assert "strict" in cells[0].outputs[0].text
    assert cells[1].outputs[0].text.count("\n") == 1
    assert "300/300" in cells[1].outputs[0].text
    assert cells[2].outputs == []  # a widget's view is dead without a kernel; its static twin is another output
    assert not any("execution" in cell.metadata for cell in cells)
    assert stored.metadata["kernelspec"] == sample.METADATA["kernelspec"]
    assert stored.metadata["language_info"] == sample.METADATA["language_info"]

    path.write_text(path.read_text(encoding="utf-8").replace("setup(5)", "setup(6)"), encoding="utf-8")
    assert [reason for _, reason in stale.stale([path])] == ["its own code has changed since it was executed"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = 1\nraise ValueError('no such thing\\nsecond line')", "ValueError: no such thing"),
        ("import warnings\nwarnings.warn('soon')", "wrote to stderr"),
        ("import sys\nprint(sys.prefix)", "shows a path of this machine"),
    ],
)
def test_a_failure_names_the_cell_and_leaves_the_file(
    course: Path, source: str, reason: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_STRICT", "1")
    path = lecture(course, SETUP, source)
    before = path.read_bytes()
    assert execute.main(["01"]) == 1
    said = capsys.readouterr().out
    assert f"notebooks/01_sample.ipynb, cell 3 (“The part that counts”){':' if 'Error' in reason else ''}" in said
    assert reason in said
    assert "second line" not in said
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_trying_out_in_quick_stores_nothing(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lecture(course, SETUP, "print(6 * 7)")
    before = path.read_bytes()
    assert execute.main(["--quick", "01"]) == 0
    assert "(quick" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_what_is_saved_during_a_run_is_kept(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit = "from pathlib import Path\np = Path('01_sample.ipynb')\n_ = p.write_text(p.read_text() + ' ')"
    path = lecture(course, edit)
    before = path.read_bytes()
    assert execute.main(["01"]) == 1
    assert "was saved by somebody else while it ran" in capsys.readouterr().out
    assert path.read_bytes() == before + b" "


@pytest.mark.parametrize("command", [execute, seeds])
def test_a_path_of_another_role_is_refused(course: Path, command: ModuleType) -> None:
    path = lecture(course, SETUP).rename(course / "exercises" / "01_sample.ipynb")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"exercises/01_sample\.ipynb does not lie in notebooks/"):
        command.main([str(path)])
    assert path.read_bytes() == before


def test_writing_keeps_links_and_permissions(tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("former")
    target.chmod(0o600)
    link.symlink_to(target)
    notebooks.write_text(link, "latter\n")
    assert link.is_symlink()
    assert target.read_bytes() == b"latter\n"
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.txt", "target.txt"]


def test_run_writes_a_page_and_not_the_notebook(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lecture(course, "print(6 * 7)", "import os\nprint(os.getcwd())")
    before = path.read_bytes()
    # Without setup() the kernel says what setup() would settle; the notebook's folder is where it runs.
    assert run.main(["1"]) == 0
    assert path.read_bytes() == before
    page = (course / "build" / "01_sample.html").read_text(encoding="utf-8")
    assert "The part that counts" in page
    assert str(path.parent) in page
    assert "Page: build/01_sample.html" in capsys.readouterr().out


def test_run_without_or_with_an_unknown_notebook_names_those_there_are(course: Path) -> None:
    lecture(course)
    for arguments in ([], ["07"], ["nothing_like_it"]):
        with pytest.raises(InputError, match="There are: 01_sample"):
            run.main(arguments)


def test_seeds_records_a_miss_and_goes_on(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lecture(course, SETUP, CLAIM.format(6), CLAIM.format(9).replace("t/seed", "t/later"))
    node = nbformat.read(path, as_version=4)
    with pytest.raises(InputError, match="never executed"):
        seeds.main(["01"])
    node.metadata["course"] = {"seed": 5}
    sample.write(node, path)
    before = path.read_bytes()
    assert seeds.main(["01"]) == 1
    assert path.read_bytes() == before
    stored = json.loads((course / "benchmarks" / "seeds" / "01.json").read_text(encoding="utf-8"))
    assert stored["profile"] == "full"
    assert stored["code_hash"] == stamps.code_hash(node)
    runs = stored["claims"]["t/seed"]["runs"]
    assert [(run["seed"], run["measured"], run["holds"], run["judged"]) for run in runs] == [
        (6, 6.0, True, True),
        (7, 7.0, False, True),
        (8, 8.0, False, True),
    ]
    assert [run["holds"] for run in stored["claims"]["t/later"]["runs"]] == [True] * 3
    assert "✗ t/seed: 6 · 7 · 8" in capsys.readouterr().out
