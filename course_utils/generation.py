"""Reading and writing with a model of characters: the losses of a text, and texts whose samples are fed back.

A model is called as ``logits, state = model(tokens, state)``, with tokens (N, T) and logits (N, T, V); the state is
``None`` at the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.data import Vocabulary
from course_utils.errors import InputError
from course_utils.training.evaluation import modes_kept

__all__ = ["next_probs", "text_losses", "write", "write_many"]

Model = Callable[[Tensor, Any], tuple[Tensor, Any]]

AT_A_TIME = 500
"""Characters of each stream that :func:`text_losses` reads in one call of the model: the memory it takes."""


def text_losses(model: Model, tokens: Tensor, num_streams: int = 1) -> Tensor:
    """The loss of each character but the first, given those before it; the state is carried all along.

    Args:
        model: see the module; a ``torch.nn.Module`` reads in ``eval()`` mode and is left in the mode it was in.
        tokens: shape (T,), integers.
        num_streams: read in this many places side by side, which is faster; each stream but the first then begins
            without its past, and up to ``num_streams`` − 1 characters at the end are left out.

    Returns:
        −log p in nats, float32 on the CPU, shape (num_streams · ⌊(T − 1) / num_streams⌋,), in the order of the text.

    Raises:
        InputError: if there are fewer than ``num_streams`` + 1 characters, or ``num_streams`` is less than 1.
    """
    if num_streams < 1 or len(tokens) <= num_streams:
        raise InputError(
            f"{len(tokens)} characters in {num_streams} streams; there must be one stream or more, and at least one "
            "character more than streams."
        )
    length = (len(tokens) - 1) // num_streams
    streams = tokens[: num_streams * length + 1].unfold(0, length + 1, length)  # (num_streams, length + 1)
    modules = [model] if isinstance(model, nn.Module) else []
    device = _device_of(modules)
    losses: list[Tensor] = []
    state = None
    with modes_kept(modules), torch.no_grad():
        for module in modules:
            module.eval()
        for start in range(0, length, AT_A_TIME):
            window = streams[:, start : start + AT_A_TIME + 1].to(device)
            logits, state = model(window[:, :-1], state)
            losses.append(cross_entropy(logits.float().transpose(1, 2), window[:, 1:], reduction="none").cpu())
    return torch.cat(losses, dim=1).flatten()


def next_probs(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> Tensor:
    """The probabilities that the next character is drawn with.

    The temperature comes first, then each of the others that is given, in this order; what is left is divided by its
    sum. A character with the same probability as the last one that is kept may be kept or not.

    Args:
        logits: shape (…, V).
        temperature: divides the logits; below 1 likely characters become more likely, and 0 takes the most likely one.
        top_k: keep this many characters, 1 or more; a number above V keeps all.
        top_p: keep the most likely characters until their probabilities add up to this much, in (0, 1], see Holtzman
            et al., "The curious case of neural text degeneration", *ICLR* 2020.
        min_p: keep the characters with at least this part, in [0, 1], of the largest probability, see Nguyen et al.,
            "Turning up the heat: min-p sampling", *ICLR* 2025.

    Returns:
        Shape (…, V), adding up to 1.

    Raises:
        InputError: if one of the four is out of its range.
    """
    # what was asked for
    if not (math.isfinite(temperature) and temperature >= 0):
        raise InputError(f"temperature={temperature}; give 0 (always the most likely character) or more.")
    if top_k is not None and top_k < 1:
        raise InputError(f"top_k={top_k} leaves no character; give 1 or more, or None for all.")
    if top_p is not None and not 0 < top_p <= 1:
        raise InputError(f"top_p={top_p}; give a probability above 0, at most 1, or None.")
    if min_p is not None and not 0 <= min_p <= 1:
        raise InputError(f"min_p={min_p}; give a part of the largest probability from 0 to 1, or None.")
    # temperature
    if temperature == 0:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
    probs = (logits / temperature).softmax(-1)
    # what is kept
    if top_k is not None:
        smallest = probs.topk(min(top_k, probs.shape[-1])).values[..., -1:]
        probs = _kept(probs, probs >= smallest)
    if top_p is not None:
        ordered, order = probs.sort(descending=True)
        before = ordered.cumsum(-1) - ordered  # the probability of all that are more likely
        kept = torch.zeros_like(probs, dtype=torch.bool).scatter(-1, order, before < top_p)
        probs = _kept(probs, kept)
    if min_p is not None:
        probs = _kept(probs, probs >= min_p * probs.amax(-1, keepdim=True))
    return probs


def write(
    model: Model, vocabulary: Vocabulary, prompt: str = "", length: int = 400, *, seed: int | None = None, **how: Any
) -> Iterator[str]:
    """Write on after the prompt, one character at a time.

    Args:
        model: see the module; a ``torch.nn.Module`` is put into ``eval()`` mode for the writing.
        vocabulary: of the model's characters.
        prompt: what is read first, and not given back. An empty one counts as the beginning of a line.
        length: characters to write, 0 or more.
        seed: of the draws; None goes on with torch's random numbers.
        how: ``temperature``, ``top_k``, ``top_p`` and ``min_p`` of :func:`next_probs`.

    Yields:
        One character at a time.

    Raises:
        InputError: if the prompt has characters that the model does not know, or a number is out of its range; at
            once, not with the first character.
    """
    return _pieces(model, vocabulary, 1, prompt, length, seed, how)


def write_many(
    model: Model,
    vocabulary: Vocabulary,
    num_samples: int,
    length: int,
    *,
    prompt: str = "",
    seed: int | None = None,
    **how: Any,
) -> list[str]:
    """Write several texts side by side, which is much faster than one after the other; see :func:`write`.

    Returns:
        ``num_samples`` texts of ``length`` characters, without the prompt.

    Raises:
        InputError: as :func:`write`; and if there is to be no text.
    """
    if num_samples < 1:
        raise InputError(f"num_samples={num_samples}; give 1 or more.")
    pieces = list(_pieces(model, vocabulary, num_samples, prompt, length, seed, how))
    return ["".join(column) for column in zip(*pieces, strict=True)] if pieces else [""] * num_samples


def _pieces(
    model: Model, vocabulary: Vocabulary, n: int, prompt: str, length: int, seed: int | None, how: dict[str, Any]
) -> Iterator[str]:
    """Check what was asked for, now; then the next character of every text, step after step."""
    if length < 0:
        raise InputError(f"length={length}; give the number of characters to write, 0 or more.")
    next_probs(torch.zeros(len(vocabulary)), **how)
    beginning = "\n" if "\n" in vocabulary else vocabulary.characters[0]
    tokens = vocabulary.encode(prompt or beginning).expand(n, -1)
    return _written(model, vocabulary, tokens, length, seed, how)


def _written(
    model: Model, vocabulary: Vocabulary, tokens: Tensor, length: int, seed: int | None, how: dict[str, Any]
) -> Iterator[str]:
    modules = [model] if isinstance(model, nn.Module) else []
    device = _device_of(modules)
    draws = torch.Generator().manual_seed(int(seed)) if seed is not None else None
    state = None
    for _ in range(length):
        with modes_kept(modules), torch.no_grad():
            for module in modules:
                module.eval()
            logits, state = model(tokens.to(device), state)
        probs = next_probs(logits[:, -1].float().cpu(), **how)
        tokens = torch.multinomial(probs, 1, generator=draws)  # (n, 1)
        yield vocabulary.decode(tokens[:, 0])


def _device_of(modules: list[nn.Module]) -> torch.device:
    return next((tensor.device for module in modules for tensor in module.parameters()), torch.device("cpu"))


def _kept(probs: Tensor, kept: Tensor) -> Tensor:
    """The kept probabilities over their sum, the others zero."""
    probs = probs * kept
    return probs / probs.sum(-1, keepdim=True)
