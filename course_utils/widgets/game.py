"""The game of a generator and a discriminator in the plane: the reader draws the data, and watches both train."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

import anywidget
import matplotlib.pyplot as plt
import torch
import traitlets
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from course_utils.data import toy
from course_utils.errors import InputError, did_you_mean
from course_utils.plotting import COLOURS
from course_utils.runtime import pick
from course_utils.training.duel import LIMIT, Game, View

__all__ = ["game_explorer", "game_snapshots"]

SHAPES = ("ring", "two blobs", "line")
SHAPE_POINTS, LEAST_POINTS, MOST_POINTS = 300, 10, 2_000
INTERVAL = 0.06  # least time between two views, in seconds: slow enough to be watched
SLICE, LONGEST_RUN = 20, 6_000  # steps: between two views; of a run, lest a forgotten one keep the processor busy
REAL, WHITE, UNREAL = "#F2BF9E", "#FFFFFF", "#99C7E0"  # where D says "real", "I cannot tell" and "made"
MESH_INK = "#595959"
MARKS: dict[str, dict[str, Any]] = {
    "real": {"color": COLOURS["orange"], "marker": "s", "linestyle": "none", "markersize": 2.2},
    "made": {"color": COLOURS["blue"], "marker": "o", "linestyle": "none", "markersize": 3.0},
}
ARROW, LONGEST_ARROW = 0.5, 1.0  # length at a pull of 1; at most
MOST_MOMENTS = 4
SAID = "D picks out the real one in {:.0%} of all pairs of a real and a made point; 50% is chance."


class Board(anywidget.AnyWidget):
    """The plane on which points are drawn, with buttons that train, pause, make one step and start again.

    Attributes:
        points: the real ones, each as two coordinates.
        shape: the name of the shape that they are; empty when they were drawn by hand.
        shapes: names to choose from.
        running: whether it trains; the button sets it, and the end of a run takes it back.
        view: of :class:`View`, as bytes: ``made`` and ``mesh`` and the ``arrows`` of its pulls in float32, and its
            ``verdict`` in parts of 255.
        message: how far the game is, or why it does not go on.
        failed: whether the message asks the reader to do something.
    """

    _esm = Path(__file__).with_name("game.js")
    points: traitlets.List[list[float]] = traitlets.List().tag(sync=True)
    shape = traitlets.Unicode().tag(sync=True)
    shapes = traitlets.List(traitlets.Unicode(), list(SHAPES)).tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)
    view: traitlets.Dict[str, bytes] = traitlets.Dict().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    failed = traitlets.Bool(False).tag(sync=True)

    def __init__(self, real: Tensor, *, shape: str, seed: int) -> None:
        super().__init__(points=real.tolist(), shape=shape)
        self._seed = seed
        self._game = Game(real, seed=seed)
        self._task: asyncio.Task[None] | None = None
        self._renew()
        self.observe(self._chosen, names="shape")
        self.observe(self._drawn, names="points")
        self.observe(self._pressed, names="running")
        self.on_msg(self._told)

    def _chosen(self, change: dict[str, Any]) -> None:
        """Another shape, in place of the points that are there."""
        if change["new"]:
            self.points = _shape(change["new"]).tolist()

    def _drawn(self, _: object = None) -> None:
        """Other points: the networks stay as they are."""
        if self._is_ready():
            self._game.real = torch.tensor(self.points[:MOST_POINTS])
            self._renew()

    def _told(self, _: object, content: dict[str, str], __: object) -> None:
        """A button other than that which trains: ``step``, or ``again``, with other random weights."""
        if content.get("do") == "again":
            self._seed += 1
            self._game = Game(self._game.real, seed=self._seed)
        elif content.get("do") == "step" and self._is_ready():
            self._game.train(1)
        self._renew()
        self._is_ready()

    def _pressed(self, change: dict[str, Any]) -> None:
        """Train, or pause."""
        if not change["new"]:
            if self._task is not None:
                self._task.cancel()
            return
        try:
            self._task = asyncio.get_running_loop().create_task(self._run())
        except RuntimeError:  # no kernel is running, which would have a loop: all steps come at once
            asyncio.run(self._run())

    async def _run(self) -> None:
        """Train in slices; between two the kernel may do something else, such as read that Pause was pressed."""
        task = asyncio.current_task()
        try:
            for _ in range(LONGEST_RUN // SLICE):
                began = time.monotonic()
                if not self._is_ready():
                    break
                self._game.train(SLICE)
                self._renew()
                await asyncio.sleep(max(0.0, INTERVAL - (time.monotonic() - began)))
        except asyncio.CancelledError:
            pass
        finally:
            if self._task in (task, None):  # else Train was pressed again, and another run goes on
                self._task = None
                self.running = False

    def _is_ready(self) -> bool:
        """Whether there are points enough; if not, the message says so."""
        if len(self.points) >= LEAST_POINTS:
            return True
        self.message = f"Points so far: {len(self.points)}. Draw at least {LEAST_POINTS}, or choose a shape."
        self.failed = True
        return False

    def _renew(self) -> None:
        """Send what can be seen now."""
        view = self._game.view()
        verdict = (255 * view.verdict).round().to(torch.uint8)
        parts = {"made": view.made, "mesh": view.mesh, "arrows": _arrows(view.pulls), "verdict": verdict}
        with self.hold_sync():
            self.view = {name: part.numpy().tobytes() for name, part in parts.items()}
            self.message, self.failed = f"Step {self._game.steps:,}. {SAID.format(view.told)}", False


def game_explorer(points: Tensor | str = "ring", *, seed: int = 0) -> None:
    """A plane in which the reader draws data, and buttons that train a generator and a discriminator on it.

    Orange squares are the real points, blue dots the made ones. Thin lines are a grid over the latent square [−1, 1]²,
    carried through the generator. The background is D(x), from blue ("made") over white to orange ("real"). Arrows
    point where the generator's loss pulls made points; their length grows with the root of the pull.

    The mouse, a finger or a pen draws; once the plane was clicked, the arrow keys move a cross, faster with Shift, and
    the space bar draws there. Points may be added while the networks train. *Start again* takes other random weights. A
    run pauses by itself after 6,000 steps, 20 between two views.

    Args:
        points: the real points at first, shape (n, 2), 10 to 2,000 of them in [−2, 2]², or the name of a shape:
            "ring", "two blobs" or "line".
        seed: of the first weights and the noise.

    Raises:
        InputError: if there is no such shape, or the points are too few, too many or outside the plane.
    """
    real = _checked(points)
    display(Board(real, shape=points if isinstance(points, str) else "", seed=seed))


def game_snapshots(points: Tensor | str = "ring", *, steps: Sequence[int] = (), seed: int = 0) -> Figure:
    """The static twin of :func:`game_explorer`: four moments of one training.

    Args:
        points: as above.
        steps: 1 to 4 different numbers of steps, in rising order; left out, 0, 100, 400 and 1,600 (about two seconds
            on one core), and fewer in the quick profile.
        seed: of the weights and the noise.

    Raises:
        InputError: if the points are none that :func:`game_explorer` takes, or the steps do not rise.
    """
    real = _checked(points)
    moments = [*steps] or pick(full=[0, 100, 400, 1_600], quick=[0, 20, 60, 120])
    if len(moments) > MOST_MOMENTS or sorted({*moments}) != moments or moments[0] < 0:
        raise InputError(f"steps={moments}: give 1 to {MOST_MOMENTS} different numbers, 0 or more, in rising order.")
    game, columns = Game(real, seed=seed), 2 if len(moments) > 3 else len(moments)
    rows = ceil(len(moments) / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.5 * columns, 3.6 * rows + 1.1), squeeze=False)
    for ax, moment in zip(axes.flat, moments, strict=True):
        game.train(moment - game.steps)
        view = game.view()
        _draw_view(ax, real, view)
        ax.set_title(f"Step {moment:,}: D correct on {view.told:.0%} of pairs", fontsize=10)
    image = axes[0, 0].images[0]
    bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.6, aspect=40, ticks=[0, 0.5, 1])
    bar.ax.set_xticklabels(["D(x) = 0, made", "½", "1, real"])
    handles = [Line2D([], [], **MARKS[name], label=f"{name} points") for name in MARKS]
    handles.append(Line2D([], [], color=MESH_INK, linewidth=0.6, label="latent grid, carried through G"))
    handles.append(Line2D([], [], color="black", linewidth=1.5, label="arrows: where the loss of G pulls"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _draw_view(ax: Axes, real: Tensor, view: View) -> None:
    """One moment of a game: D as a map, the mesh, both kinds of points, and arrows."""
    colours = LinearSegmentedColormap.from_list("verdict", [UNREAL, WHITE, REAL])
    window = (-LIMIT, LIMIT, -LIMIT, LIMIT)
    verdict, made, arrows = view.verdict.numpy(), view.made.numpy(), _arrows(view.pulls).numpy()
    ax.imshow(verdict, extent=window, origin="lower", vmin=0, vmax=1, cmap=colours, interpolation="bilinear")
    for lines in (view.mesh, view.mesh.transpose(0, 1)):
        ax.plot(*lines.permute(2, 1, 0).numpy(), color=MESH_INK, linewidth=0.4)
    ax.plot(*real.numpy().T, **MARKS["real"])
    ax.plot(*made.T, **MARKS["made"])
    ax.quiver(*made[: len(arrows)].T, *arrows.T, angles="xy", scale_units="xy", scale=1, width=0.005, zorder=3)
    ax.grid(False)
    ax.set(xlim=window[:2], ylim=window[2:], aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    ax.set(xticks=[-2, -1, 0, 1, 2], yticks=[-2, -1, 0, 1, 2])


def _arrows(pulls: Tensor) -> Tensor:
    """Arrows (50, 2) along the pulls; the root makes weak ones visible beside strong ones."""
    lengths = pulls.norm(dim=1, keepdim=True)
    return pulls / lengths.clamp(min=1e-12) * (ARROW * lengths.sqrt()).clamp(max=LONGEST_ARROW)


def _shape(name: str) -> Tensor:
    """300 points (300, 2) of a shape, the same each time."""
    if name == "ring":
        return 1.3 * toy.circle(SHAPE_POINTS, noise=0.04, seed=0)
    noise = torch.randn(SHAPE_POINTS, 2, generator=torch.Generator().manual_seed(0))
    if name == "line":
        return torch.linspace(-1, 1, SHAPE_POINTS)[:, None] * torch.tensor([1.5, 0.75]) + 0.05 * noise
    if name == "two blobs":
        return torch.tensor([[1.0, 0.6], [-1.0, -0.6]]).repeat(SHAPE_POINTS // 2, 1) + 0.15 * noise
    raise InputError(f'There is no shape "{name}". {did_you_mean(name, SHAPES)}')


def _checked(points: Tensor | str) -> Tensor:
    """The points (n, 2) in float32."""
    if isinstance(points, str):
        return _shape(points)
    real = torch.as_tensor(points).detach().float().cpu()
    if real.ndim != 2 or real.shape[1] != 2 or not LEAST_POINTS <= len(real) <= MOST_POINTS:
        raise InputError(
            f"The points have the shape {tuple(real.shape)}; give (n, 2) with {LEAST_POINTS} to {MOST_POINTS:,} points."
        )
    if not real.abs().max() <= LIMIT:
        raise InputError(f"A point lies at {real.abs().max():.3g}; coordinates go from {-LIMIT:g} to {LIMIT:g}.")
    return real
