"""Checks of the exercise on sparse autoencoders."""

from course_utils.checks.sparse.activations import average, divergence
from course_utils.checks.sparse.excitation import best_input
from course_utils.checks.sparse.experiments import prediction
from course_utils.checks.sparse.hand_gradient import gradient
from course_utils.checks.sparse.logarithms import stable
from course_utils.checks.sparse.moving_average import running
from course_utils.checks.sparse.training_loss import loss

__all__ = ["average", "best_input", "divergence", "gradient", "loss", "prediction", "running", "stable"]
