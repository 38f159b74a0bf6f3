"""The latent variables of a digit: sliders that begin at its own code, and a row of images for each unit."""

from __future__ import annotations

import ipywidgets
import numpy as np
import pytest
import torch

from course_utils import widgets
from course_utils.errors import InputError
from course_utils.widgets import explore

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def images():
    return torch.rand(6, 49, generator=torch.Generator().manual_seed(0))


def encode(x):
    """Codes (n, 5): five pixels, from -3.5 to 3.5."""
    return 7 * x[:, :5] - 3.5


def decode(z):
    """Images (n, 49) that show the code in their first pixels, and half grey below."""
    return torch.cat([torch.sigmoid(z), torch.full((len(z), 44), 0.5)], dim=1)


def drawn(ax):
    return np.asarray(ax.images[0].get_array())


@pytest.fixture
def shown(images, monkeypatch):
    """The slider of the digit, those of the units 3 and 0, and the picture."""
    boxes = []
    monkeypatch.setattr(explore, "display", boxes.append)
    widgets.latents_explorer(images, encode, decode, [3, 0])
    dials, picture = boxes[0].children
    return *dials.children, picture


def test_the_sliders_begin_at_the_digits_own_code(shown, images):
    digit, *units, _ = shown
    assert [slider.description for slider in (digit, *units)] == ["digit", "unit 3", "unit 0"]
    assert [slider.value for slider in units] == encode(images)[0, [3, 0]].tolist()
    assert (digit.min, digit.max) == (0, 5)


def test_another_digit_resets_the_sliders(shown, images):
    digit, *units, _ = shown
    units[0].value = 2.5
    digit.value = 4
    assert [slider.value for slider in units] == encode(images)[4, [3, 0]].tolist()


def test_the_sliders_reach_from_minus_3_to_3_and_to_the_digits_own_value(images, monkeypatch):
    boxes = []
    monkeypatch.setattr(explore, "display", boxes.append)
    own = torch.tensor([[0.5, -3.25], [-1.0, 1.0]])
    widgets.latents_explorer(images[:2], lambda x: own, lambda z: decode(z.repeat(1, 3)[:, :5]), [0, 1])
    digit, *units = boxes[0].children[0].children
    assert [(slider.min, slider.max) for slider in units] == [(-3, 3), (-3.25, 3)]
    assert units[1].value == -3.25
    digit.value = 1
    assert [(slider.min, slider.max) for slider in units] == [(-3, 3), (-3, 3)]


def test_the_picture_changes_when_a_slider_moves(shown):
    *controls, picture = shown
    assert isinstance(picture, ipywidgets.Image)
    assert bytes(picture.value).startswith(b"\x89PNG")
    for control, value in zip(controls, (2, 1.0, -1.0), strict=True):
        before = picture.value
        control.value = value
        assert picture.value != before


def test_each_move_is_drawn_once(shown, monkeypatch):
    digit, unit, *_ = shown
    asked = []
    monkeypatch.setattr(explore.plt, "close", asked.append)
    digit.value = 3
    assert len(asked) == 1
    unit.value = 1.0
    assert len(asked) == 2


def test_a_slider_that_the_browser_puts_on_its_nearest_step_is_not_moved(shown, images):
    _, unit, _, picture = shown
    before = picture.value
    unit.value = round(unit.value / 0.05) * 0.05
    assert picture.value == before


def test_only_the_moved_unit_changes_what_is_decoded(images, monkeypatch):
    boxes, asked = [], []
    monkeypatch.setattr(explore, "display", boxes.append)

    def remember(z):
        asked.append(z.clone())
        return decode(z)

    widgets.latents_explorer(images, encode, remember, [3, 0])
    boxes[0].children[0].children[1].value = 1.25
    expected = encode(images)[[0, 0]]  # the digit's own code, and the changed one
    expected[1, 3] = 1.25
    torch.testing.assert_close(asked[-1], expected)


def test_the_twin_has_a_row_for_each_unit_with_that_unit_changed(images):
    values = [-3, 0, 1.5]
    figure = widgets.latents_snapshots(images[0], encode, decode, [3, 0], values)
    digit, *axes = figure.axes
    np.testing.assert_allclose(drawn(digit), images[0].reshape(7, 7), rtol=1e-6)
    assert len(axes) == 6
    for index, ax in enumerate(axes):
        code = encode(images)[:1]
        code[0, [3, 0][index // 3]] = values[index % 3]
        np.testing.assert_allclose(drawn(ax), decode(code)[0].reshape(7, 7), rtol=1e-6)
    assert [ax.get_title(loc="center") for ax in axes] == ["−3.0", "0.0", "1.5", "", "", ""]
    labels = [axes[row].texts[0].get_text() for row in (0, 3)]
    own = [f"{value:.2f}".replace("-", "−") for value in encode(images)[0, [3, 0]].tolist()]
    assert labels == [f"unit 3\nown {own[0]}", f"unit 0\nown {own[1]}"]


def test_the_frame_is_nearest_to_the_digits_own_value(images):
    own = encode(images)[0, 3].item()
    figure = widgets.latents_snapshots(images[0], encode, decode, [3], [own - 1, own + 0.25, own - 0.5])
    assert [len(ax.patches) for ax in figure.axes] == [0, 0, 1, 0]


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 7), (5, 7), (5, 9)])
def test_the_twins_images_are_large_enough_to_see(images, rows, columns):
    figure = widgets.latents_snapshots(images[0], encode, decode, range(rows), [0.1 * i for i in range(columns)])
    figure.canvas.draw()
    assert min(ax.get_window_extent().width for ax in figure.axes) >= 60


@pytest.mark.parametrize("units", [[], [5], [-1], [0, 0], list(range(5)) * 2])
def test_units_that_are_not_there_are_refused(images, units):
    with pytest.raises(InputError, match="1 to 8 different units of the code, 0 to 4"):
        widgets.latents_snapshots(images[0], encode, decode, units, [0])
    with pytest.raises(InputError, match="1 to 8 different units of the code, 0 to 4"):
        widgets.latents_explorer(images, encode, decode, units)


@pytest.mark.parametrize("values", [[], [float("nan")]])
def test_values_that_are_none_are_refused(images, values):
    with pytest.raises(InputError, match="finite numbers, at least one"):
        widgets.latents_snapshots(images[0], encode, decode, [0], values)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (lambda x: (encode(x), encode(x)), "a tuple for 6 images; give the mean codes alone"),
        (lambda x: encode(x)[0], "the mean codes alone"),
        (lambda x: encode(x)[:2], "the mean codes alone"),
        (lambda x: encode(x) / 0, "finite"),
    ],
)
def test_an_encoder_of_something_else_says_so(images, encoder, message):
    with pytest.raises(InputError, match=message):
        widgets.latents_explorer(images, encoder, decode, [0])


def test_what_is_no_image_is_refused(images):
    with pytest.raises(InputError, match="square images as rows"):
        widgets.latents_explorer(images[:, :48], encode, decode, [0])
    with pytest.raises(InputError, match="square images as rows"):
        widgets.latents_explorer(images.reshape(-1, 1, 7, 7), encode, decode, [0])
    with pytest.raises(InputError, match="logits take a sigmoid"):
        widgets.latents_snapshots(images[0], encode, lambda z: 9 * decode(z), [0], [0])
    with pytest.raises(InputError, match="square images as rows"):
        widgets.latents_explorer(images, encode, lambda z: decode(z).reshape(-1, 7, 7), [0])
