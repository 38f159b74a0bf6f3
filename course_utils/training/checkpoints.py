"""Training runs on disk: stop, come back, and get bit for bit what an uninterrupted run gives.

A checkpoint is one safetensors file: the tensors are the weights, the optimiser's moments and the states of the random
number generators; everything else is JSON in the file's header. One file, written aside and renamed, is either the old
checkpoint or the new one, never half of each.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from course_utils.errors import DataError, InputError
from course_utils.training.history import History

__all__ = ["Checkpoint", "checksum", "random_state", "restore_random_state"]

FORMAT = "course_utils training 1"


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The state of torch's random number generators, on the CPU and on ``device``."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = getattr(torch, device.type).get_rng_state(device)
    return states


def restore_random_state(states: dict[str, Tensor], device: torch.device) -> None:
    """Put back what :func:`random_state` returned."""
    torch.set_rng_state(states["cpu"])
    if device.type in states and device.type != "cpu":
        getattr(torch, device.type).set_rng_state(states[device.type], device)


class Checkpoint:
    """The file that holds one training run, and the objects whose state it keeps.

    Args:
        path: the file; its folder is created when missing.
        model: its parameters and buffers are kept.
        optimizer: its moments and settings are kept.
        scheduler: its state is kept, if there is one.
        generator: the one that shuffles the data.
        device: where the model is; its random numbers are kept, too.
        settings: what must be the same for the run to go on, as JSON can hold it.
    """

    def __init__(
        self,
        path: str | Path,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler: LRScheduler | None,
        generator: torch.Generator,
        device: torch.device,
        settings: dict[str, Any],
    ) -> None:
        self.path = Path(path)
        self._model, self._optimizer, self._scheduler = model, optimizer, scheduler
        self._generator, self._device, self._settings = generator, device, settings
        self._failed = False

    def save(self, history: History) -> str:
        """Write the state at the end of an epoch, aside and then into place.

        Returns:
            An empty string, or, the first time it cannot be written, why: a full disk does not end a training.
            The former checkpoint is then still there.
        """
        tensors = {f"model/{name}": value for name, value in self._model.state_dict().items()}
        tensors |= {f"random/{name}": value for name, value in random_state(self._device).items()}
        tensors["random/shuffle"] = self._generator.get_state()
        optimizer = self._optimizer.state_dict()
        numbers: dict[str, dict[str, Any]] = {}
        for index, state in optimizer["state"].items():
            for name, value in state.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer/{index}/{name}"] = value
                else:
                    numbers.setdefault(str(index), {})[name] = value
        tensors = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
        record = {
            "format": FORMAT,
            "settings": self._settings,
            "history": history.to_json(),
            "optimizer": {"state": numbers, "param_groups": optimizer["param_groups"]},
            "scheduler": self._scheduler.state_dict() if self._scheduler else None,
        }
        text = json.dumps(record, default=float)
        try:
            self._write(save(tensors, {"record": text, "crc32": checksum(text, tensors)}))
        except OSError as error:
            first, self._failed = not self._failed, True
            reason = f"The checkpoint {self.path} could not be written ({error.strerror or error})"
            return f"{reason}; training goes on without it. Free some space, or give another path." if first else ""
        self._failed = False
        return ""

    def load(self, num_epochs: int) -> History | None:
        """Put model, optimiser, schedule and random numbers into the saved state.

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
        self._check_settings(record["settings"])
        if history.epochs[-1] > num_epochs:
            raise InputError(
                f"The checkpoint {self.path} already holds {history.epochs[-1]} epochs, more than"
                f" num_epochs={num_epochs}. Ask for as many or more, or give another file."
            )
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}, "random": {}}
        for name, value in tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = value
        self._check_weights(parts["model"])
        self._model.load_state_dict(parts["model"])
        state: dict[int, dict[str, Any]] = {int(i): values for i, values in record["optimizer"]["state"].items()}
        for name, value in parts["optimizer"].items():
            index, _, key = name.partition("/")
            state.setdefault(int(index), {})[key] = value
        groups = [
            {k: tuple(v) if k == "betas" else v for k, v in g.items()} for g in record["optimizer"]["param_groups"]
        ]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        if self._scheduler is not None:
            self._scheduler.load_state_dict(record["scheduler"])
        self._generator.set_state(parts["random"].pop("shuffle"))
        restore_random_state(parts["random"], self._device)
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
        for name, mine in json.loads(json.dumps(self._settings)).items():
            if saved.get(name) != mine:
                raise InputError(
                    f"The checkpoint {self.path} was made with {name} = {saved.get(name)}, and this training has"
                    f" {name} = {mine}. Use the same, or give another file, or delete this one to start anew."
                )

    def _check_weights(self, saved: dict[str, Tensor]) -> None:
        mine = self._model.state_dict()
        for name in [*mine, *saved]:
            here, there = (tuple(w[name].shape) if name in w else "missing" for w in (mine, saved))
            if here != there:
                raise InputError(
                    f"The checkpoint {self.path} is of another model: {name} is {there} there and {here} here."
                    " Build the same model, or give another file, or delete this one to start anew."
                )


def checksum(text: str, tensors: dict[str, Tensor]) -> str:
    """CRC-32 of the record and of every tensor's bytes: safetensors itself would not notice a changed byte."""
    crc = zlib.crc32(text.encode())
    for name in sorted(tensors):
        content = tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data
        crc = zlib.crc32(content, zlib.crc32(name.encode(), crc))
    return f"{crc:08x}"
