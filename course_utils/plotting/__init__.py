"""Figures that take and return ``Axes``, in one look, each shown with a text for those who cannot see it."""

from course_utils.plotting.classes import number_points, show_classes
from course_utils.plotting.figures import show
from course_utils.plotting.frames import LiveImages
from course_utils.plotting.images import show_image, show_images
from course_utils.plotting.palettes import CLASS_COLOURS, COLOURS
from course_utils.plotting.texts import show_text, visible

__all__ = [
    "CLASS_COLOURS",
    "COLOURS",
    "LiveImages",
    "number_points",
    "show",
    "show_classes",
    "show_image",
    "show_images",
    "show_text",
    "visible",
]
