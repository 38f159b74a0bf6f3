"""The notebooks as files: what is stored is whole, fresh, quiet and true. Nothing is executed here."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import notebook_rules as rules
import pytest
import sample_notebooks as sample
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from sample_notebooks import ROOT

from course_utils.claims import MIME_TYPE, Claim
from course_utils.commands.release import make
from course_utils.commands.shared import notebooks, specs, stamps
from course_utils.commands.shared.specs import Required

LECTURES, SOLUTIONS, EXERCISES = (sorted((ROOT / folder).glob("*.ipynb")) for folder in notebooks.FOLDERS)
STORED = LECTURES + SOLUTIONS
SPECS = {path.stem: specs.read(path) for path in sorted((ROOT / "specs").glob("*.toml"))}


MOST_CHECKS = {"11_character_rnn": 13, "12_uses_of_codes": 10}
"""Solutions with more than eight checks. Exercise 11 goes from one step of a network to the text that it writes: each
check judges one function of a few lines, and a check of two functions could not say which of them is wrong. Exercise
12 builds and judges k-means in five of its ten, and has one for each further use of a code."""


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=[f"{path.parent.name}/{path.stem}" for path in paths])


def none(complaints: list[str]) -> None:
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("folder", notebooks.FOLDERS)
def test_each_required_stem_is_in_each_folder(folder: str) -> None:
    stems = {path.stem for path in (ROOT / folder).glob("*.ipynb")}
    assert set(SPECS) <= stems
    assert stems == {path.stem for path in LECTURES}, "the same stem names a lecture, its exercise and its solution"
    assert stems == set(SPECS), "each lecture has a spec: what was asked of it"


@each(STORED)
def test_outputs_belong_to_the_code(path: Path) -> None:
    none(rules.freshness(notebooks.read(path)))


@each(STORED)
def test_outputs_are_quiet(path: Path) -> None:
    none(rules.quietness(notebooks.read(path)))


@each(STORED)
def test_pictures_have_words(path: Path) -> None:
    none(rules.accessibility(notebooks.read(path)))


@each(STORED + EXERCISES)
def test_no_machine_shows(path: Path) -> None:
    none(rules.anonymity(notebooks.read(path)))


@each(STORED + EXERCISES)
def test_file_is_small(path: Path) -> None:
    none(rules.size(path))


@each(STORED)
def test_code_comes_in_small_pieces(path: Path) -> None:
    none(rules.anatomy(notebooks.read(path)))


@each(STORED)
def test_is_a_deck_of_slides(path: Path) -> None:
    none(rules.slides(notebooks.read(path)))


@each(STORED)
def test_spelling_is_british(path: Path) -> None:
    none(rules.spelling(notebooks.read(path)))


@each(STORED)
def test_took_no_longer_than_it_may(path: Path) -> None:
    made = notebooks.read(path).metadata.get("course", {})
    assert 0 < made.get("seconds", 0) <= specs.budget(path)


@each(LECTURES)
def test_lecture_has_its_parts(path: Path) -> None:
    prose = "\n".join(cell.source for cell in notebooks.read(path).cells if cell.cell_type == "markdown")
    headings = [line.lstrip("# ").lower() for line in prose.splitlines() if line.startswith("#")]
    for part in ("break it", "claims"):
        assert any(part in heading for heading in headings), f'no heading says "{part}"'
    assert "<details>" in prose, "no question to the room has its answer folded"


@each(LECTURES)
def test_required_claims_hold(path: Path) -> None:
    none(rules.claims(notebooks.read(path), SPECS[path.stem].claims))


@each(LECTURES)
def test_required_claims_hold_on_more_seeds(path: Path) -> None:
    file = ROOT / "benchmarks" / "seeds" / f"{path.stem[:2]}.json"
    assert file.is_file(), f"measure it: make seeds NB={path.stem[:2]}"
    measured = json.loads(file.read_text(encoding="utf-8"))
    none(rules.seeds(notebooks.read(path), measured, SPECS[path.stem].claims))


@each(SOLUTIONS)
def test_exercise_is_what_its_solution_gives(path: Path) -> None:
    exercise = ROOT / "exercises" / path.name
    assert exercise.read_bytes() == make(path).encode(), "make release"


@each(SOLUTIONS)
def test_solution_has_four_to_eight_checks(path: Path) -> None:
    cells = notebooks.read(path).cells
    checks = sum(bool(cell.metadata.get("nbgrader", {}).get("grade")) for cell in cells)
    assert 4 <= checks <= MOST_CHECKS.get(path.stem, 8)
    assert not any("raises-exception" in cell.metadata.get("tags", []) for cell in cells)


@each(SOLUTIONS)
def test_solution_gives_two_hints_for_each_gap(path: Path) -> None:
    cells = notebooks.read(path).cells
    gaps = sum(bool(cell.metadata.get("nbgrader", {}).get("solution")) for cell in cells)
    folded = sum(cell.source.count("<details>") for cell in cells if cell.cell_type == "markdown")
    assert folded >= 2 * gaps


@each(EXERCISES)
def test_exercise_holds_nothing_of_the_solution(path: Path) -> None:
    none(rules.exercise(notebooks.read(path)))


# The rules themselves: each finds the fault that is planted for it, and nothing in a notebook without one.


def lecture() -> nbformat.NotebookNode:
    claim = Claim("t/x", "x", "trained", 0.5, "<=", 1.0, None, "", True, True, "full", "MNIST, downloaded", 1, "us")
    data = {"text/plain": "✓", MIME_TYPE: claim._repr_mimebundle_()[MIME_TYPE]}
    picture = {"image/png": "iVBORw0KGgo=", "text/plain": "Figure"}
    cells = [new_markdown_cell("# A title", metadata={"slideshow": {"slide_type": "slide"}})]
    for number, output in enumerate(
        [
            new_output("stream", name="stdout", text="training: 100%|████| 20/20 [00:03]\n"),
            new_output("display_data", data=data),
            new_output("display_data", data=picture, metadata={"image/png": {"alt": "A line that rises slowly."}}),
            new_output("execute_result", data={"text/plain": "4"}, execution_count=4),
        ],
        1,
    ):
        cells.append(new_markdown_cell(f"## Part {number}", metadata={"slideshow": {"slide_type": "slide"}}))
        cells.append(new_code_cell(f"step({number})", execution_count=number, outputs=[output]))
    node = sample.notebook(cells)
    node.metadata["course"] = {
        "profile": "full",
        "seed": 1,
        "data": ["MNIST, downloaded"],
        "seconds": 1.0,
        "versions": {},
        "definitions": {},
        "code_hash": stamps.code_hash(node),
    }
    return node


WIDGET = "application/vnd.jupyter.widget-view+json"


def change(node: nbformat.NotebookNode, **changes: Any) -> None:
    record = node.cells[4].outputs[0].data[MIME_TYPE]
    record.update(changes)


WANTED = (Required("t/x", "trained", "<=", 1.0, "MNIST"),)
PLANTED: dict[str, tuple[Callable[[Any], list[str]], Callable[[Any], object]]] = {
    "code changed": (rules.freshness, lambda n: n.cells[2].update(source="step(7)")),
    "quick": (rules.freshness, lambda n: n.metadata.course.update(profile="quick")),
    "never executed": (rules.freshness, lambda n: n.metadata.pop("course")),
    "out of order": (rules.freshness, lambda n: n.cells[4].update(execution_count=9)),
    "one not executed": (rules.freshness, lambda n: n.cells[8].update(execution_count=None)),
    "error": (
        rules.quietness,
        lambda n: n.cells[2].outputs.append(new_output("error", ename="E", evalue="", traceback=[])),
    ),
    "stderr": (rules.quietness, lambda n: n.cells[2].outputs[0].update(name="stderr")),
    "warning": (rules.quietness, lambda n: n.cells[2].outputs[0].update(text="x.py:1: FutureWarning: soon\n")),
    "widget": (
        rules.quietness,
        lambda n: n.cells[8].outputs[0].data.update({WIDGET: {}}),
    ),
    "widget state": (rules.quietness, lambda n: n.metadata.update(widgets={})),
    "progress": (rules.quietness, lambda n: n.cells[2].outputs[0].update(text="a: 1%|\ra: 2%|")),
    "no alt": (rules.accessibility, lambda n: n.cells[6].outputs[0].update(metadata={})),
    "no alt in prose": (rules.accessibility, lambda n: n.cells[1].update(source="![](x.png)")),
    "path": (rules.anonymity, lambda n: n.cells[8].outputs[0].data.update({"text/plain": "/home/ada/data"})),
    "windows path": (rules.anonymity, lambda n: n.cells[1].update(source="C:\\Users\\ada")),
    "long cell": (rules.anatomy, lambda n: n.cells[2].update(source="x = 1\n" * 16)),
    "no prose": (rules.anatomy, lambda n: [n.cells.pop(5), n.cells.pop(3)]),
    "no title": (rules.anatomy, lambda n: n.cells.pop(0)),
    "few slides": (rules.slides, lambda n: n.cells[3].metadata.clear()),
    "unknown slide": (rules.slides, lambda n: n.cells[3].metadata.slideshow.update(slide_type="page")),
    "American": (rules.spelling, lambda n: n.cells[1].update(source="The behavior of `color`.")),
    "lost backslash": (rules.spelling, lambda n: n.cells[1].update(source="The half $\frac12$.")),
    "claim missing": (lambda n: rules.claims(n, WANTED), lambda n: n.cells[4].update(outputs=[])),
    "claim missed": (lambda n: rules.claims(n, WANTED), lambda n: change(n, measured=2.0, holds=False)),
    "claim misjudged": (lambda n: rules.claims(n, WANTED), lambda n: change(n, measured=2.0)),
    "claim is nan": (lambda n: rules.claims(n, WANTED), lambda n: change(n, measured=None)),
    "claim looser": (lambda n: rules.claims(n, WANTED), lambda n: change(n, bound=1.5)),
    "claim turned": (lambda n: rules.claims(n, WANTED), lambda n: change(n, op=">=", bound=0.1)),
    "claim of another kind": (lambda n: rules.claims(n, WANTED), lambda n: change(n, kind="exact")),
    "claim not judged": (lambda n: rules.claims(n, WANTED), lambda n: change(n, judged=False)),
    "claim on a stand-in": (lambda n: rules.claims(n, WANTED), lambda n: change(n, data="MNIST's stand-in")),
    "claim on data of a longer name": (
        lambda n: rules.claims(n, WANTED),
        lambda n: change(n, data="MNIST-C, downloaded"),
    ),
    "claim on other data": (lambda n: rules.claims(n, WANTED), lambda n: change(n, data="Fashion-MNIST, downloaded")),
}


@pytest.mark.parametrize("name", PLANTED)
def test_rule_finds_its_fault(name: str) -> None:
    rule, plant = PLANTED[name]
    node = lecture()
    assert rule(node) == []
    plant(node)
    assert len(rule(node)) > 0


def test_a_generated_set_is_real_for_a_trained_claim() -> None:
    node = lecture()
    change(node, data="a ring of Gaussians")
    assert rules.claims(node, (Required("t/x", "trained", "<=", 1.0, "a ring of Gaussians"),)) == []
    assert len(rules.claims(node, WANTED)) == 1


SEEDS = {
    "profile": "full",
    "code_hash": stamps.code_hash(lecture()),
    "claims": {
        "t/x": {
            "kind": "trained",
            "op": "<=",
            "bound": 1.0,
            "runs": [{"seed": seed, "measured": 0.5, "holds": True, "judged": True} for seed in (2, 3, 4)],
        }
    },
}
PLANTED_SEEDS: dict[str, Callable[[Any], object]] = {
    "other code": lambda s: s.update(code_hash="0"),
    "quick": lambda s: s.update(profile="quick"),
    "missing": lambda s: s["claims"].clear(),
    "looser": lambda s: s["claims"]["t/x"].update(bound=2.0),
    "the notebook's own seed": lambda s: s["claims"]["t/x"]["runs"][0].update(seed=1),
    "the same seed twice": lambda s: s["claims"]["t/x"]["runs"][0].update(seed=3),
    "one misses": lambda s: s["claims"]["t/x"]["runs"][1].update(measured=1.1, holds=False),
    "one misses, misjudged": lambda s: s["claims"]["t/x"]["runs"][1].update(measured=1.1),
    "hardly holds": lambda s: s["claims"]["t/x"]["runs"][1].update(measured=0.9),
    "not judged": lambda s: s["claims"]["t/x"]["runs"][2].update(judged=False),
}


@pytest.mark.parametrize("name", PLANTED_SEEDS)
def test_rule_of_seeds_finds_its_fault(name: str) -> None:
    measured = copy.deepcopy(SEEDS)
    assert rules.seeds(lecture(), measured, WANTED) == []
    PLANTED_SEEDS[name](measured)
    assert len(rules.seeds(lecture(), measured, WANTED)) > 0


def test_rule_of_size_finds_its_fault(tmp_path: Path) -> None:
    path = tmp_path / "large.ipynb"
    path.write_bytes(b" " * 1_999_999)
    none(rules.size(path))
    path.write_bytes(b" " * 2_000_000)
    assert len(rules.size(path)) == 1


def test_rule_of_exercises_finds_a_solution() -> None:
    complaints = rules.exercise(sample.solution())
    assert any("mark of a solution" in complaint for complaint in complaints)
    assert any("has no gap" in complaint for complaint in complaints)
    assert any("raises-exception" in complaint for complaint in complaints)
