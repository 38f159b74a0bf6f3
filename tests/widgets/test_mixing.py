"""Mixtures of codes: the paths by hand, the sums of means, the explorer's fields, and what cannot be mixed."""

from __future__ import annotations

import math

import ipywidgets
import numpy as np
import pytest
import torch
from torch import nn

from course_utils import widgets
from course_utils.errors import InputError
from course_utils.widgets import mixing

pytestmark = pytest.mark.usefixtures("course_style", "one_thread")

Z = torch.tensor([[1.0, 0, 0, 0], [0, 3, 0, 0], [0, 0, 0.5, 0], [0, 0, 0, -1], [0.6, 0.8, 0, 0]])


def four_pixels(z):
    """A picture whose pixels are the tanh of the code: what was mixed can be read from it."""
    return z.tanh().reshape(-1, 1, 2, 2)


def drawn(figure):
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


def pixels(code):
    return ((torch.as_tensor(code).tanh() + 1) / 2).reshape(2, 2).numpy()


def test_the_line_and_the_arc_by_hand():
    t = torch.tensor([0.0, 1 / 3, 1.0])
    line, arc = mixing._lerp(Z[0], Z[1], t), mixing._slerp(Z[0], Z[1], t)
    torch.testing.assert_close(line[:, :2], torch.tensor([[1, 0], [2 / 3, 1.0], [0, 3]]))
    length, angle = 1 + 2 / 3, math.pi / 6
    expected = torch.tensor([[1, 0], [length * math.cos(angle), length * math.sin(angle)], [0, 3]])
    torch.testing.assert_close(arc[:, :2], expected)


def test_the_arc_keeps_the_length_of_long_codes_and_the_line_does_not():
    a, b = torch.randn(2, 64, generator=torch.Generator().manual_seed(0))
    a, b = 8 * a / a.norm(), 8 * b / b.norm()
    t = torch.linspace(0, 1, 9)
    torch.testing.assert_close(mixing._slerp(a, b, t).norm(dim=1), torch.full((9,), 8.0))
    assert mixing._lerp(a, b, t).norm(dim=1).min() < 7


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_where_there_is_no_arc_the_line_is_taken(factor):
    t = torch.linspace(0, 1, 5)
    found = mixing._slerp(Z[4], factor * Z[4], t)
    torch.testing.assert_close(found, mixing._lerp(Z[4], factor * Z[4], t))


def test_the_twin_shows_the_samples_the_ways_and_the_sum():
    figure = widgets.mixing_snapshots(four_pixels, Z, ends=[(0, 1)], groups=[([0, 1], [2], [3, 4])])
    pictures = drawn(figure)
    assert len(pictures) == 5 + 2 * 8 + 4
    for picture, code in zip(pictures[:5], Z, strict=True):
        np.testing.assert_allclose(picture, pixels(code), atol=1e-6)
    for row in (pictures[5:13], pictures[13:21]):
        np.testing.assert_allclose(row[0], pixels(Z[0]), atol=1e-6)
        np.testing.assert_allclose(row[-1], pixels(Z[1]), atol=1e-6)
    assert np.abs(pictures[8] - pictures[16]).max() > 0.01, "line and arc differ on the way"
    means = [[0.5, 1.5, 0, 0], [0, 0, 0.5, 0], [0.3, 0.4, 0, -0.5], [0.8, 1.9, -0.5, -0.5]]
    for picture, code in zip(pictures[21:], means, strict=True):
        np.testing.assert_allclose(picture, pixels(code), atol=1e-6)
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert titles[:5] == [*"01234"]
    assert titles[5] == "‖z‖ = 1.0"
    assert titles[12] == "3.0"
    assert titles[21:] == ["A: 0, 1", "B: 2", "C: 3, 4", "A − B + C"]


@pytest.fixture
def shown(monkeypatch):
    """The sheet, the controls of the two tabs with their pictures, and the messages."""
    found = []
    monkeypatch.setattr(mixing, "display", found.append)
    widgets.mixing_explorer(four_pixels, Z)
    return found[0].children


def test_the_explorer_answers_to_slider_and_numbers(shown):
    sheet, tabs = shown
    assert bytes(sheet.value).startswith(b"\x89PNG")
    assert tabs.titles == ("two codes", "arithmetic")
    controls, message, picture = tabs.children[0].children
    for control, value in zip(controls.children, (0.0, 2, 4), strict=True):
        before = picture.value
        control.value = value
        assert picture.value != before, control.description
    assert message.value == ""


def test_arithmetic_is_done_with_what_is_written_and_an_error_is_a_sentence(shown):
    controls, message, picture = shown[1].children[1].children
    a, b, _ = controls.children
    assert [field.value for field in controls.children] == ["0", "1", "2"]
    before = picture.value
    a.value = "0, 3 4"
    assert picture.value != before
    before = picture.value
    for text, said in (
        ("9", "give numbers from 0 to 4"),
        ("", "at least one"),
        ("x", 'is "x"'),
        ("-1", "write numbers"),
    ):
        b.value = text
        assert said in message.value
        assert "Group B" in message.value
        assert picture.value == before
    b.value = "2"
    assert message.value == ""
    assert picture.value != before


def test_the_larger_picture_stands_at_t():
    figure = mixing._one_way(four_pixels, Z, (0, 1), 0.25)
    pictures = drawn(figure)
    np.testing.assert_allclose(pictures[8], pixels([0.75, 0.75, 0, 0]), atol=1e-6)
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert titles[8] == "t = 0.25, ‖z‖ = 1.1"


def test_a_module_is_evaluated_without_gradients_and_left_as_it_was():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.9), nn.Tanh())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = drawn(widgets.mixing_snapshots(model, Z))
    second = drawn(widgets.mixing_snapshots(model, Z))
    np.testing.assert_array_equal(first, second)
    assert model.training
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name])


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (torch.randn(1, 4), "2 to 16 codes"),
        (torch.randn(17, 4), "2 to 16 codes"),
        (torch.randn(4), "2 to 16 codes"),
        (torch.zeros(3, 4), "A code is 0"),
        (torch.full((3, 4), math.nan), "not finite"),
    ],
)
def test_what_are_no_codes_says_why(z, message):
    with pytest.raises(InputError, match=message):
        widgets.mixing_snapshots(four_pixels, z)
    with pytest.raises(InputError, match=message):
        widgets.mixing_explorer(four_pixels, z)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ends": [(0, 5)]}, r"A way has the samples \[0, 5\]; give numbers from 0 to 4"),
        ({"ends": [(0, 1, 2)]}, "A way has two ends"),
        ({"groups": [([0], [1])]}, "three groups"),
        ({"groups": [([0], [], [1])]}, r"Group B has the samples \[\]"),
    ],
)
def test_numbers_of_no_sample_say_so(settings, message):
    with pytest.raises(InputError, match=message):
        widgets.mixing_snapshots(four_pixels, Z, **settings)


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (lambda z: z[:, :3], "square pictures are needed"),
        (lambda z: z[:1, None, None, :1], "square pictures are needed"),
        (lambda z: z.reshape(-1, 2, 2), "square pictures are needed"),
        (lambda z: 3 * torch.ones(len(z), 4), "end with a tanh"),
        (lambda z: torch.full((len(z), 4), math.nan), "end with a tanh"),
    ],
)
def test_a_generator_of_something_else_says_so(generator, message):
    with pytest.raises(InputError, match=message):
        widgets.mixing_snapshots(generator, Z)


def test_controls_are_widgets_that_keys_can_move(shown):
    controls = [c for tab in shown[1].children for c in tab.children[0].children]
    kinds = [ipywidgets.FloatSlider, *[ipywidgets.BoundedIntText] * 2, *[ipywidgets.Text] * 3]
    assert [type(control) for control in controls] == kinds
