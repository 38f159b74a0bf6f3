"""What a training run leaves behind: one point per epoch, one loss per step, and why it stopped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from course_utils.errors import InputError, did_you_mean
from course_utils.plotting import COLOURS

__all__ = ["History", "Means", "Point", "main_term"]


class Means:
    """Means over samples, gathered batch by batch: a batch weighs as many as it has samples."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[str, float] = {}

    def add(self, values: dict[str, float], count: int) -> None:
        """Add the means of a batch of ``count`` samples."""
        self.count += count
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value * count

    def values(self) -> dict[str, float]:
        """The means over all samples so far; empty before the first."""
        return {name: total / self.count for name, total in self._sums.items()}


@dataclass(frozen=True)
class Point:
    """The state of a training run at the end of an epoch.

    Attributes:
        epoch: 0 for the untrained model.
        step: optimisation steps done so far.
        lr: learning rate of the last step; for the untrained model, of the step to come.
        seconds: time spent so far, validation and all.
        train: the loss's terms as means over the samples of the epoch, while the weights moved. At epoch 0: of
            the untrained model in ``eval()`` mode, over at most 1,000 samples that lie evenly in the training data.
        val: the same terms over all of the validation data, after the epoch; empty without validation.
        metrics: the values of the metrics, after the epoch.
    """

    epoch: int
    step: int
    lr: float
    seconds: float
    train: dict[str, float]
    val: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class History:
    """What happened in training.

    Attributes:
        points: one :class:`Point` per finished epoch, the untrained model first.
        batch_losses: the loss of every step taken, in order, those of an unfinished epoch included.
        stopped: None when training ran to its end; otherwise why it did not, in words that begin with
            "interrupted" or "diverged".
    """

    points: list[Point] = field(default_factory=list)
    batch_losses: list[float] = field(default_factory=list)
    stopped: str | None = None

    @property
    def epochs(self) -> list[int]:
        """0 (where the untrained model was measured), 1, …, the last finished epoch; a curve has a value for each."""
        return [point.epoch for point in self.points]

    @property
    def train(self) -> list[float]:
        """The training loss, see :class:`Point`."""
        return [main_term(point.train) for point in self.points]

    @property
    def val(self) -> list[float]:
        """The validation loss; empty when there was no validation."""
        return [main_term(point.val) for point in self.points if point.val]

    @property
    def metrics(self) -> dict[str, list[float]]:
        """Name → values of each metric."""
        return self._curves("metrics")

    @property
    def train_terms(self) -> dict[str, list[float]]:
        """Name → values of every term of the loss in training, ``"loss"`` among them."""
        return self._curves("train")

    @property
    def val_terms(self) -> dict[str, list[float]]:
        """Name → values of every term of the loss in validation."""
        return self._curves("val")

    @property
    def steps(self) -> list[int]:
        """Optimisation steps done by the end of each epoch."""
        return [point.step for point in self.points]

    @property
    def lrs(self) -> list[float]:
        """The learning rate at the end of each epoch."""
        return [point.lr for point in self.points]

    @property
    def seconds(self) -> list[float]:
        """Seconds spent by the end of each epoch."""
        return [point.seconds for point in self.points]

    def as_arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for plots and tables of one's own.

        Returns:
            ``epochs``, ``steps``, ``lrs``, ``seconds`` and ``train``, each of shape (E + 1,) after E epochs; ``val``
            when there was validation; ``train/kl`` and ``val/kl`` for a term "kl"; ``metrics/psnr`` for a metric
            "psnr"; and ``batch_losses``, of shape (steps,).
        """
        arrays: dict[str, Any] = {"epochs": self.epochs, "steps": self.steps, "lrs": self.lrs, "seconds": self.seconds}
        for part in ("train", "val", "metrics"):
            for name, curve in self._curves(part).items():
                arrays[part if name == "loss" and part != "metrics" else f"{part}/{name}"] = curve
        arrays["batch_losses"] = self.batch_losses
        return {name: np.asarray(values, None if values else float) for name, values in arrays.items()}

    def plot(self, ax: Axes | None = None, *, name: str = "loss", first_epoch: int = 0, ylabel: str = "") -> Axes:
        """Draw a curve over the epochs: training and validation, or a metric.

        Args:
            ax: where to draw; a new figure when None.
            name: ``"loss"``, another term of the loss, or a metric.
            first_epoch: where the curve begins; 1 leaves out the untrained model, whose loss may dwarf the rest.
            ylabel: the axis's label, with the unit; ``name`` when empty.

        Raises:
            InputError: if there is no such curve.
        """
        curves = {label: self._curves(part).get(name) for label, part in _LABELS.items()}
        found = {label: curve for label, curve in curves.items() if curve}
        if self.points and not found:
            known = dict.fromkeys([*self.train_terms, *self.metrics])
            raise InputError(f'The history holds no curve "{name}". {did_you_mean(name, known)}')
        ax = plt.subplots()[1] if ax is None else ax
        for (label, curve), colour in zip(found.items(), ("blue", "orange", "green"), strict=False):
            skip = sum(epoch < first_epoch for epoch in self.epochs)
            ax.plot(self.epochs[skip:], curve[skip:], "o-", markersize=3.5, color=COLOURS[colour], label=label)
        ax.set_xlabel("epoch")
        ax.set_ylabel(ylabel or name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(found) > 1:
            ax.legend()
        return ax

    def to_json(self) -> dict[str, Any]:
        """The history as JSON can hold it; :meth:`from_json` gives it back, bit for bit."""
        return {"points": [asdict(point) for point in self.points], "batch_losses": self.batch_losses}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> History:
        """The history that :meth:`to_json` wrote."""
        return cls([Point(**point) for point in record["points"]], list(record["batch_losses"]))

    def __repr__(self) -> str:
        stopped = (self.stopped or "").split(",")[0]
        if not self.points:
            return f"History: no epoch ({stopped or 'not trained yet'})"
        count = self.points[-1].epoch
        parts = [f"{count} epoch{'s' if count != 1 else ''}", f"loss {self.train[0]:.4g} → {self.train[-1]:.4g}"]
        if self.val:
            parts.append(f"validation {self.val[0]:.4g} → {self.val[-1]:.4g}")
        parts += [f"{name} {values[-1]:.4g}" for name, values in self.metrics.items()]
        parts.append(f"{self.seconds[-1]:.1f} s")
        return "History: " + ", ".join(parts) + (f" ({stopped})" if stopped else "")

    def _curves(self, part: str) -> dict[str, list[float]]:
        """Name → values over the epochs of ``train``, ``val`` or ``metrics``; NaN where an epoch lacks the name."""
        names = dict.fromkeys(name for point in self.points for name in getattr(point, part))
        return {name: [getattr(point, part).get(name, math.nan) for point in self.points] for name in names}


_LABELS = {"training": "train", "validation": "val", "measured": "metrics"}


def main_term(terms: Mapping[str, float]) -> float:
    """The number to show of several: the one called ``"loss"``, or else the first; NaN when there is none."""
    return terms.get("loss", next(iter(terms.values()), math.nan))
