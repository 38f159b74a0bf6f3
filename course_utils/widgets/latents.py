"""The latent variables of a digit under the reader's hand: what each of them changes in the decoded image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import torch
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_utils.errors import InputError
from course_utils.plotting import COLOURS, show_image
from course_utils.widgets.explore import decoded, explore

__all__ = ["latents_explorer", "latents_snapshots"]

Map = Callable[[Tensor], Tensor]
MOST_UNITS = 8
REACH = 3.0  # of a slider to both sides, in standard deviations of the prior
STEP = 0.05


def latents_explorer(images: Tensor, encode: Map, decode: Map, units: Sequence[int]) -> None:
    """Sliders for a digit and for some units of its code: the digit, what its code decodes to, and what the sliders do.

    The units' sliders begin at the digit's own code, and go back to it when another digit is chosen. They move from
    -3 to 3, and as far as the digit's own value where that lies beyond.

    Args:
        images: shape (N, 784), values in [0, 1]; a slider chooses among them.
        encode: maps images (n, 784) to mean codes (n, k).
        decode: maps codes (n, k) to images (n, 784), values in [0, 1].
        units: 1 to 8 different indices of the code, from 0.

    Raises:
        InputError: if images, codes and units do not belong together, or ``decode`` gives something else.
    """
    codes = _codes(images, encode, units)

    def draw(setting: tuple[Any, ...]) -> Figure:
        index, *values = setting
        code, moved = codes[index].clone(), []
        for unit, value in zip(units, values, strict=True):
            if abs(value - code[unit].item()) > 0.51 * STEP:  # in the browser a slider begins at its nearest step
                code[unit] = value
                moved.append(unit)
        own, changed = decoded(decode, torch.stack([codes[index], code]))
        figure, axes = plt.subplots(1, 3, figsize=(7.4, 2.7))
        show_image(images[index], axes[0], title="digit x")
        show_image(own, axes[1], title="decoded from its own code")
        show_image(changed, axes[2], title=_said(moved))
        return figure

    explore(draw, setting=Dials(codes[:, list(units)], units))


class Dials(ipywidgets.VBox):
    """A slider for the digit and one for each unit, which goes back to the digit's own value with another digit.

    Attributes:
        value: the digit's index, then the value of each unit; it changes once for each move of a slider.
    """

    value = traitlets.Tuple()

    def __init__(self, own: Tensor, units: Sequence[int]) -> None:
        """``own`` (N, U) holds each digit's values of the units."""
        self._own = own.tolist()
        self._resets = False
        self._digit = ipywidgets.IntSlider(0, min=0, max=len(own) - 1, description="digit")
        self._units = [ipywidgets.FloatSlider(step=STEP, description=f"unit {unit}") for unit in units]
        super().__init__([self._digit, *self._units])
        self._reset()
        self._digit.observe(self._reset, names="value")
        for slider in self._units:
            slider.observe(self._read, names="value")

    def _reset(self, _: Any = None) -> None:
        self._resets = True
        for slider, value in zip(self._units, self._own[self._digit.value], strict=True):
            slider.min, slider.max = min(-REACH, value), max(REACH, value)
            slider.value = value
        self._resets = False
        self._read()

    def _read(self, _: Any = None) -> None:
        if not self._resets:
            self.value = (self._digit.value, *(slider.value for slider in self._units))


def latents_snapshots(image: Tensor, encode: Map, decode: Map, units: Sequence[int], values: Sequence[float]) -> Figure:
    """The static twin of :func:`latents_explorer`: one digit, one row per unit, the unit set to each of the values.

    The other units keep the digit's own mean code. In each row the image whose value is nearest to the digit's own
    has a frame.

    Args:
        image: the digit, shape (784,), values in [0, 1].
        encode: maps images (n, 784) to mean codes (n, k).
        decode: maps codes (n, k) to images (n, 784), values in [0, 1].
        units: 1 to 8 different indices of the code, from 0.
        values: what each unit is set to, at least one.

    Raises:
        InputError: if image, codes and units do not belong together, ``decode`` gives something else, or there is no
            value.
    """
    code = _codes(image[None], encode, units)[0]
    settings = torch.tensor(values, dtype=code.dtype, device=code.device)
    if settings.ndim != 1 or len(settings) == 0 or not settings.isfinite().all():
        raise InputError(f"The units are set to values={list(values)}; give finite numbers, at least one.")
    rows, columns = len(units), len(values)
    figure = plt.figure(figsize=(2.9 + 0.9 * columns, max(1.9, 0.9 * rows + 0.6)))
    grid = figure.add_gridspec(rows, 1 + columns, width_ratios=(1.3, *[0.9] * columns))
    show_image(image, figure.add_subplot(grid[:, 0]), title="digit x")
    for row, unit in enumerate(units):
        axes = [figure.add_subplot(grid[row, 1 + column]) for column in range(columns)]
        _draw_unit(axes, code, decode, unit, settings)
        if row == 0:
            for ax, value in zip(axes, values, strict=True):
                ax.set_title(f"{value:.1f}".replace("-", "−"), loc="center", fontsize=9, weight="normal")
    figure.supxlabel("what the unit is set to; the frame is nearest to the digit's own value", fontsize=9)
    return figure


def _draw_unit(axes: Sequence[Axes], code: Tensor, decode: Map, unit: int, values: Tensor) -> None:
    """A row: ``code`` (k,) with one unit set to each of the values (V,)."""
    changed = code.repeat(len(values), 1)
    changed[:, unit] = values
    for ax, image in zip(axes, decoded(decode, changed), strict=True):
        show_image(image, ax)
    own = code[unit].item()
    label = f"unit {unit}\nown {own:.2f}".replace("-", "−")
    axes[0].text(-0.12, 0.5, label, transform=axes[0].transAxes, ha="right", va="center", fontsize=9)
    nearest = axes[int((values - own).abs().argmin())]
    frame = Rectangle((0, 0), 1, 1, transform=nearest.transAxes, fill=False, edgecolor=COLOURS["orange"], linewidth=3)
    nearest.add_patch(frame).set_clip_on(False)


def _said(moved: Sequence[int]) -> str:
    """What the sliders changed, as a title."""
    if not moved:
        return "no slider moved yet"
    units = ", ".join(map(str, moved))
    return f"unit{'s' if len(moved) > 1 else ''} {units} moved"


def _codes(images: Tensor, encode: Map, units: Sequence[int]) -> Tensor:
    """The mean codes (N, k) of images (N, d), which hold all ``units``."""
    if images.ndim != 2 or len(images) == 0 or round(images.shape[1] ** 0.5) ** 2 != images.shape[1]:
        raise InputError(f"Give square images as rows, (N, 784); the shape is {tuple(images.shape)}.")
    with torch.no_grad():
        codes = encode(images)
    if not isinstance(codes, Tensor) or codes.ndim != 2 or len(codes) != len(images) or not codes.isfinite().all():
        found = f"the shape {tuple(codes.shape)}" if isinstance(codes, Tensor) else f"a {type(codes).__name__}"
        raise InputError(
            f"encode gives {found} for {len(images)} images; give the mean codes alone, ({len(images)}, k), finite."
        )
    there = all(0 <= unit < codes.shape[1] for unit in units)
    if not there or not 1 <= len(units) <= MOST_UNITS or len(set(units)) < len(units):
        raise InputError(
            f"units={list(units)}: name 1 to {MOST_UNITS} different units of the code, 0 to {codes.shape[1] - 1}."
        )
    return codes
