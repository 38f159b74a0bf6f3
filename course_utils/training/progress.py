"""What can be seen while a model trains: one line of text, and, in a notebook, a curve that grows."""

from __future__ import annotations

import io
import math
import sys
import time
from typing import Any

from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure
from tqdm.std import tqdm

from course_utils.training.history import History, Means, main_term

__all__ = ["Progress", "in_notebook"]

REDRAW_SECONDS = 0.2
CURVE_SECONDS = 3.0
LINE_LENGTH = 120


def in_notebook() -> bool:
    """Whether the code runs in a Jupyter kernel, which can update what it has shown."""
    shell = get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


class Progress:
    """One text bar over all steps of a training run, and, on request, a live curve.

    The bar is plain text on stdout: a stored notebook keeps its last line, and a widget would leave debris. Where
    nothing can be redrawn (a log file, a pipe), only the finished line is written.

    Args:
        num_epochs: epochs of the whole run.
        steps_per_epoch: steps in each; None where that is not known, and then it is the epochs that are counted.
        label: what is being trained, in front of the bar.
        show: whether there is a bar at all.
        live: whether to show the curve, too; only a notebook can.
    """

    def __init__(
        self, num_epochs: int, steps_per_epoch: int | None, label: str, *, show: bool = True, live: bool = False
    ) -> None:
        self._num_epochs = num_epochs
        self._redraws = show and (in_notebook() or sys.stdout.isatty())
        self._measured = self._line = ""
        self._drawn = self._curve_drawn = 0.0
        self._counts_steps = steps_per_epoch is not None
        self._done = 0
        self._title, self._label = label, label.replace("{", "{{").replace("}", "}}")
        self._handle: Any = None
        self._live = live and in_notebook()
        self._bar = tqdm(
            total=num_epochs * (steps_per_epoch or 1),
            file=sys.stdout,
            disable=not show,
            ncols=None if sys.stdout.isatty() else LINE_LENGTH,
            delay=math.inf,  # draws nothing by itself: _draw and close do
        )

    def step(self, epoch: int, means: Means) -> None:
        """One step was taken; ``means`` are the epoch's so far. Cheap: it draws five times a second."""
        self._done += self._counts_steps
        if self._redraws and time.monotonic() - self._drawn > REDRAW_SECONDS:
            self._write(epoch, main_term(means.values()))
            self._draw()

    def epoch(self, history: History) -> None:
        """An epoch has ended, or the untrained model is measured."""
        point = history.points[-1]
        self._done = point.step if self._counts_steps else point.epoch
        values = ({"val": main_term(point.val)} if point.val else {}) | point.metrics
        self._measured = "".join(f" · {name} {value:.4g}" for name, value in values.items())
        self._write(point.epoch, main_term(point.train))
        if self._redraws and time.monotonic() - self._drawn > REDRAW_SECONDS:
            self._draw()
        if self._live and time.monotonic() - self._curve_drawn > CURVE_SECONDS:
            self._draw_curve(history)

    def say(self, message: str) -> None:
        """Print a line without tearing the bar."""
        tqdm.write(message, file=sys.stdout)

    def close(self, history: History) -> None:
        """Leave the last line and the last curve."""
        if self._live and history.points:
            self._draw_curve(history)
        if self._line:
            self._bar.n = self._done
            self._bar.delay = 0
        self._bar.close()

    def _write(self, epoch: int, loss: float) -> None:
        text = f"epoch {epoch}/{self._num_epochs} · loss {loss:.4g}{self._measured}"
        text = text.replace("{", "{{").replace("}", "}}")
        self._line = f"{self._label} {{percentage:3.0f}}% |{{bar:20}}| {text} · {{elapsed}}"
        self._bar.bar_format = self._line

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self._bar.n = self._done
        self._bar.refresh()

    def _draw_curve(self, history: History) -> None:
        self._curve_drawn = time.monotonic()
        label = self._title
        figure = Figure(figsize=(7.0, 2.8), dpi=100, layout="constrained")
        history.plot(figure.subplots()).set_title(label)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        alt = f"Curves of the loss over {len(history.points) - 1} epochs of {label}. {history!r}."
        bundle = {"image/png": buffer.getvalue(), "text/plain": f"Figure: {alt}"}
        shown: dict[str, Any] = {"metadata": {"image/png": {"alt": alt}}, "raw": True}
        if self._handle is None:
            self._handle = display(bundle, display_id=True, **shown)
        else:
            self._handle.update(bundle, **shown)
