"""Checks of the exercise on character RNNs, under the names of its gaps."""

from course_utils.checks.recurrent.backing_off import discounted_probability
from course_utils.checks.recurrent.context_tables import count_contexts
from course_utils.checks.recurrent.line_position import position_unit
from course_utils.checks.recurrent.nucleus import top_p_filter
from course_utils.checks.recurrent.temperatures import tempered
from course_utils.checks.recurrent.truncation import min_p_filter
from course_utils.checks.recurrent.units_of_loss import perplexity_and_bits

__all__ = [
    "count_contexts",
    "discounted_probability",
    "min_p_filter",
    "perplexity_and_bits",
    "position_unit",
    "tempered",
    "top_p_filter",
]
