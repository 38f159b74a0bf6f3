"""The colours of the course, which colour-blind readers can tell apart."""

from __future__ import annotations

from matplotlib.colors import to_rgb
from matplotlib.typing import ColorType

__all__ = ["CLASS_COLOURS", "COLOURS", "COLOUR_MAPS", "ink_on"]

COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "pink": "#CC79A7",
    "yellow": "#E69F00",
    "sky": "#56B4E9",
    "black": "#000000",
    "grey": "#7F7F7F",
}
"""Okabe & Ito's palette, which colour-blind readers can tell apart, and one grey."""

CLASS_COLOURS = (
    *("#3F90DA", "#FFA90E", "#BD1F01", "#94A4A2", "#832DB6"),
    *("#A96B59", "#E76300", "#B9AC70", "#717581", "#92DADD"),
)
"""A colour for each of ten classes, told apart by colour-blind readers too.

Source: Petroff, *Accessible color sequences for data visualization*, arXiv:2107.02270, 2021.
"""

COLOUR_MAPS = {"sequential": "Oranges", "diverging": "RdBu_r"}
"""Names of matplotlib's colour maps for a quantity: from white to dark; from blue below zero over white to red."""


def ink_on(background: ColorType) -> str:
    """``"black"`` or ``"white"``, whichever stands out more against the background.

    The contrast of two colours is the ratio of their luminances, each with .05 added for stray light; at a luminance of
    √(.05 · 1.05) − .05 both inks have the same. Source: W3C, *Web Content Accessibility Guidelines* 2.2.
    """
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(background)]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "black" if luminance + 0.05 >= (0.05 * 1.05) ** 0.5 else "white"
