"""Explorers for readers with a running kernel; each has a static twin that everybody sees.

An explorer displays sliders and redraws one figure; its twin (``…_snapshots``) returns a figure of a few settings.
Both draw with the same function, so what the sliders show is what the page shows.

The module ``walk`` holds ``walk_explorer`` and ``walk_snapshots``, and so for every other: they are found by looking,
and loaded when they are asked for.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

_KINDS = ("explorer", "snapshots")
_SHARED = "explore"


def __dir__() -> list[str]:
    """Two names for each module but the shared one."""
    modules = [module.name for module in iter_modules(__path__) if module.name != _SHARED]
    return sorted(f"{module}_{kind}" for module in modules for kind in _KINDS)


def __getattr__(name: str) -> Any:
    """``walk_explorer`` out of the module ``walk``."""
    if name not in __dir__():
        raise AttributeError(f"There is no widget {name!r}; there are {', '.join(__dir__())}.")
    return getattr(import_module(f"{__name__}.{name.rpartition('_')[0]}"), name)
