"""Figures: what is drawn is what was given, every figure has a text, and explorers answer to their sliders."""

from __future__ import annotations

import io

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import diagrams, plotting, widgets
from course_utils.errors import InputError

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def displayed(monkeypatch):
    shown = []

    def keep(*objects, **options):
        shown.append((objects, options))

    monkeypatch.setattr(plotting, "display", keep)
    monkeypatch.setattr(widgets.explore, "display", keep)
    return shown


def test_show_displays_the_figure_once_with_its_text(displayed):
    figure, _ = plt.subplots(figsize=(2, 1))
    plotting.show(figure, "A figure with nothing in it at all.")
    ((bundle,), options) = displayed[0]
    assert options["metadata"]["image/png"]["alt"] == "A figure with nothing in it at all."
    assert Image.open(io.BytesIO(bundle["image/png"])).size == tuple((figure.get_size_inches() * figure.dpi).round())
    assert "nothing in it" in bundle["text/plain"]
    assert not plt.get_fignums()


def test_a_figure_without_words_is_refused():
    with pytest.raises(InputError, match="says too little"):
        plotting.show(plt.figure(), "a plot")


def test_show_image_draws_these_pixels():
    image = torch.rand(1, 28, 28)
    ax = plotting.show_image(image, title="one")
    np.testing.assert_allclose(ax.images[0].get_array(), image[0].numpy())
    assert ax.get_title(loc="center") == "one"
    with pytest.raises(InputError, match="one image"):
        plotting.show_image(torch.rand(28))


@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (3, 28, 28), (3, 784)])
def test_show_images_takes_every_usual_shape(shape):
    batch = torch.rand(shape)
    figure = plotting.show_images([batch, batch[:2]], ["a", "b"], title="two rows", titles=["x", "y", "z"])
    drawn = [ax for ax in figure.axes if ax.images]
    assert len(drawn) == 5
    np.testing.assert_allclose(drawn[4].images[0].get_array(), batch.reshape(3, 28, 28)[1].numpy())


@pytest.mark.parametrize("shape", [(3, 783), (3, 2, 28, 28), (784,)])
def test_show_images_refuses_what_is_no_batch(shape):
    with pytest.raises(InputError):
        plotting.show_images([torch.rand(shape)])


def test_the_tree_marks_todays_model_and_knows_the_others():
    texts = {text.get_text().split("\n")[0]: text for text in diagrams.family_tree("VAE").axes[0].texts}
    assert texts["VAE"].get_weight() == "bold"
    assert texts["GAN"].get_weight() != "bold"
    with pytest.raises(InputError, match=r"Did you mean \"VAE\""):
        diagrams.family_tree("VEA")


def test_the_hourglass_says_its_sizes():
    text = " ".join(text.get_text() for text in diagrams.autoencoder(784, 32).axes[0].texts)
    assert "784" in text
    assert "32" in text
    with pytest.raises(InputError, match="k = 0"):
        diagrams.autoencoder(784, 0)


def _explorer(displayed):
    ((box,), _) = displayed[-1]
    picture = next(child for child in box.children if isinstance(child, ipywidgets.Image))
    return [child for child in box.children if child is not picture], picture


def test_the_likelihood_explorer_redraws_when_a_slider_moves(displayed):
    x = 163 + 7 * torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    widgets.likelihood_explorer(x)
    (mean, std), picture = _explorer(displayed)
    before = picture.value
    mean.value, std.value = 163.0, 7.0
    assert picture.value != before
    assert bytes(picture.value).startswith(b"\x89PNG")


def test_the_likelihood_twin_says_the_log_likelihood():
    x = 163 + 7 * torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    figure = widgets.likelihood_snapshots(x, [(150.0, 7.0), (163.0, 7.0)])
    expected = torch.distributions.Normal(163.0, 7.0).log_prob(x).sum()
    assert f"−{-expected:.0f} nats" in figure.axes[1].get_title(loc="left")


def test_the_components_explorer_and_its_twin(displayed):
    images = torch.rand(40, 784, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mean = images.mean(0)
    components = torch.linalg.svd(images - mean, full_matrices=False)[2].T
    widgets.components_explorer(images, mean, components[:, :32])
    (k, index), picture = _explorer(displayed)
    before = picture.value
    k.value, index.value = 5, 3
    assert picture.value != before

    figure = widgets.components_snapshots(images[0], mean, components, [1, 39])
    titles = [ax.get_title(loc="center") for ax in figure.axes]
    assert any("k = 39" in title and "error 0.0" in title for title in titles)
    with pytest.raises(InputError, match="belong together"):
        widgets.components_explorer(images[:, :50], mean, components)


@pytest.mark.parametrize(
    ("rows", "words", "message"),
    [
        ([], {}, "no image"),
        ([torch.zeros(2, 9)], {"labels": ["a", "b"]}, "2 labels for 1 rows"),
        ([torch.zeros(2, 9)], {"titles": ["a"]}, "1 titles for 2 columns"),
    ],
)
def test_a_grid_that_cannot_be_says_why(rows, words, message):
    with pytest.raises(InputError, match=message):
        plotting.show_images(rows, **words)
