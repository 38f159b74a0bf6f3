"""Checks of the exercise on recurrent networks, under the names of its gaps."""

from course_utils.checks.recurrent.carried_state import prediction
from course_utils.checks.recurrent.cell import rnn_step
from course_utils.checks.recurrent.gradient_norms import clip_gradients
from course_utils.checks.recurrent.side_by_side import streams
from course_utils.checks.recurrent.through_time import backward_step
from course_utils.checks.recurrent.training_windows import window_loss

__all__ = [
    "backward_step",
    "clip_gradients",
    "prediction",
    "rnn_step",
    "streams",
    "window_loss",
]
