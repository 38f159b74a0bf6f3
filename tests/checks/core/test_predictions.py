"""Predictions: ratios become words, and a wrong word is told by the mistake that was chosen for it."""

from __future__ import annotations

import math

import pytest
import torch

from course_utils.checks.core import Mistake, NotAttempted, Wrong, between, in_the_first, mistaken, prediction_check
from course_utils.checks.core.predictions import words

RIGHT = {"taller": "higher", "shorter": "lower", "mirrored": "same"}
MESSAGES = {
    "taller same": "taller: what does a metre measure?",
    "shorter higher": "shorter: which way?",
    "mirrored lower": "mirrored: is left shorter than right?",
}
KNOWN = mistaken(RIGHT, MESSAGES)
RATIOS = {"taller": 2.0, "shorter": 0.5, "mirrored": 1.0}


def check(ratios=None, **options):
    """The check of three predictions, and the generators that its runs were handed."""
    runs = []

    def run(generator):
        runs.append(generator)
        return dict(ratios or RATIOS)

    settings = {"band": (0.9, 1.1), "title": "Height over height"} | options
    return prediction_check(tuple(RIGHT), run, KNOWN, **settings), runs


def answers(**changed):
    return (RIGHT | changed).values()


def message(judged, *given):
    with pytest.raises(Wrong) as caught:
        judged(*given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("ratio", "word"),
    [(0.0, "lower"), (0.8, "lower"), (0.81, "same"), (1.0, "same"), (1.25, "same"), (1.26, "higher"), (9.0, "higher")],
)
def test_a_band_turns_a_ratio_into_a_word(ratio, word):
    assert words({"one": ratio, "other": 1.0}, (0.8, 1.25)) == {"one": word, "other": "same"}


def test_right_predictions_are_praised_after_the_ratios(capsys):
    judged, runs = check()
    assert judged(*answers()) is None
    said = capsys.readouterr().out
    assert said.startswith("Height over height: taller 2.00, shorter 0.50, mirrored 1.00\n")
    assert "all three experiments, run just now, end as you predicted." in said
    assert isinstance(runs[0], torch.Generator)


def test_the_ratios_are_printed_as_asked(capsys):
    check({"taller": 1234.5, "shorter": 0.01234, "mirrored": 1.04}, digits=".3g")[0](*answers())
    assert "taller 1.23e+03, shorter 0.0123, mirrored 1.04\n" in capsys.readouterr().out


def test_every_call_runs_the_experiments_with_another_generator():
    judged, runs = check()
    judged(*answers())
    judged(*answers())
    assert runs[0].initial_seed() != runs[1].initial_seed()


@pytest.mark.parametrize("word", ["lowers", "equal", "", 0.5, ["same"], ("lower",), {"same"}, math.nan, torch.ones(2)])
def test_another_word_is_wrong_before_anything_runs(word):
    judged, runs = check()
    expected = f'shorter is {word!r}; predict with one of the words "lower", "same" and "higher".'
    assert message(judged, *answers(shorter=word)) == expected
    assert runs == []


@pytest.mark.parametrize("word", ["lower ", " Lower", "LOWER\n"])
def test_a_word_is_the_same_word_with_a_blank_or_a_capital(word, capsys):
    assert check()[0](*answers(shorter=word)) is None


def test_an_open_prediction_is_not_attempted():
    judged, runs = check()
    with pytest.raises(NotAttempted, match=r"taller, shorter or mirrored is still a gap"):
        judged(*answers(mirrored=...))
    assert runs == []


def test_a_mistake_changes_one_prediction_and_bears_its_name():
    assert [known.name for known in KNOWN] == list(MESSAGES)
    assert [known.message for known in KNOWN] == list(MESSAGES.values())
    assert KNOWN[1].make == ("higher", "higher", "same")
    assert check()[0].mistakes == KNOWN


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
@pytest.mark.parametrize("choose", [in_the_first, between])
def test_a_known_mistake_is_told(known, choose):
    assert message(check(choose=choose)[0], *known.make) == known.message


def test_the_first_of_several_wrong_predictions_is_told():
    assert message(check()[0], *answers(shorter="higher", mirrored="lower")) == MESSAGES["shorter higher"]


@pytest.mark.parametrize("quantity", ["error", "outcome"])
def test_a_word_that_no_mistake_knows_is_told_without_the_right_one(quantity):
    expected = f"mirrored: the experiment was run just now, and its {quantity} is not higher."
    assert message(check(quantity=quantity)[0], *answers(mirrored="higher")) == expected


def test_between_prefers_a_known_mistake_to_the_first_wrong_prediction():
    given = answers(taller="lower", mirrored="lower")
    fallback = "taller: the experiment was run just now, and its error is not lower."
    assert message(check()[0], *given) == fallback
    assert message(check(choose=between)[0], *given) == MESSAGES["mirrored lower"]


def test_between_asks_that_every_word_be_predicted_or_measured():
    crossed = (Mistake("crossed", "shorter: both?", ("same", "higher", "same")),)
    measured = RIGHT
    assert between(crossed, RIGHT | {"taller": "same", "shorter": "higher"}, measured) is crossed[0]
    assert between(crossed, RIGHT | {"shorter": "higher"}, measured) is None
    assert in_the_first(crossed, RIGHT | {"shorter": "higher"}, measured) is crossed[0]


def test_a_run_that_ends_otherwise_turns_the_outcome():
    judged, _ = check(RATIOS | {"taller": 1.0})
    judged(*answers(taller="same"))
    assert message(judged, *answers()) == "taller: the experiment was run just now, and its error is not higher."
