"""Checks of the exercises, one folder per exercise notebook, named after it, and ``core``, which they share.

``checks.gaussian`` and its siblings are imported when they are first used, so that an exercise depends on its own
checks alone.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from course_utils.checks.core import ready

__all__ = ["ready"]


def _exercises() -> list[str]:
    return sorted(module.name for module in iter_modules(__path__) if module.ispkg and module.name != "core")


def __getattr__(name: str) -> ModuleType:
    if name in (exercises := _exercises()):
        return import_module(f"course_utils.checks.{name}")
    raise AttributeError(f"course_utils.checks has no exercise {name!r}; there are: {', '.join(exercises)}.")


def __dir__() -> list[str]:
    return [*__all__, *_exercises()]
