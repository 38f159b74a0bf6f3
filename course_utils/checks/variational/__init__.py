"""Checks of exercise 07, Variational autoencoder, under the names of its gaps."""

from course_utils.checks.variational.answers import first

__all__ = ["first"]
