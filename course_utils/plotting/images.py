"""Images as figures: one, or a grid of them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from course_utils.errors import InputError

__all__ = ["as_array", "show_image", "show_images"]


def show_image(
    image: torch.Tensor | np.ndarray,
    ax: Axes | None = None,
    *,
    title: str = "",
    vmin: float | None = 0.0,
    vmax: float | None = 1.0,
    cmap: str | None = None,
    signed: bool = False,
) -> Axes:
    """Draw one grey image, ink dark on white.

    Args:
        image: shape (H, W), (1, H, W) or, when it is square, (H * W,); values in [vmin, vmax].
        ax: where to draw; a new figure when None.
        title: a few words above the image.
        vmin: value shown as paper.
        vmax: value shown as ink; ``None`` scales to the image.
        cmap: name of a colour map, in place of the grey one.
        signed: blue below zero, white at zero, red above; the limits are plus and minus the largest absolute value,
            and ``vmin`` and ``vmax`` are not looked at.

    Raises:
        InputError: if ``image`` has another shape.
    """
    ax = plt.subplots(figsize=(1.6, 1.6))[1] if ax is None else ax
    array = as_array(image)
    if array.ndim == 1:
        array = _square(array[None])
    array = array[0] if array.ndim == 3 and len(array) == 1 else array
    if array.ndim != 2:
        raise InputError(
            f"show_image takes one image of shape (H, W), (1, H, W) or (H * W,), and got {tuple(array.shape)}."
        )
    if signed:
        vmax = float(np.abs(array).max()) or 1.0
        vmin, cmap = -vmax, cmap or "RdBu_r"
    ax.imshow(array, vmin=vmin, vmax=vmax, cmap=cmap)
    ax.set_axis_off()
    if title:
        ax.set_title(title, fontsize=9, loc="center", weight="normal")
    return ax


def show_images(
    rows: Sequence[torch.Tensor | np.ndarray] | torch.Tensor,
    labels: Sequence[str] = (),
    *,
    title: str = "",
    titles: Sequence[str] = (),
    size: float = 0.62,
    vmin: float | None = 0.0,
    vmax: float | None = 1.0,
    cmap: str | None = None,
    signed: bool = False,
) -> Figure:
    """A grid of images: one row per entry of ``rows``, each a batch of images, with a label at its left.

    Args:
        rows: each of shape (N, 1, H, W), (N, H, W) or (N, H * H).
        labels: one per row.
        title: what to see, above the grid.
        titles: one per column.
        size: inches per image.
        vmin: value shown as paper.
        vmax: value shown as ink; ``None`` scales each image to itself.
        cmap: name of a colour map, in place of the grey one.
        signed: blue below zero, white at zero, red above, each image to its own largest absolute value.

    Raises:
        InputError: if there is no image, a batch has another shape, or the labels or titles are of another number.
    """
    batches = [_square(as_array(row)) for row in rows]
    if not any(len(batch) for batch in batches):
        raise InputError("show_images was given no image; give one batch of images for each row.")
    if labels and len(labels) != len(batches):
        raise InputError(f"show_images got {len(labels)} labels for {len(batches)} rows; give one for each row.")
    columns = max(len(batch) for batch in batches)
    if titles and len(titles) != columns:
        raise InputError(f"show_images got {len(titles)} titles for {columns} columns; give one for each column.")
    width, height = (
        columns * size + (1.3 if labels else 0.1),
        len(batches) * size + (0.35 if title else 0.05) + (0.2 if titles else 0),
    )
    layout = ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    figure, grid = plt.subplots(len(batches), columns, figsize=(width, height), squeeze=False, layout=layout)
    for i, batch in enumerate(batches):
        for j, ax in enumerate(grid[i]):
            if j < len(batch):
                head = titles[j] if i == 0 and titles else ""
                show_image(batch[j], ax, title=head, vmin=vmin, vmax=vmax, cmap=cmap, signed=signed)
            else:
                ax.set_axis_off()
        if labels:
            grid[i, 0].text(-0.15, 0.5, labels[i], transform=grid[i, 0].transAxes, ha="right", va="center", fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11, weight="bold", x=0.01, ha="left")
    return figure


def as_array(values: torch.Tensor | np.ndarray) -> np.ndarray:
    """What a figure can draw: an array in the computer's memory, without gradients."""
    return values.detach().float().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _square(batch: np.ndarray) -> np.ndarray:
    """A batch of images as (N, H, W)."""
    if batch.ndim == 4 and batch.shape[1] == 1:
        return batch[:, 0]
    if batch.ndim == 2:
        side = round(batch.shape[1] ** 0.5)
        if side * side != batch.shape[1]:
            raise InputError(f"Rows of {batch.shape[1]} numbers are no square images; reshape them to (N, H, W).")
        return batch.reshape(-1, side, side)
    if batch.ndim != 3:
        raise InputError(
            f"show_images takes batches of shape (N, 1, H, W), (N, H, W) or (N, H * W), and got {tuple(batch.shape)}."
        )
    return batch
