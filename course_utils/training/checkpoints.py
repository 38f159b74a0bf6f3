"""Training runs on disk: stop, come back, and get bit for bit what an uninterrupted run gives.

A checkpoint is one safetensors file: the tensors are the weights, the optimiser's moments and the states of the random
number generators; everything else is JSON in the file's header. One file, written aside and renamed, is either the old
checkpoint or the new one, never half of each.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from course_utils.errors import DataError, InputError
from course_utils.runtime import random_state, restore_random_state
from course_utils.store import checksum
from course_utils.training.history import History

__all__ = ["Checkpoint", "Stateful"]

FORMAT = "course_utils training 2"
RANDOM = "random numbers"
LONGEST = 200


class Stateful(Protocol):
    """What can be kept in a checkpoint: a module, an optimiser, a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """The state, as torch's own objects give it."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Take a state over."""


class Checkpoint:
    """The file that holds one training run, and the objects whose state it keeps.

    Args:
        path: the file, ``~`` allowed; its folder is created when missing.
        trained: what is kept, by name.
        generator: the one that shuffles the data, if any.
        device: where the networks are; its random numbers are kept, too.

    Attributes:
        settings: what must be the same for the run to go on.
        remarks: texts that may have changed when it goes on.
        changes: the names of those that have, after :meth:`load`.
    """

    def __init__(
        self,
        path: str | Path,
        trained: Mapping[str, Stateful],
        generator: torch.Generator | None,
        device: torch.device,
    ) -> None:
        self.path = Path(path).expanduser().absolute()
        self._trained, self._generator, self._device = trained, generator, device
        self.settings: dict[str, Any] = {}
        self.remarks: dict[str, str] = {}
        self.changes: list[str] = []
        self._failed = False

    def save(self, history: History) -> str:
        """Write the state at the end of an epoch, aside and then into place.

        Returns:
            An empty string, or, the first time it cannot be written, why: a full disk does not end a training.
            The former checkpoint is then still there.
        """
        tensors = {f"{RANDOM}/{name}": value for name, value in random_state(self._device).items()}
        if self._generator is not None:
            tensors[f"{RANDOM}/shuffle"] = self._generator.get_state()
        states = {name: _pack(part.state_dict(), name, tensors) for name, part in self._trained.items()}
        tensors = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
        record = {"format": FORMAT, "settings": self.settings, "remarks": self.remarks, "states": states}
        text = json.dumps(record | {"history": history.to_json()}, default=_plain)
        try:
            self._write(save(tensors, {"record": text, "crc32": checksum(text, tensors)}))
        except OSError as error:
            first, self._failed = not self._failed, True
            reason = f"The checkpoint {self.path} could not be written ({error.strerror or error})"
            return f"{reason}; training goes on without it. Free some space, or give another path." if first else ""
        self._failed = False
        return ""

    def load(self, num_epochs: int) -> History | None:
        """Put everything that is kept, and the random numbers, into the saved state.

        Args:
            num_epochs: how many epochs there shall be in the end; the file must not hold more.

        Returns:
            The history so far; None when there is no file.

        Raises:
            DataError: if the file is damaged, or is no checkpoint.
            InputError: if it belongs to another training; nothing has been changed then.
        """
        if not self.path.exists():
            return None
        tensors, record = self._read()
        history = History.from_json(record["history"])
        states = {name: _unpack(state, tensors) for name, state in record["states"].items()}
        self._check_states(states)
        self._check_settings(record["settings"])
        if history.epochs[-1] > num_epochs:
            raise InputError(
                f"The checkpoint {self.path} already holds {history.epochs[-1]} epochs, more than"
                f" num_epochs={num_epochs}. Ask for as many or more, or give another file."
            )
        self._check_parts(states)
        self.changes = [name for name, text in self.remarks.items() if record["remarks"].get(name) != text]
        for name, part in self._trained.items():
            part.load_state_dict(states[name])
        random = {name.partition("/")[2]: value for name, value in tensors.items() if name.startswith(f"{RANDOM}/")}
        if self._generator is not None:
            self._generator.set_state(random["shuffle"])
        restore_random_state(random, self._device)
        return history

    def _write(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            with open(aside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, self.path)
        except BaseException:  # a full disk, but Ctrl-C, too
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The tensors and the record of the file, unless a byte of them has changed."""
        mend = "Delete it and train again, or give another file"
        try:
            with safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
        except (SafetensorError, OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"The checkpoint {self.path} cannot be read ({reason}). {mend}.") from None
        text = header.get("record", "")
        if FORMAT not in text:
            raise DataError(f"{self.path} is no checkpoint of a training run. Give another file.")
        if header.get("crc32") != checksum(text, tensors):
            raise DataError(f"The checkpoint {self.path} is damaged: its checksum does not fit. {mend}.")
        return tensors, json.loads(text)

    def _check_settings(self, saved: dict[str, Any]) -> None:
        for name, mine in json.loads(json.dumps(self.settings, default=_plain)).items():
            if saved.get(name) == mine:
                continue
            told = f"was made with {name} = {saved.get(name)}, and this training has {name} = {mine}"
            if len(told) > LONGEST:
                told = f"was made with another {name}"
            raise InputError(
                f"The checkpoint {self.path} {told}. Use the same, or give another file, or delete this one to start"
                " anew."
            )

    def _check_parts(self, states: dict[str, Any]) -> None:
        """Refuse what belongs to other parts or other optimisers before anything is changed."""
        hint = "Build the same, or give another file, or delete this one to start anew."
        if states.keys() != self._trained.keys():
            there, here = ", ".join(states), ", ".join(self._trained)
            raise InputError(f"The checkpoint {self.path} holds {there}, and this training has {here}. {hint}")
        for name, part in self._trained.items():
            groups = [[len(g["params"]) for g in s.get("param_groups", ())] for s in (states[name], part.state_dict())]
            if groups[0] != groups[1]:
                raise InputError(
                    f"The checkpoint {self.path} has another {name}: groups of {groups[0]} parameters there and of"
                    f" {groups[1]} here. {hint}"
                )

    def _check_states(self, states: dict[str, Any]) -> None:
        """Refuse what belongs to other networks before anything is changed."""
        for name, part in self._trained.items():
            mine, saved = _shapes(part.state_dict(), name), _shapes(states.get(name, {}), name)
            for key in [*mine, *saved] if isinstance(part, nn.Module) else []:
                here, there = mine.get(key, "missing"), saved.get(key, "missing")
                if here != there:
                    key = key.removeprefix("model/")
                    raise InputError(
                        f"The checkpoint {self.path} is of another model: {key} is {there} there and {here} here."
                        " Build the same model, or give another file, or delete this one to start anew."
                    )


def _plain(number: Any) -> Any:
    """A tensor, an array or a NumPy number as Python's own."""
    return number.tolist()


def _pack(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """A state as JSON can hold it: a tensor goes into ``tensors`` and leaves its name, a dict its pairs."""
    if isinstance(value, Tensor):
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"dict": [[key, _pack(part, f"{name}/{key}", tensors)] for key, part in value.items()]}
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_pack(part, f"{name}/{i}", tensors) for i, part in enumerate(value)]}
    return value.item() if isinstance(value, np.generic) else value


def _unpack(packed: Any, tensors: dict[str, Tensor]) -> Any:
    """What :func:`_pack` was given."""
    if not isinstance(packed, dict):
        return packed
    (kind, content), *_ = packed.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _unpack(part, tensors) for key, part in content}
    parts = [_unpack(part, tensors) for part in content]
    return tuple(parts) if kind == "tuple" else parts


def _shapes(state: Mapping[str, Any], name: str) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors of a state."""
    tensors: dict[str, Tensor] = {}
    _pack(state, name, tensors)
    return {key: tuple(tensor.shape) for key, tensor in tensors.items()}
