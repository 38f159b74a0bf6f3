"""What a training needs, asked before it begins: each miss is one line that says what to do."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from numbers import Integral
from types import FunctionType
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from course_utils.errors import InputError

__all__ = [
    "check_batches",
    "check_data",
    "check_gradients",
    "check_loss",
    "check_numbers",
    "check_parameters",
    "explained",
    "name_of",
]

T = TypeVar("T")


def check_loss(loss: Any) -> None:
    """A loss is called with the model; torch's own are called with output and target.

    Raises:
        InputError: if ``loss`` is one of torch's, or cannot be called.
    """
    owner = loss if isinstance(loss, FunctionType) else type(loss)
    if owner.__module__ in ("torch.nn.modules.loss", "torch.nn.functional"):
        usual, call = ("nn.{}", "nn.{}()") if isinstance(loss, nn.Module) else ("F.{}", "F.{}")
        name = owner.__name__
        raise InputError(
            f"fit calls loss(model, *batch), and {usual.format(name)} takes output and target. Write a function around"
            f" it: def loss(model, x): return {call.format(name)}(model(x), x)."
        )
    if not callable(loss):
        raise InputError(f"The loss is of type {type(loss).__name__}; give a function loss(model, *batch).")


def check_parameters(model: Any, optimizer: Any) -> list[nn.Parameter]:
    """The parameters to train: those of the model that need a gradient and that the optimiser, if given, holds.

    Raises:
        InputError: if there are none, or model or optimiser are something else.
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"The model is of type {type(model).__name__}; give a torch.nn.Module.")
    if next(model.parameters(), None) is None:
        raise InputError("The model has no parameters, so there is nothing to train; are its layers attributes of it?")
    if any(is_lazy(parameter) for parameter in model.parameters()):
        raise InputError("The model has lazy layers, which have no weights yet; call it once on a batch before fit.")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise InputError("All parameters of the model are frozen; set requires_grad_(True) on those to train.")
    if optimizer is not None:
        parameters = _held_by(optimizer, parameters)
    return parameters


def _held_by(optimizer: Any, parameters: list[nn.Parameter]) -> list[nn.Parameter]:
    """Those of the parameters that an optimiser holds."""
    if isinstance(optimizer, type):
        name = optimizer.__name__
        raise InputError(f"optimizer is the class {name}; make one: torch.optim.{name}(model.parameters(), lr=…).")
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise InputError(f"optimizer is of type {type(optimizer).__name__}; give one of torch.optim, or leave it out.")
    if isinstance(optimizer, torch.optim.LBFGS):
        raise InputError("LBFGS evaluates the loss several times a step, which fit does not; use training.run for it.")
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    parameters = [parameter for parameter in parameters if id(parameter) in held]
    if not parameters:
        raise InputError("The optimizer holds no parameter of this model; was the model built anew after it?")
    return parameters


def check_numbers(num_samples: int, num_epochs: int, batch_size: int, lr: float, clip: float | None) -> None:
    """Counts are whole and large enough, rates above 0.

    Raises:
        InputError: if one is not.
    """
    for name, value in {"num_epochs": num_epochs, "batch_size": batch_size}.items():
        if not isinstance(value, Integral) or value < 1:
            raise InputError(f"{name}={value}; give a whole number, 1 or more.")
    if batch_size > num_samples:
        raise InputError(f"batch_size={batch_size} is more than the {num_samples} samples of the data; lower it.")
    for name, number in {"lr": lr, "clip": clip}.items():
        if number is not None and not 0 < number < math.inf:
            raise InputError(f"{name}={number}; give a number above 0.")


def check_data(data: tuple[Tensor, ...]) -> None:
    """The data are numbers, not something that is still being computed.

    Raises:
        InputError: if they carry a graph.
    """
    if any(tensor.grad_fn is not None for tensor in data):
        raise InputError(
            "The data carry the graph of what they were computed with, which is gone after the first step;"
            " detach them: encoder(x).detach(), or compute them under torch.no_grad()."
        )


def check_batches(data: tuple[Tensor, ...], batch_size: int, model: nn.Module) -> None:
    """No batch is too small for the model, which is left in ``train()`` mode.

    Raises:
        InputError: if batch normalisation would meet a batch of one.
    """
    model.train()
    normalised = any(isinstance(module, nn.BatchNorm1d) and module.training for module in model.modules())
    if normalised and data[0].ndim != 3 and 1 in (batch_size, len(data[0]) % batch_size):
        raise InputError(
            f"Of {len(data[0])} samples in batches of {batch_size}, one batch would hold a single sample, for which"
            " batch normalisation has no variance; take another batch_size."
        )


def explained(measure: Callable[[], T], model: nn.Module, data: tuple[Tensor, ...]) -> T:
    """What ``measure`` returns; where torch stops over the kinds of numbers, an error that names them.

    Raises:
        InputError: if data and weights are floats of different precision, and torch stopped.
    """
    try:
        return measure()
    except RuntimeError as error:
        weights = next(parameter.dtype for parameter in model.parameters())
        other = next((t.dtype for t in data if t.dtype != weights), None)
        if other is None or "dtype" not in str(error):
            raise
        short = [str(dtype).removeprefix("torch.") for dtype in (other, weights)]
        raise InputError(
            f"The data are {short[0]} and the model's weights {short[1]}; make them the same: .to(torch.{short[1]})."
        ) from None


def check_gradients(parameters: list[nn.Parameter]) -> None:
    """After the first backward pass: has anything arrived?

    Raises:
        InputError: if no parameter has a gradient.
    """
    if all(parameter.grad is None for parameter in parameters):
        raise InputError(
            "The loss has a gradient, but not with respect to the parameters to train; does it call this model, and"
            " are they not detached?"
        )


def name_of(loss: Callable[..., Any]) -> str:
    """What a checkpoint keeps of a loss, to notice another one: its name and its instructions."""
    function = getattr(loss, "func", loss)
    code = getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", type(loss).__name__)
    if code is None:
        return name
    constants = [constant for constant in code.co_consts if isinstance(constant, (int, float, str))]
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    captured = [value for value in cells if isinstance(value, (int, float, str))]
    return f"{name} ({zlib.crc32(code.co_code + repr((constants, code.co_names, captured)).encode()):08x})"
