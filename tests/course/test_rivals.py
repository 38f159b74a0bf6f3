"""The league of samples that later lectures compare with is the one that its lecture measured."""

from __future__ import annotations

import json

import pytest

from course_utils.commands.shared import notebooks
from course_utils.commands.shared.records import read_claims, read_league
from course_utils.metrics import League, league_path, load_league

LECTURES = notebooks.find(folders=["notebooks"])


def test_what_is_kept_is_what_one_lecture_has_stored():
    stored = [record for path in LECTURES if (record := read_league(notebooks.read(path)))]
    assert len(stored) == 1
    assert stored[0] == json.loads(league_path().read_text(encoding="utf-8"))


def test_it_was_measured_in_full_on_the_real_digits():
    kept = load_league()
    assert kept.data == "MNIST"
    assert kept.num_samples == 10_000
    assert kept.judge_accuracy >= 0.988
    assert kept.scores["training digits"].fid < min(
        s.fid for name, s in kept.scores.items() if name != "training digits"
    )


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("vae/fid", lambda kept: kept.ratio("VAE, prior")),
        ("vae/hole", lambda kept: kept.scores["VAE, mixture"].fid / kept.scores["VAE, prior"].fid),
    ],
)
def test_it_says_what_the_claims_say(claim, value):
    (measured,) = [entry.claim.measured for entry in read_claims(LECTURES) if entry.claim.id == claim]
    assert value(load_league()) == pytest.approx(measured, rel=1e-9)
    assert isinstance(load_league(), League)
