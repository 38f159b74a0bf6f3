"""A check of one gap, and the mistakes that it knows by name.

Known mistakes are functions too: a :class:`Mistake` holds the code somebody writes who makes it, so the check
recognises the mistake by what it computes, and the tests can make it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from IPython.display import display

from course_utils.checks.core.outcomes import NotAttempted, Outcome, Right, is_gap

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


def _open(gap: str) -> NotAttempted:
    return NotAttempted(f"{gap} is still a gap. Replace the ... above, run that cell, then this one.")
