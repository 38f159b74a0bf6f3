"""A figure with a text for those who cannot see it, small enough to be stored."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageChops, ImageFilter

from course_utils.errors import InputError

__all__ = ["show"]

_DPI = 150
_DPI_ON_PAGE = 100
_LEAST_VISIBLE = 12  # of 255


def show(figure: Figure, alt: str) -> None:
    """Display a figure once, at 150 dots per inch, with its alternative text, and close it.

    Args:
        figure: the figure to show.
        alt: two or three sentences that say what can be seen, for readers who cannot see it.

    Raises:
        InputError: if ``alt`` says nothing.
    """
    alt = " ".join(alt.split())
    if len(alt.split()) < 4:
        raise InputError(f'alt="{alt}" says too little; describe in a sentence what the figure shows.')
    figure.set_dpi(_DPI)
    canvas, buffer = FigureCanvasAgg(figure), io.BytesIO()
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # figures are opaque, and a tenth smaller without saying so
    _reduced(Image.fromarray(np.ascontiguousarray(pixels))).save(buffer, format="png")
    plt.close(figure)
    # JupyterLab's view of a picture leaves its text out. An <img> in text/html would keep it, in as many bytes, but
    # forges have shown nothing in its place for years; our own pages take the text from the metadata.
    display(
        {"image/png": buffer.getvalue(), "text/plain": f"Figure: {alt}"},
        metadata={"image/png": {"alt": alt, "width": round(figure.get_figwidth() * _DPI_ON_PAGE)}},
        raw=True,
    )


def _reduced(picture: Image.Image) -> Image.Image:
    """The picture with 256 colours, which takes half the room, unless that could be seen, as in a photograph."""
    few = picture.getcolors(1024) is not None
    method = Image.Quantize.MEDIANCUT if few else Image.Quantize.FASTOCTREE  # exact for few colours; fair to rare ones
    palette = picture.quantize(256, method=method, dither=Image.Dither.NONE)
    red, green, blue = ImageChops.difference(picture, palette.convert("RGB")).split()
    change = ImageChops.lighter(ImageChops.lighter(red, green), blue).filter(ImageFilter.MinFilter(3))  # not at edges
    return palette if np.asarray(change).max() <= _LEAST_VISIBLE else picture
