"""What is generated out of stored notebooks: tables of claims and notebooks, the gallery; and the list of claims."""

from __future__ import annotations

import base64
import errno
import re
from pathlib import Path

import pytest
import sample_notebooks as sample
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from sample_notebooks import ROOT

from course_utils.claims import MIME_TYPE, Claim
from course_utils.commands import claims, pages
from course_utils.commands.shared import notebooks
from course_utils.commands.shared.records import read_claims
from course_utils.errors import InputError

FIRST = Claim("t/exact", "a | b", "exact", 0.25, "<=", 1.0, None, "σ", True, True, "full", None, 1, "a closed form")
SECOND = Claim("t/trained", "error", "trained", 3.0, "<=", 2.0, 1.0, "", False, True, "full", "MNIST", 1, "a paper")


MARKS = "# Course\n<!-- {0}:begin -->\nformer\n<!-- {0}:end -->\n"


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
    (tmp_path / "README.md").write_text(MARKS.format("notebooks") + "between\n" + MARKS.format("gallery") + "after\n")
    (tmp_path / "START_HERE.md").write_text(MARKS.format("notebooks"))
    return tmp_path


def test_claims_are_read_as_they_were_stored(course: Path) -> None:
    entries = read_claims([course / "notebooks" / "01_sample.ipynb"])
    assert [entry.claim for entry in entries] == [FIRST, SECOND]


def test_claims_prints_one_line_each(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert claims.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "01 ✓ t/exact: a | b: 0.25 σ (bar ≤ 1 σ) — holds"
    assert lines[1].endswith("missed here")
    assert lines[2] == "2 claims, 1 of them judged and holding."


def test_pages_get_their_tables_and_keep_the_rest(course: Path) -> None:
    assert pages.main([]) == 0
    text = (course / "README.md").read_text(encoding="utf-8")
    assert "former" not in text
    assert text.endswith("after\n")
    assert "between" in text
    row = next(line for line in text.splitlines() if line.startswith("| [Counting]"))
    assert row == (
        "| [Counting](notebooks/01_sample.ipynb) · [exercise](exercises/01_sample.ipynb) | How far can one count? "
        "| 1.5 | error: **3** (bar ≤ 2) |"
    )
    start = (course / "START_HERE.md").read_text(encoding="utf-8").splitlines()
    assert start[-2] == "| 01 | [Counting](notebooks/01_sample.ipynb) | [exercise](exercises/01_sample.ipynb) |  |"
    page = (course / "CLAIMS.md").read_text(encoding="utf-8")
    assert "## Counting" in page
    assert "| [`t/exact`](notebooks/01_sample.ipynb) | a \\| b | **0.25 σ** | ≤ 1 σ | a closed form | holds |" in page
    assert "≤ 2 (stretch 1) | a paper | missed here |" in page
    assert pages.main([]) == 0
    assert (course / "README.md").read_text(encoding="utf-8") == text


def test_the_headline_is_that_of_the_spec(course: Path) -> None:
    spec = course / "specs" / "01_sample.toml"
    spec.write_text(spec.read_text().replace('headline = "t/trained"', 'headline = "t/exact"'))
    pages.main([])
    assert "a \\| b: **0.25 σ** (bar ≤ 1 σ) |" in (course / "README.md").read_text(encoding="utf-8")


def test_check_names_what_is_not_fresh_and_writes_nothing(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (course / "README.md").read_bytes()
    assert pages.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert all(f"{name}: not as it should be" in said for name in ("README.md", "START_HERE.md", "CLAIMS.md"))
    assert (course / "README.md").read_bytes() == before
    assert not (course / "CLAIMS.md").exists()
    pages.main([])
    assert pages.main(["--check"]) == 0


@pytest.fixture
def pictures(course: Path) -> Path:
    """The gallery of a lecture with one tagged figure, which still holds another's picture, and one by hand."""
    picture = base64.b64encode(b"\x89PNG and so on").decode()
    figure = new_output("display_data", data={"image/png": picture}, metadata={"image/png": {"alt": "Dots on a line."}})
    tagged = new_code_cell("plot()", outputs=[figure], metadata={"tags": ["gallery"]})
    untagged = new_code_cell("plot()", outputs=[figure])
    sample.write(sample.notebook([tagged, untagged]), course / "notebooks" / "07_dots.ipynb")
    folder = course / "notebooks" / "gallery"
    folder.mkdir()
    (folder / "07-2.png").write_bytes(b"old")
    (folder / "by hand.png").write_bytes(b"mine")
    return folder


def test_gallery_holds_the_tagged_figures_with_their_texts(course: Path, pictures: Path) -> None:
    assert pages.main(["--check"]) == 1
    assert pages.main([]) == 0
    text = (course / "README.md").read_text(encoding="utf-8")
    assert "\n![Dots on a line.](notebooks/gallery/07-1.png)\n" in text
    assert text.count("![") == 1
    assert sorted(file.name for file in pictures.iterdir()) == ["07-1.png", "by hand.png"]
    assert (pictures / "07-1.png").read_bytes() == b"\x89PNG and so on"


def test_a_full_disk_costs_no_picture(course: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(notebooks, "write_bytes", full)
    before = (course / "README.md").read_bytes()
    with pytest.raises(OSError, match="No space left"):
        pages.main([])
    assert sorted(file.name for file in pictures.iterdir()) == ["07-2.png", "by hand.png"]
    assert (course / "README.md").read_bytes() == before


@pytest.mark.parametrize("name", ["README.md", "START_HERE.md"])
def test_a_page_without_marks_is_refused(course: Path, name: str) -> None:
    (course / name).write_text("# Course\n", encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"{name} lacks the marks <!-- notebooks:begin -->")):
        pages.main([])
    assert (course / name).read_text(encoding="utf-8") == "# Course\n"
    assert not (course / "CLAIMS.md").exists()


def test_a_record_of_another_version_is_named(course: Path) -> None:
    data = FIRST._repr_mimebundle_()
    del data[MIME_TYPE]["bound"]
    node = sample.notebook([new_code_cell("x", outputs=[new_output("display_data", data=data)])])
    path = sample.write(node, course / "notebooks" / "02_old.ipynb")
    with pytest.raises(InputError, match=r"02_old\.ipynb: a stored claim has no bound"):
        read_claims([path])


def test_what_is_generated_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables, gallery and CLAIMS.md are those that ``make pages`` makes now."""
    monkeypatch.chdir(ROOT)
    fresh = pages.generated()
    assert {"README.md", "START_HERE.md", "CLAIMS.md"} <= {path.name for path in fresh}
    assert [path.name for path, content in fresh.items() if path.read_bytes() != content] == [], "make pages"
    assert pages.superfluous(fresh) == [], "make pages"
