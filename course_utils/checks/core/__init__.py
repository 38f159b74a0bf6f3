"""What every check shares: how it runs, how it compares, what it draws, and mistakes that are known by name."""

from course_utils.checks.core.calls import Answer, by_hand, call, first_line
from course_utils.checks.core.check import Check, Mistake
from course_utils.checks.core.comparison import compare, in_double
from course_utils.checks.core.draws import cloud, fresh, images_and_encoder, integer, normal, uniform
from course_utils.checks.core.outcomes import NotAttempted, Outcome, Right, Wrong, is_gap, kind_of
from course_utils.checks.core.parts import among, compare_loss, differentiated, flat_gradient, one_of_two, upright
from course_utils.checks.core.predictions import between, in_the_first, mistaken, prediction_check
from course_utils.checks.core.values import close, number, tensor
from course_utils.checks.core.waiting import ready

__all__ = [
    "Answer",
    "Check",
    "Mistake",
    "NotAttempted",
    "Outcome",
    "Right",
    "Wrong",
    "among",
    "between",
    "by_hand",
    "call",
    "close",
    "cloud",
    "compare",
    "compare_loss",
    "differentiated",
    "first_line",
    "flat_gradient",
    "fresh",
    "images_and_encoder",
    "in_double",
    "in_the_first",
    "integer",
    "is_gap",
    "kind_of",
    "mistaken",
    "normal",
    "number",
    "one_of_two",
    "prediction_check",
    "ready",
    "tensor",
    "uniform",
    "upright",
]
