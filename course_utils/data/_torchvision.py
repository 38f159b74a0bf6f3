"""The one place that knows how to import torchvision.

PyPI's torchvision carries operators compiled for CUDA. Beside a CPU build of torch that library cannot be loaded, and
``import torchvision`` stops at "operator torchvision::nms does not exist", although the course needs only what is
written in Python: datasets, transforms, utils. torchvision attaches shape functions to two operators (``nms`` and
``qnms``) on import; it is enough that their schemas are declared, and calling them still fails with torchvision's own
message.

:func:`load` tries the plain import first and declares the operators only when torchvision itself has found that its
compiled library cannot be loaded. After it has run once, ``import torchvision`` works everywhere in the process.
Versions of torch and torchvision that do not belong together are told before anything is tried.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
from types import ModuleType

import torch

from course_utils.errors import CourseError

__all__ = ["PAIR", "check_pair", "load"]

PAIR = {"torch": "2.13.0", "torchvision": "0.28.0"}
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")


def check_pair() -> None:
    """Hold the installed torch against the one that the installed torchvision was built for.

    Raises:
        CourseError: if torchvision is missing or belongs to another torch; the message names the right pair.
    """
    right = " ".join(f"{name}=={version}" for name, version in PAIR.items())
    try:
        there = importlib.metadata.version("torchvision")
        needs = importlib.metadata.requires("torchvision") or []
    except importlib.metadata.PackageNotFoundError:
        raise CourseError(f"torchvision is not installed. Mend it with: pip install {right}") from None
    built_for = next((match[1] for text in needs if (match := re.match(r"torch *\(?== *([\w.]+)", text))), None)
    installed = torch.__version__.split("+")[0]
    if built_for is not None and built_for != installed:
        raise CourseError(
            f"torchvision {there} belongs to torch {built_for}, and torch {installed} is installed. "
            f"The course runs on torch {PAIR['torch']} with torchvision {PAIR['torchvision']}: pip install {right}"
        )


def load() -> ModuleType:
    """Import torchvision, beside a CPU torch too.

    Returns:
        The module; from now on ``import torchvision`` works in this process.

    Raises:
        CourseError: if torch and torchvision do not belong together, see :func:`check_pair`.
    """
    if "torchvision" in sys.modules:
        return sys.modules["torchvision"]
    check_pair()
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _has_compiled_library():
            raise
    for operator in _OPERATORS:
        torch.library.define(f"torchvision::{operator}", _SCHEMA)
    return importlib.import_module("torchvision")


def _has_compiled_library() -> bool:
    """What torchvision's own attempt came to; this part of it is imported before the one that fails."""
    extension = sys.modules.get("torchvision.extension")
    return extension is None or bool(extension._has_ops())
