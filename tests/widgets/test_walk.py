"""The walk between two images: ends are the images, pixels change evenly, and the explorer answers to its sliders."""

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


def squares(x):
    """An invertible code that is not linear, so that a walk in codes differs from one in pixels."""
    return x.square()


def roots(z):
    return z.sqrt()


def drawn(figure):
    """The pictures of the figure, in the order in which they were drawn."""
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


def curves(figure):
    """The curves of change, by their label."""
    (ax,) = [ax for ax in figure.axes if ax.lines and not ax.images]
    return {line.get_label(): line.get_ydata() for line in ax.lines if not line.get_label().startswith("_")}


def test_the_ends_of_the_walk_are_the_two_images(images):
    pictures = drawn(widgets.walk_snapshots(images[:2], squares, roots, steps=[0, 1]))
    ends = [images[0], images[0], images[1], images[1]]  # pixels above, codes below, from left to right
    for picture, image in zip(pictures, ends, strict=True):
        np.testing.assert_allclose(picture, image.reshape(7, 7), atol=1e-6)


def test_between_them_pixels_and_codes_are_mixed(images):
    a, b = images[:2]
    in_pixels, in_codes = drawn(widgets.walk_snapshots(images[:2], squares, roots, steps=[0.25]))
    np.testing.assert_allclose(in_pixels, (0.75 * a + 0.25 * b).reshape(7, 7), atol=1e-6)
    np.testing.assert_allclose(in_codes, (0.75 * a**2 + 0.25 * b**2).sqrt().reshape(7, 7), atol=1e-6)


def test_in_pixels_the_picture_changes_evenly_in_codes_it_does_not(images):
    change = curves(widgets.walk_snapshots(images[:2], squares, roots, steps=[0.5]))
    np.testing.assert_allclose(change["pixels"], 1, atol=1e-3)
    assert np.ptp(change["codes"]) > 0.01
    np.testing.assert_allclose(change["codes"].mean(), 1, atol=1e-4)


def test_a_linear_code_walks_as_pixels_do(images):
    figure = widgets.walk_snapshots(images[:2], lambda x: 2 * x, lambda z: z / 2, steps=[0.5])
    in_pixels, in_codes = drawn(figure)
    np.testing.assert_allclose(in_codes, in_pixels, atol=1e-6)
    np.testing.assert_allclose(curves(figure)["codes"], 1, atol=1e-3)


def test_the_explorer_redraws_when_a_slider_moves(images, monkeypatch):
    shown = []
    monkeypatch.setattr(explore, "display", shown.append)
    widgets.walk_explorer(images, squares, roots)
    *controls, picture = shown[0].children
    assert isinstance(picture, ipywidgets.Image)
    assert len(controls) == 3
    for control, value in zip(controls, (0.0, 2, 5), strict=True):
        before = picture.value
        control.value = value
        assert picture.value != before
    assert bytes(picture.value).startswith(b"\x89PNG")


def test_two_equal_images_make_no_walk_and_no_crash(images):
    change = curves(widgets.walk_snapshots(images[[0, 0]], squares, roots, steps=[0.5]))
    assert np.isfinite(change["codes"]).all()


@pytest.mark.parametrize(
    ("pair", "steps", "message"),
    [
        (torch.rand(3, 49), [0.5], "two ends"),
        (torch.rand(2, 49), [], "two ends"),
        (torch.rand(2, 49), [1.5], "two ends"),
        (torch.rand(2, 48), [0.5], "square images"),
        (torch.rand(2, 1, 7, 7), [0.5], "square images"),
    ],
)
def test_what_cannot_be_walked_says_why(pair, steps, message):
    with pytest.raises(InputError, match=message):
        widgets.walk_snapshots(pair, squares, roots, steps)


def test_a_decoder_of_another_shape_says_so(images):
    with pytest.raises(InputError, match="flatten it"):
        widgets.walk_snapshots(images[:2], squares, lambda z: z.reshape(-1, 7, 7), [0.5])
