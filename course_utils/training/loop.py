"""The loop under every training of the course: epochs, steps, what is recorded, and what happens when it stops.

What one update is, the caller says with a function, ``step``. The loop knows nothing of losses: :func:`fit` brings the
usual step, two players or a recurrent network bring their own.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import time
from collections.abc import Callable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.errors import InputError
from course_utils.training.checkpoints import Checkpoint, Stateful
from course_utils.training.evaluation import measuring, modes_kept
from course_utils.training.history import History, Means, Point, main_term
from course_utils.training.progress import Progress
from course_utils.training.source import Batches

__all__ = ["Diverged", "Metrics", "Step", "Terms", "run"]

Terms = Mapping[str, float]
Step = Callable[..., "Terms | Mapping[str, Tensor] | Tensor | float"]
Metrics = Mapping[str, Callable[[], float]]


class Diverged(Exception):
    """Raised by a step that will not apply its update; the message says why, and what to try."""


def run(
    step: Step,
    data: Any,
    trained: Mapping[str, Stateful],
    *,
    num_epochs: int,
    batch_size: int = 128,
    before: Callable[[], Terms] | None = None,
    validate: Callable[[], Terms] | None = None,
    metrics: Metrics | None = None,
    seed: int | None = None,
    live: bool = False,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    remarks: Mapping[str, str] | None = None,
    label: str = "training",
) -> History:
    """Call ``step`` on batch after batch, and keep what it returns.

    Modules in ``trained`` are in ``train()`` mode for the steps and back in their own modes at the end. Ctrl-C (in
    Jupyter the stop button) ends training and keeps history and networks; so does a step that raises :class:`Diverged`
    or returns a loss that is not finite (any of its numbers, where none is called ``"loss"``). ``before``, ``validate``
    and ``metrics`` are measured in ``eval()`` mode, without gradients and with the same random numbers each time: they
    never change the training.

    Args:
        step: called as ``step(*batch)``, or as ``step(*batch, number=n)`` if it has a parameter of that name, the
            number of steps taken before. It does one update and returns what to record: a number or a dict of numbers,
            means over the batch. The one called ``"loss"``, or else the first, is shown.
        data: a tensor (N, …) or several of the same length N, which are shuffled by index; or anything else that gives
            batches (tensors or tuples of them) each time it is iterated over, so that a stream keeps its order.
        trained: what the steps change, by name: modules, optimisers, schedules. They are what a checkpoint holds, and
            the rate that is recorded is that of the first optimiser among them.
        num_epochs: how often to go through the data, 1 or more.
        batch_size: samples per step, where ``data`` is tensors; the last batch of an epoch may be smaller.
        before: measures the untrained networks, for point 0 of the history; without it there is no point 0.
        validate: measures after each epoch.
        metrics: name → function without arguments, recorded after each epoch.
        seed: of everything random here; None goes on with torch's random numbers as they are.
        live: show a growing curve as well, in a notebook.
        progress: show the text bar.
        checkpoint: a file to write after each epoch, and to go on from when it exists.
        settings: what must be the same for a checkpoint to go on.
        remarks: what may have changed then, and is said if it has.
        label: what is trained, for the bar.

    Returns:
        The history; ``stopped`` says why it ended early.

    Raises:
        InputError: if an argument cannot work, in one line that says what to do.
        DataError: if the checkpoint is damaged.
    """
    # what there is: networks, where they are, batches
    for name, value in {"num_epochs": num_epochs, "batch_size": batch_size}.items():
        if not isinstance(value, Integral) or value < 1:
            raise InputError(f"{name}={value}; give a whole number, 1 or more.")
    if not isinstance(trained, Mapping):
        raise InputError(f'trained is of type {type(trained).__name__}; give names, too: {{"model": model, …}}.')
    modules = [part for part in trained.values() if isinstance(part, nn.Module)]
    device = next((tensor.device for module in modules for tensor in module.parameters()), torch.device("cpu"))
    if seed is not None:
        torch.manual_seed(int(seed))
    source = Batches(data, batch_size, device)
    numbered = "number" in inspect.signature(step).parameters
    optimizer = next((part for part in trained.values() if isinstance(part, torch.optim.Optimizer)), None)

    # what is kept of it
    file = Checkpoint(checkpoint, trained, source.order, device) if checkpoint is not None else None
    if file:
        file.settings, file.remarks = dict(settings or {}), dict(remarks or {})
    bar = Progress(num_epochs, source.per_epoch, label, show=progress, live=live)
    log = _Log(bar, file, lambda: measuring(modules, device), validate, metrics or {})
    epoch = 0
    with modes_kept(modules):
        try:
            # where to begin
            if epoch := log.resume(num_epochs):
                bar.say(f"Going on from {log.name}: {epoch} of {num_epochs} epochs are done.{log.changes}")
            elif before and not log.history.points:
                log.record(0, before, _rate(optimizer))
            # epochs of steps
            for epoch in range(epoch + 1, num_epochs + 1):  # noqa: B020 (the epoch that is under way, for the handlers)
                for module in modules:
                    module.train()
                means, lr = Means(), _rate(optimizer)
                for batch in source:
                    lr = _rate(optimizer)
                    number = {"number": log.steps} if numbered else {}
                    terms = _as_numbers(step(*batch, **number))
                    log.step(epoch, terms, means, len(batch[0]) if isinstance(batch[0], Tensor) else 1)
                if not means.count:
                    raise InputError("The data gave no batch; are there any, and can it be iterated over again?")
                log.record(epoch, means.values, lr)
        # what ends it early
        except KeyboardInterrupt:
            log.stop(f"interrupted in epoch {epoch}, after step {log.steps:,}; model and history are kept")
        except Diverged as reason:
            log.stop(f"diverged in epoch {epoch}, at step {log.steps + 1:,}, {reason}")
        finally:
            bar.close(log.history)
    if log.history.stopped:
        print(f"{label}: {log.history.stopped}.")
    return log.history


class _Log:
    """The history of a run, and who is told of it: the bar, the file."""

    def __init__(
        self,
        bar: Progress,
        file: Checkpoint | None,
        measuring_all: Callable[[], contextlib.AbstractContextManager[None]],
        validate: Callable[[], Terms] | None,
        metrics: Metrics,
    ) -> None:
        self.history = History()
        self._bar, self._file, self._measuring = bar, file, measuring_all
        self._validate, self._metrics = validate, metrics
        self._began = time.perf_counter()
        self._warned = False

    @property
    def steps(self) -> int:
        """Steps taken so far."""
        return len(self.history.batch_losses)

    @property
    def name(self) -> str:
        """The checkpoint's file name."""
        return self._file.path.name if self._file else ""

    @property
    def changes(self) -> str:
        """What has changed since the checkpoint was written, in a sentence; empty when nothing has."""
        changes = self._file.changes if self._file else []
        return f" Since then the {' and the '.join(changes)} changed." if changes else ""

    def resume(self, num_epochs: int) -> int:
        """Take up what the file holds, if there is one; returns the epochs that are done."""
        history = self._file.load(num_epochs) if self._file else None
        if history is None:
            return 0
        self.history = history
        self._began -= history.seconds[-1]
        return history.epochs[-1]

    def step(self, epoch: int, terms: dict[str, float], means: Means, count: int) -> None:
        """One step was taken, on ``count`` samples."""
        judged = {"loss": terms["loss"]} if "loss" in terms else terms
        if not all(map(math.isfinite, judged.values())):
            values = ", ".join(f"{name} is {value}" for name, value in judged.items())
            raise Diverged(f"{values}; the step was applied. Try a smaller learning rate")
        self.history.batch_losses.append(main_term(terms))
        means.add(terms, count)
        self._bar.step(epoch, means)

    def record(self, epoch: int, train: Callable[[], Terms], lr: float) -> None:
        """Measure what is measured at the end of an epoch, or before the first, and keep it."""
        with self._measuring():
            means = dict(train())
        with self._measuring():
            val = dict(self._validate()) if self._validate else {}
        with self._measuring():
            measured = {name: float(metric()) for name, metric in self._metrics.items()}
        seconds = time.perf_counter() - self._began
        self.history.points.append(Point(epoch, self.steps, lr, seconds, means, val, measured))
        self._bar.epoch(self.history)
        bad = [f"{name} is {value}" for name, value in (val | measured).items() if not math.isfinite(value)]
        if bad and not self._warned:
            self._warned = True
            self._bar.say(f"In validation after epoch {epoch}, {' and '.join(bad)}; training goes on.")
        if self._file and (problem := self._file.save(self.history)):
            self._bar.say(problem)

    def stop(self, reason: str) -> None:
        """The run ends early."""
        self.history.stopped = reason


def _rate(optimizer: torch.optim.Optimizer | None) -> float:
    """The learning rate of the step to come; not a number where no optimiser is known."""
    return float(optimizer.param_groups[0]["lr"]) if optimizer else math.nan


def _as_numbers(terms: Any) -> dict[str, float]:
    """What a step returned as numbers by name."""
    named = terms if isinstance(terms, Mapping) else {"loss": terms}
    try:
        numbers = {str(n): float(v.detach() if isinstance(v, Tensor) else v) for n, v in named.items()}
    except (TypeError, ValueError, RuntimeError):
        numbers = {}
    if not numbers:
        raise InputError(
            f"step returned {type(terms).__name__}; let it return what to record, a number or a dict of numbers."
        )
    return numbers
