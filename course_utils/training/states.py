"""What a checkpoint keeps of one part, for those who do not go on training: a model that writes, its vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from course_utils.errors import DataError, InputError, did_you_mean
from course_utils.training.checkpoints import Checkpoint, _unpack

__all__ = ["saved_state"]


def saved_state(path: str | Path, name: str) -> dict[str, Any]:
    """The state of one part of a training run, out of its checkpoint; nothing else is touched.

    ``model.load_state_dict(saved_state("rnn.safetensors", "model"))`` needs neither the optimiser nor the data, and
    ``Vocabulary(saved_state("rnn.safetensors", "vocabulary")["characters"])`` not even the text.

    Args:
        path: the checkpoint, ``~`` allowed.
        name: what the part was called in ``trained``.

    Returns:
        The state as the part gave it; its tensors are on the CPU.

    Raises:
        InputError: if the checkpoint keeps nothing of that name.
        DataError: if there is no such file, it is damaged, or it is no checkpoint.
    """
    file = Checkpoint(path, {}, None, torch.device("cpu"))
    if not file.path.exists():
        raise DataError(f"There is no checkpoint {file.path}. Train with checkpoint=… first, or give another file.")
    tensors, record = file._read()
    if name not in record["states"]:
        raise InputError(
            f'The checkpoint {file.path} keeps nothing called "{name}". {did_you_mean(name, record["states"])}'
        )
    return _unpack(record["states"][name], tensors)
