"""Predictions, held against trainings on small drawings: an autoencoder and foreign inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import Mistake, prediction_check

__all__ = ["NAMES", "prediction", "ratios"]

_BAND = 4 / 3  # within this factor of each other, two errors are called the same
NAMES = ("noise", "shuffled", "moved", "moved_conv")


def _dense(d_x: int, width: int, k: int) -> nn.Module:
    def half(i: int, h: int, o: int) -> list[nn.Module]:
        return [nn.Linear(i, h), nn.ReLU(), nn.Linear(h, o)]

    return nn.Sequential(*half(d_x, width, k), *half(k, width, d_x))


def _conv(c: int) -> nn.Module:
    settings: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1}
    encoder = [nn.Conv2d(1, 4, **settings), nn.ReLU(), nn.Conv2d(4, 8, **settings), nn.ReLU(), nn.Conv2d(8, c, 1)]
    settings["output_padding"] = 1
    decoder = [nn.Conv2d(c, 8, 1), nn.ReLU(), nn.ConvTranspose2d(8, 4, **settings), nn.ReLU()]
    last = nn.ConvTranspose2d(4, 1, **settings)
    return nn.Sequential(nn.Unflatten(1, (1, 16, 16)), *encoder, *decoder, last, nn.Flatten())


def _train(model: nn.Module, x: Tensor, num_steps: int, lr: float, generator: torch.Generator) -> nn.Module:
    optimizer = torch.optim.Adam(model.parameters(), lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=num_steps)
    for _ in range(num_steps):
        batch = x[torch.randint(len(x), (100,), generator=generator)]
        loss = (model(batch) - batch).square().sum() / len(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model


@torch.no_grad()
def _error(model: nn.Module, x: Tensor) -> float:
    return float((model(x) - x).square().sum() / len(x))


def _drawings(number: int, generator: torch.Generator) -> Tensor:
    """Drawings of 8 × 8 pixels (number, 64), two straight strokes with random ends in each, ink from 0 to 1."""
    place = torch.arange(8.0)
    pixels = torch.cartesian_prod(place, place)[:, None]  # (64, 1, 2)
    ends = 0.5 + 6 * torch.rand(2, number, 1, 2, 2, generator=generator)  # end, drawing, –, stroke, coordinate
    start, step = ends[0], ends[1] - ends[0]
    t = ((pixels - start) * step).sum(-1, keepdim=True) / step.square().sum(-1, keepdim=True)
    distance = (pixels - start - t.clamp(0, 1) * step).norm(dim=-1)  # (number, 64, 2)
    return (1.3 - distance).clamp(0, 1).amax(-1)


def _canvas(x: Tensor, column: int) -> Tensor:
    """Drawings (n, 64) on an empty page of 16 × 16, from a column on; all of the ink stays on the page."""
    page = torch.zeros(len(x), 16, 16)
    page[:, 4:12, column : column + 8] = x.view(-1, 8, 8)
    return page.flatten(1)


def ratios(generator: torch.Generator) -> dict[str, float]:
    """The four experiments, each as the ratio of the two errors that it compares, on fresh drawings."""
    torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))  # the caller's state is kept by the check
    train, new = _drawings(1500, generator), _drawings(400, generator)
    order = torch.randperm(64, generator=generator)
    noise = torch.stack([pixel[torch.randperm(len(pixel), generator=generator)] for pixel in new.T], dim=1)
    narrow = _train(_dense(64, 128, 8), train, 250, 1e-2, generator)
    shuffled = _train(_dense(64, 128, 8), train[:, order], 250, 1e-2, generator)
    wide = _train(_dense(64, 128, 128), train, 200, 5e-3, generator)
    dense = _train(_dense(256, 64, 8), _canvas(train, 4), 60, 1e-2, generator)
    conv = _train(_conv(2), _canvas(train, 4), 40, 2e-2, generator)
    return {
        "noise": _error(wide, noise) / _error(narrow, noise),
        "shuffled": _error(shuffled, new[:, order]) / _error(narrow, new),
        "moved": _error(dense, _canvas(new, 8)) / _error(dense, _canvas(new, 4)),
        "moved_conv": _error(conv, _canvas(new, 8)) / _error(conv, _canvas(new, 4)),
    }


prediction = prediction_check(
    NAMES,
    lambda generator: ratios(generator),  # looked up at every call: tests put measured ratios in its place
    (
        Mistake(
            "a wide code knows digits",
            "noise: you expect the wide code to know digits better, and noise worse. What does it have to learn at "
            "all, if its code has room for every pixel?",
            ("higher", "same", "higher", "same"),
        ),
        Mistake(
            "noise is noise",
            "noise: you expect noise to be out of reach for both. How many numbers does each of them keep of an image?",
            ("same", "same", "higher", "same"),
        ),
        Mistake(
            "neighbours matter",
            "shuffled: you expect the dense network to miss the neighbours. Where in x → W x + b does it say which "
            "pixels are neighbours?",
            ("lower", "higher", "higher", "same"),
        ),
        Mistake(
            "a digit is a digit",
            "moved: you expect a digit to remain a digit. Which weights of the first layer have seen ink in that "
            "place?",
            ("lower", "same", "same", "same"),
        ),
        Mistake(
            "a dense convolution",
            "moved_conv: you expect the convolutions to be as lost as the dense layers. Their weights are the same at "
            "every place: what becomes of the code when the digit moves by 4 pixels, and the strides multiply to 4?",
            ("lower", "same", "higher", "higher"),
        ),
    ),
    band=(1 / _BAND, _BAND),
    title="Error over error, on small drawings, run just now",
)
