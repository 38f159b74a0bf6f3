"""The training loop of the course: the steps of a textbook, with what a long run needs around them.

Read :func:`fit` from ``for epoch in …``: a batch, the loss, its gradient, a step. All else is there so that a run shows
how far it is, stops before a bad step, survives Ctrl-C, and can be resumed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from course_utils.data.batches import batches
from course_utils.errors import InputError, did_you_mean
from course_utils.training.checkpoints import Checkpoint, checksum
from course_utils.training.evaluation import Loss, as_tensors, as_terms, evaluate, measuring, modes_kept
from course_utils.training.history import History, Means, Point
from course_utils.training.progress import Progress

__all__ = ["History", "Loss", "evaluate", "fit"]

Metric = Callable[[nn.Module], float]
SCHEDULES = ("one-cycle",)
FIRST_POINT_SAMPLES = 1_000


def fit(
    model: nn.Module,
    loss: Loss,
    data: Any,
    *,
    num_epochs: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    optimizer: torch.optim.Optimizer | None = None,
    schedule: str | None = None,
    validation: Any = None,
    metrics: Mapping[str, Metric] | None = None,
    clip: float | None = None,
    seed: int | None = None,
    live: bool = False,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    label: str = "training",
) -> History:
    """Train ``model`` in place by minimising ``loss`` over mini-batches of ``data``.

    The data goes to the device of the model. Ctrl-C (in Jupyter the stop button) ends training and keeps model and
    history; so does a loss that is not finite, before its step is applied. Validation and metrics are measured in
    ``eval()`` mode, without gradients and with the same random numbers each time: they never change the training.

    Args:
        model: any module; its modules are back in their modes (``train()`` or ``eval()``) at the end.
        loss: called as ``loss(model, *batch)``. Returns a scalar, the mean over the batch, or a dict of scalars whose
            ``"loss"`` is minimised and whose other terms are recorded.
        data: a tensor (N, …), several of the same length N in a tuple, or a split of the course's data (its images).
        num_epochs: how often to go through the data, 1 or more.
        batch_size: samples per step, at most N; the last batch of an epoch may be smaller.
        lr: the learning rate of Adam; with a schedule, its peak.
        optimizer: used in place of Adam; it brings its own learning rate.
        schedule: None for a constant rate, ``"one-cycle"`` for a warm-up and a long fall (Smith & Topin 2018).
        validation: like ``data``; the loss over all of it is recorded after each epoch.
        metrics: name → function of the model, recorded after each epoch.
        clip: the norm that the gradient of all parameters together may have at most.
        seed: of everything random here; None goes on with torch's random numbers as they are.
        live: show a growing curve as well, in a notebook.
        progress: show the text bar.
        checkpoint: a file to write after each epoch, and to go on from when it exists.
        label: what is trained, for the bar.

    Returns:
        The history: the untrained model as point 0, then one point per epoch; ``stopped`` says why it ended early.

    Raises:
        InputError: if an argument cannot work, in one line that says what to do.
        DataError: if the checkpoint is damaged.
    """
    if schedule is not None and schedule not in SCHEDULES:
        raise InputError(f'There is no schedule "{schedule}". {did_you_mean(str(schedule), SCHEDULES)} None: none.')
    if not torch.is_grad_enabled():
        raise InputError("fit was called under torch.no_grad(), where nothing can be learned; call it outside.")
    train = as_tensors(data)
    held_out = () if validation is None else as_tensors(validation, "validation")
    parameters = _parameters(model, optimizer)
    _check_numbers(len(train[0]), num_epochs, batch_size, lr, clip)
    device = parameters[0].device
    train, held_out = (tuple(tensor.to(device) for tensor in tensors) for tensors in (train, held_out))
    first = tuple(tensor[:: math.ceil(len(tensor) / FIRST_POINT_SAMPLES)] for tensor in train)
    if seed is not None:
        torch.manual_seed(seed)
    shuffler = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    if optimizer is None:
        optimizer = torch.optim.Adam(parameters, lr=lr, fused=device.type in ("cpu", "cuda"))  # fused: a third faster
    settings = {
        "data": _summary(train, first),
        "batch_size": batch_size,
        "optimizer": type(optimizer).__name__,
        "lr": [group["lr"] for group in optimizer.param_groups],
        "schedule": f"{schedule} over {num_epochs} epochs" if schedule else None,
        "clip": clip,
        "seed": seed,
    }
    steps_per_epoch = math.ceil(len(train[0]) / batch_size)
    scheduler = _scheduler(schedule, optimizer, num_epochs * steps_per_epoch)
    saved = Checkpoint(checkpoint, model, optimizer, scheduler, shuffler, device, settings) if checkpoint else None
    history = History()
    bar = Progress(num_epochs, steps_per_epoch, label, show=progress, live=live)
    began = time.perf_counter()

    def record(epoch: int, means: dict[str, float], rate: float) -> None:
        """Measure what is measured at the end of an epoch, and keep it."""
        val = evaluate(model, loss, held_out, batch_size=batch_size) if held_out else {}
        with measuring(model, device):
            measured = {name: float(metric(model)) for name, metric in (metrics or {}).items()}
        seconds = time.perf_counter() - began
        history.points.append(Point(epoch, len(history.batch_losses), rate, seconds, means, val, measured))
        bar.epoch(history)
        if saved and (problem := saved.save(history)):
            bar.say(problem)

    with modes_kept(model):
        try:
            if saved and (found := saved.load(num_epochs)):
                history, began = found, began - found.seconds[-1]
                bar.say(f"Going on from {saved.path.name}: {len(history.points) - 1} of {num_epochs} epochs are done.")
            if not history.points:
                record(0, evaluate(model, loss, first, batch_size=batch_size), rate=optimizer.param_groups[0]["lr"])
            for epoch in range(len(history.points), num_epochs + 1):
                model.train()
                means = Means()
                for batch in batches(train, batch_size, generator=shuffler):
                    optimizer.zero_grad()
                    terms = as_terms(loss(model, *batch))
                    terms["loss"].backward()
                    values = {name: term.item() for name, term in terms.items()}
                    norm = nn.utils.clip_grad_norm_(parameters, clip).item() if clip else 0.0
                    if not math.isfinite(values["loss"] + norm):
                        raise _Diverged(_diagnosis(values["loss"], model, batch, history, optimizer))
                    if not history.batch_losses:
                        _check_gradients(parameters)
                    rate = optimizer.param_groups[0]["lr"]
                    optimizer.step()
                    if scheduler:
                        scheduler.step()
                    history.batch_losses.append(values["loss"])
                    means.add(values, len(batch[0]))
                    bar.step(epoch, means)
                record(epoch, means.values(), rate)
        except KeyboardInterrupt:
            history.stopped = (
                f"interrupted in epoch {len(history.points)}, after step {len(history.batch_losses):,};"
                " model and history are kept"
            )
        except _Diverged as reason:
            history.stopped = str(reason)
        finally:
            bar.close(history)
    if history.stopped:
        print(f"{label}: {history.stopped}.")
    return history


class _Diverged(Exception):
    """A step that must not be taken."""


def _diagnosis(
    value: float, model: nn.Module, batch: tuple[Tensor, ...], history: History, optimizer: torch.optim.Optimizer
) -> str:
    """Where training stopped, and what to try."""
    lr, step = optimizer.param_groups[0]["lr"], len(history.batch_losses) + 1
    what = "the norm of the gradient is not finite" if math.isfinite(value) else f"the loss is {value}"
    if not all(torch.isfinite(tensor).all() for tensor in batch):
        advice = "The batch itself holds values that are not finite: look at the data"
    elif not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        advice = (
            "Weights are not finite either: a gradient was not, though its loss was."
            " Look for sqrt, log or a division at 0 in the loss, and build the model anew"
        )
    else:
        advice = f"Try a smaller lr ({lr / 10:g}), clip=1.0, or look for log(0), exp or a division by 0 in the loss"
    where = f"epoch {len(history.points)}, at step {step:,}, lr {lr:g}"
    return f"diverged in {where}: {what}; the step was not applied. {advice}"


def _scheduler(name: str | None, optimizer: torch.optim.Optimizer, total_steps: int) -> LRScheduler | None:
    if name is None:
        return None
    peaks = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, peaks, total_steps, cycle_momentum="betas" in optimizer.defaults)


def _parameters(model: nn.Module, optimizer: torch.optim.Optimizer | None) -> list[nn.Parameter]:
    """The parameters to train: those of the model that need a gradient and that the optimiser, if given, holds."""
    if not isinstance(model, nn.Module):
        raise InputError(f"The model is of type {type(model).__name__}; give a torch.nn.Module.")
    if next(model.parameters(), None) is None:
        raise InputError("The model has no parameters, so there is nothing to train; are its layers attributes of it?")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise InputError("All parameters of the model are frozen; set requires_grad_(True) on those to train.")
    if optimizer is not None:
        held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        parameters = [parameter for parameter in parameters if id(parameter) in held]
        if not parameters:
            raise InputError("The optimizer holds no parameter of this model; was the model built anew after it?")
    return parameters


def _check_numbers(num_samples: int, num_epochs: int, batch_size: int, lr: float, clip: float | None) -> None:
    for name, value in {"num_epochs": num_epochs, "batch_size": batch_size}.items():
        if not isinstance(value, Integral) or value < 1:
            raise InputError(f"{name}={value}; give a whole number, 1 or more.")
    if batch_size > num_samples:
        raise InputError(f"batch_size={batch_size} is more than the {num_samples} samples of the data; lower it.")
    for name, number in {"lr": lr, "clip": clip}.items():
        if number is not None and not 0 < number < math.inf:
            raise InputError(f"{name}={number}; give a number above 0.")


def _check_gradients(parameters: list[nn.Parameter]) -> None:
    """After the first backward pass: has anything arrived?"""
    if all(parameter.grad is None for parameter in parameters):
        raise InputError(
            "The loss has a gradient, but not with respect to the parameters to train; does it call this model, and"
            " are they not detached?"
        )


def _summary(data: tuple[Tensor, ...], some: tuple[Tensor, ...]) -> list[str]:
    """What a checkpoint keeps of the data, to notice when it is resumed on other data."""
    return [f"{tuple(d.shape)} with checksum {checksum('', {'': s.cpu()})}" for d, s in zip(data, some, strict=True)]
