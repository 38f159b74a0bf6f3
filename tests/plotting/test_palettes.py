"""The palette of ten classes: no two colours look alike, to readers who are red- or green-blind either."""

from __future__ import annotations

from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_utils import plotting
from course_utils.plotting import palettes

# Machado, Oliveira & Fernandes, IEEE Transactions on Visualization and Computer Graphics 15, 2009, severity 1
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
BAR = 15.0


def lab(colours, vision):
    """CIE L*a*b* of sRGB colours as this vision sees them, (n, 3)."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ VISION[vision].T, 0, 1) @ TO_XYZ.T / TO_XYZ.sum(1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def least_distance(colours, vision):
    return min(np.linalg.norm(one - other) for one, other in combinations(lab(colours, vision), 2))


def test_lab_knows_white_and_grey():
    np.testing.assert_allclose(lab(["white", "black"], "normal"), [[100, 0, 0], [0, 0, 0]], atol=0.01)
    assert lab(["#777777"], "normal")[0, 0] == pytest.approx(50.03, abs=0.05)


def test_red_and_green_look_alike_to_the_colour_blind():
    pair = ["#C8553D", "#7F8A2A"]
    assert least_distance(pair, "deuteranopia") < least_distance(pair, "normal") / 3


@pytest.mark.parametrize("vision", VISION)
def test_no_two_classes_look_alike(vision):
    assert len(plotting.CLASS_COLOURS) == 10
    assert least_distance([*plotting.CLASS_COLOURS, "white"], vision) > BAR


@pytest.mark.parametrize("vision", ["protanopia", "deuteranopia"])
def test_the_usual_ten_colours_would_not_do(vision):
    assert least_distance(matplotlib.color_sequences["tab10"], vision) < BAR


@pytest.mark.parametrize("palette", palettes.COLOUR_MAPS)
def test_ink_stands_out_on_every_colour_of_a_quantity(palette):
    """W3C asks for a contrast of 4.5; black or white always reaches √21 = 4.58."""
    for background in matplotlib.colormaps[palettes.COLOUR_MAPS[palette]](np.linspace(0, 1, 101)):
        assert contrast(palettes.ink_on(background), background) >= 4.58


@pytest.mark.parametrize(("background", "ink"), [("white", "black"), ("#777777", "black"), ("#707070", "white")])
def test_ink_is_black_or_white_by_the_luminance_of_the_background(background, ink):
    assert palettes.ink_on(background) == ink
    other = {"black": "white", "white": "black"}[ink]
    assert contrast(ink, background) > contrast(other, background)


def contrast(one, other):
    """The ratio that W3C defines, with the luminance Y of CIE XYZ, from 1 to 21."""
    lightness = [lab([colour], "normal")[0, 0] for colour in (one, other)]
    low, high = sorted(((value + 16) / 116) ** 3 if value > 8 else value * 27 / 24389 for value in lightness)
    return (high + 0.05) / (low + 0.05)


def test_colours_of_a_quantity_grow_darker_from_white():
    """Every step is darker in the sequential palette; the diverging one has white in its middle, and blue below."""
    names = [palettes.COLOUR_MAPS[kind] for kind in ("sequential", "diverging")]
    sequential, diverging = (matplotlib.colormaps[name](np.linspace(0, 1, 51)) for name in names)
    assert (np.diff(lab(sequential, "normal")[:, 0]) < 0).all()
    lightness = lab(diverging, "normal")[:, 0]
    assert (np.diff(lightness[:26]) > 0).all()
    assert (np.diff(lightness[25:]) < 0).all()
    assert min(lightness[25], lab(sequential, "normal")[0, 0]) > 96
    assert diverging[5, 2] > diverging[5, 0]
    assert diverging[-5, 0] > diverging[-5, 2]
