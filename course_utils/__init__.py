"""Helpers of the course *Deep unsupervised learning*: data, training loops, figures, claims and checks.

The models and the mathematics stand in the notebooks; this package holds what would distract from them.
"""

__version__ = "1.0.0"

__all__ = ["__version__"]
