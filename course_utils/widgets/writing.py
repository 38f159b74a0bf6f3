"""A model that writes: the reader gives it a prompt and a temperature, and sees each character as it is sampled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import anywidget
import matplotlib.pyplot as plt
import torch
import traitlets
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils.errors import CourseError, InputError
from course_utils.plotting import COLOURS, show_text
from course_utils.plotting.texts import lay_out, text_size
from course_utils.widgets.explore import require_known

__all__ = ["writing_explorer", "writing_snapshots"]

Write = Callable[..., Iterable[str]]
MOST_LENGTH = 5_000
MOST_TEMPERATURE = 2.0
INTERVAL = 0.05  # between two views of a growing text, in seconds
WIDTH = 9.4  # of a figure, in inches
POINTS = 8.0
_END = object()
MARGIN = 5  # of a panel and between two, in characters
MOST_COLUMNS, MOST_ROWS, MOST_TEMPERATURES = 64, 18, 4


class Desk(anywidget.AnyWidget):
    """A prompt, two sliders, a length and a button; below them the text, which grows while it is sampled.

    Attributes:
        prompt: what the text begins with.
        temperature: 0 to 2.
        top_k: from how many of the most probable characters the next one is drawn, 1 to ``most_k``.
        most_k: the size of the alphabet.
        length: characters to write, 1 to 5,000.
        writing: whether it writes; the button sets it, and the end of the text takes it back.
        opening: the prompt of the text that is shown.
        written: what was sampled after it so far.
        message: why there is no text, or how long it became.
        failed: whether the message is about an error.
    """

    _esm = Path(__file__).with_name("writing.js")
    prompt = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    top_k = traitlets.Int().tag(sync=True)
    most_k = traitlets.Int().tag(sync=True)
    length = traitlets.Int().tag(sync=True)
    writing = traitlets.Bool(False).tag(sync=True)
    opening = traitlets.Unicode().tag(sync=True)
    written = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    failed = traitlets.Bool(False).tag(sync=True)

    def __init__(self, write: Write, **state: Any) -> None:
        """``state`` holds attributes."""
        super().__init__(**state)
        self._write = write
        self._task: asyncio.Task[None] | None = None
        self.observe(self._pressed, names="writing")

    def _pressed(self, change: dict[str, Any]) -> None:
        """Begin a text, or stop."""
        if not change["new"]:
            if self._task is not None:
                self._task.cancel()
            return
        try:
            self._task = asyncio.get_running_loop().create_task(self._stream())
        except RuntimeError:  # no kernel is running, which would have a loop: the text comes at once
            asyncio.run(self._stream())

    async def _stream(self) -> None:
        """Sample the text; after each piece the kernel may do something else, such as read that Stop was pressed."""
        task = asyncio.current_task()
        length = min(max(self.length, 1), MOST_LENGTH)
        with self.hold_sync():
            self.opening, self.written, self.message, self.failed = self.prompt, "", "", False
        text, message, failed = "", "", False
        try:
            shown = time.monotonic()
            settings = {"temperature": self.temperature, "top_k": self.top_k}
            with closing(_pieces(self._write, self.prompt, length, **settings)) as pieces:
                for piece in pieces:
                    text += piece
                    if time.monotonic() - shown >= INTERVAL:
                        self.written, shown = text, time.monotonic()
                    await asyncio.sleep(0)
            message = f"Characters written: {len(text):,}."
        except asyncio.CancelledError:
            message = f"Stopped. Characters written: {len(text):,}."
        except CourseError as error:
            message, failed = str(error), True
        except Exception as error:  # it would be lost: nobody waits for the task
            message, failed = f"{type(error).__name__}: {error}", True
        if self._task in (task, None):  # else Write was pressed again, and the desk holds another text
            self._task = None
            with self.hold_sync():
                self.written, self.message, self.failed, self.writing = text, message, failed, False


def writing_explorer(write: Write, *, prompt: str = "JULIET:\n", alphabet: str, length: int = 400) -> None:
    """A desk where a model writes: a prompt, temperature, top-k and a length, and a button that begins and stops.

    The text streams in as it is sampled. An error of ``write``, such as an unknown character in the prompt, is shown
    in place of the text. Ctrl+Enter in the prompt does what the button does.

    Args:
        write: called as ``write(prompt, length, temperature=…, top_k=…)``; gives the characters that follow the
            prompt, or pieces of text, one after the other. With a top-k of V, the size of the alphabet, nothing is
            left out. A temperature of 0 is the least that is asked for.
        prompt: what stands there at first; the line break is part of it.
        alphabet: the V characters that the model knows, each once.
        length: characters to write at first, 1 to 5,000.

    Raises:
        InputError: if the prompt has a character outside the alphabet, one is in the alphabet twice, or the length is
            out of range.
    """
    require_known(f"prompt={prompt!r}", prompt, alphabet)
    if not 1 <= length <= MOST_LENGTH:
        raise InputError(f"length={length}; write 1 to {MOST_LENGTH:,} characters.")
    display(Desk(write, prompt=prompt, length=length, top_k=len(alphabet), most_k=len(alphabet)))


def writing_snapshots(
    write: Write, prompts: Sequence[str], temperatures: Sequence[float], *, length: int = 300, top_k: int | None = None
) -> Figure:
    """The static twin of :func:`writing_explorer`: a text for each prompt, in rows, and each temperature, in columns.

    A line that is longer than its panel, and a text with more than 18 lines, are cut with "…".

    Args:
        write: as above; ``top_k`` is left out where it is None here.
        prompts: what the texts begin with, at least one.
        temperatures: 1 to 4 of them.
        length: characters to write after each prompt, 1 to 5,000.
        top_k: from how many of the most probable characters each is drawn; None for all.

    Raises:
        InputError: if there is no prompt, no temperature or more than four, or the length is out of range; and what
            ``write`` raises.
    """
    if not prompts or isinstance(prompts, str) or not 1 <= len(temperatures) <= MOST_TEMPERATURES:
        raise InputError(
            f"Give a list of prompts and 1 to {MOST_TEMPERATURES} temperatures; they are {prompts!r} and "
            f"{list(temperatures)}."
        )
    if not 1 <= length <= MOST_LENGTH:
        raise InputError(f"length={length}; write 1 to {MOST_LENGTH:,} characters.")
    restricted = {} if top_k is None else {"top_k": top_k}
    texts = [
        ["".join(_pieces(write, prompt, length, temperature=value, **restricted)) for value in temperatures]
        for prompt in prompts
    ]

    # As many columns as fit, and in each row of panels as many lines as its longest text has.
    wide, high = text_size(0, 1, points=POINTS)  # a character
    columns = min(int(WIDTH / len(temperatures) / wide) - MARGIN, MOST_COLUMNS)
    lines = [
        max(int(lay_out(prompt + text, columns, wrap=False)[-1, 0]) + 1 for text in row)
        for prompt, row in zip(prompts, texts, strict=True)
    ]
    rows = [min(number, MOST_ROWS) for number in lines]
    heights = [high * (number + 2) for number in rows]
    figure, grid = plt.subplots(
        len(prompts),
        len(temperatures),
        figsize=(len(temperatures) * wide * (columns + MARGIN), sum(heights) + 0.5),
        height_ratios=heights,
        squeeze=False,
    )

    # A text in each panel.
    for row, (prompt, axes) in enumerate(zip(prompts, grid, strict=True)):
        for column, (text, ax) in enumerate(zip(texts[row], axes, strict=True)):
            _draw_panel(ax, prompt, text, columns, rows[row])
            if row == 0:
                ax.set_title(f"temperature {temperatures[column]:g}", fontsize=10)
    figure.supxlabel("Blue is the prompt, black what was sampled after it.", fontsize=9, x=0.005, ha="left")
    return figure


def _draw_panel(ax: Axes, prompt: str, text: str, columns: int, rows: int) -> None:
    """A prompt and what follows it, in a frame."""
    inks = [COLOURS["blue"]] * len(prompt) + ["black"] * len(text)
    show_text(ax, prompt + text, columns=columns, rows=rows, wrap=False, inks=inks)
    ax.set(xlim=(-1, columns + 1.5), ylim=(rows + 0.4, -0.4))
    ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False, edgecolor="#BBBBBB", linewidth=0.8))


def _pieces(write: Write, prompt: str, length: int, **settings: float) -> Generator[str]:
    """What ``write`` gives, and not more than ``length`` characters of it.

    A generator that is left inside ``with torch.no_grad()`` would keep gradients off for all that runs before its next
    piece. Here they are off only while it works, and when it is closed.
    """
    left = length
    with torch.no_grad():
        pieces = iter(write(prompt, length, **settings))
    try:
        while left > 0:
            with torch.no_grad():
                piece = next(pieces, _END)
            if piece is _END:
                return
            if not isinstance(piece, str):
                raise InputError(f"write gives a {type(piece).__name__}, {piece!r}; it should give characters.")
            yield piece[:left]
            left -= len(piece)
    finally:
        with torch.no_grad():
            getattr(pieces, "close", int)()
