"""Pushing a digit along its tangents: the explorer, its static twin, and the movement they both report."""

from __future__ import annotations

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from course_utils.errors import InputError
from course_utils.widgets import explore, tangents

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def linear():
    """A linear encoder 784 → 5 with known singular values, its tangents, three images."""
    torch.manual_seed(0)
    V = torch.linalg.qr(torch.randn(784, 5))[0].T  # (5, 784), orthonormal rows
    strengths = torch.tensor([4.0, 2.0, 1.0, 0.5, 0.25])
    images = torch.rand(3, 784)

    def encode(x):
        return (x @ V.T) * strengths

    def reconstruct(x):
        return x @ V.T @ V

    return encode, reconstruct, V, images


def test_movement_along_a_singular_vector_is_its_singular_value(linear):
    encode, _, V, images = linear
    for number, strength in enumerate((4.0, 2.0, 1.0)):
        along, random = tangents.movement(encode, images[0], V[number], -1.5)
        assert along == pytest.approx(1.5 * strength, rel=1e-4)
    # over random unit vectors the mean square is t² ‖J‖²_F / d, here of 64 draws
    expected = 1.5 * (sum(s**2 for s in (4, 2, 1, 0.5, 0.25)) / 784) ** 0.5
    assert random == pytest.approx(expected, rel=0.35)
    assert random == pytest.approx(tangents.movement(encode, images[0], V[0], 1.5)[1], rel=1e-4), "the same directions"


def test_the_twin_shows_tangent_pushed_digit_and_reconstruction(linear):
    encode, reconstruct, V, images = linear
    figure = tangents.tangents_snapshots(images[0], V, encode, reconstruct, [(1, 2.0), (3, -1.0)])
    axes = np.array(figure.axes).reshape(3, 2)
    pushed = images[0] - V[2]
    np.testing.assert_allclose(axes[0, 1].images[0].get_array().ravel(), V[2].numpy())
    np.testing.assert_allclose(axes[1, 1].images[0].get_array().ravel(), pushed.numpy(), rtol=1e-5)
    np.testing.assert_allclose(axes[2, 1].images[0].get_array().ravel(), reconstruct(pushed).numpy(), rtol=1e-4)
    assert "code moves 8.00" in axes[2, 0].get_title(loc="center")
    assert "t = −1.0" in axes[1, 1].get_title(loc="center")


def test_the_explorer_answers_to_its_sliders(linear, monkeypatch):
    encode, reconstruct, V, images = linear
    shown = []
    monkeypatch.setattr(explore, "display", shown.append)
    tangents.tangents_explorer(images, V.expand(3, 5, 784), encode, reconstruct)
    box = shown[-1]
    picture = next(child for child in box.children if isinstance(child, ipywidgets.Image))
    index, direction, push = (child for child in box.children if not isinstance(child, ipywidgets.Image))
    assert (index.max, direction.min, direction.max) == (2, 1, 5)
    seen = {picture.value}
    for slider, value in ((index, 2), (direction, 5), (push, -3.0)):
        slider.value = value
        seen.add(picture.value)
    assert len(seen) == 4, "each slider draws another picture"
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x, V: (x[0], V, []), "at least one"),
        (lambda x, V: (x[0], V, [(6, 1.0)]), "the tangents 1 to 5"),
        (lambda x, V: (x[0], V, [(0, 1.0)]), "the tangents 1 to 5"),
        (lambda x, V: (x[0], 2 * V, [(1, 1.0)]), "unit vectors"),
        (lambda x, V: (x[:1], V, [(1, 1.0)]), "belong together"),
        (lambda x, V: (x[0, :100], V, [(1, 1.0)]), "belong together"),
    ],
)
def test_what_cannot_work_is_said(linear, spoil, message):
    encode, reconstruct, V, images = linear
    image, rows, pushes = spoil(images, V)
    with pytest.raises(InputError, match=message):
        tangents.tangents_snapshots(image, rows, encode, reconstruct, pushes)


def test_the_explorer_wants_tangents_of_each_image(linear):
    encode, reconstruct, V, images = linear
    with pytest.raises(InputError, match=r"give \(N, d\) and \(N, K, d\)"):
        tangents.tangents_explorer(images, V.expand(2, 5, 784), encode, reconstruct)
