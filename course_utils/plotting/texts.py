"""A text as a figure: one cell for each character, with a colour for what was measured of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import Normalize
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from course_utils.errors import InputError
from course_utils.plotting.images import as_array
from course_utils.plotting.palettes import COLOUR_MAPS, ink_on

__all__ = ["lay_out", "show_text", "text_size", "visible"]

_ADVANCE = 0.602  # width of a character, in ems, as the next three
_CELL = 1.2  # height of its cell
_DEPTH = 0.34  # of the cell below the baseline
SPACING = 1.26  # from line to line
_POINTS = 9.0  # an em, where the figure is ours
_VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥"}
_CUT = "…"


def show_text(
    ax: Axes | None,
    text: str,
    values: torch.Tensor | np.ndarray | Sequence[float] | None = None,
    *,
    limits: tuple[float, float] | None = None,
    palette: Literal["sequential", "diverging"] = "sequential",
    columns: int = 64,
    rows: int | None = None,
    wrap: bool = True,
    highlight: Collection[int] = (),
    inks: Sequence[str] = (),
    spacing: float = SPACING,
) -> Axes:
    """Draw a text in characters of equal width, each on a background that shows its value.

    The text fills the width of the axes, or their height where that is less, from the upper left corner. Its
    characters are black, and white on a dark background. A line break is written as ↵ where it has a value or a frame.
    The backgrounds are ``ax.collections[0]``, which ``figure.colorbar`` takes.

    Args:
        ax: where to draw; None makes a new figure with characters of 9 points.
        text: at least one character.
        values: shape (T,), one finite number for each character of the text; None leaves the paper white.
        limits: values of the first and the last colour; those beyond have the same colours. Left out, they are the
            least and the largest value, or plus and minus the largest absolute value in the diverging palette.
        palette: ``"sequential"`` goes from white to dark orange; ``"diverging"`` is blue below zero, white at zero and
            red above.
        columns: characters in a line, at least 2.
        rows: lines that are shown; a longer text is cut with "…", and a shorter one leaves room below. None shows all.
        wrap: whether a longer line goes on in the next row; if not, it is cut with "…".
        highlight: indices of characters with a frame around them, from 0; neighbours share one frame.
        inks: a colour for each character of the text; left out, black or white.
        spacing: from one line to the next, in sizes of the font, at least 1.2.

    Raises:
        InputError: if there is no text, values or inks are not one for each character, a value is not finite, an index
            is outside the text, the palette is unknown, or a line, the number of rows or the spacing is too small.
    """
    places = lay_out(text, columns, wrap=wrap)
    _check(text, palette, rows, highlight, inks, spacing)
    there = places[:, 0].max() + 1 if rows is None else rows
    if ax is None:
        width, height = text_size(columns, int(there), spacing=spacing)
        ax = plt.subplots(figsize=(width + 0.1, height + 0.1))[1]  # with the margins of the layout
    shown, dots = _cut(text, places, columns, int(there))

    # The paper, and what was measured.
    ax.set(xlim=(0, columns + 1), ylim=(there, 0))
    ax.set_aspect(spacing / _ADVANCE, anchor="NW")
    ax.set_axis_off()
    colours = np.array(inks or ["black"] * len(text), dtype=object)
    if values is not None:
        measured = _checked(values, text)
        norm = Normalize(*_limits(measured, limits, palette))
        backgrounds = _backgrounds(places[shown], measured[shown], norm, palette, spacing)
        ax.add_collection(backgrounds, autolim=False)
        if not inks:
            colours[shown] = [ink_on(colour) for colour in backgrounds.to_rgba(measured[shown])]

    # The characters, and what is pointed at.
    breaks = shown if values is not None else np.isin(np.arange(len(text)), list(highlight))
    written = [
        (visible(text[index]), *places[index], colours[index])
        for index in np.flatnonzero(shown)
        if not text[index].isspace() or (text[index] == "\n" and breaks[index])
    ]
    written += [(_CUT, row, column, "black") for row, column in sorted(dots)]
    outlines = [_outline(sign, row, column, spacing) for sign, row, column, _ in written]
    letters = PathCollection(outlines, facecolors=[ink for *_, ink in written], linewidths=0, snap=False)
    ax.add_collection(letters, autolim=False)
    for row, first, last in _runs(places, [index for index in sorted(set(highlight)) if shown[index]]):
        corner, height = (first, row + 1 - _CELL / spacing), _CELL / spacing
        ax.add_patch(Rectangle(corner, last + 1 - first, height, fill=False, edgecolor="black", linewidth=1.2))
    return ax


def lay_out(text: str, columns: int, *, wrap: bool = True) -> np.ndarray:
    """Row and column of each character, shape (T, 2), integers from 0.

    A line that is longer than ``columns`` goes on in the next row after its last space that has room, or in the
    middle of a word where there is none. A line break stands in its own cell at the end of the line, and a line's last
    space or line break may stand one cell beyond.

    Args:
        text: at least one character.
        columns: characters in a row, at least 2.
        wrap: whether long lines are broken; if not, they run on.

    Raises:
        InputError: if there is no text, or ``columns`` is less than 2.
    """
    if not text:
        raise InputError("There is no text to show; give at least one character.")
    if columns < 2:
        raise InputError(f"columns={columns}; a line needs at least 2 characters.")
    places, row = [], 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        while line:
            fits = not wrap or len(line.removesuffix("\n")) <= columns
            end = len(line) if fits else line.rfind(" ", 0, columns + 1) + 1 or columns
            places += [(row, column) for column in range(end)]
            line, row = line[end:], row + 1
    return np.array(places)


def text_size(columns: int, rows: int, *, points: float = _POINTS, spacing: float = SPACING) -> tuple[float, float]:
    """Width and height, in inches, of ``rows`` lines of ``columns`` characters in a font of so many points.

    The cell that :func:`show_text` keeps free at the end of a line is counted.
    """
    return (columns + 1) * _ADVANCE * points / 72, rows * spacing * points / 72


def visible(character: str) -> str:
    """A sign for a character that has none of its own, such as ␣ for a space and ↵ for a line break."""
    return _VISIBLE.get(character, character if character.isprintable() else "·")


def _cut(text: str, places: np.ndarray, columns: int, rows: int) -> tuple[np.ndarray, set[tuple[int, int]]]:
    """Which characters are shown, shape (T,), and the places of the dots that stand for what is not."""
    row, column = places.T
    shown, dots = row < rows, set()
    for index in np.flatnonzero(np.append(np.diff(row) > 0, True) & shown):  # the last character of each row
        if column[index] - (text[index] in " \n") >= columns:
            dots.add((int(row[index]), columns))
            shown &= (row != row[index]) | (column < columns)
    if not shown.all() and row[-1] >= rows:
        end = np.flatnonzero(shown)[-1]
        shown[end] = text[end] != "\n"
        dots.add((rows - 1, min(int(column[end]) + int(shown[end]), columns)))
    return shown, dots


def _check(
    text: str, palette: str, rows: int | None, highlight: Collection[int], inks: Sequence[str], spacing: float
) -> None:
    """Refuse what :func:`show_text` cannot draw."""
    if palette not in COLOUR_MAPS:
        raise InputError(f'palette="{palette}" is unknown; there are: {", ".join(COLOUR_MAPS)}.')
    if rows is not None and rows < 1:
        raise InputError(f"rows={rows}; show at least one line.")
    if not spacing >= _CELL:
        raise InputError(f"spacing={spacing}; lines overlap below {_CELL}.")
    if inks and len(inks) != len(text):
        raise InputError(f"{len(inks)} inks for {len(text)} characters; give one for each.")
    if not all(0 <= index < len(text) for index in highlight):
        raise InputError(f"highlight={sorted(highlight)}; the characters' indices are 0 to {len(text) - 1}.")


def _checked(values: torch.Tensor | np.ndarray | Sequence[float], text: str) -> np.ndarray:
    """The values as an array (T,)."""
    array = np.asarray(as_array(values) if isinstance(values, torch.Tensor) else values, dtype=float)
    if array.shape != (len(text),):
        raise InputError(f"{len(text)} characters need values of shape ({len(text)},), not {array.shape}.")
    if not np.isfinite(array).all():
        first = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InputError(f"Value {first} is {array[first]}; all values must be finite.")
    return array


def _limits(values: np.ndarray, limits: tuple[float, float] | None, palette: str) -> tuple[float, float]:
    """Values of the first and the last colour, which differ."""
    if limits is None:
        most = float(np.abs(values).max()) or 1.0
        limits = (-most, most) if palette == "diverging" else (float(values.min()), float(values.max()))
    low, high = limits
    if not low <= high:
        raise InputError(f"limits={limits}; give the lower one first.")
    return low, high if high > low else low + 1.0


def _backgrounds(
    places: np.ndarray, values: np.ndarray, norm: Normalize, palette: str, spacing: float
) -> PolyCollection:
    """A cell for each place (n, 2), in the colour of its value (n,)."""
    left, bottom = places[:, 1], places[:, 0] + 1.0
    top = bottom - _CELL / spacing
    corners = [(left, top), (left + 1, top), (left + 1, bottom), (left, bottom)]
    cells = list(np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1))
    return PolyCollection(cells, array=values, norm=norm, cmap=COLOUR_MAPS[palette], linewidths=0, antialiaseds=False)


@cache
def _sign(character: str) -> TextPath:
    """A character's outline, one em high, upwards from the baseline."""
    return TextPath((0, 0), character, size=1.0, prop=FontProperties(family="DejaVu Sans Mono"))


def _outline(character: str, row: int, column: int, spacing: float) -> Path:
    """The outline at its place in the axes, whose units are a character's width and a line's height, downwards."""
    sign = _sign(character)
    corners = np.array([column, row + 1 - _DEPTH / spacing]) + sign.vertices * (1 / _ADVANCE, -1 / spacing)
    return Path(corners, sign.codes)


def _runs(places: np.ndarray, indices: Sequence[int]) -> list[tuple[int, int, int]]:
    """Row, first and last column of each run of neighbours among ``indices``, which rise."""
    runs: list[tuple[int, int, int]] = []
    for row, column in places[list(indices)].tolist():
        if runs and runs[-1][0] == row and runs[-1][2] == column - 1:
            runs[-1] = (row, runs[-1][1], column)
        else:
            runs.append((row, column, column))
    return runs
