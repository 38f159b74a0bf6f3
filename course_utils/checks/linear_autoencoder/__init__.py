"""Checks of the exercise on the linear autoencoder and PCA."""

from course_utils.checks.linear_autoencoder.angles import principal_angles
from course_utils.checks.linear_autoencoder.experiments import prediction
from course_utils.checks.linear_autoencoder.hand_gradient import gradient
from course_utils.checks.linear_autoencoder.pca import projection, variance
from course_utils.checks.linear_autoencoder.probabilistic import density
from course_utils.checks.linear_autoencoder.tied_weights import tied

__all__ = ["density", "gradient", "prediction", "principal_angles", "projection", "tied", "variance"]
