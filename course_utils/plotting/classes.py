"""A map of classes whose names do not cover one another."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from numpy.typing import ArrayLike

from course_utils.errors import InputError
from course_utils.plotting.palettes import CLASS_COLOURS

__all__ = ["show_classes"]


def show_classes(
    codes: ArrayLike,
    labels: ArrayLike,
    ax: Axes | None = None,
    *,
    names: Sequence[str] = (),
    size: float = 4.0,
) -> Axes:
    """A map of classes: a dot per code in its class's colour, and each class's name where it has room.

    A name stands at the median of its class, or as near to it as no other name and no edge is in the way; the places
    are found when the figure is drawn.

    Args:
        codes: shape (N, 2); a tensor on the CPU or an array.
        labels: shape (N,), integers from 0 to 9, or to the number of names.
        ax: where to draw; a new figure when None.
        names: one per class; the numbers themselves when left out.
        size: of a dot, in points squared.

    Raises:
        InputError: if codes and labels do not belong together, or there are more classes than colours or names.
    """
    ax = plt.subplots(figsize=(6.4, 5.0))[1] if ax is None else ax
    Z, y = np.asarray(codes), np.asarray(labels)
    if Z.ndim != 2 or Z.shape[1] != 2 or y.shape != Z.shape[:1] or len(Z) == 0:
        raise InputError(f"A map needs codes (N, 2) and labels (N,); the shapes are {Z.shape} and {y.shape}.")
    most = min(len(names) or len(CLASS_COLOURS), len(CLASS_COLOURS))
    if y.min() < 0 or y.max() >= most:
        raise InputError(f"The labels go from {y.min()} to {y.max()}; names and colours are there for 0 to {most - 1}.")
    ax.scatter(*Z.T, c=[CLASS_COLOURS[label] for label in y], s=size, linewidths=0)
    texts = []
    for label in np.unique(y):
        box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": CLASS_COLOURS[label], "linewidth": 1.5}
        place = np.median(Z[y == label], axis=0)
        text = ax.text(*place, names[label] if names else str(label), ha="center", va="center", size=9, bbox=box)
        text.set_in_layout(False)
        texts.append(text)
    ax.add_artist(_Places(texts))
    return ax


class _Places(Artist):
    """Drawn just before the texts, when the layout is known: moves those that would cover another."""

    zorder = 2.9

    def __init__(self, texts: Sequence[Text]) -> None:
        super().__init__()
        self.set_in_layout(False)
        self._texts = [(text, text.get_position()) for text in texts]

    def draw(self, renderer: RendererBase) -> None:
        placed: list[tuple[np.ndarray, np.ndarray]] = []  # centres and half sizes, in pixels
        frame = self.axes.bbox
        for text, anchor in self._texts:
            text.set_position(anchor)
            text.update_bbox_position_size(renderer)
            half = np.array(text.get_bbox_patch().get_window_extent(renderer).size) / 2 + 1
            wanted = self.axes.transData.transform(anchor)
            place = _nearest_free(wanted, half, placed, frame.min + half, frame.max - half)
            placed.append((place, half))
            text.set_position(self.axes.transData.inverted().transform(place))


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
