"""Boxes and arrows: the family of models, the autoencoder, networks and games."""

from __future__ import annotations

import itertools

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from course_utils.errors import InputError, did_you_mean
from course_utils.plotting import COLOURS

__all__ = ["autoencoder", "family_tree", "label_routes", "recurrent", "two_players"]

_LEAVES = {
    "Gaussian": ("p(x) in closed form", "notebook 01"),
    "character RNN": ("p(x) as a product", "notebook 11"),
    "VAE": ("a bound on p(x)", "notebook 07"),
    "GAN": ("samples only", "notebooks 08 to 10"),
}


def family_tree(here: str) -> Figure:
    """The generative models of the course, by what they can tell about the density (after Goodfellow 2016).

    Args:
        here: the model to mark as today's: "Gaussian", "character RNN", "VAE" or "GAN".

    Raises:
        InputError: if ``here`` is no leaf of the tree.
    """
    if here not in _LEAVES:
        raise InputError(f'family_tree has no model "{here}". {did_you_mean(here, _LEAVES)}')
    figure, ax = plt.subplots(figsize=(8.4, 3.1))
    ax.set(xlim=(0, 10), ylim=(0, 4))
    ax.set_axis_off()
    _box(ax, 5, 3.6, "generative models\nlearn p(x) from data")
    _box(ax, 3.7, 2.2, "explicit density\nmake the data probable")
    _box(ax, 8.6, 2.2, "implicit density\nonly draw samples")
    for x in (3.7, 8.6):
        _line(ax, (5, 3.22), (x, 2.58))
    for x, name in zip((1.2, 3.7, 6.2, 8.6), _LEAVES, strict=True):
        _line(ax, (3.7 if x < 8 else 8.6, 1.82), (x, 1.0))
        _box(ax, x, 0.5, f"{name}\n{_LEAVES[name][0]}\n{_LEAVES[name][1]}", today=name == here)
    return figure


def autoencoder(d_x: int, k: int) -> Figure:
    """An autoencoder as an hourglass: input, encoder, code, decoder, reconstruction.

    Args:
        d_x: numbers that go in and come out.
        k: numbers of the code, the waist.

    Raises:
        InputError: if one of them is less than 1.
    """
    if min(d_x, k) < 1:
        raise InputError(f"An autoencoder needs at least one number at each end; got d_x = {d_x} and k = {k}.")
    figure, ax = plt.subplots(figsize=(8.4, 2.6))
    ax.set(xlim=(0, 10), ylim=(0.3, 3.9))
    ax.set_axis_off()
    for x, tall, label in ((1.3, 2.6, f"x\n{d_x}"), (5.0, 0.9, f"z\n{k}"), (8.7, 2.6, f"x̂\n{d_x}")):
        ax.add_patch(Rectangle((x - 0.35, 2 - tall / 2), 0.7, tall, facecolor="#E3EEF6", edgecolor=COLOURS["blue"]))
        ax.text(x, 2, label, ha="center", va="center", fontsize=10)
    for left, right, name in ((1.75, 4.55, "encoder f\nz = f(x)"), (5.45, 8.25, "decoder g\nx̂ = g(z)")):
        ends = (2.6, 0.9) if left < 5 else (0.9, 2.6)
        corners = [(left, 2 - ends[0] / 2), (left, 2 + ends[0] / 2), (right, 2 + ends[1] / 2), (right, 2 - ends[1] / 2)]
        ax.add_patch(Polygon(corners, facecolor="#F4F4F4", edgecolor=COLOURS["grey"]))
        ax.text((left + right) / 2, 2, name, ha="center", va="center", fontsize=10)
    for x, word in ((1.3, "input"), (5.0, "code, the bottleneck"), (8.7, "reconstruction")):
        ax.text(x, 0.45, word, ha="center", va="center", fontsize=9, color=COLOURS["grey"])
    return figure


def recurrent(text: str) -> Figure:
    """A recurrent network unrolled over a text: the same weights at each step, and what it draws is its next input.

    Args:
        text: 2 to 8 characters: one input each but the last, and one prediction each but the first.

    Raises:
        InputError: if the text is shorter or longer.
    """
    if not 2 <= len(text) <= 8:
        raise InputError(f'The network is drawn over 2 to 8 characters; "{text}" has {len(text)}.')
    figure, ax = plt.subplots(figsize=(8.4, 3.1))
    ax.set(xlim=(-0.4, 2.0 * len(text) - 0.4), ylim=(0, 4))
    ax.set_axis_off()
    _box(ax, 0.2, 2, "a⟨0⟩ = 0")
    for t, (given, wanted) in enumerate(itertools.pairwise(text), 1):
        x = 2.0 * t
        _box(ax, x, 0.5, f"x⟨{t}⟩: {_name(given)}")
        _box(ax, x, 2, f"a⟨{t}⟩", today=True)
        _box(ax, x, 3.5, f"ŷ⟨{t}⟩: {_name(wanted)}?")
        weights = [((x, 0.8), (x, 1.7), "$W_{ax}$"), ((x, 2.3), (x, 3.2), "$W_{ya}$")]
        weights.append(((x - 1.2 if t == 1 else x - 1.55, 2), (x - 0.45, 2), "$W_{aa}$"))
        for start, end, name in weights:
            _arrow(ax, start, end)
            above = start[1] == end[1]
            place = (start[0] + 0.05, 2.12) if above else (x + 0.08, (start[1] + end[1]) / 2)
            ax.text(*place, name, fontsize=9, ha="left", va="bottom" if above else "center")
        if t + 1 < len(text):
            _arrow(ax, (x + 0.55, 3.3), (x + 1.6, 0.8), dashed=True)
    return figure


def two_players() -> Figure:
    """A generative adversarial network: noise, generator, made and real samples, discriminator, and the way back."""
    figure, ax = plt.subplots(figsize=(8.4, 2.7))
    ax.set(xlim=(0, 10), ylim=(-0.1, 3.3))
    ax.set_axis_off()
    _box(ax, 0.6, 0.9, "noise z")
    _box(ax, 2.5, 0.9, "generator G", today=True)
    _box(ax, 4.7, 0.9, "made sample\nx = G(z)")
    _box(ax, 4.7, 2.6, "real sample\nx from the data")
    _box(ax, 7.0, 1.75, "discriminator D", today=True)
    _box(ax, 9.1, 1.75, "D(x):\nis x real?")
    for start, end in (((1.1, 0.9), (1.75, 0.9)), ((3.3, 0.9), (3.95, 0.9)), ((8.0, 1.75), (8.45, 1.75))):
        _arrow(ax, start, end)
    _arrow(ax, (5.45, 1.0), (6.3, 1.45))
    _arrow(ax, (5.55, 2.5), (6.3, 2.05))
    _arrow(ax, (9.1, 1.3), (9.1, 0.15), dashed=True)
    _arrow(ax, (9.1, 0.15), (2.5, 0.15), dashed=True)
    _arrow(ax, (2.5, 0.15), (2.5, 0.6), dashed=True)
    ax.text(5.8, -0.02, "gradient, through D into G", fontsize=9, ha="center", va="center", color=COLOURS["orange"])
    return figure


def label_routes() -> Figure:
    """Where the label goes in a conditional GAN: in D's pass over real and made samples, and in G's step.

    G takes (z, y) and D takes (x, y). A real sample comes with its own label; a made one is judged with the label that
    G was given. In G's step the gradient runs through D and the sample into G.
    """
    figure, axes = plt.subplots(3, 1, figsize=(8.4, 5.2))
    for ax, title in zip(axes, ("D’s step,\nreal", "D’s step,\nmade", "G’s step"), strict=True):
        ax.set(xlim=(0, 10), ylim=(0, 2.6))
        ax.set_axis_off()
        ax.text(0.05, 0.9, title, ha="left", va="center", fontsize=10, weight="bold")
        _box(ax, 7.5, 0.9, "D(x, y)", today=True)
        _box(ax, 9.3, 0.9, "logit l")
        _arrow(ax, (7.95, 0.9), (8.95, 0.9))
        _arrow(ax, (6.0, 0.9), (7.05, 0.9))
        _route(ax, [(7.5, 2.1), (7.5, 1.25)])
    real, *made = axes
    _box(real, 5.6, 0.9, "real x")
    _box(real, 5.6, 2.1, "its label y")
    _route(real, [(6.1, 2.1), (7.5, 2.1)], head=False)
    for ax in made:
        _box(ax, 1.9, 0.9, "noise z")
        _box(ax, 3.7, 0.9, "G(z, y)", today=True)
        _box(ax, 5.6, 0.9, "made x")
        _box(ax, 1.9, 2.1, "label y")
        _arrow(ax, (2.32, 0.9), (3.25, 0.9))
        _arrow(ax, (4.15, 0.9), (5.15, 0.9))
        _route(ax, [(2.32, 2.1), (7.5, 2.1)], head=False)
        _route(ax, [(3.7, 2.1), (3.7, 1.25)])
    way_back = [(9.3, 0.55), (9.3, 0.15), (3.7, 0.15)]
    for start, end in itertools.pairwise(way_back):
        _arrow(made[1], start, end, dashed=True)
    _arrow(made[1], (3.7, 0.15), (3.7, 0.55), dashed=True)
    made[1].text(6.5, 0.0, "gradient", fontsize=9, ha="center", va="top", color=COLOURS["orange"])
    return figure


def _route(ax: Axes, places: list[tuple[float, float]], *, head: bool = True) -> None:
    """The way of a label, in blue: lines through the places, the last with a head."""
    ax.plot(*zip(*places, strict=True), color=COLOURS["blue"], linewidth=2)
    if head:
        arrow = {"arrowstyle": "-|>", "color": COLOURS["blue"], "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", places[-1], places[-2], arrowprops=arrow)


def _name(character: str) -> str:
    return {" ": "space", "\n": "line break"}.get(character, f"“{character}”")


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], *, dashed: bool = False) -> None:
    colour, style = (COLOURS["orange"], "dashed") if dashed else (COLOURS["grey"], "solid")
    arrow = {"arrowstyle": "->", "color": colour, "linestyle": style, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=arrow)


def _box(ax: Axes, x: float, y: float, text: str, *, today: bool = False) -> None:
    edge, face = (COLOURS["orange"], "#FBE9DE") if today else (COLOURS["grey"], "white")
    style = {"boxstyle": "round,pad=0.4", "edgecolor": edge, "facecolor": face, "linewidth": 2.2 if today else 1.0}
    ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox=style, weight="bold" if today else "normal")


def _line(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.plot(*zip(start, end, strict=True), color=COLOURS["grey"], linewidth=1.0, zorder=0)
