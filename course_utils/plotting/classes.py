"""A map of classes whose names do not cover one another."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from course_utils.errors import InputError
from course_utils.plotting.images import as_array
from course_utils.plotting.palettes import CLASS_COLOURS

__all__ = ["number_points", "show_classes"]


def show_classes(
    codes: torch.Tensor | np.ndarray,
    labels: torch.Tensor | np.ndarray,
    ax: Axes | None = None,
    *,
    names: Sequence[str] = (),
    size: float = 4.0,
) -> Axes:
    """A map of classes: a dot per code in its class's colour, and each class's name where it has room.

    A name stands at the median of its class, or as near to it as no other name and no edge is in the way; the places
    are found when the figure is drawn.

    Args:
        codes: shape (N, 2).
        labels: shape (N,), integers from 0 to 9, or to the number of names.
        ax: where to draw; a new figure when None.
        names: one per class; the numbers themselves when left out.
        size: of a dot, in points squared.

    Raises:
        InputError: if codes and labels do not belong together, or there are more classes than colours or names.
    """
    ax = plt.subplots(figsize=(6.4, 5.0))[1] if ax is None else ax
    Z, y = as_array(codes), as_array(labels).astype(int)
    if Z.ndim != 2 or Z.shape[1] != 2 or y.shape != Z.shape[:1] or len(Z) == 0:
        raise InputError(f"A map needs codes (N, 2) and labels (N,); the shapes are {Z.shape} and {y.shape}.")
    most = min(len(names) or len(CLASS_COLOURS), len(CLASS_COLOURS))
    if y.min() < 0 or y.max() >= most:
        raise InputError(f"The labels go from {y.min()} to {y.max()}; names and colours are there for 0 to {most - 1}.")
    ax.scatter(Z[:, 0], Z[:, 1], c=[CLASS_COLOURS[label] for label in y], s=size, linewidths=0)
    texts = []
    for label in np.unique(y):
        box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": CLASS_COLOURS[label], "linewidth": 1.5}
        x, height = np.median(Z[y == label], axis=0)
        text = ax.text(x, height, names[label] if names else str(label), ha="center", va="center", size=9, bbox=box)
        text.set_in_layout(False)
        texts.append(text)
    ax.add_artist(_Places(ax, texts))
    return ax


def number_points(ax: Axes, points: torch.Tensor | np.ndarray) -> None:
    """Numbers, from 1, at a few points of a map; the names of :func:`show_classes` give way to them.

    A cross marks each point; where two points are so near that their numbers would overlap, the later number moves
    beside its cross.

    Args:
        ax: what :func:`show_classes` returned, or any axes.
        points: shape (P, 2), in the coordinates of the axes.
    """
    numbers = {}
    for number, (x, height) in enumerate(as_array(points).tolist(), start=1):
        ax.plot(x, height, marker="+", color="black", markersize=9, markeredgewidth=1.5, zorder=4)
        box = {"boxstyle": "circle,pad=0.2", "facecolor": "black", "edgecolor": "white", "linewidth": 1.0}
        text = ax.text(
            x, height, str(number), ha="center", va="center", size=9, color="white", weight="bold", bbox=box, zorder=5
        )
        text.set_in_layout(False)
        numbers[text] = (x, height)
    maps = [artist for artist in ax.artists if isinstance(artist, _Places)]
    for places in maps:
        places._anchors = {**numbers, **places._anchors}
    if not maps:
        ax.add_artist(_Places(ax, list(numbers)))


class _Places(Artist):
    """Drawn just before the texts, when the layout is known: moves those that would cover another."""

    zorder = 2.9

    def __init__(self, ax: Axes, texts: Sequence[Text]) -> None:
        super().__init__()
        self.set_in_layout(False)
        self._ax = ax
        self._anchors = {text: text.get_position() for text in texts}

    def draw(self, renderer: RendererBase) -> None:
        placed: list[tuple[np.ndarray, np.ndarray]] = []  # centres and half sizes, in pixels
        to_pixels, frame = self._ax.transData, self._ax.bbox
        for text, anchor in self._anchors.items():
            wanted = to_pixels.transform(anchor)
            half = np.array(_box(text, renderer).size) / 2 + 1
            place = _nearest_free(wanted, half, placed, frame.min + half, frame.max - half)
            placed.append((place, half))
            x, y = to_pixels.inverted().transform(place)
            text.set_position((x, y))


def _box(text: Text, renderer: RendererBase) -> Bbox:
    """The frame around a text, in pixels."""
    text.update_bbox_position_size(renderer)
    frame = text.get_bbox_patch()
    return (frame or text).get_window_extent(renderer)


def _nearest_free(
    wanted: np.ndarray, half: np.ndarray, placed: list[tuple[np.ndarray, np.ndarray]], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """The place (2,) nearest to ``wanted``, between ``low`` and ``high``, where a box of that half size has room."""
    inside = np.clip(wanted, low, np.maximum(low, high))
    grid = np.meshgrid(*(np.arange(start, max(start, end) + 1, 3.0) for start, end in zip(low, high, strict=True)))
    places = np.vstack([inside, np.stack(grid, axis=-1).reshape(-1, 2)])
    free = np.ones(len(places), dtype=bool)
    for centre, other in placed:
        free &= (np.abs(places - centre) >= half + other).any(1)
    distances = np.where(free, np.linalg.norm(places - wanted, axis=1), np.inf)
    return np.asarray(places[distances.argmin()])
