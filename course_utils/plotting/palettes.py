"""The colours of the course, which colour-blind readers can tell apart."""

from __future__ import annotations

__all__ = ["CLASS_COLOURS", "COLOURS"]

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
