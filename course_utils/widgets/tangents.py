"""A digit pushed along the directions to which its code is most sensitive."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.errors import InputError
from course_utils.plotting import show_image
from course_utils.widgets.explore import explore

__all__ = ["tangents_explorer", "tangents_snapshots"]

Map = Callable[[Tensor], Tensor]
RANDOM_DIRECTIONS = 64


def tangents_explorer(images: Tensor, tangents: Tensor, encode: Map, reconstruct: Map) -> None:
    """Sliders for a digit, a tangent and how far to push: the pushed digit, its reconstruction, the code's movement.

    Args:
        images: shape (N, d), values in [0, 1]; a slider chooses among them.
        tangents: shape (N, K, d): for each image K right singular vectors of the encoder's Jacobian there, unit rows,
            the largest singular value first.
        encode: the encoder, (n, d) → (n, d_h).
        reconstruct: encoder and decoder, (n, d) → (n, d).

    Raises:
        InputError: if images and tangents do not belong together, or a tangent is no unit vector.
    """
    if images.ndim != 2 or len(images) == 0 or len(images) != len(tangents):
        raise InputError(
            f"{tuple(images.shape)} images and {tuple(tangents.shape)} tangents; give (N, d) and (N, K, d), N above 0."
        )
    for image, rows in zip(images, tangents, strict=True):
        _check(image, rows, [0])

    def draw(index: int, direction: int, push: float) -> Figure:
        figure, axes = plt.subplots(1, 4, figsize=(7.4, 2.5), width_ratios=(1, 1, 1, 1))
        show_image(images[index], axes[0], title="digit x")
        _draw_push(axes[1:], images[index], tangents[index, direction - 1], direction, push, encode, reconstruct)
        return figure

    explore(
        draw,
        index=ipywidgets.IntSlider(0, min=0, max=len(images) - 1, description="digit"),
        direction=ipywidgets.IntSlider(1, min=1, max=tangents.shape[1], description="tangent"),
        push=ipywidgets.FloatSlider(2.0, min=-6, max=6, step=0.25, description="push t"),
    )


def tangents_snapshots(
    image: Tensor, tangents: Tensor, encode: Map, reconstruct: Map, pushes: Sequence[tuple[int, float]]
) -> Figure:
    """The static twin of :func:`tangents_explorer`: one image (d,) with its tangents (K, d), a few pushes.

    Args:
        image: shape (d,).
        tangents: shape (K, d), unit rows.
        encode: the encoder, (n, d) → (n, d_h).
        reconstruct: encoder and decoder, (n, d) → (n, d).
        pushes: for each column the number of the tangent, from 1, and the length of the push, in grey values.

    Raises:
        InputError: if there is no push, a tangent of that number is not there, or a tangent is no unit vector.
    """
    _check(image, tangents, [direction - 1 for direction, _ in pushes])
    figure, axes = plt.subplots(3, len(pushes), figsize=(1.3 * len(pushes) + 0.6, 4.9), squeeze=False)
    for column, (direction, push) in zip(axes.T, pushes, strict=True):
        _draw_push(column, image, tangents[direction - 1], direction, push, encode, reconstruct)
    for ax, label in zip(axes[:, 0], ("tangent", "pushed digit", "reconstruction"), strict=True):
        ax.text(-0.12, 0.5, label, transform=ax.transAxes, rotation=90, ha="right", va="center", fontsize=9)
    return figure


def movement(encode: Map, image: Tensor, tangent: Tensor, push: float) -> tuple[float, float]:
    """How far the code moves when ``image`` (d,) is pushed along ``tangent`` (d,), and along random directions.

    Returns:
        ‖f(x + t v) − f(x)‖, and its root mean square over random unit vectors in place of v, always the same ones.
    """
    draws = torch.randn(RANDOM_DIRECTIONS, len(image), generator=torch.Generator().manual_seed(0)).to(image)
    directions = torch.cat([tangent[None], draws / draws.norm(dim=1, keepdim=True)])
    with torch.no_grad():
        moved = (encode(image + push * directions) - encode(image[None])).square().sum(1)  # (1 + draws,)
    return moved[0].sqrt().item(), moved[1:].mean().sqrt().item()


def _draw_push(
    axes: Sequence[Axes] | np.ndarray,
    image: Tensor,
    tangent: Tensor,
    direction: int,
    push: float,
    encode: Map,
    reconstruct: Map,
) -> None:
    along, random = movement(encode, image, tangent, push)
    pushed = image + push * tangent
    with torch.no_grad():
        drawn = reconstruct(pushed[None])[0]
    show_image(tangent, axes[0], title=f"tangent {direction}", signed=True)
    show_image(pushed, axes[1], title=f"t = {push:+.1f}".replace("-", "−"))
    show_image(drawn, axes[2], title=f"code moves {along:.2f}\n(at random {random:.2f})")


def _check(image: Tensor, tangents: Tensor, chosen: Sequence[int]) -> None:
    if image.ndim != 1 or tangents.ndim != 2 or tangents.shape[1:] != image.shape:
        shapes = f"{tuple(image.shape)} and {tuple(tangents.shape)}"
        raise InputError(f"An image (d,) and its tangents (K, d) belong together, and their shapes are {shapes}.")
    if not chosen or not all(0 <= number < len(tangents) for number in chosen):
        raise InputError(f"pushes name the tangents 1 to {len(tangents)}, at least one of them; look at the numbers.")
    if not torch.allclose(tangents.norm(dim=1), tangents.new_ones(()), atol=1e-3):
        raise InputError("Tangents are unit vectors, one a row; divide each by its length.")
