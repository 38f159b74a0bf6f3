"""Calling what the student wrote: an open gap, a crash, a wrong signature, a spoilt argument become outcomes."""

from __future__ import annotations

import dis
import functools
import inspect
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, allclose, autograd, nn

import course_utils
from course_utils.checks.core.outcomes import NotAttempted, Outcome, Wrong, kind_of

__all__ = ["Answer", "by_hand", "call", "first_line"]

Answer = Callable[..., Any]

_LIBRARIES = (
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    *(str(Path(module.__file__).parent) for module in (torch, course_utils) if module.__file__),
    "<frozen",
)


def call(answer: Answer, *arguments: Any, overwritten: str = "") -> Any:
    """What the student's function returns for copies of the arguments.

    Default dtype and grad mode are afterwards as they were before.

    Args:
        answer: the student's function, class or model.
        arguments: what it is called with.
        overwritten: what to say when it writes into an argument, where a check has a sentence of its own.

    Raises:
        NotAttempted: if it returns nothing and holds nothing but ``...``.
        Wrong: if it is no function, stops with an error, returns nothing, or writes into what it was handed.
    """
    if not callable(answer):
        raise Wrong(f"this should be a function, and it is {kind_of(answer)}.")
    name = _name(answer)
    given, weights = _copy(arguments), [_weights(argument) for argument in arguments]
    modes = [_modes(argument) for argument in arguments]
    try:
        with _settings_kept():
            value = answer(*given)
    except Outcome:
        raise
    except (Exception, SystemExit) as error:
        where = f" (line {line})" if (line := _line(error)) else ""
        raise Wrong(f"{name} stopped with {type(error).__name__}: {first_line(error)}{where}.") from None
    for i, (before, after) in enumerate(zip(arguments, given, strict=True)):
        if not _same(before, after) or not _same(weights[i], _weights(before)):
            text = f"{name} writes into {_parameter(answer, i)}, and cells below go on using it: work on a copy."
            raise Wrong(overwritten or text)
        if modes[i] != _modes(before):
            raise Wrong(f"{name} changes the mode of the model, train() or eval(); that is for its caller to choose.")
    if value is None or value is ...:
        if _is_stub(answer):
            raise NotAttempted(name)
        raise Wrong(f"{name} returns nothing; is the return missing?")
    return value


def by_hand(answer: Answer) -> Answer:
    """The answer, watched: :class:`Wrong` if it has autograd do what the task asks for by hand."""
    if not callable(answer):
        return answer

    def noticed(*_: Any, **__: Any) -> None:
        raise Wrong(f"{_name(answer)} asks autograd for the derivative; here it is to be worked out by hand.")

    @functools.wraps(answer)
    def watched(*arguments: Any) -> Any:
        with (
            patch.object(autograd, "_engine_run_backward", noticed),  # what grad, backward and torch.func end in
            patch.object(autograd.forward_ad, "make_dual", noticed),
        ):
            return answer(*arguments)

    return watched


def first_line(error: BaseException) -> str:
    """The first line of an error's message, cut to a readable length."""
    return (str(error).splitlines() or [""])[0][:200]


def _name(answer: Answer) -> str:
    name = getattr(answer, "__name__", "")
    return name if name.isidentifier() else "the function"


@contextmanager
def _settings_kept() -> Iterator[None]:
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)


def _copy(value: Any) -> Any:
    """Clones of tensors, also of those in lists, tuples and dicts; a graph that leads to them is kept."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, (list, tuple)):
        return type(value)(map(_copy, value))
    return {key: _copy(entry) for key, entry in value.items()} if isinstance(value, dict) else value


def _weights(argument: Any) -> list[Tensor]:
    return [p.detach().clone() for p in argument.state_dict().values()] if isinstance(argument, nn.Module) else []


def _modes(argument: Any) -> list[bool]:
    return [module.training for module in argument.modules()] if isinstance(argument, nn.Module) else []


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return one.shape == other.shape and allclose(one, other, rtol=0, atol=0, equal_nan=True)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return one is other or not isinstance(one, (int, float, str)) or one == other


def _parameter(answer: Answer, i: int) -> str:
    try:
        return list(inspect.signature(answer).parameters)[i]
    except (TypeError, ValueError, IndexError):
        return "what it is handed"


def _is_stub(answer: Answer) -> bool:
    """Whether a function's code holds no more than ``...`` and perhaps a docstring."""
    function = type(answer).forward if isinstance(answer, nn.Module) else inspect.unwrap(answer)
    code = getattr(function, "__code__", None)
    if code is None:
        return True
    does_nothing = {"RESUME", "NOP", "POP_TOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    steps = {step.opname for step in dis.get_instructions(code)}
    return steps <= does_nothing and set(code.co_consts) <= {None, ..., function.__doc__}


def _line(error: BaseException) -> int:
    """The line of the student's cell in which the error arose, 0 if no cell was running."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    cells = [(file, line) for file, line in places if not file.startswith(_LIBRARIES)]
    return [line for file, line in cells if file == cells[0][0]][-1] if cells else 0
