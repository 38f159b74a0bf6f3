"""Trained models, kept in the course's cache, so that later lectures, exercises and explorers need not train again.

A model is one safetensors file: its state dict, with a record in JSON of what made it. It is found again by a key of
its settings, of the version that the caller gives to its code, and of torch's version; change one of them and the model
is trained anew. The folder is ``models`` in :func:`course_utils.data.cache_folder`; it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import filelock
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor, nn

import course_utils
from course_utils.data.folders import cache_folder
from course_utils.errors import DataError, InputError

__all__ = ["checksum", "load", "path_of", "save", "trained"]

LOCK_SECONDS = 600.0
Record = dict[str, Any]
Model = TypeVar("Model", bound=nn.Module)


def trained(
    name: str,
    build: Callable[[], Model],
    train: Callable[[Model], Mapping[str, Any] | None],
    *,
    settings: Mapping[str, Any],
    version: int = 1,
    seed: int = 0,
) -> tuple[Model, Record]:
    """The kept model of these settings; where there is none, it is built, trained and kept.

    Processes that ask for the same model wait for the first. Everything happens under a random state of its own, so
    that what a notebook draws afterwards does not depend on whether the model was kept. A damaged file is said in a
    line and replaced; where the cache cannot be written, the model is trained each time.

    Args:
        name: what the file is called, letters, digits and hyphens: ``"vae-mnist"``.
        build: makes the model, untrained, on its device.
        train: trains it in place, and returns what is worth keeping beside it (numbers, texts, lists), or ``None``.
        settings: everything that the weights depend on, as JSON: data, sizes, epochs, rates, profile.
        version: of the code of ``build`` and ``train``; raise it when they change.
        seed: of torch's random state while the model is built and trained.

    Returns:
        The model, and its record: ``name``, ``settings``, ``version``, ``seed``, ``made_under`` (versions),
        ``seconds`` of training, and ``results``, what ``train`` returned.

    Raises:
        InputError: if the name or the settings cannot be written down.
    """
    asked = {**settings, "seed": seed}
    path = path_of(name, asked, version)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model = build()
        with _alone(path) as trouble:
            try:
                if record := load(name, model, settings=asked, version=version):
                    return model, record
            except DataError as error:
                print(f"{error} It is trained anew.", flush=True)
            start = time.perf_counter()
            results = train(model)
            seconds = time.perf_counter() - start
            record = _record(name, asked, version, results, seconds)
            try:
                _write(path, model, record)
            except OSError as error:
                reason = trouble or error.strerror or type(error).__name__
                print(f"The model {name} could not be kept in {path.parent}: {reason}.", flush=True)
            return model, record


def save(
    name: str,
    model: nn.Module,
    *,
    settings: Mapping[str, Any],
    version: int = 1,
    results: Mapping[str, Any] | None = None,
) -> Path:
    """Keep a model that was trained elsewhere, whole or not at all; see :func:`trained` for the arguments.

    Returns:
        The file.

    Raises:
        InputError: if the name, the settings or the results cannot be written down.
        DataError: if the cache cannot be written.
    """
    path = path_of(name, settings, version)
    try:
        _write(path, model, _record(name, settings, version, results, None))
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); let COURSE_CACHE name another folder.") from None
    return path


def load(name: str, model: nn.Module, *, settings: Mapping[str, Any], version: int = 1) -> Record | None:
    """Fill a model with the kept weights; see :func:`trained` for the arguments.

    Returns:
        The record, or ``None`` where no such model is kept, and the model is as it was.

    Raises:
        InputError: if the name or the settings cannot be written down.
        DataError: if the file is damaged, or of another model; the model is as it was.
    """
    path = path_of(name, settings, version)
    if not path.is_file():
        return None
    tensors, record = _read(path)
    mine = model.state_dict()
    for key in [*mine, *tensors]:
        here, kept = (tuple(state[key].shape) if key in state else "missing" for state in (mine, tensors))
        if here != kept:
            raise DataError(f"The kept model {path} is another one: {key} is {kept} there and {here} here.")
    model.load_state_dict(tensors)
    return record


def path_of(name: str, settings: Mapping[str, Any], version: int = 1) -> Path:
    """The file of a model, which need not exist.

    Raises:
        InputError: if the name or the settings cannot be written down.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise InputError(f'"{name}" is no name for a file; take small letters, digits and hyphens: "vae-mnist".')
    asked = _json({"settings": dict(settings), "version": version, "torch": _torch_version()})
    return cache_folder() / "models" / f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}.safetensors"


def _record(
    name: str, settings: Mapping[str, Any], version: int, results: Mapping[str, Any] | None, seconds: float | None
) -> Record:
    made_under = {"torch": _torch_version(), "course_utils": course_utils.__version__}
    record = {
        "name": name,
        "settings": dict(settings),
        "version": version,
        "made_under": {**made_under, "python": platform.python_version()},
        "seconds": seconds,
        "results": dict(results or {}),
    }
    return json.loads(_json(record))


def _torch_version() -> str:
    return torch.__version__.split("+")[0]


def _json(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Settings and results of a model are kept as JSON, numbers, texts and lists: {error}."
        ) from None


def _write(path: Path, model: nn.Module, record: Record) -> None:
    """One file, which nobody sees before it is whole."""
    tensors = {key: tensor.detach().cpu().clone().contiguous() for key, tensor in model.state_dict().items()}
    text = _json(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as part:
        try:
            part.write(serialise(tensors, {"record": text, "crc32": checksum(text, tensors)}))
            part.close()
            os.replace(part.name, path)
        finally:
            Path(part.name).unlink(missing_ok=True)


def _read(path: Path) -> tuple[dict[str, Tensor], Record]:
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no mapping)
    except (SafetensorError, OSError) as error:
        raise DataError(f"The kept model {path} cannot be read ({error}).") from None
    text = header.get("record", "")
    if header.get("crc32") != checksum(text, tensors):
        raise DataError(f"The kept model {path} is damaged: its checksum does not fit.")
    return tensors, json.loads(text)


def checksum(text: str, tensors: dict[str, Tensor]) -> str:
    """CRC-32 of the record and of every tensor's bytes: safetensors itself would not notice a changed byte."""
    crc = zlib.crc32(text.encode())
    for name in sorted(tensors):
        content = tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data
        crc = zlib.crc32(content, zlib.crc32(name.encode(), crc))
    return f"{crc:08x}"


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[str]:
    """Hold the model's lock, and say why it cannot be had; the lock saves work alone, for files are replaced whole."""
    lock, trouble = filelock.FileLock(path.with_name(f".{path.stem}.lock")), ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0.2)
        except filelock.Timeout:
            print(f"Another process is training {path.stem}: waiting for it.", flush=True)
            lock.acquire(timeout=LOCK_SECONDS)
    except filelock.Timeout:
        trouble = "another process holds its lock"
    except (OSError, NotImplementedError) as error:
        trouble = getattr(error, "strerror", None) or type(error).__name__
    try:
        yield trouble
    finally:
        lock.release()
