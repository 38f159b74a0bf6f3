"""A check of one gap, and the mistakes that it knows by name.

Known mistakes are functions too: a :class:`Mistake` holds the code somebody writes who makes it, so the check
recognises the mistake by what it computes, and the tests can make it.
"""

from __future__ import annotations

import logging
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from IPython.display import display

from course_utils.checks.core.calls import first_line
from course_utils.checks.core.outcomes import NotAttempted, Outcome, Right, Wrong, is_gap

__all__ = ["Check", "Mistake"]


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
                raise NotAttempted
            with _undisturbed():
                self.judge(*answers)
        except Outcome as outcome:
            failed = outcome
        except (Exception, SystemExit) as error:  # an answer of a kind that no check has thought of
            failed = Wrong(f"{self.gap}: the check stumbled over it, {type(error).__name__}: {first_line(error)}.")
        if isinstance(failed, NotAttempted):
            raise NotAttempted(f"{self.gap} is still a gap. Replace the ... above, run that cell, then this one.")
        if failed is not None:
            raise failed from None
        display(Right(self.praise))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """What an answer sets, draws or writes to stderr stays without effect; nbgrader takes points for stderr."""
    states, dtype = (random.getstate(), np.random.get_state()), torch.get_default_dtype()
    stderr = [h for h in logging.getLogger().handlers if getattr(h, "stream", None) is sys.stderr]
    before = sys.stderr
    try:
        with (
            warnings.catch_warnings(),
            torch.random.fork_rng(range(torch.cuda.device_count())),
            torch.inference_mode(False),
            torch.enable_grad(),
            redirect_stderr(sys.stdout),
        ):
            warnings.simplefilter("ignore")
            torch.set_default_dtype(torch.float32)
            for handler in stderr:
                handler.setStream(sys.stdout)  # type: ignore[attr-defined]
            yield
    finally:
        for handler in stderr:
            handler.setStream(before)  # type: ignore[attr-defined]
        torch.set_default_dtype(dtype)
        random.setstate(states[0])
        np.random.set_state(states[1])
