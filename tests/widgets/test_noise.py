"""The noise level under the reader's hand: the explorer and its static twin draw what the denoisers answer."""

from __future__ import annotations

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from course_utils.corruptions import gaussian
from course_utils.errors import InputError
from course_utils.metrics import psnr
from course_utils.widgets import explore, noise

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def images():
    return torch.rand(3, 784, generator=torch.Generator().manual_seed(0))


DENOISERS = {"halved": lambda x, std: x / 2, "shrunk": lambda x, std: x / (1 + std**2)}


def test_the_twin_shows_the_noise_and_each_answer(images):
    figure = noise.noise_snapshots(images[1], DENOISERS, [0.1, 0.5], seed=3)
    axes = np.array(figure.axes).reshape(3, 2)
    for column, std in zip(axes.T, (0.1, 0.5), strict=True):
        noisy = gaussian(images[1:2], std, generator=torch.Generator().manual_seed(3))
        for ax, expected in zip(column, (noisy, noisy / 2, noisy / (1 + std**2)), strict=True):
            np.testing.assert_allclose(ax.images[0].get_array().ravel(), expected[0].numpy(), rtol=1e-5)
            assert f"{psnr(expected, images[1:2]):.1f} dB" in ax.get_title(loc="center")
        assert f"σ = {std:.2f}" in column[0].get_title(loc="center")
    assert [text.get_text() for ax in axes[:, 0] for text in ax.texts] == ["noisy", "halved", "shrunk"]


def test_only_the_level_changes_not_the_draw(images):
    figure = noise.noise_snapshots(images[0], DENOISERS, [0.25, 1.0])
    low, high = (ax.images[0].get_array().ravel() - images[0].numpy() for ax in figure.axes[:2])
    np.testing.assert_allclose(4 * low, high, atol=1e-5)


def test_without_noise_nothing_is_wrong(images):
    figure = noise.noise_snapshots(images[0], {"as it is": lambda x, std: x}, [0.0])
    assert ["no error" in ax.get_title(loc="center") for ax in figure.axes] == [True, True]


def test_the_explorer_answers_to_its_sliders(images, monkeypatch):
    shown, asked = [], []
    monkeypatch.setattr(explore, "display", shown.append)

    def shrink(x, std):
        asked.append((x.shape, std, torch.is_grad_enabled()))
        return x / (1 + std**2)

    noise.noise_explorer(images, {"shrunk": shrink}, largest=2.0)
    box = shown[-1]
    picture = next(child for child in box.children if isinstance(child, ipywidgets.Image))
    std, index = (child for child in box.children if not isinstance(child, ipywidgets.Image))
    assert (std.min, std.max, index.max) == (0.0, 2.0, 2)
    seen = {picture.value}
    for slider, value in ((std, 0.4), (index, 2), (std, 0.0)):
        slider.value = value
        seen.add(picture.value)
    assert len(seen) == 4, "each slider draws another picture"
    assert asked[1] == ((1, 784), 0.4, False), "one image at the slider's level, without gradients"
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda x: (x[0], DENOISERS, []), "at least one"),
        (lambda x: (x[0], DENOISERS, [0.1, -0.1]), "0 or more"),
        (lambda x: (x[0], {}, [0.1]), "no denoiser"),
        (lambda x: (x, DENOISERS, [0.1]), "square images"),
        (lambda x: (x[0, :700], DENOISERS, [0.1]), "square images"),
    ],
)
def test_what_cannot_work_is_said(images, arguments, message):
    with pytest.raises(InputError, match=message):
        noise.noise_snapshots(*arguments(images))


def test_the_explorer_wants_images_and_a_range(images):
    with pytest.raises(InputError, match="square images"):
        noise.noise_explorer(images[:0], DENOISERS)
    with pytest.raises(InputError, match="above 0"):
        noise.noise_explorer(images, DENOISERS, largest=0.0)
