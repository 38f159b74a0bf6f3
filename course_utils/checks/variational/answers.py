"""The check of …, part of exercise 07."""

from __future__ import annotations

from course_utils.checks.core import Answer, Check, Mistake, compare, fresh, normal

__all__ = ["first"]

_MISTAKES: tuple[Mistake, ...] = ()  # at least two, each with what to say, and the code that makes it


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [(normal(n, generator=generator),) for n in (2, 3, 5)]
    compare(answer, lambda x: x.mean(), draws, _MISTAKES)


first = Check("first", _judge, "…", _MISTAKES)
