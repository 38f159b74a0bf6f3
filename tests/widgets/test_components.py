"""The explorer of principal components and its static twin."""

from __future__ import annotations

import pytest
import torch

from course_utils.errors import InputError
from course_utils.widgets import components, explore

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def basis():
    """Images (40, 784), their mean and all their principal components (784, 40)."""
    images = torch.rand(40, 784, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mean = images.mean(0)
    return images, mean, torch.linalg.svd(images - mean, full_matrices=False)[2].T


def test_the_explorer_redraws_when_a_slider_moves(basis, monkeypatch):
    images, mean, U = basis
    boxes = []
    monkeypatch.setattr(explore, "display", boxes.append)
    components.components_explorer(images, mean, U[:, :32])
    k, index, picture = boxes[-1].children
    before = picture.value
    k.value, index.value = 5, 3
    assert picture.value != before
    with pytest.raises(InputError, match="belong together"):
        components.components_explorer(images[:, :50], mean, U)


def test_the_twin_says_what_is_lost(basis):
    images, mean, U = basis
    figure = components.components_snapshots(images[0], mean, U, [1, 39])
    titles = [ax.get_title(loc="center") for ax in figure.axes]
    assert any("k = 39" in title and "error 0.0" in title for title in titles)
    lost = [ax.images[0] for ax in figure.axes[4:]]
    assert {(picture.get_clim(), picture.get_cmap().name) for picture in lost} == {((-1, 1), "RdBu_r")}
