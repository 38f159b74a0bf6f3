"""What every check shares: how it runs, how it compares, and mistakes that are known by name.

Known mistakes are functions too: a :class:`Mistake` holds the code somebody writes who makes it, so the check
recognises the mistake by what it computes, and the tests can make it.
"""

from __future__ import annotations

import dis
import inspect
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from IPython.display import display

from course_utils.checks.core.outcomes import NotAttempted, Outcome, Right, Wrong, is_gap, kind_of

__all__ = [
    "Check",
    "Mistake",
    "NotAttempted",
    "Outcome",
    "Right",
    "Wrong",
    "call",
    "close",
    "compare",
    "fresh",
    "is_gap",
    "kind_of",
    "number",
    "tensor",
]


@dataclass(frozen=True)
class Mistake:
    """A mistake with a name: what it looks like in code, and what to tell who makes it.

    Attributes:
        name: a few words, for the tests' report.
        message: what the student reads; says what is wrong and leaves the mending to them.
        make: the answer with this mistake in it, of the same kind as a right answer (a function, a class or a value).
    """

    name: str
    message: str
    make: Any


@dataclass(frozen=True)
class Check:
    """One check of one gap.

    Attributes:
        gap: the name of the function or variable that the student fills.
        judge: called with the answer; returns when it is right, raises :class:`Wrong` when it is not.
        praise: one line for a right answer: what it shows.
        mistakes: those that ``judge`` knows by name.
    """

    gap: str
    judge: Callable[..., None]
    praise: str
    mistakes: tuple[Mistake, ...] = ()

    def __call__(self, *answers: Any) -> None:
        """Judge the answer, show the outcome.

        Raises:
            NotAttempted: if the gap is still open.
            Wrong: if the answer is not right, with what is wrong.
        """
        failed: Outcome | None = None
        try:
            if any(is_gap(answer) for answer in answers):
                raise _open(self.gap)
            with warnings.catch_warnings(), torch.random.fork_rng(range(torch.cuda.device_count())):
                warnings.simplefilter("ignore")  # a warning goes to stderr, and nbgrader gives no points for that
                self.judge(*answers)
        except Outcome as outcome:
            failed = outcome
        if failed is not None:
            if isinstance(failed, NotAttempted):
                failed = _open(self.gap)
            raise failed from None
        display(Right(self.praise))


def call(answer: Callable[..., Any], *arguments: Any) -> Any:
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


def tensor(value: Any, shape: Sequence[int], name: str = "the result") -> torch.Tensor:
    """``value`` as a detached tensor of the given shape with finite entries, or :class:`Wrong` saying why not."""
    if isinstance(value, np.ndarray):
        raise Wrong(f"{name} is a NumPy array; stay with torch, so that gradients can flow.")
    if not isinstance(value, torch.Tensor):
        raise Wrong(f"{name} should be a tensor of shape {tuple(shape)}, and it is {kind_of(value)}.")
    if tuple(value.shape) != tuple(shape):
        raise Wrong(f"{name} should have the shape {tuple(shape)}, and it has {tuple(value.shape)}.")
    if not torch.isfinite(value).all():
        raise Wrong(f"{name} holds values that are not finite (inf or nan).")
    return value.detach()


def number(value: Any, name: str = "the result") -> float:
    """``value`` as a finite float (a one-element tensor will do), or :class:`Wrong` saying why not."""
    try:
        result = float(value)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"{name} should be one number, and it is {kind_of(value)}.") from None
    if not np.isfinite(result):
        raise Wrong(f"{name} is {result}, which is not finite.")
    return result


def close(one: Any, other: Any, rtol: float = 1e-4, atol: float = 1e-6) -> bool:
    """Whether two results agree in shape and, within the tolerances, in value; False if they cannot be compared."""
    try:
        a, b = (torch.as_tensor(x).detach().cpu().to(torch.float64) for x in (one, other))
    except (TypeError, ValueError, RuntimeError):
        return False
    return a.shape == b.shape and bool(torch.allclose(a, b, rtol=rtol, atol=atol))


def compare(
    answer: Callable[..., Any],
    reference: Callable[..., Any],
    draws: Iterable[tuple[Any, ...]],
    mistakes: Sequence[Mistake] = (),
    *,
    otherwise: str,
    rtol: float = 1e-4,
    atol: float = 1e-6,
) -> None:
    """Hold the student's function against an independent reference, on several draws of its arguments.

    A disagreement is first held against the known mistakes: one that computes what the student's function
    computes, on every draw where that mistake makes a difference, is named.

    Args:
        answer: the student's function.
        reference: the same quantity by other means (autograd, ``torch.distributions``, a closed form).
        draws: argument tuples, drawn fresh.
        mistakes: known mistakes whose ``make`` has the student's signature.
        otherwise: what to say when no known mistake fits; ``{got}`` and ``{expected}`` are filled in.
        rtol: relative tolerance.
        atol: absolute tolerance.

    Raises:
        NotAttempted: if the function returns nothing and holds nothing but ``...``.
        Wrong: if it disagrees anywhere.
    """
    cases = list(draws)
    got = [call(answer, *map(_copy, case)) for case in cases]
    expected = [reference(*case) for case in cases]
    agree = [close(g, e, rtol, atol) for g, e in zip(got, expected, strict=True)]
    if all(agree):
        return
    for mistake in mistakes:
        if all(close(g, _quietly(mistake.make, case), rtol, atol) for g, case in zip(got, cases, strict=True)):
            raise Wrong(mistake.message)
    first = agree.index(False)
    g, e = got[first], expected[first]
    if isinstance(e, torch.Tensor) and e.ndim > 0:
        tensor(g, e.shape)
    raise Wrong(otherwise.format(got=_show(g), expected=_show(e)))


def fresh(seed: int | None = None) -> torch.Generator:
    """A generator for the draws of one check: new values each time unless ``seed`` is given."""
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def _open(gap: str) -> NotAttempted:
    return NotAttempted(f"{gap} is still a gap. Replace the ... above, run that cell, then this one.")


def _copy(argument: Any) -> Any:
    """A tensor's clone, so that a function which writes into its argument spoils nothing but its copy."""
    return argument.clone() if isinstance(argument, torch.Tensor) else argument


def _quietly(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        return function(*map(_copy, arguments))
    except Exception:
        return None


def _is_stub(function: Callable[..., Any]) -> bool:
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


def _show(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        if value.numel() > 6:
            return f"a tensor of shape {tuple(value.shape)} with mean {value.double().mean():.4g}"
        return (
            str([float(f"{x:.4g}") for x in value.double().flatten().tolist()]) if value.ndim else f"{float(value):.6g}"
        )
    return f"{value:.6g}" if isinstance(value, float) else str(value)
