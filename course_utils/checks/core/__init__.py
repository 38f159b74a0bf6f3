"""What every check shares: how it runs, how it compares, and mistakes that are known by name."""

from course_utils.checks.core.check import (
    Check,
    Mistake,
    NotAttempted,
    Outcome,
    Right,
    Wrong,
    call,
    close,
    compare,
    fresh,
    is_gap,
    kind_of,
    number,
    tensor,
)

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
