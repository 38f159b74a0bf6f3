"""The usual step, on top of the loop: a batch, the loss, its gradient, an update.

Read ``step`` inside :func:`fit`. All else is there so that a mistake is named before the training, or after its first
batch, and not by a stack trace out of torch.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from course_utils.errors import InputError, did_you_mean
from course_utils.store import checksum
from course_utils.training.checkpoints import Stateful
from course_utils.training.evaluation import Loss, as_tensors, as_terms, evaluate
from course_utils.training.history import History
from course_utils.training.loop import Diverged, run
from course_utils.training.requirements import (
    check_batches,
    check_data,
    check_gradients,
    check_loss,
    check_numbers,
    check_parameters,
    explained,
    name_of,
)

__all__ = ["fit"]

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
    # what can be said before anything is done
    _check_schedule(schedule)
    if not torch.is_grad_enabled():
        raise InputError("fit was called under torch.no_grad(), where nothing can be learned; call it outside.")
    train = as_tensors(data)
    held_out = () if validation is None else as_tensors(validation, "validation")
    check_loss(loss)
    parameters = check_parameters(model, optimizer)
    check_numbers(len(train[0]), num_epochs, batch_size, lr, clip)
    check_data(train)
    num_epochs, batch_size = int(num_epochs), int(batch_size)

    # data, optimiser and schedule
    device = parameters[0].device
    train, held_out = (tuple(tensor.to(device) for tensor in tensors) for tensors in (train, held_out))
    some = tuple(tensor[:: math.ceil(len(tensor) / FIRST_POINT_SAMPLES)] for tensor in train)
    if optimizer is None:
        optimizer = torch.optim.Adam(parameters, lr=lr, fused=device.type in ("cpu", "cuda"))  # fused: a third faster
    settings = {
        "data": _summary(train, some),
        "batch_size": batch_size,
        "optimizer": type(optimizer).__name__,
        "lr": [group["lr"] for group in optimizer.param_groups],
        "schedule": f"{schedule} over {num_epochs} epochs" if schedule else None,
        "clip": clip,
        "seed": seed,
    }
    scheduler = _scheduler(schedule, optimizer, num_epochs * math.ceil(len(train[0]) / batch_size))
    trained: dict[str, Stateful] = {"model": model, "optimizer": optimizer}
    if scheduler:
        trained["scheduler"] = scheduler

    def before() -> dict[str, float]:
        check_batches(train, batch_size, model)
        return explained(lambda: evaluate(model, loss, some, batch_size=batch_size), model, train)

    # the step of a textbook
    def step(*batch: Tensor, number: int) -> dict[str, float]:
        optimizer.zero_grad()
        terms = as_terms(loss(model, *batch))
        terms["loss"].backward()
        values = {name: term.item() for name, term in terms.items()}
        norm = nn.utils.clip_grad_norm_(parameters, clip).item() if clip else 0.0
        if not math.isfinite(values["loss"] + norm):
            raise Diverged(_diagnosis(values["loss"], model, batch, optimizer))
        if number == 0:
            check_gradients(parameters)
        optimizer.step()
        if scheduler:
            scheduler.step()
        return values

    return run(
        step,
        train,
        trained,
        num_epochs=num_epochs,
        batch_size=batch_size,
        before=before,
        validate=(lambda: evaluate(model, loss, held_out, batch_size=batch_size)) if held_out else None,
        metrics={name: functools.partial(metric, model) for name, metric in (metrics or {}).items()},
        seed=seed,
        live=live,
        progress=progress,
        checkpoint=checkpoint,
        settings=settings,
        remarks={"loss": name_of(loss), "model": repr(model)},
        label=label,
    )


def _diagnosis(value: float, model: nn.Module, batch: tuple[Tensor, ...], optimizer: torch.optim.Optimizer) -> str:
    """Why a step is not taken, and what to try."""
    lr = float(optimizer.param_groups[0]["lr"])
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
    return f"lr {lr:g}: {what}; the step was not applied. {advice}"


def _check_schedule(schedule: str | None) -> None:
    if schedule is not None and schedule not in SCHEDULES:
        raise InputError(f'There is no schedule "{schedule}". {did_you_mean(str(schedule), SCHEDULES)} None: none.')


def _scheduler(name: str | None, optimizer: torch.optim.Optimizer, total_steps: int) -> LRScheduler | None:
    if name is None:
        return None
    peaks = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, peaks, total_steps, cycle_momentum="betas" in optimizer.defaults)


def _summary(data: tuple[Tensor, ...], some: tuple[Tensor, ...]) -> list[str]:
    """What a checkpoint keeps of the data, to notice when it is resumed on other data."""
    return [f"{tuple(d.shape)} with checksum {checksum('', {'': s.cpu()})}" for d, s in zip(data, some, strict=True)]
