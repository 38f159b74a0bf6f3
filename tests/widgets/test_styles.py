"""Turned styles: the codes' lengths and angles, which class stands where, and the explorer's controls."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from course_utils import widgets
from course_utils.errors import InputError
from course_utils.widgets import explore, styles

pytestmark = pytest.mark.usefixtures("course_style", "one_thread")


def four_pixels(z, y):
    """The first three numbers of the code, and the class, as pixels."""
    assert y.dtype == torch.int64
    return torch.cat([(z[:, :3] / 3).tanh(), y[:, None] / 5 - 1], dim=1).reshape(-1, 1, 2, 2)


def drawn(figure):
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


def test_a_turned_code_keeps_its_length_and_turns_by_the_angle():
    directions = styles._directions(64, seed=0)
    torch.testing.assert_close(directions @ directions.T, 64 * torch.eye(3), atol=1e-3, rtol=0)
    turns = [(0, 0), (60, 0), (180, 0), (0, 90), (0, 30), (47, -20)]
    z, y = styles._styles(directions, turns, 3)
    assert y.tolist() == [0, 1, 2] * 6
    torch.testing.assert_close(z.norm(dim=1), torch.full((18,), 8.0))
    z = z.unflatten(0, (6, 3))
    torch.testing.assert_close(z[:, 0], z[:, 2])
    cosines = (z[:, 0] @ z[0, 0] / 64).tolist()
    both = math.cos(math.radians(47)) * math.cos(math.radians(20))
    assert cosines == pytest.approx([1, 0.5, -1, 0, math.cos(math.radians(30)), both], abs=1e-5)


def test_the_directions_are_those_of_the_seed():
    torch.testing.assert_close(styles._directions(5, seed=1), styles._directions(5, seed=1))
    assert (styles._directions(5, seed=1) - styles._directions(5, seed=2)).abs().max() > 0.1


def test_the_twin_has_a_row_for_each_style_and_a_column_for_each_class():
    figure = widgets.styles_snapshots(four_pixels, 4, 8, turns=[(0, 0), (90, 0)], seed=3)
    pictures = drawn(figure)
    assert len(pictures) == 8
    assert [picture[1, 1] for picture in pictures] == pytest.approx([0, 0.1, 0.2, 0.3] * 2, abs=1e-6)
    directions = styles._directions(8, seed=3)
    for row, code in enumerate(directions[:2]):
        expected = ((code[:3] / 3).tanh() + 1) / 2
        for picture in pictures[4 * row : 4 * row + 4]:
            np.testing.assert_allclose(picture.flatten()[:3], expected, atol=1e-5)
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert texts == ["turned 0° and 0°", "turned 90° and 0°"]
    assert [ax.get_title() for ax in figure.axes[:4]] == [*"0123"]


def test_the_explorer_answers_to_class_and_turns(monkeypatch):
    shown = []
    monkeypatch.setattr(explore, "display", shown.append)
    widgets.styles_explorer(four_pixels, 3, 8, names=["shirt", "bag", "boot"])
    *controls, picture = shown[0].children
    assert controls[0].options == (("shirt", 0), ("bag", 1), ("boot", 2))
    for control, value in zip(controls, (2, 40, -45), strict=True):
        before = picture.value
        control.value = value
        assert picture.value != before, control.description


def test_the_large_picture_is_the_chosen_class_which_has_a_frame_below(monkeypatch):
    drawings = []
    monkeypatch.setattr(styles, "explore", lambda draw, **_: drawings.append(draw))
    widgets.styles_explorer(four_pixels, 3, 8, names=["shirt", "bag", "boot"])
    figure = drawings[0](y=1, first=30, second=-10)
    large, *row = drawn(figure)
    np.testing.assert_array_equal(large, row[1])
    assert figure.axes[0].get_title() == "bag, turned 30° and −10°"
    assert [len(ax.patches) for ax in figure.axes[1:]] == [0, 1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": 1}, "num_classes=1"),
        ({"num_classes": 13}, "num_classes=13"),
        ({"latent_dim": 2}, "latent_dim=2"),
        ({"names": ["a", "b"]}, "2 names for 3 classes"),
    ],
)
def test_what_cannot_be_turned_says_why(settings, message):
    settings = {"num_classes": 3, "latent_dim": 8} | settings
    for function in (widgets.styles_explorer, widgets.styles_snapshots):
        with pytest.raises(InputError, match=message):
            function(four_pixels, **settings)


@pytest.mark.parametrize("turns", [[], [(1, 2, 3)], [(0, math.nan)]])
def test_turns_are_pairs_of_angles(turns):
    with pytest.raises(InputError, match="pairs of finite angles"):
        widgets.styles_snapshots(four_pixels, 3, 8, turns=turns)


def test_a_generator_of_something_else_says_so():
    with pytest.raises(InputError, match="end with a tanh"):
        widgets.styles_snapshots(lambda z, y: 9 * torch.ones(len(z), 4), 3, 8)
