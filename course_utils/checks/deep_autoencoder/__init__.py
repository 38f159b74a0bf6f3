"""Checks of the exercise on deep autoencoders."""

from course_utils.checks.deep_autoencoder.code_space import codes
from course_utils.checks.deep_autoencoder.dense_layers import deep
from course_utils.checks.deep_autoencoder.feature_maps import convolution
from course_utils.checks.deep_autoencoder.foreign_inputs import prediction
from course_utils.checks.deep_autoencoder.moved_images import blur
from course_utils.checks.deep_autoencoder.several_gaussians import mixture

__all__ = ["blur", "codes", "convolution", "deep", "mixture", "prediction"]
