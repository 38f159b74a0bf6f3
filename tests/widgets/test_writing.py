"""A model that writes: its text comes piece by piece, stops when it should, and its errors are sentences."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from course_utils import widgets
from course_utils.errors import InputError
from course_utils.widgets import writing

pytestmark = pytest.mark.usefixtures("course_style")

ALPHABET = "\n abcdef"


def write(prompt, length, temperature=1.0, top_k=None):
    """The alphabet again and again, after an error for what it does not know."""
    if set(prompt) - set(ALPHABET):
        raise InputError("The prompt has an unknown character.")
    for index in range(length):
        yield ALPHABET[2 + index % 6]


@pytest.fixture
def shown(monkeypatch):
    """A function that shows an explorer and returns its desk."""
    boxes = []
    monkeypatch.setattr(writing, "display", boxes.append)

    def show(write=write, **options):
        options = {"prompt": "ab\n", "alphabet": ALPHABET, "length": 20} | options
        widgets.writing_explorer(write, **options)
        return boxes.pop()

    return show


async def written(desk, most=5_000):
    """Wait until the desk is done; how often other tasks had their turn meanwhile."""
    for turn in range(most):
        if not desk.writing:
            return turn
        await asyncio.sleep(0)
    raise AssertionError("it writes and writes")


def test_the_desk_begins_with_what_it_was_given(shown):
    desk = shown()
    assert (desk.prompt, desk.length, desk.temperature) == ("ab\n", 20, 1.0)
    assert (desk.top_k, desk.most_k) == (8, 8)
    assert not desk.writing
    assert desk.written == ""


def test_write_is_asked_for_what_the_controls_say(shown):
    asked = []

    def remember(*given, **settings):
        asked.append((given, settings))
        return "abc"

    desk = shown(remember)
    desk.set_state({"prompt": "c", "length": 7, "temperature": 0.25, "top_k": 3, "writing": True})
    assert asked == [(("c", 7), {"temperature": 0.25, "top_k": 3})]
    assert (desk.opening, desk.written, desk.message, desk.failed) == ("c", "abc", "Characters written: 3.", False)
    assert not desk.writing, "the button is itself again"


def test_other_tasks_have_their_turn_between_two_pieces(shown, monkeypatch):
    monkeypatch.setattr(writing, "INTERVAL", 0.0)
    desk = shown()
    grown = []
    desk.observe(lambda change: grown.append(change["new"]), names="written")

    async def scenario():
        desk.writing = True
        return await written(desk)

    assert asyncio.run(scenario()) >= 20
    assert grown == ["abcdefabcdefabcdefab"[:end] for end in range(1, 21)]
    assert desk.message == "Characters written: 20."


def test_a_growing_text_is_sent_now_and_then(shown):
    desk = shown(length=5_000)
    grown = []
    desk.observe(lambda change: grown.append(change["new"]), names="written")

    async def scenario():
        desk.writing = True
        await written(desk, 10_000)

    asyncio.run(scenario())
    assert len(grown[-1]) == 5_000
    assert len(grown) < 500


def test_stop_keeps_what_is_there_and_asks_for_no_more(shown):
    asked = []

    def endless(prompt, length, **_):
        while True:
            asked.append(prompt)
            yield "a"

    desk = shown(endless, length=5_000)

    async def scenario():
        desk.writing = True
        for _ in range(10):
            await asyncio.sleep(0)
        desk.writing = False
        for _ in range(10):
            await asyncio.sleep(0)

    asyncio.run(scenario())
    assert 1 <= len(asked) <= 10
    assert desk.written == "a" * len(asked)
    assert desk.message == f"Stopped. Characters written: {len(asked)}."
    assert not desk.failed


def test_a_text_begun_at_once_after_stop_is_the_only_one(shown):
    desk = shown()

    async def scenario():
        desk.writing = True
        for _ in range(5):
            await asyncio.sleep(0)
        desk.writing = False
        desk.prompt = "fed"
        desk.writing = True
        await written(desk)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert (desk.opening, desk.written) == ("fed", "abcdefabcdefabcdefab")
    assert desk.message == "Characters written: 20."


def test_more_than_the_length_is_left_out(shown):
    closed = []

    def endless(prompt, length, **_):
        try:
            while True:
                yield "abc"
        finally:
            closed.append(True)

    desk = shown(endless, length=7)
    desk.writing = True
    assert desk.written == "abcabca"
    assert closed == [True]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (write, "The prompt has an unknown character."),
        (lambda *_, **__: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda *_, **__: [7], "write gives a int, 7; it should give characters."),
        (lambda prompt, length: "a", "unexpected keyword argument"),
    ],
)
def test_an_error_is_shown_as_a_message(shown, wrong, message):
    desk = shown(wrong)
    desk.prompt = "xyz"
    desk.writing = True
    assert message in desk.message
    assert desk.failed
    assert not desk.writing
    desk.prompt = "a"
    desk._write = write
    desk.writing = True
    assert (desk.failed, desk.message) == (False, "Characters written: 20."), "the next text makes it good"


def test_what_was_written_before_an_error_is_kept(shown):
    def breaks(prompt, length, **_):
        yield from "abc"
        raise InputError("Not a step further.")

    desk = shown(breaks)
    desk.writing = True
    assert (desk.written, desk.message) == ("abc", "Not a step further.")


def test_gradients_are_off_for_the_model_alone(shown):
    """A generator that waits inside no_grad, as most do, and one that leaves it to the explorer."""
    inside = []

    def careful(prompt, length, **_):
        with torch.no_grad():
            for _ in range(length):
                inside.append(torch.is_grad_enabled())
                yield "a"

    def careless(prompt, length, **_):
        for _ in range(length):
            inside.append(torch.is_grad_enabled())
            yield "a"

    outside = []

    async def scenario(desk, stop):
        desk.writing = True
        for _ in range(10):
            await asyncio.sleep(0)
            outside.append(torch.is_grad_enabled())
        if stop:
            desk.writing = False
        await written(desk)
        for _ in range(3):
            await asyncio.sleep(0)
            outside.append(torch.is_grad_enabled())

    for model in (careful, careless):
        for stop in (True, False):
            asyncio.run(scenario(shown(model), stop))
    assert set(outside) == {True}
    assert set(inside) == {False}


def test_a_length_out_of_range_is_put_into_it(shown):
    desk = shown()
    for length, characters in ((0, 1), (-5, 1), (9_999, 5_000)):
        desk.length = length
        desk.writing = True
        assert len(desk.written) == characters


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": "ab x\t"}, r"not in the alphabet: ⇥x"),
        ({"alphabet": "aab\n"}, "4 characters, 3 different; give each once"),
        ({"alphabet": ""}, "0 characters"),
        ({"length": 0}, "length=0; write 1 to 5,000"),
        ({"length": 5_001}, "length=5001; write 1 to 5,000"),
    ],
)
def test_what_no_desk_can_begin_with_is_refused(shown, options, message):
    with pytest.raises(InputError, match=message):
        shown(**options)


def test_the_script_stands_beside_the_module():
    script = Path(writing.__file__).with_name("writing.js").read_text(encoding="utf-8")
    assert str(writing.Desk._esm) == script
    assert "http" not in script, "it works without a network"
    assert f"max: {writing.MOST_LENGTH}" in script
    assert f"max: {writing.MOST_TEMPERATURE:g}" in script


def letters(ax):
    """The colours of the signs in a panel."""
    return [tuple(colour) for colour in ax.collections[-1].get_facecolors()]


def test_the_twin_has_a_panel_for_each_prompt_and_temperature():
    asked = []

    def remember(prompt, length, *, temperature):
        asked.append((prompt, length, temperature))
        return write(prompt, length)

    figure = widgets.writing_snapshots(remember, ["ab\n", "f"], [0.5, 1.0, 2], length=30)
    assert asked == [(prompt, 30, temperature) for prompt in ("ab\n", "f") for temperature in (0.5, 1.0, 2)]
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        *("temperature 0.5", "temperature 1", "temperature 2"),
        *("", "", ""),
    ]
    blue, black = to_rgba(writing.COLOURS["blue"]), to_rgba("black")
    assert letters(figure.axes[0]) == [blue] * 2 + [black] * 30
    assert letters(figure.axes[3]) == [blue] + [black] * 30


def test_the_twin_hands_top_k_on_where_it_is_given():
    def model(prompt, length, temperature, top_k="left out"):
        return str(top_k)[:1]

    for options, sign in (({}, "l"), ({"top_k": 5}, "5")):
        figure = widgets.writing_snapshots(model, ["a"], [1.0], **options)
        expected = widgets.writing_snapshots(lambda *_, sign=sign, **__: sign, ["a"], [1.0])
        for path, other in zip(*(f.axes[0].collections[-1].get_paths() for f in (figure, expected)), strict=True):
            np.testing.assert_array_equal(path.vertices, other.vertices)


@pytest.mark.parametrize("temperatures", [[1.0], [0.5, 1.0], [0.1, 0.5, 1.0, 1.5]])
@pytest.mark.parametrize("text", [100 * "M", 100 * "g\n"])
def test_nothing_leaves_its_panel(temperatures, text):
    figure = widgets.writing_snapshots(lambda *_, **__: text, ["ab\n", "c"], temperatures, length=1_000)
    figure.canvas.draw()
    assert figure.get_figwidth() < 9.6
    for ax in figure.axes:
        low, high = ax.get_window_extent().min, ax.get_window_extent().max
        corners = np.concatenate([path.vertices for path in ax.collections[-1].get_paths()])
        places = ax.transData.transform(corners)
        assert (low < places.min(0)).all()
        assert (places.max(0) < high).all()
        points = (ax.transData.transform((1, 0)) - ax.transData.transform((0, 0)))[0] / 0.602 / figure.dpi * 72
        assert points == pytest.approx(8, rel=0.08), "characters of one size, large enough to read"


@pytest.mark.parametrize(
    ("prompts", "temperatures", "options", "message"),
    [
        ([], [1.0], {}, "Give a list of prompts"),
        ("ab", [1.0], {}, "Give a list of prompts"),
        (["a"], [], {}, "1 to 4 temperatures"),
        (["a"], [1.0] * 5, {}, "1 to 4 temperatures"),
        (["a"], [1.0], {"length": 0}, "length=0"),
        (["xyz"], [1.0], {}, "unknown character"),
    ],
)
def test_what_cannot_be_written_is_refused(prompts, temperatures, options, message):
    with pytest.raises(InputError, match=message):
        widgets.writing_snapshots(write, prompts, temperatures, **options)
