"""Checks of the exercise on conditional GANs, under the names of its gaps."""

from course_utils.checks.conditional.agreements import agreement
from course_utils.checks.conditional.class_correlations import class_correlation
from course_utils.checks.conditional.class_norm import conditional_norm
from course_utils.checks.conditional.label_sets import balanced_labels
from course_utils.checks.conditional.predicted_wirings import prediction
from course_utils.checks.conditional.projection import projection_logits
from course_utils.checks.conditional.side_labels import label_inputs
from course_utils.checks.conditional.style_grids import style_grid

__all__ = [
    "agreement",
    "balanced_labels",
    "class_correlation",
    "conditional_norm",
    "label_inputs",
    "prediction",
    "projection_logits",
    "style_grid",
]
