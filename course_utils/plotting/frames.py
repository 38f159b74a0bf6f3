"""Images that change while a training runs: one picture, refreshed in place, and the frames it went through."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import torch
from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure

from course_utils.errors import InputError
from course_utils.plotting.images import _square, as_array, show_images

__all__ = ["LiveImages"]

_GAP = 1  # pixels of paper between two images
_HEAD = 0.3  # inches for the caption
_DPI = 100
_PAPER = 0.0


class LiveImages:
    """A grid of images that is refreshed in place: the samples of a generator from noise that stays the same.

    Call it from a step, or from ``validate`` of :func:`course_utils.training.run`. In a notebook one picture changes,
    and the stored notebook keeps the last. Elsewhere nothing is shown. Each frame is kept, for :meth:`strip`.

    Attributes:
        frames: the images of each call, float32, shape (N, H, W).
        captions: what was said of each.
    """

    def __init__(self, alt: str, *, columns: int = 10, size: float = 0.5, live: bool = True) -> None:
        """Begin with no frame.

        Args:
            alt: what the images are, in a sentence, for readers who cannot see them; the caption is added to it.
            columns: images in a row, 1 or more.
            size: inches per image.
            live: whether to show anything; only a notebook can.

        Raises:
            InputError: if ``alt`` says nothing, or there is no column.
        """
        self._alt = " ".join(alt.split()).removesuffix(".")
        if len(self._alt.split()) < 3:
            raise InputError(f'alt="{alt}" says too little; describe in a sentence what the images are.')
        if columns < 1 or not size > 0:
            raise InputError(f"columns={columns} and size={size}; give 1 column or more, and inches of more than 0.")
        self.frames: list[np.ndarray] = []
        self.captions: list[str] = []
        self._columns, self._size = columns, size
        self._live = live and _in_notebook()
        self._handle: Any = None

    def __call__(self, images: torch.Tensor | np.ndarray, caption: str) -> None:
        """Keep a frame, and show it in place of the one before.

        Args:
            images: shape (N, 1, H, W), (N, H, W) or (N, H · H), values in [0, 1]; the same shape at each call.
            caption: what these are, such as ``"step 1,200"``; it stands above the images.

        Raises:
            InputError: if there is no image, or the shape is another or not that of the frames before.
        """
        frame = _square(as_array(images)).astype(np.float32)  # a copy
        if not frame.size:
            raise InputError(f"A frame holds one image or more; the shape is {tuple(images.shape)}.")
        if self.frames and frame.shape != self.frames[0].shape:
            raise InputError(
                f"A frame of shape {frame.shape} follows frames of shape {self.frames[0].shape}; show the samples of"
                " the same noise each time."
            )
        self.frames.append(frame)
        self.captions.append(caption)
        if self._live:
            self._show()

    def strip(self, *, rows: int = 4, columns: int = 10, title: str = "") -> Figure:
        """Some of the frames, one below the other: the first, the last, and others at even distances.

        Args:
            rows: frames to show, 2 or more; all of them where there are fewer.
            columns: images of each, the first ones.
            title: what to see.

        Raises:
            InputError: if there is no frame yet, or a number is too small.
        """
        if not self.frames:
            raise InputError("There is no frame yet; call it with images first.")
        if rows < 2 or columns < 1:
            raise InputError(f"rows={rows} and columns={columns}; give 2 frames or more, and 1 image or more.")
        chosen = np.unique(np.linspace(0, len(self.frames) - 1, rows).round().astype(int))
        return show_images([self.frames[i][:columns] for i in chosen], [self.captions[i] for i in chosen], title=title)

    def _show(self) -> None:
        alt = f"{self._alt}, {self.captions[-1]}."
        bundle = {"image/png": self._picture(), "text/plain": f"Figure: {alt}"}
        shown: dict[str, Any] = {"metadata": {"image/png": {"alt": alt}}, "raw": True}
        if self._handle is None:
            self._handle = display(bundle, display_id=True, **shown)
        else:
            self._handle.update(bundle, **shown)

    def _picture(self) -> bytes:
        """The last frame as a PNG: all images in one array, which is drawn ten times as fast as one by one."""
        mosaic = _mosaic(self.frames[-1], self._columns)
        across = self._size * min(self._columns, len(self.frames[-1]))
        height = across * mosaic.shape[0] / mosaic.shape[1]
        figure = Figure(figsize=(max(across, 1.5), height + _HEAD), dpi=_DPI)  # pyplot knows nothing of it
        figure.set_layout_engine("none")  # whatever the style asks for: the axes are placed by hand
        width, total = figure.get_size_inches()
        ax = figure.add_axes((0, 0, across / width, height / total))
        ax.set_axis_off()
        ax.imshow(mosaic, vmin=0, vmax=1, cmap="gray_r", aspect="auto", interpolation="nearest")
        figure.text(0.02, 1 - _HEAD / 2 / total, self.captions[-1], fontsize=10, weight="bold", va="center")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()


def _mosaic(frame: np.ndarray, columns: int) -> np.ndarray:
    """Images (N, H, W) in rows, paper between them and where the last row ends early: one array."""
    n, height, width = frame.shape
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    cells = np.full((rows * columns, height + _GAP, width + _GAP), _PAPER, dtype=np.float32)
    cells[:n, :height, :width] = frame
    grid = cells.reshape(rows, columns, height + _GAP, width + _GAP).swapaxes(1, 2)
    return grid.reshape(rows * (height + _GAP), columns * (width + _GAP))[:-_GAP, :-_GAP]


def _in_notebook() -> bool:
    """Whether there is a kernel, which can change what it has shown; training asks the same on a floor above."""
    return getattr(get_ipython(), "kernel", None) is not None
