"""A small recurrent network for the checks, whose state is one tensor or a pair of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from course_utils.checks.core import normal

__all__ = ["Network", "State", "detached"]

State = Tensor | tuple[Tensor, Tensor] | None


class Network(nn.Module):
    """A small recurrent network with drawn weights; its state is one tensor (N, hidden) or a pair of them."""

    def __init__(self, V: int, hidden: int, generator: torch.Generator, *, pair: bool) -> None:
        super().__init__()
        self.V, self.hidden, self.pair = V, hidden, pair
        scale = 1.5 / hidden**0.5
        self.W_ax = nn.Parameter(scale * normal(hidden, V, generator=generator))
        self.W_aa = nn.Parameter(scale * normal(hidden, hidden, generator=generator))
        self.W_ya = nn.Parameter(scale * normal(V, hidden, generator=generator))

    def forward(self, tokens: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Logits (N, T, V) of tokens (N, T), and the state behind the last of them."""
        if state is None:
            nothing = self.W_aa.new_zeros(len(tokens), self.hidden)
            state = (nothing, nothing) if self.pair else nothing
        a, c = state if isinstance(state, tuple) else (state, 0.0 * state)
        logits = []
        for x in one_hot(tokens, self.V).to(self.W_aa).unbind(1):
            a = torch.tanh(x @ self.W_ax.T + a @ self.W_aa.T + c)
            c = 0.5 * c + 0.5 * a if self.pair else c
            logits.append(a @ self.W_ya.T)
        return torch.stack(logits, dim=1), (a, c) if self.pair else a


def detached(state: State) -> State:
    """The same numbers without the graph behind them."""
    if isinstance(state, tuple):
        return state[0].detach(), state[1].detach()
    return state if state is None else state.detach()
