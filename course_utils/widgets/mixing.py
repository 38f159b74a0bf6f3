"""Mixing the codes of a generator: the way between two of them, and sums of means, under the reader's hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import torch
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from torch import Tensor

from course_utils.errors import InputError
from course_utils.plotting import show_image
from course_utils.widgets.explore import as_png, made_pictures

__all__ = ["mixing_explorer", "mixing_snapshots"]

Map = Callable[[Tensor], Tensor]
Groups = Sequence[Sequence[int]]
MOST_CODES = 16
STEPS = 8  # pictures in a row
INCHES = 0.85  # of a picture in a row
LARGER = 1.8  # times as wide is the picture at t
NAMES = ("A", "B", "C")


def mixing_explorer(generator: Map, z: Tensor) -> None:
    """Numbered samples, and what the generator makes of mixtures of their codes, in two tabs.

    *Two codes*: the numbers of the two ends are chosen, and eight pictures show the way from one to the other,
    in the upper row along the straight line (lerp), in the lower row along the arc of a circle (slerp). A slider t
    chooses the place of a ninth, larger picture in both rows, with the length of its code.

    *Arithmetic*: the reader writes down the numbers of the samples in the groups A, B and C, and sees what the
    generator makes of mean A, mean B, mean C, and of mean A − mean B + mean C.

    Args:
        generator: maps codes (n, k) to pictures (n, 1, H, H) or (n, H · H), values in [−1, 1].
        z: 2 to 16 codes, shape (n, k), none of them 0; sample i is made of z[i].

    Raises:
        InputError: if the codes are too few, too many or no codes, or the generator gives something else.
    """
    codes = _checked(z)
    most = len(codes) - 1
    sheet = ipywidgets.Image(format="png", value=as_png(_sheet(generator, codes)))
    between = _part(
        lambda t, start, end: _one_way(generator, codes, (start, end), t),
        t=ipywidgets.FloatSlider(0.5, min=0, max=1, step=0.05, description="t"),
        start=ipywidgets.BoundedIntText(0, min=0, max=most, description="from"),
        end=ipywidgets.BoundedIntText(1, min=0, max=most, description="to"),
    )
    fields = {
        name: ipywidgets.Text(str(min(i, most)), description=f"group {name}", continuous_update=False)
        for i, name in enumerate(NAMES)
    }
    arithmetic = _part(lambda **texts: _one_sum(generator, codes, texts), **fields)
    tabs = ipywidgets.Tab([between, arithmetic], titles=("two codes", "arithmetic"))
    display(ipywidgets.VBox([sheet, tabs]))


def mixing_snapshots(
    generator: Map,
    z: Tensor,
    ends: Sequence[tuple[int, int]] = ((0, 1),),
    groups: Sequence[Groups] = (),
) -> Figure:
    """The static twin of :func:`mixing_explorer`: the numbered samples, a few ways between two, and a few sums.

    Args:
        generator: as above.
        z: as above.
        ends: for each way, the numbers of its two samples: a row along the line and one along the arc. Above each
            picture stands the length of its code.
        groups: for each sum, the numbers of the samples in A, B and C, such as ([0, 3], [1, 4], [2, 5]).

    Raises:
        InputError: as above, or if a number is that of no sample, or a group is empty.
    """
    codes = _checked(z)
    for pair in ends:
        if len(pair) != 2:
            raise InputError(f"A way has two ends; got {tuple(pair)}.")
        _members("A way", pair, len(codes))
    for sum_ in groups:
        if len(sum_) != len(NAMES):
            raise InputError(f"A sum has three groups, A, B and C; got {len(sum_)}.")
        for name, group in zip(NAMES, sum_, strict=True):
            _members(f"Group {name}", group, len(codes))
    heights = [1.15 * -(-len(codes) // STEPS), *[2.5] * len(ends), *[1.25] * len(groups)]
    figure = plt.figure(figsize=(INCHES * STEPS + 0.7, INCHES * sum(heights) + 0.2))
    parts = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    _draw_sheet(figure, parts[0, 0], generator, codes)
    for row, pair in enumerate(ends, 1):
        _draw_way(figure, parts[row, 0], generator, codes, pair)
    for row, sum_ in enumerate(groups, 1 + len(ends)):
        _draw_sum(figure, parts[row, 0], generator, codes, sum_)
    return figure


def _lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Codes (T, k) on the straight line from a to b, at places t (T,)."""
    return torch.lerp(a[None], b[None], t[:, None])


def _slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Codes (T, k) on the arc from a to b: direction turns evenly, and the length changes evenly.

    Source: Shoemake, *Animating rotation with quaternion curves*, SIGGRAPH 1985; White, *Sampling generative networks*,
    2016, for codes.
    """
    lengths = torch.stack([a.norm(), b.norm()])
    start, end = a / lengths[0], b / lengths[1]
    angle = torch.dot(start, end).clamp(-1, 1).acos()
    if angle.sin() < 1e-4:  # the same direction, or opposite ones, between which no arc is the shortest
        return _lerp(a, b, t)
    direction = ((1 - t) * angle).sin()[:, None] * start + (t * angle).sin()[:, None] * end
    return torch.lerp(lengths[0], lengths[1], t)[:, None] * direction / angle.sin()


def _sum(codes: Tensor, groups: Groups) -> Tensor:
    """The means of A, B and C, and A − B + C: shape (4, k)."""
    a, b, c = (codes[list(group)].mean(0) for group in groups)
    return torch.stack([a, b, c, a - b + c])


def _part(draw: Callable[..., Figure], **controls: ipywidgets.Widget) -> ipywidgets.VBox:
    """Controls over a figure that is drawn again when one of them moves; what is wrong with them is said below."""
    picture, message = ipywidgets.Image(format="png"), ipywidgets.Label()

    def renew(_: Any = None) -> None:
        try:
            picture.value = as_png(draw(**{name: control.value for name, control in controls.items()}))
            message.value = ""
        except InputError as error:
            message.value = str(error)

    for control in controls.values():
        control.observe(renew, names="value")
    renew()
    return ipywidgets.VBox([ipywidgets.HBox([*controls.values()], layout={"flex_flow": "row wrap"}), message, picture])


def _sheet(generator: Map, codes: Tensor) -> Figure:
    rows = -(-len(codes) // STEPS)
    figure = plt.figure(figsize=(INCHES * STEPS, 1.15 * INCHES * rows))
    _draw_sheet(figure, figure.add_gridspec(1, 1)[0, 0], generator, codes)
    return figure


def _one_way(generator: Map, codes: Tensor, ends: tuple[int, int], t: float) -> Figure:
    figure = plt.figure(figsize=(INCHES * (STEPS + LARGER) + 0.9, 2 * (LARGER * INCHES + 0.25)))
    _draw_way(figure, figure.add_gridspec(1, 1)[0, 0], generator, codes, ends, t)
    return figure


def _one_sum(generator: Map, codes: Tensor, texts: dict[str, str]) -> Figure:
    groups = [_read(f"Group {name}", text, len(codes)) for name, text in texts.items()]
    figure = plt.figure(figsize=(INCHES * STEPS, 1.7 * INCHES))
    _draw_sum(figure, figure.add_gridspec(1, 1)[0, 0], generator, codes, groups)
    return figure


def _draw_sheet(figure: Figure, place: SubplotSpec, generator: Map, codes: Tensor) -> None:
    """The samples with their numbers."""
    grid = place.subgridspec(-(-len(codes) // STEPS), STEPS)
    for i, picture in enumerate(made_pictures(generator, codes)):
        show_image(picture, figure.add_subplot(grid[i // STEPS, i % STEPS]), title=str(i))


def _draw_way(
    figure: Figure, place: SubplotSpec, generator: Map, codes: Tensor, ends: Sequence[int], t: float | None = None
) -> None:
    """Two rows of pictures from one code to the other, each with the length of its code; the picture at t is larger."""
    columns = STEPS if t is None else STEPS + 1
    widths = [1.0] * STEPS + [LARGER] * (columns - STEPS)
    grid = place.subgridspec(2, columns, width_ratios=widths)
    places = torch.linspace(0, 1, STEPS).to(codes)
    if t is not None:
        places = torch.cat([places, places.new_tensor([t])])
    for row, (name, path) in enumerate((("lerp", _lerp), ("slerp", _slerp))):
        mixed = path(codes[ends[0]], codes[ends[1]], places)
        for column, (code, picture) in enumerate(zip(mixed, made_pictures(generator, mixed), strict=True)):
            ax = figure.add_subplot(grid[row, column])
            length = f"‖z‖ = {code.norm():.1f}" if column in (0, STEPS) else f"{code.norm():.1f}"
            show_image(picture, ax, title=length if column < STEPS else f"t = {t:.2f}, {length}")
            if column == 0:
                words = f"{ends[0]} to {ends[1]}\n{name}"
                ax.text(-0.12, 0.5, words, transform=ax.transAxes, rotation=90, ha="right", va="center", fontsize=9)


def _draw_sum(figure: Figure, place: SubplotSpec, generator: Map, codes: Tensor, groups: Groups) -> None:
    """A row: the pictures of three means, and that of A − B + C."""
    means = _sum(codes, groups)
    titles = [f"{name}: {', '.join(map(str, group))}" for name, group in zip(NAMES, groups, strict=True)]
    titles = [title if len(title) <= 20 else f"{title[:19]}…" for title in titles]
    grid = place.subgridspec(1, 4)
    signs = ("−", "+", "=", "")
    for i, picture in enumerate(made_pictures(generator, means)):
        ax = figure.add_subplot(grid[0, i])
        show_image(picture, ax, title=[*titles, "A − B + C"][i])
        ax.text(1.35, 0.5, signs[i], transform=ax.transAxes, ha="center", va="center", fontsize=14)


def _read(name: str, text: str, count: int) -> list[int]:
    """The numbers in a text such as "0, 3 5"."""
    words = text.replace(",", " ").split()
    if not all(word.isascii() and word.isdigit() for word in words):
        raise InputError(f'{name} is "{text}"; write numbers of samples, such as 0, {count - 1}.')
    numbers = [int(word) for word in words]
    _members(name, numbers, count)
    return numbers


def _members(name: str, numbers: Sequence[int], count: int) -> None:
    if not len(numbers) or not all(0 <= number < count for number in numbers):
        raise InputError(f"{name} has the samples {list(numbers)}; give numbers from 0 to {count - 1}, at least one.")


def _checked(z: Tensor) -> Tensor:
    if z.ndim != 2 or not 2 <= len(z) <= MOST_CODES or not z.shape[1]:
        raise InputError(f"Give 2 to {MOST_CODES} codes as rows, (n, latent_dim); their shape is {tuple(z.shape)}.")
    if not z.isfinite().all() or (z.norm(dim=1) == 0).any():
        raise InputError("A code is 0, or has a value that is not finite; draw the codes with torch.randn.")
    return z.detach().float()
