"""The league of samples: what a lecture shows, what is kept of it, and what later lectures read."""

from __future__ import annotations

import json

import nbformat
import pytest

from course_utils.commands import execute
from course_utils.commands.shared import notebooks
from course_utils.commands.shared.records import read_league
from course_utils.errors import DataError, InputError
from course_utils.metrics import League, SampleScores, league, load_league

SCORES = {
    "pixels, one Gaussian": SampleScores(fid=400.0, kid=0.5, inception_score=3.0, density=0.5, coverage=0.06),
    "VAE, prior": SampleScores(fid=80.0, kid=0.1, inception_score=7.0, density=0.6, coverage=0.6),
}


@pytest.fixture
def measured() -> League:
    return League("MNIST", judge_accuracy=0.991, num_samples=10_000, scores=SCORES)


def test_the_fid_is_shown_over_that_of_the_gaussian(measured):
    assert measured.ratio("VAE, prior") == pytest.approx(0.2)
    shown = str(measured).splitlines()
    assert "10,000 samples each, MNIST" in shown[0]
    assert "99.10%" in shown[0]
    row = next(line for line in shown if line.startswith("VAE, prior"))
    assert row.split()[2:] == ["0.200", "80.0", "7.00", "0.60", "0.60"]
    assert len({len(line) for line in shown[1:]}) == 1  # the columns stand under one another


def test_a_league_without_the_gaussian_is_refused():
    with pytest.raises(InputError, match="one Gaussian"):
        League("MNIST", 0.99, 10, {"VAE, prior": SCORES["VAE, prior"]})


def test_what_is_stored_is_read_back(measured):
    bundle = measured._repr_mimebundle_()
    record = json.loads(json.dumps(bundle[league.MIME_TYPE]))
    assert League.from_record(record) == measured
    assert "<td>0.200</td>" in bundle["text/html"]
    assert bundle["text/plain"] == str(measured)


@pytest.mark.parametrize("damage", [{"scores": None}, {"scores": {"a": {"fid": 1}}}, {"judge_accuracy": ...}])
def test_a_damaged_record_is_named(measured, damage):
    record = {key: value for key, value in (measured.record() | damage).items() if value is not ...}
    with pytest.raises(DataError, match="no such league"):
        League.from_record(record)


def test_executing_a_lecture_keeps_what_it_measured(measured, monkeypatch, tmp_path):
    cell = nbformat.v4.new_code_cell("league")
    cell.outputs = [nbformat.v4.new_output("display_data", data=measured._repr_mimebundle_())]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    path = tmp_path / "rivals.json"
    monkeypatch.setattr("course_utils.metrics.league_path", lambda: path)
    monkeypatch.setattr("course_utils.metrics.league.league_path", lambda: path)
    monkeypatch.setattr(notebooks, "relative", str)

    execute._keep_league(notebook)
    assert League.from_record(json.loads(path.read_text())) == load_league() == measured
    assert read_league(nbformat.v4.new_notebook()) is None


def test_a_missing_file_says_what_makes_it(monkeypatch, tmp_path):
    monkeypatch.setattr("course_utils.metrics.league.league_path", lambda: tmp_path / "rivals.json")
    with pytest.raises(DataError, match="variational autoencoders"):
        load_league()
