"""What a unit looks for, under the reader's hand: its filter and the images that excite it most."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils.errors import InputError
from course_utils.plotting import COLOURS, show_image
from course_utils.widgets.explore import explore

__all__ = ["units_explorer", "units_snapshots"]

MOST_EXCITING = 8


def units_explorer(filters: torch.Tensor, activations: torch.Tensor, images: torch.Tensor) -> None:
    """A slider over the units: the filter, the images that excite the unit most, and how often it speaks.

    Args:
        filters: shape (d_h, d), one filter a row; d is a square number.
        activations: shape (N, d_h), in [0, 1], what each image does to each unit.
        images: shape (N, d), values in [0, 1], at least 8 of them.

    Raises:
        InputError: if the three do not belong together.
    """
    filters, activations, images = _checked(filters, activations, images)

    def draw(unit: int) -> Figure:
        figure, axes = _row_of_axes(1)
        _draw_unit(axes[0], unit, filters, activations, images)
        return figure

    explore(draw, unit=ipywidgets.IntSlider(0, min=0, max=len(filters) - 1, description="unit"))


def units_snapshots(
    filters: torch.Tensor, activations: torch.Tensor, images: torch.Tensor, units: Sequence[int]
) -> Figure:
    """The static twin of :func:`units_explorer`: the same drawing for a few units, one a row.

    Raises:
        InputError: if the tensors do not belong together, or a unit is not there.
    """
    filters, activations, images = _checked(filters, activations, images)
    missing = [unit for unit in units if not 0 <= unit < len(filters)]
    if missing or not units:
        raise InputError(f"units={list(units)}: give numbers from 0 to {len(filters) - 1}, at least one.")
    figure, axes = _row_of_axes(len(units))
    for row, unit in zip(axes, units, strict=True):
        _draw_unit(row, unit, filters, activations, images)
    for ax in axes[:-1, -1]:
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    return figure


def _row_of_axes(rows: int) -> tuple[Figure, np.ndarray]:
    widths = [1.0] * (MOST_EXCITING + 1) + [2.2]
    size = (10.4, 1.15 * rows + 0.4)
    return plt.subplots(rows, len(widths), figsize=size, width_ratios=widths, squeeze=False)


def _draw_unit(
    axes: Sequence[Axes] | np.ndarray,
    unit: int,
    filters: torch.Tensor,
    activations: torch.Tensor,
    images: torch.Tensor,
) -> None:
    show_image(filters[unit], axes[0], title=f"unit {unit}", signed=True)
    h = activations[:, unit]
    values, best = h.topk(MOST_EXCITING)
    for ax, value, index in zip(axes[1:-1], values.tolist(), best.tolist(), strict=True):
        show_image(images[index], ax, title=f"{value:.2f}")
    last = axes[-1]
    last.hist(h.numpy(), bins=np.linspace(0, 1, 21).tolist(), log=True, color=COLOURS["sky"], edgecolor="white")
    last.set(xlabel="activation (0 to 1)", ylabel="images", xlim=(0, 1), ylim=(0.5, 1.5 * len(h)))
    last.set_title(f"mean {h.mean().item():.3f}", fontsize=9, loc="center", weight="normal")


def _checked(
    filters: torch.Tensor, activations: torch.Tensor, images: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    shapes = f"{tuple(filters.shape)}, {tuple(activations.shape)} and {tuple(images.shape)}"
    if not (
        filters.ndim == activations.ndim == images.ndim == 2
        and filters.shape[1] == images.shape[1]
        and activations.shape == (len(images), len(filters))
    ):
        raise InputError(
            f"filters (d_h, d), activations (N, d_h) and images (N, d) belong together; their shapes are {shapes}."
        )
    if round(images.shape[1] ** 0.5) ** 2 != images.shape[1]:
        raise InputError(f"Rows of {images.shape[1]} numbers are no square images.")
    if len(images) < MOST_EXCITING:
        raise InputError(f"{len(images)} images are too few; give at least {MOST_EXCITING}.")
    return filters.detach().cpu(), activations.detach().cpu(), images.detach().cpu()
