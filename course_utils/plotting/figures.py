"""A figure with a text for those who cannot see it, small enough to be stored."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageChops

from course_utils.errors import InputError

__all__ = ["show"]

_DPI = 150
_DPI_ON_PAGE = 100


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
    # JupyterLab's view of a picture leaves its text out. An <img> in text/html would keep it, in as many bytes, but forges
    # have shown a broken picture in its place for years; so it is the picture, with its text where nbconvert looks.
    display(
        {"image/png": buffer.getvalue(), "text/plain": f"Figure: {alt}"},
        metadata={"image/png": {"alt": alt, "width": round(figure.get_figwidth() * _DPI_ON_PAGE)}},
        raw=True,
    )


def _reduced(picture: Image.Image) -> Image.Image:
    """The picture with 256 colours, which takes a third of the room, unless that can be seen, as in a photograph."""
    palette = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    change = ImageChops.difference(picture, palette.convert("RGB"))
    visible = (np.asarray(change) > 16).any(-1).mean()
    return palette if visible < 0.005 else picture
