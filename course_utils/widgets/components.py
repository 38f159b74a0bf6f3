"""How many components an image needs, under the reader's hand."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils.errors import InputError
from course_utils.plotting import show_image
from course_utils.widgets.explore import explore

__all__ = ["components_explorer", "components_snapshots"]


def components_explorer(images: torch.Tensor, mean: torch.Tensor, components: torch.Tensor) -> None:
    """Sliders for the number of components and the digit: what k numbers still know of one image.

    Args:
        images: shape (N, 784), values in [0, 1]; the slider chooses among them.
        mean: shape (784,).
        components: shape (784, K), orthonormal columns, the most important first.
    """
    _check_components(images, mean, components)

    def draw(k: int, index: int) -> Figure:
        figure, axes = plt.subplots(1, 3, figsize=(6.6, 2.5))
        _draw_components(axes, images[index], mean, components, 2**k)
        return figure

    most = int(np.log2(components.shape[1]))
    explore(
        draw,
        k=ipywidgets.IntSlider(3, min=0, max=most, description="k = 2^", continuous_update=True),
        index=ipywidgets.IntSlider(0, min=0, max=len(images) - 1, description="image"),
    )


def components_snapshots(
    image: torch.Tensor, mean: torch.Tensor, components: torch.Tensor, numbers: Sequence[int]
) -> Figure:
    """The static twin of :func:`components_explorer`: one image (784,) at a few numbers of components."""
    _check_components(image[None], mean, components)
    figure, axes = plt.subplots(3, len(numbers), figsize=(1.35 * len(numbers) + 0.6, 4.6))
    for column, k in zip(axes.T, numbers, strict=True):
        _draw_components(column, image, mean, components, k)
    for ax, label in zip(axes[:, 0], ("image", "from k numbers", "what is lost"), strict=True):
        ax.text(-0.12, 0.5, label, transform=ax.transAxes, rotation=90, ha="right", va="center", fontsize=9)
    for ax in (*axes[0], *axes[2]):
        ax.set_title("", loc="center")
    return figure


def _draw_components(
    axes: Sequence[Axes] | np.ndarray, image: torch.Tensor, mean: torch.Tensor, components: torch.Tensor, k: int
) -> None:
    U = components[:, :k]
    reconstruction = mean + U @ (U.T @ (image - mean))
    error = (image - reconstruction).square().sum().item()
    show_image(image, axes[0], title="image")
    show_image(reconstruction, axes[1], title=f"k = {k}\nerror {error:.1f}")
    show_image(image - reconstruction, axes[2], title="what is lost", vmin=-1, vmax=1, cmap="RdBu_r")


def _check_components(images: torch.Tensor, mean: torch.Tensor, components: torch.Tensor) -> None:
    if images.ndim != 2 or mean.shape != images.shape[1:] or components.shape[:1] != mean.shape:
        shapes = f"{tuple(images.shape)}, {tuple(mean.shape)} and {tuple(components.shape)}"
        raise InputError(
            f"images (N, d), mean (d,) and components (d, K) belong together, and their shapes are {shapes}."
        )
