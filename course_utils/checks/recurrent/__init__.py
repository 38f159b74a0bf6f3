"""Checks of the exercise on recurrent networks and the texts they write, under the names of its gaps."""

from course_utils.checks.recurrent.backing_off import discounted_probability
from course_utils.checks.recurrent.carried_state import prediction
from course_utils.checks.recurrent.cell import rnn_step
from course_utils.checks.recurrent.context_tables import count_contexts
from course_utils.checks.recurrent.gradient_norms import clip_gradients
from course_utils.checks.recurrent.line_position import position_unit
from course_utils.checks.recurrent.nucleus import top_p_filter
from course_utils.checks.recurrent.side_by_side import streams
from course_utils.checks.recurrent.temperatures import tempered
from course_utils.checks.recurrent.through_time import backward_step
from course_utils.checks.recurrent.training_windows import window_loss
from course_utils.checks.recurrent.truncation import min_p_filter
from course_utils.checks.recurrent.units_of_loss import perplexity_and_bits

__all__ = [
    "backward_step",
    "clip_gradients",
    "count_contexts",
    "discounted_probability",
    "min_p_filter",
    "perplexity_and_bits",
    "position_unit",
    "prediction",
    "rnn_step",
    "streams",
    "tempered",
    "top_p_filter",
    "window_loss",
]
