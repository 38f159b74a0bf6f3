"""Checks of the exercise on deep autoencoders."""

from course_utils.checks.deep_autoencoder.anomaly_scores import anomaly
from course_utils.checks.deep_autoencoder.code_space import codes
from course_utils.checks.deep_autoencoder.dense_layers import deep
from course_utils.checks.deep_autoencoder.feature_maps import convolution
from course_utils.checks.deep_autoencoder.foreign_inputs import prediction
from course_utils.checks.deep_autoencoder.linear_probe import probing

__all__ = ["anomaly", "codes", "convolution", "deep", "prediction", "probing"]
