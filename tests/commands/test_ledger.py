"""The tables of claims and notebooks, read out of stored notebooks."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import sample_notebooks as sample
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from sample_notebooks import ROOT

from course_utils.claims import MIME_TYPE, Claim
from course_utils.commands import claims as ledger
from course_utils.errors import InputError

FIRST = Claim("t/exact", "a | b", "exact", 0.25, "<=", 1.0, None, "σ", True, True, "full", None, 1, "a closed form")
SECOND = Claim("t/trained", "error", "trained", 3.0, "<=", 2.0, 1.0, "", False, True, "full", "MNIST", 1, "a paper")


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(sample.course(tmp_path))
    cells = [new_markdown_cell("# Counting\n\n**The question.** How far can one count? Far.")]
    for claim in (FIRST, SECOND):
        cells.append(new_code_cell("x", outputs=[new_output("display_data", data=claim._repr_mimebundle_())]))
    node = sample.notebook(cells)
    node.metadata["course"] = {"seconds": 90.0}
    sample.write(node, tmp_path / "notebooks" / "01_sample.ipynb")
    sample.write(node, tmp_path / "exercises" / "01_sample.ipynb")
    return tmp_path


def test_claims_are_read_as_they_were_stored(course: Path) -> None:
    entries = ledger.read_claims([course / "notebooks" / "01_sample.ipynb"])
    assert [entry.claim for entry in entries] == [FIRST, SECOND]


def test_claims_prints_one_line_each(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "01 ✓ t/exact: a | b: 0.25 σ (bar ≤ 1 σ) — holds"
    assert lines[1].endswith("missed here")
    assert lines[2] == "2 claims, 1 of them judged and holding."


def test_readme_gets_both_tables_and_keeps_the_rest(course: Path) -> None:
    readme = course / "README.md"
    marks = "# Course\n<!-- {0}:begin -->\nformer\n<!-- {0}:end -->\n"
    readme.write_text(
        marks.format("notebooks") + "between\n" + marks.format("claims") + marks.format("gallery") + "after\n",
        encoding="utf-8",
    )
    assert ledger.main(["--readme"]) == 0
    text = readme.read_text(encoding="utf-8")
    assert "former" not in text
    assert text.endswith("after\n")
    assert "between" in text
    row = next(line for line in text.splitlines() if line.startswith("| [Counting]"))
    assert row == (
        "| [Counting](notebooks/01_sample.ipynb) · [exercise](exercises/01_sample.ipynb) | How far can one count? "
        "| 1.5 | error: **3** (bar ≤ 2) |"
    )
    assert "| [`t/exact`](notebooks/01_sample.ipynb) | a \\| b | **0.25 σ** | ≤ 1 σ | a closed form | holds |" in text
    assert "≤ 2 (stretch 1) | a paper | missed here |" in text
    assert ledger.main(["--readme"]) == 0
    assert readme.read_text(encoding="utf-8") == text


def test_gallery_holds_the_tagged_figures_with_their_texts(tmp_path: Path) -> None:
    picture = base64.b64encode(b"\x89PNG and so on").decode()
    figure = new_output("display_data", data={"image/png": picture}, metadata={"image/png": {"alt": "Dots on a line."}})
    tagged = new_code_cell("plot()", outputs=[figure], metadata={"tags": ["gallery"]})
    path = sample.write(
        sample.notebook([tagged, new_code_cell("plot()", outputs=[figure])]), tmp_path / "07_dots.ipynb"
    )
    folder = tmp_path / "gallery"
    folder.mkdir()
    (folder / "old.png").write_bytes(b"old")
    text = ledger.gallery([path], folder)
    assert text.startswith("![Dots on a line.](")
    assert text.count("![") == 1
    assert [file.name for file in folder.iterdir()] == ["07-1.png"]
    assert (folder / "07-1.png").read_bytes() == b"\x89PNG and so on"


def test_readme_without_marks_is_refused(course: Path) -> None:
    (course / "README.md").write_text("# Course\n", encoding="utf-8")
    with pytest.raises(InputError, match="<!-- claims:begin -->"):
        ledger.main(["--readme"])
    assert (course / "README.md").read_text(encoding="utf-8") == "# Course\n"


def test_a_record_of_another_version_is_named(course: Path) -> None:
    data = FIRST._repr_mimebundle_()
    del data[MIME_TYPE]["bound"]
    node = sample.notebook([new_code_cell("x", outputs=[new_output("display_data", data=data)])])
    path = sample.write(node, course / "notebooks" / "02_old.ipynb")
    with pytest.raises(InputError, match=r"02_old\.ipynb: a stored claim has no bound"):
        ledger.read_claims([path])


def test_the_readme_shows_what_is_stored() -> None:
    """README's tables are those that ``python -m course_utils claims --readme`` writes now."""
    lectures = sorted((ROOT / "notebooks").glob("*.ipynb"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert ledger.replace_between(text, "claims", ledger.claims_table(ledger.read_claims(lectures))) == text
    assert ledger.replace_between(text, "notebooks", ledger.notebooks_table(lectures)) == text
