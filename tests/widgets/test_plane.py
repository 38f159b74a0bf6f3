"""The plane of codes: its map, the point that is dragged over it, and the images that points decode to."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from PIL import Image

from course_utils import widgets
from course_utils.errors import InputError
from course_utils.plotting import CLASS_COLOURS
from course_utils.widgets import plane

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def codes():
    """(60, 2), twice as wide as high, around (1, 0)."""
    parts = torch.rand(60, 2, generator=torch.Generator().manual_seed(0))
    return parts * torch.tensor([4.0, 2.0]) - 1


@pytest.fixture
def labels():
    return torch.arange(60) % 3


def decode(z):
    """Images (M, 49): the first half is as dark as the first latent variable, the second half as the second."""
    dark = torch.sigmoid(z)
    return torch.cat([dark[:, :1].expand(-1, 24), dark[:, 1:].expand(-1, 25)], dim=1)


@pytest.fixture
def shown(codes, labels, monkeypatch):
    """The pad of an explorer, and the picture beside it."""
    boxes = []
    monkeypatch.setattr(plane, "display", boxes.append)
    widgets.plane_explorer(codes, labels, decode)
    pad, picture = boxes[0].children
    return pad, picture


def test_the_picture_changes_when_the_point_moves(shown):
    pad, picture = shown
    assert isinstance(picture, ipywidgets.Image)
    assert bytes(picture.value).startswith(b"\x89PNG")
    for name, value in (("x", 1.5), ("y", -0.5), ("x", -0.5)):
        before = picture.value
        setattr(pad, name, value)
        assert picture.value != before


def test_a_drag_is_drawn_once(shown, monkeypatch):
    pad, _ = shown
    drawn = []
    draw = plane._draw_image
    monkeypatch.setattr(plane, "_draw_image", lambda *given: (drawn.append(given[-1]), draw(*given)))
    pad.set_state({"x": 1.25, "y": -0.75})  # as it comes from the browser
    assert drawn == [(1.25, -0.75)]


def test_the_point_begins_at_the_origin_or_as_near_as_the_map_goes(shown, codes, monkeypatch):
    assert (shown[0].x, shown[0].y) == (0, 0)
    boxes = []
    monkeypatch.setattr(plane, "display", boxes.append)
    widgets.plane_explorer(codes + torch.tensor([50.0, 0.0]), None, decode)
    pad = boxes[0].children[0]
    assert (pad.x, pad.y) == (pad.limits[0], 0)
    assert pad.limits[0] > 40


def test_the_pad_knows_where_the_axes_are_in_its_picture(shown):
    """The lower spine and the left one are the only long black lines."""
    pad, _ = shown
    dark = np.asarray(Image.open(io.BytesIO(pad.picture)).convert("L")) < 60
    height, width = dark.shape
    assert width == pad.width * plane.SHARPNESS
    left, top, across, down = pad.frame
    assert np.abs(dark.sum(1).argmax() / height - (top + down)) < 3 / height
    assert np.abs(dark.sum(0).argmax() / width - left) < 3 / width
    assert across * width == pytest.approx(down * height, rel=0.01)


def test_the_map_is_square_and_holds_every_code(shown, codes):
    low_x, high_x, low_y, high_y = shown[0].limits
    assert high_x - low_x == pytest.approx(high_y - low_y)
    assert low_x < codes[:, 0].min() < codes[:, 0].max() < high_x
    assert low_y < codes[:, 1].min() < codes[:, 1].max() < high_y


def test_the_script_stands_beside_the_module_and_goes_out_with_the_package():
    script = Path(plane.__file__).with_name("plane.js")
    assert str(plane.Pad._esm) == script.read_text(encoding="utf-8")
    assert "http" not in script.read_text(encoding="utf-8"), "it works without a network"
    project = (Path(plane.__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert '"widgets/*.js"' in project


def test_the_twin_shows_the_map_and_what_its_points_decode_to(codes, labels):
    points = [(0.0, 0.0), (2.0, -0.5), (-0.75, 0.5)]
    figure = widgets.plane_snapshots(codes, labels, decode, points, names=("one", "two", "three"))
    figure.canvas.draw()
    ax, *images = figure.axes
    assert {text.get_text() for text in ax.texts} == {"one", "two", "three", "1", "2", "3"}
    crosses = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines]
    np.testing.assert_allclose(crosses, points)
    places = {text.get_text(): text.get_position() for text in ax.texts}
    np.testing.assert_allclose([places[number] for number in "123"], points, atol=1e-9)
    assert [image.get_title(loc="center") for image in images] == ["1: (0.0, 0.0)", "2: (2.0, −0.5)", "3: (−0.8, 0.5)"]
    for image, point in zip(images, points, strict=True):
        expected = decode(torch.tensor([point]))[0].reshape(7, 7)
        np.testing.assert_allclose(image.images[0].get_array(), expected, rtol=1e-6)


@pytest.mark.parametrize("number", [1, 3, 5, 12, 16])
def test_the_twins_images_are_large_enough_to_see(codes, labels, number):
    points = torch.linspace(-0.5, 0.5, number)[:, None].expand(-1, 2)
    figure = widgets.plane_snapshots(codes, labels, decode, points)
    figure.canvas.draw()
    _, *images = figure.axes
    assert len(images) == number
    assert min(image.get_window_extent().width for image in images) >= 60
    assert figure.get_figwidth() < 10


def test_a_point_outside_widens_the_map(codes):
    ax = widgets.plane_snapshots(codes, None, decode, [(0.0, 0.0), (9.0, 9.0)]).axes[0]
    assert ax.get_xlim()[1] > 9
    assert ax.get_ylim()[1] > 9


def test_classes_have_the_courses_colours_and_codes_without_labels_one(codes, labels):
    def colours(labels):
        dots = widgets.plane_snapshots(codes, labels, decode, [(0.0, 0.0)]).axes[0].collections[0]
        return {tuple(colour) for colour in dots.get_facecolor()}

    assert len(colours(None)) == 1
    assert colours(labels) == {to_rgba(CLASS_COLOURS[label]) for label in range(3)}


def test_codes_that_are_all_the_same_are_drawn_too(codes):
    ax = widgets.plane_snapshots(torch.zeros(5, 2), None, decode, [(0.0, 0.0)]).axes[0]
    assert ax.get_xlim()[0] < 0 < ax.get_xlim()[1]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "1 to 16 points"),
        ([(0.0, 0.0)] * 17, "1 to 16 points"),
        ([(0.0, 0.0, 0.0)], "1 to 16 points"),
        ([(0.0, float("nan"))], "not finite"),
    ],
)
def test_points_that_are_none_of_the_plane_are_refused(codes, labels, points, message):
    with pytest.raises(InputError, match=message):
        widgets.plane_snapshots(codes, labels, decode, points)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda z: decode(z).reshape(-1, 7, 7), r"decode makes \(1, 7, 7\) of codes \(1, 2\)"),
        (lambda z: decode(z)[:, :48], "square images as rows"),
        (lambda z: decode(z)[0], "square images as rows"),
        (lambda z: decode(z) * 12 - 3, "logits take a sigmoid"),
        (lambda z: decode(z) / 0 * 0, r"values in \[0, 1\]"),
    ],
)
def test_a_decoder_of_something_else_says_so(codes, labels, wrong, message):
    with pytest.raises(InputError, match=message):
        widgets.plane_snapshots(codes, labels, wrong, [(0.0, 0.0)])
    with pytest.raises(InputError, match=message):
        widgets.plane_explorer(codes, labels, wrong)


def test_codes_of_another_shape_are_refused(codes, labels):
    for wrong in (torch.rand(60, 3), codes[:0], codes[0], codes / 0):
        with pytest.raises(InputError, match=r"finite codes \(N, 2\)"):
            widgets.plane_snapshots(wrong, None, decode, [(0.0, 0.0)])
    with pytest.raises(InputError, match="labels"):
        widgets.plane_explorer(codes, labels[:7], decode)


def test_no_gradient_is_asked_for(codes, labels):
    weight = torch.ones(2, requires_grad=True)
    widgets.plane_snapshots(codes.requires_grad_(), labels, lambda z: decode(z * weight), [(0.0, 0.0)])


def test_the_other_explorers_do_without_the_pads_library():
    code = "import sys; sys.modules['anywidget'] = None; from course_utils import widgets; widgets.latents_explorer"
    subprocess.run([sys.executable, "-c", code], check=True)
