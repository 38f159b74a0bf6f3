"""The style of a conditional generator under the reader's hand: a class is chosen, and the code is turned."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from course_utils.errors import InputError
from course_utils.plotting import COLOURS, show_image, show_images
from course_utils.widgets.explore import explore, made_pictures

__all__ = ["styles_explorer", "styles_snapshots"]

ConditionalMap = Callable[[Tensor, Tensor], Tensor]
MOST_CLASSES = 12
LARGE = 2.6  # inches of the large picture
INCHES = 0.9  # of a picture in the row below
TURNS = ((0.0, 0.0), (60.0, 0.0), (120.0, 0.0), (0.0, 60.0), (60.0, 60.0))


def styles_explorer(
    generator: ConditionalMap,
    num_classes: int,
    latent_dim: int,
    names: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> None:
    """A menu of classes and two sliders that turn the code: one picture large, and the same code in all classes below.

    Three random directions at right angles to each other carry the code. The first slider turns it in the plane of the
    first two, the second slider towards the third, like longitude and latitude; its length remains √latent_dim, which
    is the typical length of a standard normal code.

    Args:
        generator: called as ``generator(z, y)`` with codes (n, latent_dim) and class numbers (n,), int64; gives
            pictures (n, 1, H, H) or (n, H · H), values in [−1, 1].
        num_classes: 2 to 12.
        latent_dim: 3 or more.
        names: one per class; the numbers themselves when left out.
        seed: of the three directions.

    Raises:
        InputError: if a number is out of range, the names are of another number, or the generator gives something else.
    """
    words = _checked(num_classes, latent_dim, names)
    directions = _directions(latent_dim, seed)

    def draw(y: int, first: int, second: int) -> Figure:
        pictures = made_pictures(generator, *_styles(directions, [(first, second)], num_classes))
        figure = plt.figure(figsize=(max(INCHES * num_classes, LARGE), LARGE + INCHES + 0.6))
        grid = figure.add_gridspec(2, num_classes, height_ratios=(LARGE, INCHES + 0.2))
        show_image(pictures[y], figure.add_subplot(grid[0, :]), title=f"{words[y]}, {_turn(first, second)}")
        for label, picture in enumerate(pictures):
            ax = show_image(picture, figure.add_subplot(grid[1, label]), title=words[label])
            if label == y:
                frame = Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False, edgecolor=COLOURS["orange"])
                frame.set_linewidth(3)
                ax.add_patch(frame).set_clip_on(False)
        return figure

    explore(
        draw,
        y=ipywidgets.Dropdown(options=[(word, label) for label, word in enumerate(words)], description="class y"),
        first=ipywidgets.IntSlider(0, min=-180, max=180, step=5, description="turn 1 (°)"),
        second=ipywidgets.IntSlider(0, min=-90, max=90, step=5, description="turn 2 (°)"),
    )


def styles_snapshots(
    generator: ConditionalMap,
    num_classes: int,
    latent_dim: int,
    names: Sequence[str] | None = None,
    *,
    turns: Sequence[tuple[float, float]] = TURNS,
    seed: int = 0,
) -> Figure:
    """The static twin of :func:`styles_explorer`: one row for each pair of turns, one column for each class.

    Args:
        generator: as above.
        num_classes: 2 to 12.
        latent_dim: 3 or more.
        names: one per class; the numbers themselves when left out.
        turns: where the two sliders stand, in degrees, at least one pair.
        seed: of the three directions.

    Raises:
        InputError: as above, or if the turns are no pairs of finite numbers.
    """
    words = _checked(num_classes, latent_dim, names)
    if not turns or not all(len(pair) == 2 and all(map(math.isfinite, pair)) for pair in turns):
        raise InputError(f"turns={list(turns)}: give pairs of finite angles in degrees, at least one.")
    pictures = made_pictures(generator, *_styles(_directions(latent_dim, seed), turns, num_classes))
    rows = pictures.unflatten(0, (len(turns), num_classes))
    labels = [_turn(first, second) for first, second in turns]
    return show_images(rows, labels, titles=words, size=INCHES)


def _directions(latent_dim: int, seed: int) -> Tensor:
    """Three random codes (3, latent_dim), at right angles to each other, each of the length √latent_dim."""
    random = torch.randn(latent_dim, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (torch.linalg.qr(random).Q.T * latent_dim**0.5).float()


def _styles(directions: Tensor, turns: Sequence[tuple[float, float]], num_classes: int) -> tuple[Tensor, Tensor]:
    """Codes (T · classes, k) and labels (T · classes,): each turned code in all classes, one after the other."""
    first, second = torch.tensor(turns, dtype=torch.float32).deg2rad().unbind(1)
    weights = torch.stack([second.cos() * first.cos(), second.cos() * first.sin(), second.sin()], dim=1)
    return (weights @ directions).repeat_interleave(num_classes, 0), torch.arange(num_classes).repeat(len(turns))


def _turn(first: float, second: float) -> str:
    return f"turned {first:g}° and {second:g}°".replace("-", "−")


def _checked(num_classes: int, latent_dim: int, names: Sequence[str] | None) -> list[str]:
    """The names of the classes."""
    if not 2 <= num_classes <= MOST_CLASSES:
        raise InputError(f"num_classes={num_classes}: there is room for 2 to {MOST_CLASSES} classes.")
    if latent_dim < 3:
        raise InputError(f"latent_dim={latent_dim}: a code is turned among three directions; it needs 3 or more.")
    if names is not None and len(names) != num_classes:
        raise InputError(f"{len(names)} names for {num_classes} classes; give one name for each class.")
    return [*names] if names is not None else [str(label) for label in range(num_classes)]
