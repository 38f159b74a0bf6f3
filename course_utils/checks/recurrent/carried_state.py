"""Predictions, compared with a run: a network trained on windows that are put together in four other ways."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from course_utils.checks.core import mistaken, normal, prediction_check, uniform

__all__ = ["prediction"]

_N, _V, _T, _HIDDEN = 16, 6, 2, 24  # streams, alphabet, inputs of a window, units
_WAYS = ("not_shifted", "fresh_starts", "shuffled_windows", "shuffled_rows")


def _streams(generator: torch.Generator, num_windows: int) -> Tensor:
    """Windows (num_windows, _N, _T + 1) of a text in which nine characters of ten follow from the last but one.

    So the first target of a window can be foretold from the window before alone.
    """
    length = num_windows * _T + 1
    text = torch.randint(_V, (_N, length), generator=generator)
    follows = uniform(0, 1, _N, length, generator=generator) < 0.9
    for t in range(2, length):
        text[:, t] = torch.where(follows[:, t], (text[:, t - 2] + 1) % _V, text[:, t])
    return text.unfold(1, _T + 1, _T).transpose(0, 1)


def _losses(generator: torch.Generator, num_windows: int = 300) -> Tensor:
    """The training loss, mean over the last quarter of the windows: of the usual way first, then of the four."""
    # what each of the five reads, and what it is asked for
    usual = _streams(generator, num_windows)
    windows = torch.stack([usual] * 5, dim=1)  # (num_windows, 5, _N, _T + 1)
    windows[:, 3] = usual[torch.randperm(num_windows, generator=generator)]
    windows[:, 4] = usual[:, torch.randperm(_N, generator=generator)]
    inputs, targets = windows[..., :-1], windows[..., 1:].clone()
    targets[:, 1] = inputs[:, 1]
    carried = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0])[:, None, None]

    # five networks from the same start, side by side
    shapes = ((_V, _HIDDEN), (_HIDDEN, _HIDDEN), (_HIDDEN, _V))
    weights = [(normal(*shape, generator=generator) / shape[0] ** 0.5).repeat(5, 1, 1) for shape in shapes]
    weights += [torch.zeros(5, 1, shape[1]) for shape in shapes[1:]]
    optimizer = torch.optim.Adam([weight.requires_grad_() for weight in weights], lr=0.01)
    a, found = torch.zeros(5, _N, _HIDDEN), []
    for x, target in zip(one_hot(inputs, _V).float(), targets, strict=True):
        W_ax, W_aa, W_ya, b_a, b_y = weights
        a, logits = carried * a.detach(), []
        for t in range(_T):
            a = torch.tanh(x[:, :, t] @ W_ax + a @ W_aa + b_a)
            logits.append(a @ W_ya + b_y)
        scores = torch.stack(logits, dim=2).flatten(0, 2)  # (5 · _N · _T, _V)
        loss = cross_entropy(scores, target.flatten(), reduction="none").view(5, -1).mean(1)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        found.append(loss.detach())
    return torch.stack(found[-num_windows // 4 :]).mean(0)


def _experiment(generator: torch.Generator) -> dict[str, float]:
    """The training loss of each way over that of the usual one, on a text drawn fresh."""
    found = _losses(generator)
    return dict(zip(_WAYS, (found[1:] / found[0]).tolist(), strict=True))


_RIGHT = {
    "not_shifted": "lower",
    "fresh_starts": "higher",
    "shuffled_windows": "higher",
    "shuffled_rows": "same",
}
_MESSAGES = {
    "not_shifted same": "not_shifted: what is each character asked for here? How hard is that, for somebody who has "
    "just read it?",
    "not_shifted higher": "not_shifted: the network would be useless, true. But what is it asked for, and how hard is "
    "that?",
    "fresh_starts same": "fresh_starts: at the first character of a window, what does this network know of the text "
    "so far?",
    "fresh_starts lower": "fresh_starts: is there anything that this network knows and the other one does not?",
    "shuffled_windows same": "shuffled_windows: a state is carried on, true. From which place of the text is it?",
    "shuffled_windows lower": "shuffled_windows: shuffling helps where samples are independent of each other. Does the "
    "state that a window starts from still belong to it?",
    "shuffled_rows lower": "shuffled_rows: follow one row from window to window. Has anything changed for it?",
    "shuffled_rows higher": "shuffled_rows: all windows share one new order. Does the state of a row still go to the "
    "row that continues it?",
}

prediction = prediction_check(
    _WAYS,
    _experiment,
    mistaken(_RIGHT, _MESSAGES),
    band=(0.95, 1.05),
    title="training loss over that of the usual way",
    quantity="loss",
)
