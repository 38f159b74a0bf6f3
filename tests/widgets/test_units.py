"""The explorer of units and its static twin: the filter asked for, and the images that excite it most, in order."""

from __future__ import annotations

import ipywidgets
import numpy as np
import pytest
import torch

from course_utils.errors import InputError
from course_utils.widgets import explore, units

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def layer():
    """Filters (5, 16), activations (12, 5) and images (12, 16): unit 3 likes image 7 best, then image 2."""
    generator = torch.Generator().manual_seed(0)
    activations = torch.rand(12, 5, generator=generator) * 0.5
    activations[7, 3], activations[2, 3] = 0.97, 0.81
    return torch.randn(5, 16, generator=generator), activations, torch.rand(12, 16, generator=generator)


def test_the_twin_shows_the_filter_and_the_most_exciting_images_first(layer):
    filters, activations, images = layer
    figure = units.units_snapshots(filters, activations, images, [3, 0])
    row = figure.axes[:10]
    np.testing.assert_allclose(row[0].images[0].get_array(), filters[3].reshape(4, 4), rtol=1e-6)
    assert row[0].get_title(loc="center") == "unit 3"
    low, high = row[0].images[0].get_clim()
    assert low == -high == pytest.approx(-filters[3].abs().max().item())
    for ax, index, title in ((row[1], 7, "0.97"), (row[2], 2, "0.81")):
        np.testing.assert_allclose(ax.images[0].get_array(), images[index].reshape(4, 4), rtol=1e-6)
        assert ax.get_title(loc="center") == title
    assert row[9].get_title(loc="center") == f"mean {activations[:, 3].mean():.3f}"
    assert sum(bar.get_height() for bar in row[9].patches) == len(images)
    assert figure.axes[10].get_title(loc="center") == "unit 0"


def test_the_explorer_redraws_when_the_unit_changes(layer, monkeypatch):
    shown = []
    monkeypatch.setattr(explore, "display", shown.append)
    units.units_explorer(*layer)
    unit, picture = shown[0].children
    assert isinstance(picture, ipywidgets.Image)
    assert (unit.min, unit.max) == (0, 4)
    before = picture.value
    unit.value = 3
    assert picture.value != before
    assert bytes(picture.value).startswith(b"\x89PNG")


def test_a_unit_that_is_all_zero_is_drawn_too(layer):
    filters, activations, images = layer
    figure = units.units_snapshots(torch.zeros_like(filters), torch.zeros_like(activations), images, [1])
    assert figure.axes[0].images[0].get_clim() == (-1, 1)


def test_what_does_not_belong_together_is_refused(layer):
    filters, activations, images = layer
    with pytest.raises(InputError, match="belong together"):
        units.units_explorer(filters.T, activations, images)
    with pytest.raises(InputError, match="belong together"):
        units.units_snapshots(filters, activations.T, images, [0])
    with pytest.raises(InputError, match="no square"):
        units.units_snapshots(filters[:, :15], activations, images[:, :15], [0])
    with pytest.raises(InputError, match="at least 8"):
        units.units_explorer(filters, activations[:5], images[:5])
    with pytest.raises(InputError, match="from 0 to 4"):
        units.units_snapshots(filters, activations, images, [2, 5])
    with pytest.raises(InputError, match="at least one"):
        units.units_snapshots(filters, activations, images, [])
