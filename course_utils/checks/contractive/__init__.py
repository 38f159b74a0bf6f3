"""Checks of the exercise on contractive autoencoders."""

from course_utils.checks.contractive.derivatives import jacobian, penalty
from course_utils.checks.contractive.directions import tangents
from course_utils.checks.contractive.experiments import prediction
from course_utils.checks.contractive.random_vectors import hutchinson
from course_utils.checks.contractive.training_loss import loss

__all__ = ["hutchinson", "jacobian", "loss", "penalty", "prediction", "tangents"]
