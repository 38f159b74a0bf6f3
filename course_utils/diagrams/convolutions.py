"""Convolutions in one dimension, cell by cell: what a window gathers, and what a transposed one spreads."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from course_utils.errors import InputError
from course_utils.plotting import COLOURS

__all__ = ["convolution", "transposed_convolution"]


def convolution(size: int, kernel: int, stride: int, padding: int) -> Figure:
    """A convolution in one dimension: each window of input cells is gathered into one output cell.

    Output cell i sees the inputs i · stride − padding to i · stride − padding + kernel − 1; those outside the input are
    cells of padding, drawn dashed, and hold 0. There are ⌊(size + 2 · padding − kernel) / stride⌋ + 1 output cells.

    Args:
        size: input cells, 2 to 12.
        kernel: inputs that an output sees, 1 to 6.
        stride: inputs between the windows of two neighbouring outputs, 1 to 4.
        padding: cells added at each end, 0 to 3.

    Raises:
        InputError: if one of them is out of range, or the window is larger than the padded input.
    """
    in_range = 2 <= size <= 12 and 1 <= kernel <= 6 and 1 <= stride <= 4 and 0 <= padding <= 3
    if not in_range or kernel > size + 2 * padding:
        raise InputError(
            f"size={size}, kernel={kernel}, stride={stride}, padding={padding}: the drawing takes sizes 2 to 12,"
            " kernels 1 to 6 that fit into the padded input, strides 1 to 4 and paddings 0 to 3."
        )
    outputs = (size + 2 * padding - kernel) // stride + 1
    figure, ax = plt.subplots(figsize=(8.4, 2.9))
    ax.set(xlim=(-padding - 0.3, size + padding + 0.3), ylim=(-0.9, 3.9))
    ax.set_axis_off()

    # The input, with its padding.
    for j in range(-padding, size + padding):
        outside = not 0 <= j < size
        face, line = ("white", "--") if outside else ("0.85", "-")
        ax.add_patch(Rectangle((j, 2.7), 1, 0.8, facecolor=face, edgecolor=COLOURS["grey"], linestyle=line))
        ax.text(j + 0.5, 3.1, "0" if outside else f"$x_{{{j}}}$", ha="center", va="center", fontsize=10)

    # A fan from each window down to its output.
    for i in range(outputs):
        left = i * stride - padding
        centre = left + kernel / 2
        colour = COLOURS["blue"] if i % 2 == 0 else COLOURS["orange"]
        fan = [(left + 0.05, 2.7), (left + kernel - 0.05, 2.7), (centre + 0.4, 0.8), (centre - 0.4, 0.8)]
        ax.add_patch(Polygon(fan, facecolor=colour, edgecolor=colour, alpha=0.3))
        ax.add_patch(Rectangle((centre - 0.4, 0), 0.8, 0.8, facecolor="white", edgecolor=colour, linewidth=2))
        ax.text(centre, 0.4, f"$y_{{{i}}}$", ha="center", va="center", fontsize=10)
    said = f"window {kernel}, stride {stride}, padding {padding}: {size} cells become {outputs}"
    ax.text(size / 2, -0.55, said, ha="center", va="center", fontsize=9)
    return figure


def transposed_convolution(kernel: int, stride: int) -> Figure:
    """A transposed convolution in one dimension: four input cells are spread over outputs, and overlaps are counted.

    Input cell i reaches the outputs i · stride to i · stride + kernel − 1. The number in an output cell says how many
    inputs reach it. Away from the borders all have the same number exactly if the stride divides the kernel.

    Args:
        kernel: outputs that an input reaches, 1 to 6.
        stride: outputs between two neighbouring inputs, 1 to 4.

    Raises:
        InputError: if one of them is out of range.
    """
    if not (1 <= kernel <= 6 and 1 <= stride <= 4):
        raise InputError(f"kernel={kernel}, stride={stride}: the drawing takes kernels 1 to 6 and strides 1 to 4.")
    inputs, outputs = 4, 3 * stride + kernel
    counts = [sum(0 <= j - i * stride < kernel for i in range(inputs)) for j in range(outputs)]
    figure, ax = plt.subplots(figsize=(8.4, 2.9))
    ax.set(xlim=(-0.3, outputs + 0.3), ylim=(-0.9, 3.9))
    ax.set_axis_off()

    # A fan for each input, over the outputs that it reaches.
    for i in range(inputs):
        centre = i * stride + kernel / 2
        colour = COLOURS["blue"] if i % 2 == 0 else COLOURS["orange"]
        fan = [(centre - 0.4, 2.7), (centre + 0.4, 2.7), (i * stride + kernel - 0.05, 0.8), (i * stride + 0.05, 0.8)]
        ax.add_patch(Polygon(fan, facecolor=colour, edgecolor=colour, alpha=0.3))
        ax.add_patch(Rectangle((centre - 0.4, 2.7), 0.8, 0.8, facecolor="white", edgecolor=colour, linewidth=2))
        ax.text(centre, 3.1, f"$x_{i}$", ha="center", va="center", fontsize=10)

    # The outputs, darker where more inputs arrive.
    for j, count in enumerate(counts):
        shade = f"{1 - 0.5 * count / max(counts):.2f}"
        ax.add_patch(Rectangle((j, 0), 1, 0.8, facecolor=shade, edgecolor=COLOURS["grey"]))
        ax.text(j + 0.5, 0.4, str(count), ha="center", va="center", fontsize=10, weight="bold")
    said = f"kernel {kernel}, stride {stride}: how many inputs reach each output cell"
    ax.text(outputs / 2, -0.55, said, ha="center", va="center", fontsize=9)
    return figure
