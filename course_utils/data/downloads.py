"""Downloading a set: asked of the mirrors within seconds, verified, written aside, renamed into place, by one process.

``COURSE_MIRROR`` replaces the mirrors: it is the address under which a lecturer serves ``MNIST/*.gz``,
``FashionMNIST/*.gz`` and ``tinyshakespeare/input.txt``, or a folder laid out like ``COURSE_DATA``, in class
(``python -m http.server`` in such a folder will do).
"""

from __future__ import annotations

import contextlib
import http.client
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import filelock
from tqdm import tqdm

from course_utils.data.catalogue import FileSet
from course_utils.data.files import DamagedError, MissingError, collect, spellings, unwrap
from course_utils.data.folders import cache_folder
from course_utils.errors import InputError

__all__ = ["CACHE", "SESSION", "download", "set_aside"]

CACHE = "the course's cache"
SESSION = "downloaded for this session"
PROBE_SECONDS = 4.0  # within this all mirrors must say that they are there
READ_SECONDS = 10.0  # a download that is silent for this long has failed
LOCK_SECONDS = 300.0  # how long to wait for another process that fetches the same set
_FAILURES = (OSError, http.client.HTTPException, DamagedError)
_session: dict[str, dict[str, bytes]] = {}  # what the cache could not take

Address = tuple[str, int]
"""Where a mirror has a set: what stands before a file's name, and which of its spellings follows."""


def download(data: FileSet) -> tuple[str, dict[str, bytes]] | None:
    """Download a set into the course's cache or, where that cannot be written, into memory for this session.

    Returns:
        The kind of source and the verified contents by the names of the files, or ``None``, after one line that says
        why.

    Raises:
        InputError: if ``COURSE_MIRROR`` is no web address.
    """
    if data.name in _session:
        return SESSION, _session[data.name]
    addresses = _answering(data)
    if not addresses:
        where = "COURSE_MIRROR does not serve it" if os.environ.get("COURSE_MIRROR") else "no mirror answers"
        print(f"{data.title} cannot be downloaded: {where} (offline?).", flush=True)
        return None
    try:
        with _alone(data) as trouble:
            if not trouble:
                with contextlib.suppress(MissingError, DamagedError):  # another process has done it meanwhile
                    return CACHE, collect(data, [cache_folder() / data.folder])
            contents = _get(data, addresses)
            trouble = trouble or _store(data, contents)
    except _FAILURES as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:160]
        print(f"{data.title} could not be downloaded: {reason}", flush=True)
        return None
    if not trouble:
        return CACHE, contents
    print(
        f"The course's cache cannot be written ({trouble}): {data.title} is kept for this session only. "
        f"Mend {cache_folder()}, or let COURSE_CACHE name another folder.",
        flush=True,
    )
    _session[data.name] = contents
    return SESSION, contents


def set_aside(data: FileSet, path: Path) -> bool:
    """Rename a damaged file of the cache, unless another process has mended it meanwhile.

    Returns:
        Whether it was renamed.
    """
    try:
        with _lock(data).acquire(timeout=5):
            try:
                collect(data, [path.parent])
            except DamagedError as damaged:
                if damaged.path == path:
                    os.replace(path, path.with_name(f"{path.name}.damaged"))
                    return True
    except (OSError, MissingError):
        pass
    return False


def _answering(data: FileSet) -> list[Address]:
    """Those addresses that have the first file, asked side by side; a name that does not resolve costs no more."""
    mirrors = data.mirrors
    if base := os.environ.get("COURSE_MIRROR"):
        if not base.startswith(("http://", "https://")):
            raise InputError(f'COURSE_MIRROR is "{base}", which is no web address; one is http://192.168.0.5:8000')
        mirrors = tuple(f"{base.rstrip('/')}/{folder}/" for folder in dict.fromkeys((data.mirror_folder, data.folder)))
    names = spellings(data.files[0].name)
    packed_first = sorted(range(len(names)), key=lambda which: not names[which].endswith(".gz"))
    addresses = [(mirror, which) for mirror in mirrors for which in packed_first]
    answers: set[Address] = set()

    def ask(address: Address) -> None:
        request = urllib.request.Request(address[0] + names[address[1]], method="HEAD")
        with contextlib.suppress(Exception), urllib.request.urlopen(request, timeout=PROBE_SECONDS):
            answers.add(address)

    threads = [threading.Thread(target=ask, args=(address,), daemon=True) for address in addresses]
    for thread in threads:
        thread.start()
    end = time.monotonic() + PROBE_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [address for address in addresses if address in answers]


def _lock(data: FileSet) -> filelock.BaseFileLock:
    return filelock.FileLock(cache_folder() / f".{data.name}.lock")


@contextlib.contextmanager
def _alone(data: FileSet) -> Iterator[str]:
    """Hold the set's lock in the cache, and say why the cache cannot be written; empty if it can.

    Raises:
        TimeoutError: if another process holds the lock for too long.
    """
    lock, trouble = _lock(data), ""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0.2)
        except filelock.Timeout:
            limit = f"{LOCK_SECONDS / 60:.0f} minutes"
            print(f"Another process is fetching {data.title}: waiting for it, at most {limit}.", flush=True)
            lock.acquire(timeout=LOCK_SECONDS)
    except filelock.Timeout:
        raise TimeoutError(
            f"another process has been at it for {limit}; if none is running, delete {lock.lock_file}"
        ) from None
    except (OSError, NotImplementedError) as error:
        trouble = _reason(error)
    try:
        yield trouble
    finally:
        lock.release()


def _get(data: FileSet, addresses: list[Address]) -> dict[str, bytes]:
    """The verified contents of a set, from the first address that has them, with a progress bar on stdout."""
    print(f"Downloading {data.title} ({sum(file.size for file in data.files) / 1e6:,.1f} MB unpacked).", flush=True)
    for number, (mirror, which) in enumerate(addresses, start=1):
        contents = {}
        try:
            for file in data.files:
                name = spellings(file.name)[which]
                contents[file.name] = unwrap(file, Path(name), _read(mirror + name))
            return contents
        except _FAILURES:
            if number == len(addresses):
                raise
    raise AssertionError("there is always an address")


def _read(address: str) -> bytes:
    request = urllib.request.Request(address, headers={"User-Agent": "course_utils"})
    with urllib.request.urlopen(request, timeout=READ_SECONDS) as reply:
        total = int(reply.headers.get("Content-Length") or 0) or None
        with tqdm.wrapattr(reply, "read", total=total, desc=address.rsplit("/")[-1], file=sys.stdout) as stream:
            return b"".join(iter(lambda: stream.read(1 << 16), b""))


def _store(data: FileSet, contents: dict[str, bytes]) -> str:
    """Write a set into the cache, whose lock is held: first aside, then all in place.

    Returns:
        Why it cannot be written; empty if it was.
    """
    folder = cache_folder() / data.folder
    parts = {cache_folder() / f".{data.name}-{name}.part": name for name in contents}
    try:
        for part, name in parts.items():
            with open(part, "wb") as stream:
                stream.write(contents[name])
        folder.mkdir(parents=True, exist_ok=True)
        for part, name in parts.items():
            os.replace(part, folder / name)
    except OSError as error:
        return _reason(error)
    finally:
        with contextlib.suppress(OSError):
            for part in parts:
                part.unlink(missing_ok=True)
    return ""


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
