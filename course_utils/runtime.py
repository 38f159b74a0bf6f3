"""Where and how a notebook runs: seed, device, threads, profile, all said in one line."""

from __future__ import annotations

import os
import platform
import random
from dataclasses import dataclass
from typing import TypeVar

import matplotlib.style
import numpy as np
import torch

from course_utils.errors import InputError, did_you_mean

__all__ = [
    "PROFILES",
    "Runtime",
    "current",
    "is_strict",
    "mixed_precision",
    "pick",
    "profile",
    "random_state",
    "restore_random_state",
    "seed_everything",
    "setup",
]

PROFILES = ("full", "quick")
T = TypeVar("T")


@dataclass(frozen=True)
class Runtime:
    """What :func:`setup` settled.

    Attributes:
        seed: the seed in force, after ``COURSE_SEED``.
        device: where tensors and models go, ``cuda``, ``mps`` or ``cpu``.
        threads: CPU threads that torch uses.
        profile: ``"full"`` for readers, ``"quick"`` for tests.
        strict: whether a missed claim raises.
    """

    seed: int
    device: torch.device
    threads: int
    profile: str
    strict: bool

    def __str__(self) -> str:
        torch_version = torch.__version__.split("+")[0]
        strict = " · strict" if self.strict else ""
        threads = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        return (
            f"seed {self.seed} · device {self.device} · {threads} · profile {self.profile}{strict}"
            f" · torch {torch_version} · Python {platform.python_version()}"
        )


_current: Runtime | None = None


def profile() -> str:
    """The profile in force: ``COURSE_PROFILE``, ``"full"`` when it is not set.

    Raises:
        InputError: if the variable names no profile.
    """
    name = os.environ.get("COURSE_PROFILE") or "full"
    if name not in PROFILES:
        raise InputError(f'COURSE_PROFILE is "{name}", which is no profile. {did_you_mean(name, PROFILES)}')
    return name


def is_strict() -> bool:
    """Whether ``COURSE_STRICT=1`` asks for a missed claim to raise."""
    return os.environ.get("COURSE_STRICT", "") not in ("", "0")


def pick(*, full: T, quick: T) -> T:
    """The value for the profile in force; the only thing in a notebook that may depend on the profile.

    >>> num_epochs = pick(full=10, quick=1)
    """
    return full if profile() == "full" else quick


def mixed_precision(device: torch.device | str | None = None) -> torch.autocast:
    """A context in which matrices are multiplied in bfloat16 where the device is faster so; elsewhere it does nothing.

    bfloat16 has the range of float32 and about three decimal digits. Weights and losses stay in float32: turn what a
    network returns into it with ``.float()``.

    Args:
        device: of the tensors; that of :func:`setup` unless given.

    Source: Micikevicius et al., *Mixed precision training*, ICLR 2018.
    """
    kind = torch.device(device if device is not None else current().device).type
    if kind == "cpu":
        is_faster = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))  # without it, bfloat16 is slower
    else:
        is_faster = kind == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(kind, torch.bfloat16, enabled=is_faster)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (every device)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """The state of torch's random number generators, on the CPU and on ``device``."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = getattr(torch, device.type).get_rng_state(device)
    return states


def restore_random_state(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Put back what :func:`random_state` returned."""
    torch.set_rng_state(states["cpu"])
    if device.type in states and device.type != "cpu":
        getattr(torch, device.type).set_rng_state(states[device.type], device)


def setup(seed: int = 0) -> Runtime:
    """Seed everything, choose device and threads, set the look of the figures, and say so in one line.

    Environment: ``COURSE_SEED`` replaces ``seed``; ``COURSE_DEVICE`` (``cpu``, ``cuda``, ``mps``) the choice of
    device; ``COURSE_THREADS`` the number of CPU threads; ``COURSE_PROFILE`` is ``full`` or ``quick``;
    ``COURSE_STRICT=1`` makes a missed claim raise.

    Returns:
        The settled :class:`Runtime`, which is also printed.

    Raises:
        InputError: if one of these variables holds something else.
    """
    global _current
    seed = _integer("COURSE_SEED", seed, least=0)
    threads = _integer("COURSE_THREADS", _cores(), least=1)
    _current = Runtime(seed, _device(), threads, profile(), is_strict())
    torch.set_flush_denormal(True)  # gradients of blank pixels sink below 1e-38, where a step takes five times as long
    torch.set_num_threads(threads)  # after the line above: threads take its setting over when they are made
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    matplotlib.style.use("course_utils.course")
    seed_everything(seed)
    print(_current)
    return _current


def current() -> Runtime:
    """The runtime of this session; before :func:`setup` was called, what it would settle, with seed 0."""
    return _current or Runtime(0, _device(), torch.get_num_threads(), profile(), is_strict())


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _device() -> torch.device:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    asked = os.environ.get("COURSE_DEVICE")
    if not asked:
        return torch.device(next(name for name, there in available.items() if there))
    name, _, index = asked.partition(":")
    count = torch.cuda.device_count() if name == "cuda" else 1
    if not available.get(name) or (":" in asked and not (index.isdecimal() and int(index) < count)):
        there = ", ".join(name for name, is_there in available.items() if is_there)
        raise InputError(f'COURSE_DEVICE is "{asked}", which is not available here. Available: {there}.')
    return torch.device(asked)


def _integer(variable: str, default: int, *, least: int) -> int:
    text = os.environ.get(variable)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise InputError(
            f'{variable} is "{text}"; it takes a whole number, {least} or more. Unset it to use {default}.'
        )
    return value
