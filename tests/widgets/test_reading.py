"""A model that reads: the colour of each loss, and what was expected in each place."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex, to_rgba

from course_utils import widgets
from course_utils.errors import InputError
from course_utils.widgets import reading

pytestmark = pytest.mark.usefixtures("course_style")

ALPHABET = "\n abcdefg"
TEXT = "abba\ncab gag"


@pytest.fixture
def log_probs():
    """Predictions (12, 9) that differ from row to row."""
    logits = torch.randn(len(TEXT), len(ALPHABET), generator=torch.Generator().manual_seed(0))
    return (2 * logits).log_softmax(-1)


@pytest.fixture
def shown(monkeypatch):
    """A function that shows an explorer and returns its page."""
    boxes = []
    monkeypatch.setattr(reading, "display", boxes.append)

    def show(text, log_probs, alphabet=ALPHABET):
        widgets.reading_explorer(text, log_probs, alphabet)
        return boxes.pop()

    return show


def ranked(row):
    """All characters with their probabilities, the most probable first, by Python's own sorting."""
    return sorted(((math.exp(value), sign) for value, sign in zip(row.tolist(), ALPHABET, strict=True)), reverse=True)


def test_the_six_most_probable_characters_of_every_place(shown, log_probs):
    page = shown(TEXT, log_probs)
    see = {" ": "␣", "\n": "↵"}
    for index, character in enumerate(TEXT):
        best = ranked(log_probs[index])
        wanted = (
            best[:6]
            if character in [sign for _, sign in best[:6]]
            else best[:6] + [one for one in best if one[1] == character]
        )
        assert [sign for sign, *_ in page.expected[index]] == [see.get(sign, sign) for _, sign in wanted]
        np.testing.assert_allclose([share for _, share, _ in page.expected[index]], [p for p, _ in wanted], atol=1e-4)
        assert wanted[page.actual[index]][1] == character
    assert {len(one) for one in page.expected} == {6, 7}, "both cases are there"


def test_the_page_has_an_entry_for_each_character(shown, log_probs):
    page = shown(TEXT, log_probs.numpy())
    assert page.signs == [*"abba↵cab gag"]
    assert page.places == [[0, column] for column in range(5)] + [[1, column] for column in range(7)]
    for index, character in enumerate(TEXT):
        loss = -log_probs[index, ALPHABET.index(character)].item()
        seen = {" ": "␣", "\n": "↵"}.get(character, character)
        assert page.titles[index] == f"“{seen}” costs {loss:.2f} nats"


def test_a_colour_means_the_same_loss_in_every_text(shown):
    """Losses of 0, log 2 and beyond the last colour; black on light, white on dark."""
    log_probs = np.full((3, 9), -np.inf)
    log_probs[0, 2] = 0.0
    log_probs[1, [2, 3]] = math.log(0.5)
    log_probs[2, [2, 3]] = math.log1p(-1e-4), math.log(1e-4)
    page = shown("aab", log_probs)
    colour_map = reading.plt.get_cmap("Oranges")
    assert page.colours == [to_hex(colour_map(share)) for share in (0.0, math.log(2) / 6, 1.0)]
    assert page.inks == ["black", "black", "white"]
    assert (page.scale[0], page.scale[-1]) == (to_hex(colour_map(0.0)), to_hex(colour_map(1.0)))
    assert page.limits == [0, 6]


def test_a_character_that_was_ruled_out_says_so(shown):
    log_probs = np.full((1, 9), -np.inf)
    log_probs[0, 2] = 0.0
    page = shown("g", log_probs)
    assert page.titles == ["“g” was ruled out"]
    assert list(page.expected[0][-1]) == ["g", 0.0, "0%"]
    assert len(page.expected[0]) == 7
    figure = widgets.reading_snapshots("g", log_probs, ALPHABET, [0])
    assert figure.axes[1].get_title(loc="left") == "1: “g” was ruled out"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "100%"),
        (0.4321, "43%"),
        (0.0996, "10%"),
        (0.0994, "9.9%"),
        (0.0123, "1.2%"),
        (0.0005, "0.1%"),
        (0.0004, "< 0.1%"),
        (0.0, "0%"),
    ],
)
def test_percentages_are_short(share, words):
    assert reading._percent(share) == words


def test_the_twin_colours_the_text_and_charts_its_places(log_probs):
    places = [4, 0, 11]
    figure = widgets.reading_snapshots(TEXT, log_probs, ALPHABET, places)
    figure.canvas.draw()
    ax, *charts = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    losses = [-log_probs[index, ALPHABET.index(character)].item() for index, character in enumerate(TEXT)]
    np.testing.assert_allclose(ax.collections[0].get_array(), np.minimum(losses, 6), rtol=1e-5)
    assert ax.collections[0].get_clim() == (0, 6)

    # Numbers over the places, and a frame around each.
    cells = {4: (4, 0), 0: (0, 0), 11: (6, 1)}
    numbers = {text.get_text(): text.get_position() for text in ax.texts}
    for number, index in enumerate(places, start=1):
        column, row = cells[index]
        x, y = numbers[str(number)]
        assert x == column + 0.5
        assert row < y < row + 0.4
    assert sorted(patch.get_x() for patch in ax.patches) == [0, 4, 6]

    # A bar for each expected character, the actual one in orange.
    for number, (index, chart) in enumerate(zip(places, charts, strict=True), start=1):
        character = TEXT[index]
        seen = {"\n": "↵"}.get(character, character)
        assert chart.get_title(loc="left") == f"{number}: “{seen}” costs {losses[index]:.2f} nats"
        best = ranked(log_probs[index])
        widths = [bar.get_width() for bar in chart.patches]
        np.testing.assert_allclose(widths[:6], [share for share, _ in best[:6]], rtol=1e-5)
        labels = [label.get_text() for label in chart.get_yticklabels()]
        marked = [
            label
            for label, bar in zip(labels, chart.patches, strict=True)
            if bar.get_facecolor() == to_rgba(reading.COLOURS["orange"])
        ]
        assert marked == [seen]
        assert chart.patches[labels.index(seen)].get_width() == pytest.approx(math.exp(-losses[index]), rel=1e-5)


@pytest.mark.parametrize(("number", "length"), [(1, 12), (8, 12), (2, 400), (3, 400), (5, 400), (8, 1_500)])
def test_the_twin_has_room_for_its_text_and_its_charts(number, length):
    generator = np.random.default_rng(0)
    text = "".join(generator.choice([*ALPHABET], size=length, p=[0.02, 0.14, *[0.12] * 7]))
    log_probs = np.full((length, 9), -math.log(9))
    figure = widgets.reading_snapshots(text, log_probs, ALPHABET, range(number))
    figure.canvas.draw()
    assert figure.get_figwidth() < 10
    ax, *charts = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    points = (ax.transData.transform((1, 0)) - ax.transData.transform((0, 0)))[0] / 0.602 / figure.dpi * 72
    assert points == pytest.approx(8.5, rel=0.12)
    boxes = [chart.get_tightbbox() for chart in charts]
    assert min(box.height for box in boxes) > 80
    text_box = ax.get_window_extent()
    for index, box in enumerate(boxes):
        assert not box.overlaps(text_box)
        assert not any(box.overlaps(other) for other in boxes[:index])


@pytest.mark.parametrize("places", [[], [12], [-1], [0, 0], list(range(9))])
def test_places_that_are_not_there_are_refused(log_probs, places):
    with pytest.raises(InputError, match="name 1 to 8 different characters of the text, 0 to 11"):
        widgets.reading_snapshots(TEXT, log_probs, ALPHABET, places)


@pytest.mark.parametrize(
    ("text", "change", "alphabet", "message"),
    [
        ("", lambda x: x[:0], ALPHABET, "The text has 0 characters; give 1 to 2,000"),
        (2_001 * "a", lambda x: x, ALPHABET, "The text has 2,001 characters"),
        (TEXT, lambda x: x[:-1], ALPHABET, r"shape \(11, 9\); 12 characters of an alphabet of 9 need \(12, 9\)"),
        (TEXT, lambda x: x.T, ALPHABET, r"shape \(9, 12\)"),
        (TEXT, lambda x: x[None], ALPHABET, r"shape \(1, 12, 9\)"),
        (TEXT, lambda x: x, ALPHABET[:-1], "not in the alphabet: g"),
        (TEXT, lambda x: x, ALPHABET + "a", "10 characters, 9 different"),
        ("abba\tcab\x07gag", lambda x: x, ALPHABET, "not in the alphabet: ·⇥"),
        (TEXT, lambda x: x + 1, ALPHABET, r"row \d+ sum to 2.718, not to 1; log_softmax"),
        (TEXT, lambda x: x.exp(), ALPHABET, "log_softmax"),
        (TEXT, lambda x: x * 1000 + 1e5, ALPHABET, "sum to inf"),
        (TEXT, lambda x: x / 0, ALPHABET, "sum to 0, not to 1"),
        (TEXT, lambda x: -x / 0, ALPHABET, "nan or "),
        (TEXT, lambda x: x * float("nan"), ALPHABET, "nan"),
    ],
)
def test_predictions_that_are_none_of_this_text_are_refused(log_probs, text, change, alphabet, message):
    for show in (widgets.reading_explorer, lambda *given: widgets.reading_snapshots(*given, [0])):
        with pytest.raises(InputError, match=message):
            show(text, change(log_probs), alphabet)


def test_a_probability_rounded_in_half_precision_is_one_still(shown, log_probs):
    shown(TEXT, log_probs.half())
    with pytest.raises(InputError, match="not to 1"):
        shown(TEXT, log_probs + 0.002)


def test_no_gradient_is_in_the_way(shown, log_probs):
    page = shown(TEXT, log_probs.requires_grad_())
    assert len(page.titles) == len(TEXT)


def test_the_script_stands_beside_the_module():
    script = Path(reading.__file__).with_name("reading.js").read_text(encoding="utf-8")
    assert str(reading.Page._esm) == script
    assert "http" not in script, "it works without a network"
    assert reading.COLOURS["orange"] in script
    assert reading.COLOURS["grey"] in script
