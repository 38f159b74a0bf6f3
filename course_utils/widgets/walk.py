"""A walk between two digits, under the reader's hand: once in pixels, once in codes."""

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
from course_utils.plotting import COLOURS, show_image
from course_utils.widgets.explore import explore

__all__ = ["walk_explorer", "walk_snapshots"]

Map = Callable[[Tensor], Tensor]
FINE_STEPS = 40


def walk_explorer(images: Tensor, encode: Map, decode: Map) -> None:
    """Sliders for two images and the place between them: a mixture of pixels beside what a mixture of codes draws.

    Args:
        images: shape (N, d), square images, values in [0, 1]; the sliders choose two of them.
        encode: maps images (n, d) to codes (n, k).
        decode: maps codes (n, k) to images (n, d).

    Raises:
        InputError: if the images are no rows of square images, or ``decode`` gives another shape.
    """
    _check_images(images, least=2)

    def draw(t: float, start: int, end: int) -> Figure:
        figure, axes = plt.subplots(1, 3, figsize=(7.4, 2.5), width_ratios=(1, 1, 1.7))
        pair = images[[start, end]]
        _draw_mixtures(axes[:2], pair, encode, decode, t)
        _draw_change(axes[2], pair, encode, decode, [t])
        return figure

    most = len(images) - 1
    explore(
        draw,
        t=ipywidgets.FloatSlider(0.5, min=0, max=1, step=0.05, description="t"),
        start=ipywidgets.IntSlider(0, min=0, max=most, description="from"),
        end=ipywidgets.IntSlider(1, min=0, max=most, description="to"),
    )


def walk_snapshots(pair: Tensor, encode: Map, decode: Map, steps: Sequence[float]) -> Figure:
    """The static twin of :func:`walk_explorer`: two images (2, d), and what lies between them at a few places.

    Args:
        pair: the two images, shape (2, d).
        encode: maps images to codes.
        decode: maps codes to images.
        steps: places t on the walk, each from 0 (the first image) to 1 (the second).

    Raises:
        InputError: if there are not two images, no steps, or a step lies outside [0, 1].
    """
    _check_images(pair, least=2)
    if len(pair) != 2 or not len(steps) or not all(0 <= t <= 1 for t in steps):
        raise InputError(f"A walk has two ends and steps from 0 to 1; got {len(pair)} images and steps {list(steps)}.")
    width = 1.15 * len(steps) + 0.8
    figure = plt.figure(figsize=(width, 4.6))
    grid = figure.add_gridspec(3, len(steps), height_ratios=(1, 1, 1.3))
    for column, t in enumerate(steps):
        axes = [figure.add_subplot(grid[row, column]) for row in (0, 1)]
        _draw_mixtures(axes, pair, encode, decode, t)
        axes[0].set_title(f"t = {t:g}", loc="center", fontsize=9, weight="normal")
        axes[1].set_title("", loc="center")
        if column == 0:
            for ax, label in zip(axes, ("pixels", "codes"), strict=True):
                ax.text(-0.12, 0.5, label, transform=ax.transAxes, rotation=90, ha="right", va="center", fontsize=9)
    _draw_change(figure.add_subplot(grid[2, :]), pair, encode, decode, steps)
    return figure


def _walk(pair: Tensor, encode: Map, decode: Map, places: Tensor) -> tuple[Tensor, Tensor]:
    """Images (T, d) at ``places`` (T,): mixed in pixels, and decoded from codes mixed in the same proportion."""
    t = places.to(pair)[:, None]
    codes = encode(pair)
    decoded = decode(torch.lerp(codes[:1], codes[1:], t.to(codes)))
    if decoded.shape != (len(places), pair.shape[1]):
        expected = (len(places), pair.shape[1])
        raise InputError(f"decode gives the shape {tuple(decoded.shape)} where {expected} is needed; flatten it.")
    return torch.lerp(pair[:1], pair[1:], t), decoded


def _draw_mixtures(axes: Sequence[Axes] | np.ndarray, pair: Tensor, encode: Map, decode: Map, t: float) -> None:
    images = _walk(pair, encode, decode, torch.tensor([t]))
    for ax, image, title in zip(axes, images, ("pixels mixed", "codes mixed"), strict=True):
        show_image(image[0], ax, title=f"{title}, t = {t:.2f}")


def _draw_change(ax: Axes, pair: Tensor, encode: Map, decode: Map, marked: Sequence[float]) -> None:
    """How fast the image changes along the walk, in units of the walk's mean: flat in pixels, uneven in codes."""
    places = torch.linspace(0, 1, FINE_STEPS + 1)
    middles = (places[1:] + places[:-1]) / 2
    colours = (COLOURS["grey"], COLOURS["blue"])
    for walk, label, colour in zip(_walk(pair, encode, decode, places), ("pixels", "codes"), colours, strict=True):
        change = (walk[1:] - walk[:-1]).square().sum(1).sqrt()
        ax.plot(middles, change / change.mean().clamp(min=1e-12), color=colour, label=label)
    for t in marked:
        ax.axvline(t, color=COLOURS["orange"], linestyle=":", linewidth=1)
    ax.set(xlabel="along the walk t (0 to 1)", ylabel="change per step\n(1 = mean)", xlim=(0, 1), ylim=(0, None))
    ax.legend(fontsize=8, loc="upper right")


def _check_images(images: Tensor, *, least: int) -> None:
    square = images.ndim == 2 and round(images.shape[1] ** 0.5) ** 2 == images.shape[1]
    if not square or len(images) < least:
        raise InputError(f"A walk needs {least} or more square images as rows (N, d); got {tuple(images.shape)}.")
