"""Measuring a loss over a data set without disturbing the model or anybody's random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.data.minibatches import batches
from course_utils.errors import InputError
from course_utils.runtime import random_state, restore_random_state
from course_utils.training.history import Means

__all__ = ["Loss", "as_tensors", "as_terms", "evaluate", "measuring", "modes_kept"]

Loss = Callable[..., "Tensor | Mapping[str, Tensor]"]
MEASURING_SEED = 0


def evaluate(model: nn.Module, loss: Loss, data: Any, *, batch_size: int = 128) -> dict[str, float]:
    """The loss over all of ``data``, in ``eval()`` mode and without gradients.

    Random numbers in the loss are the same at each call, and the caller's go on as if nothing had been drawn. A loss
    that itself needs a gradient takes it with ``torch.func``, or under ``torch.enable_grad()``.

    Args:
        model: any module; it is left in the mode it was in.
        loss: called as ``loss(model, *batch)``; returns a scalar, or a dict of scalars with the key ``"loss"``.
        data: a tensor (N, …), several of the same length in a tuple, or a split of the course's data (its images).
        batch_size: samples at a time.

    Returns:
        The terms of the loss, ``"loss"`` among them, each a mean over the samples.

    Raises:
        InputError: if the data is empty or the loss is no scalar.
    """
    device = next((tensor.device for tensor in [*model.parameters(), *model.buffers()]), torch.device("cpu"))
    tensors = tuple(tensor.to(device) for tensor in as_tensors(data))
    means = Means()
    with measuring([model], device):
        for batch in batches(tensors, min(batch_size, len(tensors[0])), shuffle=False):
            terms = as_terms(loss(model, *(column.clone() for column in batch)))  # it may write into its batch
            means.add({name: term.item() for name, term in terms.items()}, len(batch[0]))
    return means.values()


@contextmanager
def measuring(modules: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """``eval()`` mode, no gradients, and random numbers of its own, the same each time."""
    state = random_state(device)
    try:
        with modes_kept(modules), torch.no_grad():
            torch.manual_seed(MEASURING_SEED)
            for module in modules:
                module.eval()
            yield
    finally:
        restore_random_state(state, device)


@contextmanager
def modes_kept(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Put every module back into the mode it is in now, ``train()`` or ``eval()``."""
    modes = [(module, module.training) for model in modules for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def as_terms(output: Tensor | Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a loss returned, as a dict of scalars with the key ``"loss"``.

    Raises:
        InputError: if it is something else, or, while gradients are recorded, if it has none.
    """
    terms = dict(output) if isinstance(output, Mapping) else {"loss": output}
    if "loss" not in terms:
        raise InputError(f'The loss returned a dict with {list(terms)}; the key "loss" names what is minimised.')
    for name, term in terms.items():
        if not isinstance(term, Tensor):
            raise InputError(
                f'The loss returned {type(term).__name__} for "{name}"; return a scalar tensor (is the return missing,'
                " or is there an .item() too many?)."
            )
        if term.ndim > 0:
            raise InputError(
                f'The loss returned a tensor of shape {tuple(term.shape)} for "{name}", not a scalar; sum it over'
                " dimensions and average it over the batch: .flatten(1).sum(1).mean()."
            )
    if torch.is_grad_enabled() and not terms["loss"].requires_grad:
        raise InputError(
            "The loss does not depend on the model's parameters; does it call the model, and is there no .detach(),"
            " .item() or torch.no_grad() on the way?"
        )
    return terms


def as_tensors(data: Any, name: str = "data") -> tuple[Tensor, ...]:
    """A tensor, a tuple of tensors or a split of the course's data as a tuple of tensors of the same length.

    Raises:
        InputError: if it is something else, if it is empty, or if the lengths differ.
    """
    if hasattr(data, "images") and hasattr(data, "labels"):
        data = data.images
    tensors = (data,) if isinstance(data, Tensor) else tuple(data) if isinstance(data, tuple | list) else ()
    if not isinstance(data, Tensor | tuple | list) or not all(isinstance(t, Tensor) and t.ndim for t in tensors):
        raise InputError(
            f"{name} is of type {type(data).__name__}; give a tensor (N, …) or a tuple of tensors"
            " (an array becomes one with torch.from_numpy)."
        )
    lengths = [len(tensor) for tensor in tensors]
    if not lengths or max(lengths) == 0:
        raise InputError(f"{name} is empty; give at least one sample (is a filter or a slice before it too strict?).")
    if len(set(lengths)) > 1:
        raise InputError(f"The tensors in {name} have the lengths {lengths}; they must all hold the same samples.")
    return tensors
