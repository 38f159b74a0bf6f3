"""Checks of the exercise on variational autoencoders, under the names of its gaps."""

from course_utils.checks.variational.divergence import gaussian_kl
from course_utils.checks.variational.experiments import prediction
from course_utils.checks.variational.importance_weighting import importance_weights
from course_utils.checks.variational.manifold import manifold_codes
from course_utils.checks.variational.rates import rate_distortion
from course_utils.checks.variational.sampling_layer import sample_code
from course_utils.checks.variational.training_loss import negative_elbo
from course_utils.checks.variational.unit_activity import active_units

__all__ = [
    "active_units",
    "gaussian_kl",
    "importance_weights",
    "manifold_codes",
    "negative_elbo",
    "prediction",
    "rate_distortion",
    "sample_code",
]
