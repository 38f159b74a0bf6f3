"""The log-likelihood of a normal under the reader's hand."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from course_utils.plotting import COLOURS
from course_utils.widgets.explore import explore

__all__ = ["likelihood_explorer", "likelihood_snapshots"]


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
    explore(
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


def _draw_likelihood(ax: Axes, x: torch.Tensor, mean: float, std: float) -> float:
    """Histogram and Gaussian; returns the log-likelihood in nats."""
    normal = stats.norm(mean, std)
    low, high = float(x.min()) - 12, float(x.max()) + 12
    grid = np.linspace(low, high, 300)
    ax.hist(x.numpy(), bins=np.arange(low, high, 2).tolist(), density=True, color=COLOURS["sky"], edgecolor="white")
    ax.plot(grid, normal.pdf(grid), color=COLOURS["orange"])
    ax.set(xlabel="height (cm)", ylabel="density (1/cm)", ylim=(0, 0.085))
    return float(normal.logpdf(x.numpy()).sum())
