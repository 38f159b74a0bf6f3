"""Images as figures: what is drawn is what was given, in every usual shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_utils import plotting
from course_utils.errors import InputError

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.mark.parametrize("shape", [(1, 28, 28), (28, 28), (784,)])
def test_show_image_draws_these_pixels(shape):
    image = torch.rand(shape)
    ax = plotting.show_image(image, title="one")
    np.testing.assert_allclose(ax.images[0].get_array(), image.reshape(28, 28).numpy())
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.images[0].get_cmap().name == "gray_r"
    assert ax.get_title(loc="center") == "one"


@pytest.mark.parametrize("shape", [(28,), (2, 28, 28), (1, 1, 28, 28), ()])
def test_show_image_refuses_what_is_no_image(shape):
    with pytest.raises(InputError, match=r"one image|no square"):
        plotting.show_image(torch.rand(shape))


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


def test_signed_images_are_white_at_zero_each_to_its_own_limits():
    batch = torch.stack([torch.linspace(-3, 1, 16), torch.linspace(0, 0.5, 16), torch.zeros(16)])
    pictures = [ax.images[0] for ax in plotting.show_images([batch], signed=True).axes]
    assert [picture.get_clim() for picture in pictures] == [(-3, 3), (-0.5, 0.5), (-1, 1)]
    for picture in pictures:
        red, green, blue, _ = picture.cmap(picture.norm(0.0))
        assert min(red, green, blue) > 0.95
        assert picture.cmap(picture.norm(picture.get_clim()[1]))[0] > picture.cmap(picture.norm(-1e9))[0]


def test_a_colour_map_is_taken_with_limits_or_with_signs():
    assert plotting.show_image(torch.rand(16), cmap="viridis").images[0].get_cmap().name == "viridis"
    picture = plotting.show_images([torch.rand(1, 16)], cmap="PuOr", signed=True).axes[0].images[0]
    assert picture.get_cmap().name == "PuOr"
    low, high = picture.get_clim()
    assert low == -high


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
