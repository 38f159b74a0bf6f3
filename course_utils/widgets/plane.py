"""A plane of codes under the reader's hand: a point is dragged over the map, and what it decodes to changes with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

import anywidget
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.errors import InputError
from course_utils.plotting import COLOURS, number_points, show_classes, show_image
from course_utils.widgets.explore import as_png, decoded

__all__ = ["plane_explorer", "plane_snapshots"]

Map = Callable[[Tensor], Tensor]
MAP_INCHES = 4.8
LEAST_INCHES, MOST_INCHES = 1.15, 1.7  # of a column of decoded images
MARGIN = 0.06  # around the codes, in parts of the map's width
MOST_POINTS, MOST_ROWS = 16, 4
SHARPNESS = 2  # dots of the map's picture for each on the page


class Pad(anywidget.AnyWidget):
    """A picture of a map with a point that is dragged with mouse, finger or pen, or moved with the arrow keys.

    Attributes:
        x: where the point is, in the map's coordinates.
        y: the same, upwards.
        picture: of the map, PNG.
        width: of the picture on the page, in pixels.
        frame: left, top, width and height of the map's axes, as parts of the picture.
        limits: of the axes: lowest x, highest x, lowest y, highest y.
    """

    _esm = Path(__file__).with_name("plane.js")
    x = traitlets.Float().tag(sync=True)
    y = traitlets.Float().tag(sync=True)
    picture = traitlets.Bytes().tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    frame = traitlets.List(traitlets.Float()).tag(sync=True)
    limits = traitlets.List(traitlets.Float()).tag(sync=True)


def plane_explorer(codes: Tensor, labels: Tensor | None, decode: Map, names: Sequence[str] = ()) -> None:
    """A map of codes with a point to drag over it, and beside it the image that the point decodes to.

    The point begins at the origin. It is dragged with the mouse, a finger or a pen; once it was clicked, the arrow
    keys move it by a hundredth of the map, and by a tenth with Shift.

    Args:
        codes: shape (N, 2), such as the means that a variational autoencoder gives to the test images.
        labels: shape (N,), integers from 0 to 9, or to the number of names; None leaves the dots grey.
        decode: maps codes (M, 2), of the type and on the device of ``codes``, to images (M, 784), values in [0, 1].
        names: one per class; the numbers themselves when left out.

    Raises:
        InputError: if codes and labels do not belong together, or ``decode`` gives something else.
    """
    figure, ax = plt.subplots(figsize=(MAP_INCHES, MAP_INCHES))
    _draw_map(ax, codes, labels, names)
    low, high = ax.get_xlim(), ax.get_ylim()
    pad = Pad(picture=as_png(figure, sharpness=SHARPNESS), width=round(100 * MAP_INCHES), limits=[*low, *high])
    place = ax.get_position()  # known since the figure was drawn
    pad.frame = [float(part) for part in (place.x0, 1 - place.y1, place.width, place.height)]
    pad.x, pad.y = float(np.clip(0, *low)), float(np.clip(0, *high))
    picture = ipywidgets.Image(format="png")
    shown: list[tuple[float, float]] = []

    def renew(_: object = None) -> None:
        point = (pad.x, pad.y)
        if shown != [point]:  # x and y come together, and are announced one after the other
            figure, ax = plt.subplots(figsize=(2.8, 3.1))
            _draw_image(ax, codes, decode, point)
            picture.value = as_png(figure)
            shown[:] = [point]

    renew()
    pad.observe(renew, names=["x", "y"])
    display(ipywidgets.HBox([pad, picture], layout={"align_items": "center"}))


def plane_snapshots(
    codes: Tensor,
    labels: Tensor | None,
    decode: Map,
    points: Sequence[tuple[float, float]] | Tensor,
    names: Sequence[str] = (),
) -> Figure:
    """The static twin of :func:`plane_explorer`: the map with numbered points, and what each of them decodes to.

    Args:
        codes: shape (N, 2).
        labels: shape (N,), or None.
        decode: maps codes (M, 2) to images (M, 784), values in [0, 1].
        points: shape (P, 2), 1 to 16 of them; one outside the map widens it.
        names: one per class; the numbers themselves when left out.

    Raises:
        InputError: if codes and labels do not belong together, ``decode`` gives something else, or the points are none
            of the plane.
    """
    places = torch.as_tensor(points, dtype=torch.float64).cpu()
    if places.ndim != 2 or places.shape[1] != 2 or not 1 <= len(places) <= MOST_POINTS:
        raise InputError(f"Give 1 to {MOST_POINTS} points (P, 2) of the plane; their shape is {tuple(places.shape)}.")
    if not places.isfinite().all():
        raise InputError("A point has a coordinate that is not finite; look for nan and inf in points.")
    rows = min(MOST_ROWS, len(places))
    columns = ceil(len(places) / rows)
    width = min(max(LEAST_INCHES, MAP_INCHES / rows - 0.2), MOST_INCHES)
    figure = plt.figure(figsize=(MAP_INCHES + columns * width, MAP_INCHES))
    grid = figure.add_gridspec(rows, 1 + columns, width_ratios=(MAP_INCHES, *[width] * columns))
    ax = figure.add_subplot(grid[:, 0])
    _draw_map(ax, codes, labels, names, places)
    number_points(ax, places)
    for index, (x, y) in enumerate(places.tolist()):
        image_ax = figure.add_subplot(grid[index // columns, 1 + index % columns])
        _draw_image(image_ax, codes, decode, (x, y), number=index + 1)
    return figure


def _draw_map(ax: Axes, codes: Tensor, labels: Tensor | None, names: Sequence[str], also: Tensor | None = None) -> None:
    """The codes as dots, in a square that holds the points ``also`` (P, 2), too."""
    if codes.ndim != 2 or codes.shape[1] != 2 or len(codes) == 0 or not codes.isfinite().all():
        raise InputError(f"A plane needs finite codes (N, 2); these have the shape {tuple(codes.shape)}.")
    Z = codes.detach().double().cpu()
    if labels is None:
        ax.scatter(Z[:, 0], Z[:, 1], c=COLOURS["grey"], s=4.0, linewidths=0)
    else:
        show_classes(Z, labels, ax, names=names)
    there = Z if also is None else torch.cat([Z, also])
    low, high = there.min(0).values, there.max(0).values
    half = (0.5 + MARGIN) * float((high - low).max()) or 1.0
    (x, y) = ((low + high) / 2).tolist()
    ax.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    ax.set(xlabel="first latent variable $z_1$", ylabel="second latent variable $z_2$")


def _draw_image(ax: Axes, codes: Tensor, decode: Map, point: tuple[float, float], number: int | None = None) -> None:
    """What ``point`` decodes to, under its coordinates."""
    image = decoded(decode, codes.new_tensor([point]))[0]
    x, y = point
    title = f"z = ({x:.2f}, {y:.2f})" if number is None else f"{number}: ({x:.1f}, {y:.1f})"
    show_image(image, ax, title=title.replace("-", "−"))
