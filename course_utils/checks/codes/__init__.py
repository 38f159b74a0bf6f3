"""Checks of the exercise on what codes are good for: clusters, few labels and alarms, under the names of its gaps."""

from course_utils.checks.codes.alarm_levels import alarm
from course_utils.checks.codes.assignments import nearest_centre
from course_utils.checks.codes.cluster_means import moved_centres
from course_utils.checks.codes.feature_scales import standardised
from course_utils.checks.codes.few_labels import kernel_ridge
from course_utils.checks.codes.freezing import layer_rates
from course_utils.checks.codes.matched_clusters import matched_accuracy
from course_utils.checks.codes.predicted_uses import prediction
from course_utils.checks.codes.shifted_images import shifted_pair
from course_utils.checks.codes.spread_starts import start_chances

__all__ = [
    "alarm",
    "kernel_ridge",
    "layer_rates",
    "matched_accuracy",
    "moved_centres",
    "nearest_centre",
    "prediction",
    "shifted_pair",
    "standardised",
    "start_chances",
]
