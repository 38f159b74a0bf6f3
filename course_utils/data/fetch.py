"""Fetching a set: asked of the mirrors within seconds, verified, written aside, renamed into place, by one process.

Images come through torchvision's own loader and mirrors, text by its address. ``COURSE_MIRROR`` replaces the mirrors:
it is the address under which a lecturer serves ``MNIST/*.gz``, ``FashionMNIST/*.gz`` and ``tinyshakespeare/input.txt``
in class (``python -m http.server`` in a folder laid out so will do).
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import filelock

from course_utils.data import _torchvision
from course_utils.data.catalogue import DataSet
from course_utils.data.files import DamagedError, MissingError, collect
from course_utils.data.folders import cache_folder, session_folder
from course_utils.errors import InputError

__all__ = ["fetch", "set_aside"]

PROBE_SECONDS = 4.0  # within this all mirrors must say that they are there
READ_SECONDS = 10.0  # a download that is silent for this long has failed
LOCK_SECONDS = 300.0  # how long to wait for another process that fetches the same set
_UNWRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EIO, errno.ENOSPC, errno.EDQUOT}
_FAILURES = (OSError, RuntimeError, EOFError, AssertionError, http.client.HTTPException, DamagedError, MissingError)


class _CannotWriteError(Exception):
    """A folder that should take the download does not; the message says why."""


def fetch(data: DataSet) -> Path | None:
    """Download a set into the course's cache or, where that cannot be written, into a folder for this session.

    Returns:
        The data folder that now holds the set, or ``None``, after one line that says why.

    Raises:
        InputError: if ``COURSE_MIRROR`` is no web address.
    """
    mirrors = _answering(_mirrors(data), data)
    if not mirrors:
        where = "COURSE_MIRROR does not serve it" if os.environ.get("COURSE_MIRROR") else "no mirror answers"
        print(f"{data.title} cannot be downloaded: {where} (offline?).", flush=True)
        return None
    try:
        return _fetch_into(cache_folder(), data, mirrors)
    except _CannotWriteError as error:
        print(
            f"The course's cache cannot be written ({error}): {data.title} is kept for this session only. "
            f"Mend {cache_folder()}, or let COURSE_CACHE name another folder.",
            flush=True,
        )
    except _FAILURES as error:
        _say_failed(data, error)
        return None
    try:
        folder = session_folder(create=True)
        return _fetch_into(folder, data, mirrors) if folder else None
    except (_CannotWriteError, *_FAILURES) as error:
        _say_failed(data, error)
        return None


def set_aside(data: DataSet, path: Path) -> bool:
    """Rename a damaged file of the cache, unless another process has mended it meanwhile.

    Returns:
        Whether it was renamed.
    """
    try:
        with _lock(cache_folder(), data).acquire(timeout=5):
            if next(file for file in data.files if path.name.startswith(file.name)).problem(path):
                os.replace(path, path.with_name(f"{path.name}.damaged"))
                return True
    except OSError:
        pass
    return False


def _say_failed(data: DataSet, error: BaseException) -> None:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:160]
    print(f"{data.title} could not be downloaded: {reason}", flush=True)


def _mirrors(data: DataSet) -> list[str]:
    """Those of the set, or the one that ``COURSE_MIRROR`` puts in their place."""
    if base := os.environ.get("COURSE_MIRROR"):
        if not base.startswith(("http://", "https://")):
            raise InputError(f'COURSE_MIRROR is "{base}", which is no web address; one is http://192.168.0.5:8000')
        return [f"{base.rstrip('/')}/{data.mirror_folder}/"]
    return list(data.mirrors)


def _packed(data: DataSet) -> list[str]:
    return [f"{file.name}.gz" if data.loader else file.name for file in data.files]


def _answering(mirrors: list[str], data: DataSet) -> list[str]:
    """Those mirrors that have the first file, asked side by side; a name that does not resolve costs no more."""
    there: set[str] = set()

    def ask(mirror: str) -> None:
        request = urllib.request.Request(mirror + _packed(data)[0], method="HEAD")
        with contextlib.suppress(Exception), urllib.request.urlopen(request, timeout=PROBE_SECONDS):
            there.add(mirror)

    threads = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in mirrors]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PROBE_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [mirror for mirror in mirrors if mirror in there]


def _lock(root: Path, data: DataSet) -> filelock.BaseFileLock:
    return filelock.FileLock(root / f".{data.name}.lock")


@contextlib.contextmanager
def _alone(root: Path, data: DataSet) -> Iterator[None]:
    """Hold the set's lock in ``root``."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = _lock(root, data)
        try:
            lock.acquire(timeout=0.2)
        except filelock.Timeout:
            limit = f"{LOCK_SECONDS / 60:.0f} minutes"
            print(f"Another process is fetching {data.title}: waiting for it, at most {limit}.", flush=True)
            lock.acquire(timeout=LOCK_SECONDS)
    except filelock.Timeout:
        raise RuntimeError(
            f"another process has been at it for {limit}; if none is running, delete {lock.lock_file}"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise _CannotWriteError(_reason(error)) from None
    try:
        yield
    finally:
        lock.release()


def _fetch_into(root: Path, data: DataSet, mirrors: list[str]) -> Path:
    """Download into ``root``, unless another process has done so while this one waited."""
    with _alone(root, data):
        with contextlib.suppress(MissingError, DamagedError):
            collect(data, root / data.folder, _no_scratch)
            return root
        prefix = f".fetching-{data.name}-"
        for left_over in root.glob(f"{prefix}*"):
            shutil.rmtree(left_over, ignore_errors=True)
        aside = None
        try:
            aside = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
            _download(data, mirrors, aside)
            good = collect(data, aside / data.folder, _no_scratch)
            (root / data.folder).mkdir(parents=True, exist_ok=True)
            for name, path in good.items():
                os.replace(path, root / data.folder / name)
        except OSError as error:
            if error.errno in _UNWRITABLE and not isinstance(error, urllib.error.URLError):
                raise _CannotWriteError(_reason(error)) from None
            raise
        finally:
            if aside is not None:
                shutil.rmtree(aside, ignore_errors=True)
    return root


def _download(data: DataSet, mirrors: list[str], root: Path) -> None:
    """Let torchvision download into ``root``, with a time limit on silence, and its progress bar on stdout."""
    torchvision = _torchvision.load()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(READ_SECONDS)
    print(f"Downloading {data.title} ({sum(file.size for file in data.files) / 1e6:,.1f} MB unpacked).", flush=True)
    try:
        with contextlib.redirect_stderr(sys.stdout):
            if data.loader:
                base = getattr(torchvision.datasets, data.loader)
                names = _packed(data)
                sums = data.packed_sums or [dict(base.resources)[name] for name in names]
                resources = list(zip(names, sums, strict=True))
                loader = type(data.loader, (base,), {"mirrors": mirrors, "resources": resources})
                loader(root, train=False, download=True)
            else:
                for file in data.files:
                    torchvision.datasets.utils.download_url(mirrors[0] + file.name, root / data.folder, file.name)
    finally:
        socket.setdefaulttimeout(before)


def _no_scratch() -> Path:
    raise MissingError("the cache holds unpacked files only")


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
