"""Check: layers, a deep autoencoder made of them, and its loss."""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, relu

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    among,
    call,
    close,
    compare,
    flat_gradient,
    fresh,
    integer,
    normal,
    tensor,
)

__all__ = ["deep"]


def _mlp(sizes: list[int], before: bool = False, between: bool = True, after: bool = False, bias: bool = True) -> Any:
    layers: list[nn.Module] = [nn.ReLU()] if before else []
    for i in range(len(sizes) - 1):
        layers += [nn.Linear(sizes[i], sizes[i + 1], bias=bias)]
        layers += [nn.ReLU()] if (between if i < len(sizes) - 2 else after) else []
    return nn.Sequential(*layers)


def _autoencoder(sizes: list[int]) -> nn.Module:
    return nn.Sequential(_mlp(sizes), _mlp(sizes[::-1]))


def _loss(model: nn.Module, x: Tensor) -> Tensor:
    return (model(x) - x).square().sum() / len(x)


_MLP = {
    "bent at the end": Mistake(
        "bent at the end",
        "mlp bends its last layer too: a ReLU after it lets no negative number out, neither in a code nor in an image.",
        lambda sizes: _mlp(sizes, after=True),
    ),
    "straight": Mistake(
        "straight",
        "mlp bends nothing: matrices in a row are one matrix. What has to stand between two of them?",
        lambda sizes: _mlp(sizes, between=False),
    ),
    "bent at the start": Mistake(
        "bent at the start",
        "mlp bends its input before the first layer, which is blind to negative inputs then. A code has some.",
        lambda sizes: _mlp(sizes, before=True),
    ),
    "a layer too few": Mistake(
        "a layer too few",
        "mlp has one linear layer too few: n sizes have n - 1 gaps between them, and a layer belongs in each.",
        lambda sizes: _mlp(sizes[:-1]),
    ),
    "no biases": Mistake(
        "no biases",
        "the linear layers of mlp have no biases; leave nn.Linear as it comes.",
        lambda sizes: _mlp(sizes, bias=False),
    ),
}
_AUTOENCODER = {
    "one piece": Mistake(
        "one piece",
        "autoencoder should be two modules in a row, nn.Sequential(encoder, decoder): model[0] alone has to give the "
        "code. Built as one long mlp it has a ReLU on the code besides.",
        lambda sizes: _mlp([*sizes, *sizes[-2::-1]]),
    ),
    "bent code": Mistake(
        "bent code",
        "the code passes through a ReLU: a code that cannot be negative has lost half of its room.",
        lambda sizes: nn.Sequential(_mlp(sizes, after=True), _mlp(sizes[::-1])),
    ),
    "bent image": Mistake(
        "bent image",
        "the reconstruction passes through a ReLU: where it is 0, no gradient comes back.",
        lambda sizes: nn.Sequential(_mlp(sizes), _mlp(sizes[::-1], after=True)),
    ),
    "no mirror": Mistake(
        "no mirror",
        "the decoder does not have the encoder's widths in the opposite order.",
        lambda sizes: nn.Sequential(_mlp(sizes), _mlp([sizes[-1], sizes[0]])),
    ),
}
_LOSS = (
    Mistake(
        "over the pixels",
        "loss is averaged over the pixels as well. The course sums over them, and averages over the images.",
        lambda model, x: (model(x) - x).square().mean(),
    ),
    Mistake(
        "over the batch",
        "loss is summed over the batch: with twice as many images it is twice as large. Average over them.",
        lambda model, x: (model(x) - x).square().sum(),
    ),
    Mistake("no square", "loss lacks the square.", lambda model, x: (model(x) - x).sum(dim=1).mean()),
    Mistake(
        "absolute",
        "loss adds up absolute differences; asked are their squares.",
        lambda model, x: (model(x) - x).abs().sum(dim=1).mean(),
    ),
    Mistake(
        "root",
        "loss takes a root: it is the distance of image and reconstruction; asked is its square.",
        lambda model, x: (model(x) - x).norm(dim=1).mean(),
    ),
)


def _linears(model: nn.Module) -> list[nn.Linear]:
    return [module for module in model.modules() if isinstance(module, nn.Linear)]


def _chain(x: Tensor, layers: list[nn.Linear]) -> Tensor:
    """The layers one after the other, with a ReLU between any two."""
    for layer in layers[:-1]:
        x = relu(linear(x, layer.weight, layer.bias))
    return linear(x, layers[-1].weight, layers[-1].bias)


def _widths(layers: list[nn.Linear]) -> list[tuple[int, int]]:
    return [(layer.in_features, layer.out_features) for layer in layers]


def _ask_for_gradients(model: nn.Module, name: str) -> None:
    if not all(weights.requires_grad for weights in model.parameters()):
        raise Wrong(f"some weights of {name} are frozen: no optimiser would move them.")


def _judge_mlp(mlp: Answer, sizes: list[int], generator: torch.Generator) -> None:
    model = call(mlp, list(sizes))
    if not isinstance(model, nn.Module):
        raise Wrong("mlp should return an nn.Module, nn.Sequential(…).")
    layers, wanted = _linears(model), list(pairwise(sizes))
    if _widths(layers) == wanted[:-1]:
        raise Wrong(_MLP["a layer too few"].message)
    if _widths(layers) != wanted:
        raise Wrong(f"mlp({sizes}) has linear layers of {_widths(layers)}; they should be {wanted}.")
    if any(layer.bias is None for layer in layers):
        raise Wrong(_MLP["no biases"].message)
    _ask_for_gradients(model, "mlp")
    if not all(layer.weight.any() for layer in layers):
        raise Wrong("a linear layer of mlp has nothing but zeros for weights; leave nn.Linear as it comes.")
    x = 30 * torch.randn(30, sizes[0], generator=generator)  # far out, where another bend than a ReLU shows
    got, expected = tensor(call(model, x), (30, sizes[-1]), "mlp's output"), _chain(x, layers)
    if close(got, expected, atol=1e-5):
        return
    straight = x
    for layer in layers:
        straight = layer(straight)
    for name, value in (
        ("straight", straight),
        ("bent at the end", relu(expected)),
        ("bent at the start", _chain(relu(x), layers)),
    ):
        if close(got, value, atol=1e-5):
            raise Wrong(_MLP[name].message)
    raise Wrong("mlp does not compute linear layers with one nn.ReLU between any two, and none anywhere else.")


def _judge_autoencoder(autoencoder: Answer, sizes: list[int], generator: torch.Generator) -> None:
    model = call(autoencoder, list(sizes))
    if not isinstance(model, nn.Module):
        raise Wrong("autoencoder should return an nn.Module, nn.Sequential(encoder, decoder).")
    if not isinstance(model, nn.Sequential) or len(model) != 2:
        raise Wrong(_AUTOENCODER["one piece"].message)
    encoder, decoder = (_linears(half) for half in model)
    if _widths(encoder) != list(pairwise(sizes)):
        raise Wrong(f"the encoder has linear layers of {_widths(encoder)}, for the sizes {sizes}.")
    if _widths(decoder) != [(o, i) for i, o in reversed(_widths(encoder))]:
        raise Wrong(_AUTOENCODER["no mirror"].message)
    _ask_for_gradients(model, "autoencoder")
    if not all(layer.weight.any() for layer in encoder + decoder):
        raise Wrong("a linear layer of autoencoder has nothing but zeros for weights; leave nn.Linear as it comes.")
    x = torch.randn(30, sizes[0], generator=generator)
    z = tensor(call(model[0], x), (30, sizes[-1]), "the code")
    if not close(z, _chain(x, encoder), atol=1e-5):
        bent = close(z, relu(_chain(x, encoder)), atol=1e-5)
        raise Wrong(_AUTOENCODER["bent code"].message if bent else "the encoder is not mlp(sizes).")
    x_hat = tensor(call(model, x), (30, sizes[0]), "x̂")
    if not close(x_hat, _chain(z, decoder), atol=1e-5):
        bent = close(x_hat, relu(_chain(z, decoder)), atol=1e-5)
        raise Wrong(_AUTOENCODER["bent image"].message if bent else "x̂ is not an mlp of the code.")


def _gradient(loss: Answer) -> Answer:
    """The gradient with respect to the weights of a model, all in one row."""

    @functools.wraps(loss)
    def gradient_of(model: nn.Module, x: Tensor) -> Tensor:
        value = call(loss, model, x)
        if not (isinstance(value, Tensor) and value.requires_grad):
            raise Wrong("loss is a plain number: no gradient can flow back from it. Return the tensor.")
        return flat_gradient(value, tuple(model.parameters()), "loss")

    return gradient_of


def _judge_deep(mlp: Answer, autoencoder: Answer, loss: Answer) -> None:
    generator = fresh()
    d_x, h, k = integer(12, 16, generator), integer(8, 10, generator), integer(3, 5, generator)
    for sizes in ([d_x, h, 7, k], [d_x, h, k], [h, k], [h, h, h, h], [d_x, h, 6, 9, 7, k]):
        _judge_mlp(mlp, sizes, generator)
    for sizes in ([d_x, h, 7, k], [d_x, h, k], [d_x, k], [d_x, 6, h, k]):
        _judge_autoencoder(autoencoder, sizes, generator)
    draws = [(_autoencoder([d_x, k]), normal(n, d_x, generator=generator)) for n in (6, 9, 20, 1)]
    compare(loss, _loss, draws, _LOSS, "loss is {got}; per image, summed over its pixels, it is {expected}.")
    text = "the value of loss is right, but its gradient is not: {got} instead of {expected}."
    compare(_gradient(loss), _gradient(_loss), draws, (), text, what="the gradient of loss")


_RIGHT_1 = (_mlp, _autoencoder, _loss)

deep = Check(
    "mlp, autoencoder or loss",
    _judge_deep,
    "layers, code and loss are as they should be, and the decoder is the encoder's mirror image.",
    sum(
        (
            among(_RIGHT_1, i, known)
            for i, known in enumerate((tuple(_MLP.values()), tuple(_AUTOENCODER.values()), _LOSS))
        ),
        (),
    ),
)
