"""The check of a convolutional encoder and decoder: the table's layers, and what they compute."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import relu

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    among,
    call,
    close,
    first_line,
    fresh,
    integer,
    normal,
    tensor,
)

__all__ = ["convolution"]

_SETTINGS: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1}
_WIDTHS = (16, 32)


def _encoder(c: int, *end: nn.Module, bend: type[nn.Module] = nn.ReLU, **settings: int) -> nn.Module:
    """The encoder, with other settings of its convolutions, another activation, or something after the code."""
    kind, (one, two) = _SETTINGS | settings, _WIDTHS
    first, second = nn.Conv2d(1, one, **kind), nn.Conv2d(one, two, **kind)
    return nn.Sequential(first, bend(), second, bend(), nn.Conv2d(two, c, 1), *end)


def _decoder(c: int, *end: nn.Module, bend: type[nn.Module] = nn.ReLU, **settings: int) -> nn.Module:
    kind, (one, two) = _SETTINGS | {"output_padding": 1} | settings, _WIDTHS
    first, second = nn.ConvTranspose2d(two, one, **kind), nn.ConvTranspose2d(one, 1, **kind)
    return nn.Sequential(nn.Conv2d(c, two, 1), bend(), first, bend(), second, *end)


def _dense(c: int, side: int) -> nn.Module:
    """One linear layer between two stacks of maps."""
    size = c * side * side
    return nn.Sequential(nn.Flatten(), nn.Linear(size, size), nn.Unflatten(1, (c, side, side)))


_ENCODER = {
    "no stride": Mistake(
        "no stride",
        "the code is as large as the image, 28 × 28. What makes a convolution take only every other place?",
        lambda c: _encoder(c, stride=1),
    ),
    "no padding": Mistake(
        "no padding",
        "the code is 6 × 6: the sides went 28, 13, 6. Without padding each convolution loses a border.",
        lambda c: _encoder(c, padding=0),
    ),
    "bent": Mistake(
        "bent code",
        "no entry of the code is ever negative: an activation stands after it.",
        lambda c: _encoder(c, nn.ReLU()),
    ),
    "straight": Mistake(
        "straight",
        "the encoder is linear: the code of a sum of images is the sum of their codes. Activations are missing.",
        lambda c: _encoder(c, bend=nn.Identity),
    ),
    "kernel": Mistake(
        "blind",
        "some pixels never reach the code: a step of 2 with a kernel of 1 jumps over them.",
        lambda c: _encoder(c, kernel_size=1, padding=0),
    ),
    "dense": Mistake(
        "dense",
        "move the image by 4 pixels, and the code does not move by one place: there is a linear layer in the encoder, "
        "and it mixes places that are far apart.",
        lambda c: _encoder(c, _dense(c, 7)),
    ),
}
_DECODER = {
    "no output padding": Mistake(
        "no output padding",
        "the image is 25 × 25: the sides went 7, 13, 25. Both 13 and 14 become 7 under a stride of 2; output_padding "
        "says which of the two is meant.",
        lambda c: _decoder(c, output_padding=0),
    ),
    "bent": Mistake(
        "bent image",
        "no pixel of the reconstruction is ever negative: an activation stands after the last layer.",
        lambda c: _decoder(c, nn.ReLU()),
    ),
    "straight": Mistake(
        "straight decoder",
        "the decoder is linear: the image of a sum of codes is the sum of their images. Activations are missing.",
        lambda c: _decoder(c, bend=nn.Identity),
    ),
    "kernel": Mistake(
        "holes",
        "some pixels never change, whatever the code: a step of 2 with a kernel of 1 leaves holes between the places "
        "it writes to.",
        lambda c: _decoder(c, kernel_size=1, padding=0),
    ),
    "dense": Mistake(
        "dense decoder",
        "move the code by one place, and the image does not move by 4 pixels: there is a linear layer in the decoder, "
        "and it mixes places that are far apart.",
        lambda c: _decoder(c, _dense(1, 28)),
    ),
}
_SIZES = {(28, 28): "no stride", (6, 6): "no padding", (25, 25): "no output padding"}


def _run(module: nn.Module, x: Tensor, shape: tuple[int, ...], what: str, known: dict[str, Mistake]) -> None:
    """Run a module; :class:`Wrong` if that fails or gives another shape."""
    try:
        value = module(x)
    except Exception as error:
        raise Wrong(f"{what} could not be computed from {tuple(x.shape)}: {first_line(error)}") from None
    if isinstance(value, Tensor) and value.shape != shape and value.ndim == 4:
        mistake = known.get(_SIZES.get((value.shape[2], value.shape[3]), ""))
        if mistake and value.shape[1] == shape[1]:
            raise Wrong(mistake.message)
    tensor(value, shape, what)


def _layers(module: nn.Module) -> list[nn.Conv2d | nn.ConvTranspose2d]:
    return [layer for layer in module.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))]


def _rows(module: nn.Module, x: Tensor) -> list[str]:
    """The layers as rows of the task's table, for images or codes x."""
    rows = []
    for layer in _layers(module):
        kind = "transposed" if isinstance(layer, nn.ConvTranspose2d) else "convolution"
        before, x = x, layer(x)
        c_in, c_out = (" × ".join(map(str, maps.shape[1:])) for maps in (before, x))
        rows.append(f"{kind}, kernel {layer.kernel_size[0]}, stride {layer.stride[0]}, {c_in} → {c_out}")
    return rows


def _judge_layers(module: nn.Module, wanted: nn.Module, x: Tensor, what: str, known: dict[str, Mistake]) -> None:
    """The layers are those of the table."""
    layers = _layers(module)
    if any(isinstance(layer, nn.Linear) for layer in module.modules()):
        raise Wrong(known["dense"].message)
    if any(layer.kernel_size == (1, 1) and layer.stride == (2, 2) for layer in layers):
        raise Wrong(known["kernel"].message)
    if len(layers) != len(_layers(wanted)):
        raise Wrong(f"on the way to {what} there are {len(layers)} convolutions; the table has {len(_layers(wanted))}.")
    for i, (row, entry) in enumerate(zip(_rows(module, x), _rows(wanted, x), strict=True), 1):
        if row != entry:
            raise Wrong(f"on the way to {what}, layer {i} is: {row}. The table says: {entry}.")
    if any(layer.bias is None for layer in layers):
        raise Wrong(f"on the way to {what} a convolution has no bias; leave the layers as they come.")
    if not all(weights.requires_grad for weights in module.parameters()):
        raise Wrong(f"on the way to {what} some weights are frozen: no optimiser would move them.")


def _judge_bends(module: nn.Module, x: Tensor, what: str, known: dict[str, Mistake]) -> None:
    """The module computes what its layers compute with a ReLU between any two."""
    value, expected, straight = module(x), x, x
    for i, layer in enumerate(_layers(module)):
        expected, straight = layer(relu(expected) if i else expected), layer(straight)
    if close(value, expected, atol=1e-5):
        if not value.requires_grad:
            raise Wrong(f"no gradient reaches {what}: something leaves autograd behind.")
        return
    for name, other in (("straight", straight), ("bent", relu(expected))):
        if close(value, other, atol=1e-5):
            raise Wrong(known[name].message)
    raise Wrong(f"{what} is not what the table's layers give with an nn.ReLU between any two and none at the end.")


def _judge_convolution(conv_encoder: Answer, conv_decoder: Answer) -> None:
    generator = fresh()
    for c in (integer(2, 5, generator), 1, 9):
        image, code = (1, 28, 28), (c, 7, 7)
        for answer, known, wanted, into, out, what in (
            (conv_encoder, _ENCODER, _encoder(c), image, code, "the code"),
            (conv_decoder, _DECODER, _decoder(c), code, image, "the image"),
        ):
            module, x = call(answer, c), normal(4, *into, generator=generator)
            if not isinstance(module, nn.Module):
                raise Wrong(f"{what} should come out of an nn.Module, nn.Sequential(…).")
            _run(module, x, (4, *out), what, known)
            _judge_layers(module, wanted, x, what, known)
            _judge_bends(module, x, what, known)


convolution = Check(
    "conv_encoder or conv_decoder",
    _judge_convolution,
    "28, 14, 7 and back, through the layers of the table, bent where two of them meet and nowhere else.",
    among((_encoder, _decoder), 0, tuple(_ENCODER.values())) + among((_encoder, _decoder), 1, tuple(_DECODER.values())),
)
