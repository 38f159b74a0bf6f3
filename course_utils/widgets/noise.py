"""The noise level under the reader's hand, and what each denoiser makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.corruptions import gaussian
from course_utils.errors import InputError
from course_utils.metrics import psnr
from course_utils.plotting import show_image
from course_utils.widgets.explore import explore

__all__ = ["noise_explorer", "noise_snapshots"]

Denoiser = Callable[[Tensor, float], Tensor]


def noise_explorer(images: Tensor, denoisers: Mapping[str, Denoiser], *, largest: float = 1.0, seed: int = 0) -> None:
    """Sliders for the noise level and the image: the image, the same with noise, and each denoiser's answer.

    The same draw of noise is made larger or smaller, so that only its level changes.

    Args:
        images: shape (N, d), values in [0, 1]; a slider chooses among them.
        denoisers: name → function of noisy images (n, d) and the standard deviation of their noise, which returns
            images (n, d); it may ignore the standard deviation.
        largest: the end of the slider, a standard deviation above 0 in grey values.
        seed: of the noise.

    Raises:
        InputError: if there is no image, no denoiser, or no noise level to choose.
    """
    _check(images, denoisers, [largest])
    if largest == 0:
        raise InputError("largest=0 leaves no noise level to choose; give a standard deviation above 0.")

    def draw(std: float, index: int) -> Figure:
        figure, axes = plt.subplots(1, 2 + len(denoisers), figsize=(1.75 * (2 + len(denoisers)), 2.4))
        show_image(images[index], axes[0], title="image\n ")
        _draw_noise(axes[1:], images[index], denoisers, std, seed, [f"{name}\n" for name in ("noisy", *denoisers)])
        return figure

    explore(
        draw,
        std=ipywidgets.FloatSlider(largest / 2, min=0, max=largest, step=largest / 50, description="noise σ"),
        index=ipywidgets.IntSlider(0, min=0, max=len(images) - 1, description="image"),
    )


def noise_snapshots(
    image: Tensor, denoisers: Mapping[str, Denoiser], levels: Sequence[float], *, seed: int = 0
) -> Figure:
    """The static twin of :func:`noise_explorer`: one image (d,) at a few noise levels, a column each.

    Args:
        image: shape (d,), values in [0, 1].
        denoisers: as for the explorer, a row each.
        levels: standard deviations of the noise, 0 or more, in grey values.
        seed: of the noise.

    Raises:
        InputError: if the image is not of the shape (d,), or there is no denoiser or no noise level.
    """
    _check(image[None], denoisers, levels)
    names = ["noisy", *denoisers]
    shape = (len(names), len(levels))
    figure, axes = plt.subplots(*shape, figsize=(1.3 * shape[1] + 0.9, 1.62 * shape[0]), squeeze=False)
    for column, std in zip(axes.T, levels, strict=True):
        _draw_noise(column, image, denoisers, std, seed, [f"σ = {std:.2f}\n", *[""] * len(denoisers)])
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.text(-0.12, 0.5, name, transform=ax.transAxes, rotation=90, ha="right", va="center", fontsize=9)
    return figure


def _draw_noise(
    axes: Sequence[Axes] | np.ndarray,
    image: Tensor,
    denoisers: Mapping[str, Denoiser],
    std: float,
    seed: int,
    heads: Sequence[str],
) -> None:
    """The noisy image and each answer to it, with a head and the decibels above."""
    noisy = gaussian(image[None], std, generator=torch.Generator(image.device).manual_seed(seed))
    with torch.no_grad():
        answers = [noisy, *(denoise(noisy, std) for denoise in denoisers.values())]
    for ax, head, x_hat in zip(axes, heads, answers, strict=True):
        decibels = psnr(x_hat, image[None])
        words = f"{decibels:.1f} dB".replace("-", "−") if decibels < 99 else "no error"
        show_image(x_hat[0], ax, title=head + words)


def _check(images: Tensor, denoisers: Mapping[str, Denoiser], levels: Sequence[float]) -> None:
    if images.ndim != 2 or len(images) == 0 or round(images.shape[1] ** 0.5) ** 2 != images.shape[1]:
        raise InputError(f"Give square images as rows, (N, d); the shape is {tuple(images.shape)}.")
    if not denoisers:
        raise InputError("There is no denoiser to look at; give a dict of name → function.")
    if not levels or not all(std >= 0 for std in levels):
        raise InputError(f"The noise levels are {list(levels)}; give standard deviations, 0 or more, at least one.")
