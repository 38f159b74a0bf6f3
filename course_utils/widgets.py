"""Explorers for readers with a running kernel; each has a static twin that everybody sees.

An explorer displays sliders and redraws one figure; its twin (``…_snapshots``) returns a figure of a few settings.
Both draw with the same function, so what the sliders show is what the page shows.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from course_utils.errors import InputError
from course_utils.plotting import COLOURS, show_image

__all__ = ["components_explorer", "components_snapshots", "likelihood_explorer", "likelihood_snapshots"]


def likelihood_explorer(x: torch.Tensor) -> None:
    """Sliders for μ and σ over the histogram of heights ``x`` (n,), in cm, with the log-likelihood in nats."""
    best = {"value": -np.inf}

    def draw(mean: float, std: float) -> Figure:
        figure, ax = plt.subplots(figsize=(7, 2.8))
        value = _draw_likelihood(ax, x, mean, std)
        best["value"] = max(best["value"], value)
        left = float(stats.norm(x.mean(), x.std(correction=0)).logpdf(x).sum()) - value
        title = f"log-likelihood {value:.1f} nats; {left:.1f} below the summit; your best {best['value']:.1f}"
        ax.set_title(title.replace("-", "−").replace("log−", "log-"))
        return figure

    middle = round(float(x.mean()))
    _explore(
        draw,
        mean=ipywidgets.FloatSlider(middle - 8.0, min=middle - 15, max=middle + 15, step=0.1, description="μ (cm)"),
        std=ipywidgets.FloatSlider(12.0, min=3, max=20, step=0.1, description="σ (cm)"),
    )


def likelihood_snapshots(x: torch.Tensor, settings: Sequence[tuple[float, float]]) -> Figure:
    """The static twin of :func:`likelihood_explorer`: the same drawing at a few settings (μ, σ), in cm."""
    figure, axes = plt.subplots(1, len(settings), figsize=(3.2 * len(settings), 2.6), sharey=True, squeeze=False)
    for ax, (mean, std) in zip(axes[0], settings, strict=True):
        value = _draw_likelihood(ax, x, mean, std)
        ax.set_title(f"μ = {mean:.0f} cm, σ = {std:.1f} cm: {value:.0f} nats".replace("-", "−"), fontsize=9)
        ax.label_outer()
    return figure


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
    _explore(
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


def _draw_likelihood(ax: Axes, x: torch.Tensor, mean: float, std: float) -> float:
    """Histogram and Gaussian; returns the log-likelihood in nats."""
    normal = stats.norm(mean, std)
    low, high = float(x.min()) - 12, float(x.max()) + 12
    grid = np.linspace(low, high, 300)
    ax.hist(x.numpy(), bins=np.arange(low, high, 2).tolist(), density=True, color=COLOURS["sky"], edgecolor="white")
    ax.plot(grid, normal.pdf(grid), color=COLOURS["orange"])
    ax.set(xlabel="height (cm)", ylabel="density (1/cm)", ylim=(0, 0.085))
    return float(normal.logpdf(x.numpy()).sum())


def _draw_components(
    axes: Sequence[Axes] | np.ndarray, image: torch.Tensor, mean: torch.Tensor, components: torch.Tensor, k: int
) -> None:
    side = round(len(image) ** 0.5)
    U = components[:, :k]
    reconstruction = mean + U @ (U.T @ (image - mean))
    error = (image - reconstruction).square().sum().item()
    show_image(image.reshape(side, side), axes[0], title="image")
    show_image(reconstruction.reshape(side, side), axes[1], title=f"k = {k}\nerror {error:.1f}")
    show_image((image - reconstruction).reshape(side, side), axes[2], title="what is lost", vmin=-1, vmax=1)
    axes[2].images[0].set_cmap("RdBu_r")


def _check_components(images: torch.Tensor, mean: torch.Tensor, components: torch.Tensor) -> None:
    if images.ndim != 2 or mean.shape != images.shape[1:] or components.shape[:1] != mean.shape:
        shapes = f"{tuple(images.shape)}, {tuple(mean.shape)} and {tuple(components.shape)}"
        raise InputError(
            f"images (N, d), mean (d,) and components (d, K) belong together, and their shapes are {shapes}."
        )


def _explore(draw: Callable[..., Figure], **controls: ipywidgets.Widget) -> None:
    """Display the controls over an image that ``draw`` renews whenever one of them moves."""
    picture = ipywidgets.Image(format="png")

    def renew(_: object = None) -> None:
        figure = draw(**{name: control.value for name, control in controls.items()})
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        plt.close(figure)
        picture.value = buffer.getvalue()

    for control in controls.values():
        control.observe(renew, names="value")
    renew()
    display(ipywidgets.VBox([*controls.values(), picture]))
