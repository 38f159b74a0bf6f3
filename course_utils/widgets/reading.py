"""A model that reads: each character in the colour of its loss, and what was expected in its place."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path

import anywidget
import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure

from course_utils.errors import InputError
from course_utils.plotting import COLOURS, show_text
from course_utils.plotting.images import as_array
from course_utils.plotting.palettes import COLOUR_MAPS, ink_on
from course_utils.plotting.texts import lay_out, text_size, visible
from course_utils.widgets.explore import require_known

__all__ = ["reading_explorer", "reading_snapshots"]

Expected = list[tuple[str, float]]
"""Characters and their probabilities."""

MOST_CHARACTERS = 2_000
MOST_PLACES = 8
SHOWN = 6  # of the most probable characters
LIMITS = (0.0, 6.0)  # nats of the first and the last colour, the same for every text and model
TOLERANCE = 1e-3  # of a row's sum from one
COLUMNS, LEAST_COLUMNS = 60, 40
POINTS, SPACING = 8.5, 1.9  # of the figure; between its lines is room for a number
BARS = (1.75, 1.5)  # inches of a chart


class Page(anywidget.AnyWidget):
    """A text in colours; the mouse, a finger or the arrow keys choose a character, whose chart stands beside it.

    Attributes:
        signs: what is written for each of the T characters.
        places: row and column of each.
        colours: the background of each, as a hexadecimal number.
        inks: black or white for each.
        titles: a sentence about the loss of each.
        expected: for each, the most probable characters with their probabilities, as numbers and in words; the actual
            character comes last where it is not among them.
        actual: for each, the index of the actual character in ``expected``.
        scale: colours from the first to the last.
        limits: their losses, in nats.
        chosen: the index of the character that is shown first.
    """

    _esm = Path(__file__).with_name("reading.js")
    signs = traitlets.List(traitlets.Unicode()).tag(sync=True)
    places: traitlets.List[list[int]] = traitlets.List().tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)
    inks = traitlets.List(traitlets.Unicode()).tag(sync=True)
    titles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    expected: traitlets.List[list[tuple[str, float, str]]] = traitlets.List().tag(sync=True)
    actual = traitlets.List(traitlets.Int()).tag(sync=True)
    scale = traitlets.List(traitlets.Unicode()).tag(sync=True)
    limits = traitlets.List(traitlets.Float()).tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)


def reading_explorer(text: str, log_probs: torch.Tensor | np.ndarray, alphabet: str) -> None:
    """A text whose characters have the colour of their loss, and beside it what was expected where the cursor is.

    The mouse or a finger chooses a character; once the text has the focus, the arrow keys do, and Home and End go to
    its ends. The chart shows the six most probable characters as they were predicted before this one was seen, and the
    actual one, marked.

    Args:
        text: 1 to 2,000 characters.
        log_probs: shape (T, V), in nats: row t is the prediction for ``text[t]``.
        alphabet: the V characters of the columns, each once.

    Raises:
        InputError: if they do not belong together, a character is not in the alphabet, or a row is no distribution.
    """
    predicted = _checked(text, log_probs, alphabet)
    losses = _losses(text, predicted, alphabet)
    expected, actual = [], []
    for index in range(len(text)):
        shares, place = _expected(text, predicted, alphabet, index)
        expected.append([(visible(character), round(share, 4), _percent(share)) for character, share in shares])
        actual.append(place)
    colour_map = plt.get_cmap(COLOUR_MAPS["sequential"])
    colours = [to_hex(colour) for colour in colour_map(Normalize(*LIMITS)(losses))]
    page = Page(
        signs=[character if character == " " else visible(character) for character in text],
        places=lay_out(text, COLUMNS).tolist(),
        colours=colours,
        inks=[ink_on(colour) for colour in colours],
        titles=[_said(character, loss) for character, loss in zip(text, losses, strict=True)],
        expected=expected,
        actual=actual,
        scale=[to_hex(colour) for colour in colour_map(np.linspace(0, 1, 9))],
        limits=list(LIMITS),
    )
    display(page)


def reading_snapshots(text: str, log_probs: torch.Tensor | np.ndarray, alphabet: str, places: Sequence[int]) -> Figure:
    """The static twin of :func:`reading_explorer`: the text in colours, with charts of a few numbered characters.

    Args:
        text: 1 to 2,000 characters.
        log_probs: shape (T, V), in nats: row t is the prediction for ``text[t]``.
        alphabet: the V characters of the columns, each once.
        places: 1 to 8 different indices of characters, from 0.

    Raises:
        InputError: if they do not belong together, a character is not in the alphabet, or a row is no distribution.
    """
    predicted = _checked(text, log_probs, alphabet)
    if not 1 <= len(places) <= MOST_PLACES or len({*places} & {*range(len(text))}) < len(places):
        raise InputError(
            f"places={list(places)}: name 1 to {MOST_PLACES} different characters of the text, 0 to {len(text) - 1}."
        )
    losses = _losses(text, predicted, alphabet)

    # The text at the left, as high as it is; the charts at its right, in one column or two.
    cells = lay_out(text, COLUMNS)
    lines, longest = int(cells[-1, 0]) + 1, int(max(cells[:, 1].max(), LEAST_COLUMNS))
    width, height = text_size(longest, lines, points=POINTS, spacing=SPACING)
    columns = 1 if len(places) * BARS[1] <= max(height + 0.8, 2 * BARS[1]) else 2
    rows = ceil(len(places) / columns)
    figure = plt.figure(figsize=(width + columns * BARS[0] + 0.2, max(height + 0.9, rows * BARS[1])))
    grid = figure.add_gridspec(rows, 1 + columns, width_ratios=(width, *[BARS[0]] * columns))
    ax = figure.add_subplot(grid[:, 0])
    show_text(ax, text, losses.clip(*LIMITS), limits=LIMITS, columns=longest, highlight=[*places], spacing=SPACING)
    below = ax.inset_axes((0, -1.2 / lines, 0.5, 0.45 / lines))  # a little less than half a line high
    bar = figure.colorbar(ax.collections[0], cax=below, orientation="horizontal", extend="max")
    bar.set_label("loss of the character (nats)", fontsize=9)
    figure.supxlabel("Orange is the character that came.", fontsize=9, x=0.995, ha="right")

    # Numbers, from 1, in the room above the line.
    for number, index in enumerate(places, start=1):
        row, column = cells[index]
        ax.text(column + 0.5, row + 0.2, str(number), ha="center", va="center", fontsize=7.5, weight="bold")
        chart = figure.add_subplot(grid[(number - 1) // columns, 1 + (number - 1) % columns])
        _draw_chart(
            chart, *_expected(text, predicted, alphabet, index), f"{number}: {_said(text[index], losses[index])}"
        )
    return figure


def _draw_chart(ax: Axes, expected: Expected, actual: int, title: str) -> None:
    """A bar for each character that was expected, the most probable above; the actual one in orange."""
    colours = [COLOURS["orange"] if index == actual else COLOURS["grey"] for index in range(len(expected))]
    shares = [share for _, share in expected]
    ax.barh(range(len(expected)), shares, color=colours, height=0.75)
    for index, share in enumerate(shares):
        ax.text(share + 0.03, index, _percent(share), va="center", fontsize=7.5, color=colours[index])
    ax.set_yticks(range(len(expected)), [visible(character) for character, _ in expected], family="monospace")
    for label, colour in zip(ax.get_yticklabels(), colours, strict=True):
        label.set(color=colour, weight="bold" if colour == COLOURS["orange"] else "normal")
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 1.35), ylim=(SHOWN + 0.6, -0.6), xticks=[])
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
    ax.spines["left"].set_bounds(-0.5, len(expected) - 0.5)
    ax.set_title(title, fontsize=8.5)


def _said(character: str, loss: float) -> str:
    """The character and its loss, as a title."""
    return f"“{visible(character)}” " + (f"costs {loss:.2f} nats" if np.isfinite(loss) else "was ruled out")


def _percent(share: float) -> str:
    """A probability in words as short as it may be."""
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}" if share >= 0.0005 else "< 0.1%" if share else "0%"


def _expected(text: str, predicted: np.ndarray, alphabet: str, index: int) -> tuple[Expected, int]:
    """The six most probable characters at a place, and where the actual one is among them: the seventh, if need be."""
    best = np.argsort(-predicted[index], kind="stable")[:SHOWN].tolist()
    actual = alphabet.index(text[index])
    if actual not in best:
        best.append(actual)
    return [(alphabet[one], float(np.exp(predicted[index, one]))) for one in best], best.index(actual)


def _losses(text: str, predicted: np.ndarray, alphabet: str) -> np.ndarray:
    """−log p of each character of the text, shape (T,), in nats; infinite where it was ruled out."""
    return 0.0 - predicted[np.arange(len(text)), [alphabet.index(character) for character in text]]


def _checked(text: str, log_probs: torch.Tensor | np.ndarray, alphabet: str) -> np.ndarray:
    """The predictions as an array (T, V), float64."""
    if not 1 <= len(text) <= MOST_CHARACTERS:
        raise InputError(f"The text has {len(text):,} characters; give 1 to {MOST_CHARACTERS:,}.")
    require_known("The text", text, alphabet)
    predicted = np.asarray(as_array(log_probs), dtype=np.float64)
    if predicted.shape != (len(text), len(alphabet)):
        raise InputError(
            f"log_probs has the shape {predicted.shape}; {len(text)} characters of an alphabet of {len(alphabet)} need "
            f"({len(text)}, {len(alphabet)})."
        )
    if np.isnan(predicted).any() or (predicted == np.inf).any():
        raise InputError("log_probs has a value that is nan or +inf; a logarithm of a probability is 0 or less.")
    with np.errstate(over="ignore"):
        sums = np.exp(predicted).sum(1)
    worst = int(np.abs(sums - 1).argmax())
    if not abs(sums[worst] - 1) <= TOLERANCE:
        raise InputError(
            f"The probabilities of row {worst} sum to {sums[worst]:.4g}, not to 1; log_softmax(-1) makes "
            "log-probabilities of logits."
        )
    return predicted
