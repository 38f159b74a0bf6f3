"""Checks of the exercises, one module per exercise notebook, named after it.

``checks.gaussian`` and its siblings are imported when they are first used, so that an exercise depends on its own
checks alone.
"""

from importlib import import_module
from types import ModuleType

from course_utils.checks.core.waiting import ready

EXERCISES = ("gaussian", "linear_autoencoder", "deep_autoencoder", "denoising", "sparse", "contractive")

__all__ = ["EXERCISES", "ready"]


def __getattr__(name: str) -> ModuleType:
    if name in EXERCISES:
        return import_module(f"course_utils.checks.{name}")
    raise AttributeError(f"course_utils.checks has no module {name!r}; there are: {', '.join(EXERCISES)}.")


def __dir__() -> list[str]:
    return [*__all__, *EXERCISES]
