"""Exercise 11 as its tests see it: one exercise, whose gaps are tested in two halves."""

from __future__ import annotations

import math
from typing import Any

import gap_cells
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.checks import recurrent

__all__ = ["EXERCISE", "NETWORK", "TEXT", "detached"]

NETWORK: dict[str, tuple[str, ...]] = {
    "rnn-step": ("rnn_step",),
    "streams": ("streams",),
    "window-loss": ("window_loss",),
    "prediction": ("not_shifted", "fresh_starts", "shuffled_windows", "shuffled_rows"),
    "backward-step": ("backward_step",),
    "clip-gradients": ("clip_gradients",),
}
"""The gaps of sections 1 to 5, in order, each with the names that its check is handed."""

TEXT: dict[str, tuple[str, ...]] = {
    "tempered": ("tempered",),
    "top-p-filter": ("top_p_filter",),
    "min-p-filter": ("min_p_filter",),
    "count-contexts": ("count_contexts",),
    "discounted-probability": ("discounted_probability",),
    "perplexity-and-bits": ("perplexity_and_bits",),
    "position-unit": ("position_unit",),
}
"""The gaps of sections 6 to 10."""


def detached(state: Any) -> Any:
    """The helper that the notebook defines above the loss of a window: a state without the graph behind it."""
    if isinstance(state, tuple):
        return tuple(part.detach() for part in state)
    return None if state is None else state.detach()


EXERCISE = gap_cells.Exercise(
    "11_character_rnn",
    recurrent,
    names=NETWORK | TEXT,
    given={
        "math": math,
        "torch": torch,
        "nn": nn,
        "Tensor": Tensor,
        "Callable": Any,
        "State": Any,
        "cross_entropy": cross_entropy,
        "detached": detached,
    },
    slow=("prediction",),
)
