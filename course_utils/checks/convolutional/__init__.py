"""Checks of the exercise on DCGANs, under the names of its gaps."""

from course_utils.checks.convolutional.directions import code_direction
from course_utils.checks.convolutional.patches import transposed_conv
from course_utils.checks.convolutional.shapes import generator_32
from course_utils.checks.convolutional.sides import sizes
from course_utils.checks.convolutional.turns import slerp

__all__ = ["code_direction", "generator_32", "sizes", "slerp", "transposed_conv"]
