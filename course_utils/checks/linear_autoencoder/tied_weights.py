"""Check: a linear autoencoder with tied weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, close, fresh, integer, tensor

__all__ = ["tied"]


class _Tied(nn.Module):
    """x̂ = Wᵀ W x."""

    def __init__(self, d_x: int, k: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.randn(k, d_x) / d_x**0.5)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T @ self.W


class _Plain(nn.Module):
    def __init__(self, d_x: int, k: int) -> None:
        super().__init__()
        self.W = (torch.randn(k, d_x) / d_x**0.5).requires_grad_()

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T @ self.W


class _Untied(_Tied):
    def __init__(self, d_x: int, k: int) -> None:
        super().__init__(d_x, k)
        self.V = nn.Parameter(self.W.detach().T.clone())

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T @ self.V.T


class _Biased(_Tied):
    def __init__(self, d_x: int, k: int) -> None:
        super().__init__(d_x, k)
        self.bias = nn.Parameter(torch.zeros(k))

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.bias) @ self.W


class _Zeros(_Tied):
    def __init__(self, d_x: int, k: int) -> None:
        super().__init__(d_x, k)
        nn.init.zeros_(self.W)


class _TooLong(_Tied):
    def __init__(self, d_x: int, k: int) -> None:
        super().__init__(d_x, k)
        nn.init.normal_(self.W)


class _TooShort(_Tied):
    def __init__(self, d_x: int, k: int) -> None:
        super().__init__(d_x, k)
        nn.init.normal_(self.W, std=1e-3)


class _Detached(_Tied):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W.T @ self.W.detach()


_TIED = {
    mistake.name: mistake
    for mistake in (
        Mistake(
            "plain",
            "the model has no parameters: a plain tensor is not registered, and no optimiser would find it.",
            _Plain,
        ),
        Mistake(
            "untied",
            "there are two matrices: the decoder has weights of its own, so the two are not tied.",
            _Untied,
        ),
        Mistake(
            "bias",
            "there are more parameters than one matrix: tied weights without biases are W and nothing else.",
            _Biased,
        ),
        Mistake(
            "zeros",
            "W starts at zero. The gradient is zero there as well, so training would never leave the place.",
            _Zeros,
        ),
        Mistake(
            "too long",
            "the rows of W start with a length of √d_x, not of about 1: then x̂ starts d_x times too large.",
            _TooLong,
        ),
        Mistake(
            "too short",
            "the rows of W start almost at zero, where the gradient is small; a length of about 1 is asked for.",
            _TooShort,
        ),
        Mistake(
            "detached",
            "one of the two uses of W passes no gradient: only half of the paths from the loss to W are open.",
            _Detached,
        ),
    )
}


def _judge_tied(model_class: Answer) -> None:
    generator = fresh()
    n, d, k = integer(5, 9, generator), integer(7, 12, generator), integer(2, 4, generator)
    x = torch.randn(n, d, generator=generator)
    model = call(model_class, d, k)
    if not isinstance(model, nn.Module):
        raise Wrong("TiedAutoencoder should be an nn.Module.")
    x_hat = call(model, x)  # an open gap ends here
    parameters = [p for p in model.parameters() if p.requires_grad]
    if len(parameters) != 1:
        matrices = sum(p.ndim == 2 for p in parameters)
        raise Wrong(_TIED["plain" if not parameters else "untied" if matrices == 2 else "bias"].message)
    W = parameters[0]
    tensor(W, (k, d), "W")
    if not W.any():
        raise Wrong(_TIED["zeros"].message)
    if not close(tensor(x_hat, (n, d), "x̂"), x @ W.T @ W, atol=1e-5):
        raise Wrong("for some x, forward(x) is not Wᵀ W x with the model's own W.")
    loss = (x @ W.T @ W - x).square().sum(1).mean()
    (expected,) = torch.autograd.grad(loss, W)
    model.zero_grad()
    x_hat = model(x)
    if not x_hat.requires_grad:
        raise Wrong("no gradient reaches W at all: forward leaves autograd behind.")
    (x_hat - x).square().sum(1).mean().backward()
    if not close(W.grad, expected, rtol=1e-3, atol=1e-4):
        raise Wrong(_TIED["detached"].message)
    _judge_start(model_class)


def _judge_start(model_class: Answer) -> None:
    """The rows of W have a length of about 1, and no two models start alike."""
    starts = [next(call(model_class, 400, 3).parameters()).detach() for _ in range(2)]
    if close(*starts) or close(starts[0][0], starts[0][1]):
        raise Wrong("W is not drawn at random: models, or the rows of one, start alike.")
    if starts[0].mean().abs() > 0.3 * starts[0].std():
        raise Wrong("the entries of W are not drawn around 0, as those of torch.randn are.")
    length = float(starts[0].norm(dim=1).mean())
    if not 0.4 < length < 2.5:
        raise Wrong(_TIED["too long" if length > 1 else "too short"].message)


tied = Check(
    "TiedAutoencoder",
    _judge_tied,
    "one matrix, used twice, and the gradient flows through both.",
    tuple(_TIED.values()),
)
