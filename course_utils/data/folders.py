"""The two folders that data may lie in: the user's own, and the course's cache.

Both variables are made absolute when ``course_utils`` is imported, once, so that they mean one folder in all processes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from course_utils.errors import InputError

__all__ = ["cache_folder", "own_folder"]

_NAME = "deep-unsupervised-course"


def own_folder() -> Path | None:
    """The folder that ``COURSE_DATA`` names, or ``None`` when it is not set.

    Raises:
        InputError: if it names something that is no folder.
    """
    text = os.environ.get("COURSE_DATA")
    if not text:
        return None
    folder = Path(os.path.expanduser(text))
    if not os.path.isdir(folder):  # False, too, where one may not look
        raise InputError(
            f'COURSE_DATA is "{text}", which is no folder. Let it name the folder that holds MNIST/raw, or unset it.'
        )
    return folder


def cache_folder() -> Path:
    """Where the course keeps what it downloads: ``COURSE_CACHE``, or this system's place for caches.

    The folder need not exist yet, and need not be writable.
    """
    if text := os.environ.get("COURSE_CACHE"):
        return Path(os.path.expanduser(text)).absolute()
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / _NAME
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / _NAME
    asked = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (asked if asked.is_absolute() else home / ".cache") / _NAME
