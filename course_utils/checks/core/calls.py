"""Calling what the student wrote: an open gap, a crash or a wrong signature become outcomes."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from typing import Any

from course_utils.checks.core.outcomes import NotAttempted, Outcome, Wrong, kind_of

__all__ = ["Answer", "call"]

Answer = Callable[..., Any]


def call(answer: Answer, *arguments: Any) -> Any:
    """What the student's function returns; an open gap, a crash or a wrong signature become outcomes."""
    if not callable(answer):
        raise Wrong(f"this should be a function, and it is {kind_of(answer)}.")
    name = getattr(answer, "__name__", "the function")
    try:
        value = answer(*arguments)
    except Outcome:
        raise
    except Exception as error:
        raise Wrong(
            f"{name} stopped with {type(error).__name__}: {_first_line(error)} (line {_line(error)})."
        ) from None
    if value is None or value is ...:
        if _is_stub(answer):
            raise NotAttempted(name)
        raise Wrong(f"{name} returns nothing; is the return missing?")
    return value


def _is_stub(function: Answer) -> bool:
    """Whether a function's code holds no more than ``...`` and perhaps a docstring."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return True
    does_nothing = {"RESUME", "NOP", "POP_TOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    steps = {step.opname for step in dis.get_instructions(code)}
    return steps <= does_nothing and set(code.co_consts) <= {None, ..., function.__doc__}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _line(error: Exception) -> int:
    """The line of the student's cell in which the error arose: the first frame outside this package."""
    frame, line = error.__traceback__, 0
    while frame is not None:
        if "course_utils" not in frame.tb_frame.f_code.co_filename:
            return frame.tb_lineno
        line, frame = frame.tb_lineno, frame.tb_next
    return line
