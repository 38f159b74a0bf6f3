"""Showing a figure: once, with its text, sharp, and small enough to be stored."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image, ImageChops

from course_utils import plotting
from course_utils.errors import InputError
from course_utils.plotting import figures

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def stored(monkeypatch):
    """A function that shows a figure and returns the bundle and its metadata."""
    calls = []
    monkeypatch.setattr(figures, "display", lambda bundle, **options: calls.append((bundle, options["metadata"])))

    def show(figure, alt="A figure that is only looked at here."):
        plotting.show(figure, alt)
        return calls.pop()

    yield show
    assert not calls, "a figure is displayed once"


def picture(bundle):
    return Image.open(io.BytesIO(bundle["image/png"]))


def curves():
    figure, ax = plt.subplots()
    for phase in range(6):
        ax.plot(np.sin(np.linspace(0, 10, 300) + phase), label=f"curve {phase}")
    ax.set(xlabel="t (s)", ylabel="x", title="Six curves")
    ax.legend()
    return figure


def photograph():
    figure, ax = plt.subplots()
    red, green = np.meshgrid(np.linspace(0, 1, 200), np.linspace(0, 1, 200))
    ax.imshow(np.stack([red, green, 0.5 + 0.5 * np.sin(20 * red * green)], axis=-1))
    return figure


def test_show_displays_the_figure_once_with_its_text(stored):
    figure, _ = plt.subplots(figsize=(2, 1))
    bundle, metadata = stored(figure, "A figure with nothing in it at all.\n    And a second sentence about it.")
    alt = "A figure with nothing in it at all. And a second sentence about it."
    assert metadata["image/png"] == {"alt": alt, "width": 200}
    assert picture(bundle).size == (300, 150)
    assert bundle["text/plain"] == f"Figure: {alt}"
    assert not plt.get_fignums()


def test_a_figure_without_words_is_refused():
    with pytest.raises(InputError, match="says too little"):
        plotting.show(plt.figure(), "a plot")


def test_a_drawing_is_stored_in_little_room_and_looks_the_same(stored):
    figure = curves()
    whole = io.BytesIO()
    figure.savefig(whole, format="png", dpi=150)
    bundle, _ = stored(figure)
    assert picture(bundle).mode == "P"
    assert len(bundle["image/png"]) < len(whole.getvalue()) / 2.5
    difference = np.asarray(ImageChops.difference(picture(bundle).convert("RGB"), Image.open(whole).convert("RGB")))
    assert (difference > 16).any(-1).mean() < 0.005


@pytest.mark.parametrize("colour", [*plotting.COLOURS.values(), *plotting.CLASS_COLOURS])
def test_one_small_mark_among_many_colours_keeps_its_own(stored, colour):
    figure, ax = plt.subplots()
    places = np.random.default_rng(0).normal(size=(2, 800))
    ax.scatter(*places, c=places[0], cmap="magma", s=6)
    ax.scatter([4], [4], color=colour, s=9, linewidths=0)
    ax.set(xlim=(-5, 5), ylim=(-5, 5))
    bundle, _ = stored(figure)
    drawn = np.asarray(picture(bundle).convert("RGB")).astype(int)
    x, y = (ax.transData.transform((4, 4)) * len(drawn) / figure.bbox.height).astype(int)
    around = drawn[len(drawn) - y - 3 : len(drawn) - y + 2, x - 2 : x + 3].reshape(-1, 3)
    assert np.abs(around - 255 * np.array(to_rgb(colour))).max(1).min() <= 16


def test_a_photograph_keeps_its_colours(stored):
    bundle, _ = stored(photograph())
    assert picture(bundle).mode == "RGB"


def test_grey_images_keep_every_grey(stored):
    figure = plotting.show_images([np.arange(256).reshape(1, 256) / 255], size=1.2)
    whole = io.BytesIO()
    figure.savefig(whole, format="png", dpi=150)
    bundle, _ = stored(figure)
    assert not ImageChops.difference(picture(bundle).convert("RGB"), Image.open(whole).convert("RGB")).getbbox()
