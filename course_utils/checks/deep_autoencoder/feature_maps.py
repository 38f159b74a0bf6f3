"""The check of a convolutional encoder and decoder, part of exercise 03: shapes, and what reaches what."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Answer, Check, Mistake, Wrong, among, call, close, fresh, integer, tensor

__all__ = ["convolution"]

_SETTINGS: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1}


def _encoder(c: int, *end: nn.Module, bend: type[nn.Module] = nn.ReLU, **settings: int) -> nn.Module:
    """The encoder, with other settings of its convolutions, another activation, or something after the code."""
    kind = _SETTINGS | settings
    first, second = nn.Conv2d(1, 4, **kind), nn.Conv2d(4, 8, **kind)
    return nn.Sequential(first, bend(), second, bend(), nn.Conv2d(8, c, 1), *end)


def _decoder(c: int, *end: nn.Module, bend: type[nn.Module] = nn.ReLU, **settings: int) -> nn.Module:
    kind = _SETTINGS | {"output_padding": 1} | settings
    first, second = nn.ConvTranspose2d(8, 4, **kind), nn.ConvTranspose2d(4, 1, **kind)
    return nn.Sequential(nn.Conv2d(c, 8, 1), bend(), first, bend(), second, *end)


def _dense(into: tuple[int, int, int], out: tuple[int, int, int]) -> nn.Module:
    """One linear layer between two stacks of maps."""
    (c, h, w), (d, e, f) = into, out
    return nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, d * e * f), nn.Unflatten(1, out))


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
    "bent code": Mistake(
        "bent code",
        "no entry of the code is ever negative: an activation stands after it.",
        lambda c: _encoder(c, nn.ReLU()),
    ),
    "straight": Mistake(
        "straight",
        "the encoder is linear: the code of a sum of images is the sum of their codes. Activations are missing.",
        lambda c: _encoder(c, bend=nn.Identity),
    ),
    "blind": Mistake(
        "blind",
        "some pixels never reach the code: a step of 2 with a kernel of 1 jumps over them.",
        lambda c: _encoder(c, kernel_size=1, padding=0),
    ),
    "dense": Mistake(
        "dense",
        "move the image by 4 pixels, and the code does not move by one place: something in the encoder mixes places "
        "that are far apart. Is there a linear layer?",
        lambda c: _encoder(c, _dense((c, 7, 7), (c, 7, 7))),
    ),
}
_DECODER = {
    "no output padding": Mistake(
        "no output padding",
        "the image is 25 × 25: the sides went 7, 13, 25. Both 13 and 14 become 7 under a stride of 2; output_padding "
        "says which of the two is meant.",
        lambda c: _decoder(c, output_padding=0),
    ),
    "bent image": Mistake(
        "bent image",
        "no pixel of the reconstruction is ever negative: an activation stands after the last layer.",
        lambda c: _decoder(c, nn.ReLU()),
    ),
    "straight": Mistake(
        "straight decoder",
        "the decoder is linear: the image of a sum of codes is the sum of their images. Activations are missing.",
        lambda c: _decoder(c, bend=nn.Identity),
    ),
    "holes": Mistake(
        "holes",
        "some pixels never change, whatever the code: a step of 2 with a kernel of 1 leaves holes between the places "
        "it writes to.",
        lambda c: _decoder(c, kernel_size=1, padding=0),
    ),
    "dense": Mistake(
        "dense decoder",
        "move the code by one place, and the image does not move by 4 pixels: something in the decoder mixes places "
        "that are far apart. Is there a linear layer?",
        lambda c: _decoder(c, _dense((1, 28, 28), (1, 28, 28))),
    ),
}
_SIZES = {(28, 28): "no stride", (6, 6): "no padding", (25, 25): "no output padding"}


def _run(module: nn.Module, x: Tensor, shape: tuple[int, ...], what: str, known: dict[str, Mistake]) -> Tensor:
    """What a module gives, still with its gradient, or :class:`Wrong` if it has another shape."""
    try:
        value = module(x)
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0][:160]
        raise Wrong(f"{what} could not be computed from {tuple(x.shape)}: {reason}") from None
    if isinstance(value, Tensor) and value.shape != shape and value.ndim == 4:
        mistake = known.get(_SIZES.get((value.shape[2], value.shape[3]), ""))
        if mistake and value.shape[1] == shape[1]:
            raise Wrong(mistake.message)
    tensor(value, shape, what)
    return value


def _judge_half(
    module: Any,
    known: dict[str, Mistake],
    into: tuple[int, int, int],
    out: tuple[int, int, int],
    what: str,
    generator: torch.Generator,
) -> None:
    """One half: its shapes, no activation at the end and some inside, all is reached, and far places stay apart."""
    if not isinstance(module, nn.Module):
        raise Wrong(f"{what} should come out of an nn.Module, nn.Sequential(…).")
    x = torch.randn(4, *into, generator=generator)
    _run(module, x, (4, *out), what, known)
    bent, straight, together, reached = True, True, True, torch.zeros(into)
    changed = torch.zeros(out, dtype=torch.bool)
    ratio = out[1] / into[1]  # 1/4 or 4
    for _ in range(8):  # weights drawn anew each time, so that no draw of them decides
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(0.4 * torch.randn(parameter.shape, generator=generator))
        x = torch.randn(4, *into, generator=generator).requires_grad_()
        value = _run(module, x, (4, *out), what, known)
        weights = torch.randn(value.shape, generator=generator)
        if not value.requires_grad:
            raise Wrong(f"no gradient reaches {what}: something leaves autograd behind.")
        (gradient,) = torch.autograd.grad((value * weights).sum(), x, allow_unused=True)
        reached += 0 if gradient is None else gradient.abs().sum(0)
        with torch.no_grad():
            nothing, first, second = module(torch.zeros_like(x)), module(x[:2]), module(x[2:])
            bent &= bool((value >= 0).all())
            straight &= close(module(x[:2] + x[2:]) + nothing[:2], first + second, rtol=1e-3, atol=1e-3)
            changed |= ((value - nothing).abs() > 1e-6).any(0)
            here, there = _moved(into, ratio, generator)
            moved = torch.roll(module(here) - nothing[:1], (round(4 * ratio) if ratio < 1 else 4,) * 2, (2, 3))
            together &= close(moved, module(there) - nothing[:1], rtol=1e-3, atol=1e-3)
    for name, is_so in (
        ("bent code", bent),
        ("bent image", bent),
        ("straight", straight),
        ("dense", not together),
        ("blind", not bool((reached > 0).all())),
        ("holes", not bool(changed.all())),
    ):
        if is_so and name in known:
            raise Wrong(known[name].message)
    if not bool((reached > 0).all() and changed.all()):
        raise Wrong(f"{what} does not depend on all it is computed from.")


def _moved(into: tuple[int, int, int], ratio: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A spot near the middle of an empty input, and the same spot one place of the code further right and down."""
    here, place, side = torch.zeros(1, *into), *((11, 2) if ratio < 1 else (2, 1))
    here[..., place : place + side, place : place + side] = torch.randn(1, into[0], side, side, generator=generator)
    return here, torch.roll(here, (4, 4) if ratio < 1 else (1, 1), (2, 3))


def _judge_convolution(conv_encoder: Answer, conv_decoder: Answer) -> None:
    generator = fresh()
    c = integer(2, 5, generator)
    _judge_half(call(conv_encoder, c), _ENCODER, (1, 28, 28), (c, 7, 7), "the code", generator)
    _judge_half(call(conv_decoder, c), _DECODER, (c, 7, 7), (1, 28, 28), "the image", generator)


convolution = Check(
    "conv_encoder or conv_decoder",
    _judge_convolution,
    "28, 14, 7 and back, every pixel is reached, and a digit that moves takes its code along.",
    among((_encoder, _decoder), 0, tuple(_ENCODER.values())) + among((_encoder, _decoder), 1, tuple(_DECODER.values())),
)
