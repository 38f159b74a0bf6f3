"""The check of a generator for colour pictures, built after the guidelines."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, fresh, kind_of, normal

__all__ = ["generator_32"]

_LATENT, _SHAPE = 64, (3, 32, 32)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def _network(
    *, channels: int = 3, last: tuple[nn.Module, ...] = (nn.Tanh(),), norm: bool = True, blocks: int = 3
) -> nn.Module:
    """A generator in the way of the lecture: 4 × 4 places, doubled three times."""
    layers: list[nn.Module] = [nn.Linear(_LATENT, 32 * 16), nn.Unflatten(1, (32, 4, 4))]
    widths = [32, 24, 16, channels] if blocks == 3 else [32, 24, channels]
    for i, (c_in, c_out) in enumerate(itertools.pairwise(widths)):
        layers += [nn.BatchNorm2d(c_in)] if norm else []
        layers += [nn.ReLU(), nn.ConvTranspose2d(c_in, c_out, 4, 2, 1)]
        if i == len(widths) - 2:
            layers += list(last)
    return nn.Sequential(*layers)


def _dense() -> nn.Module:
    layers = [nn.Linear(_LATENT, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 3 * 32 * 32)]
    return nn.Sequential(*layers, nn.Unflatten(1, _SHAPE), nn.Tanh())


_GENERATOR = (
    Mistake(
        "sigmoid at the end",
        "its pictures lie in [0, 1]. The game has pictures in [−1, 1]: end with a tanh.",
        lambda: _network(last=(nn.Sigmoid(),)),
    ),
    Mistake(
        "nothing at the end",
        "its pictures are not kept within [−1, 1]: the last function is missing.",
        lambda: _network(last=()),
    ),
    Mistake(
        "ReLU at the end",
        "its pictures have no negative numbers, and no upper end. Pictures in [−1, 1] need a tanh.",
        lambda: _network(last=(nn.ReLU(),)),
    ),
    Mistake(
        "ReLU, then tanh",
        "a ReLU stands before the tanh, so that no number is below 0: half of the range [−1, 1] cannot be drawn.",
        lambda: _network(last=(nn.ReLU(), nn.Tanh())),
    ),
    Mistake(
        "batch norm at the end",
        "the output is batch-normalised: every batch would have the same mean and variance at each channel. The "
        "guideline leaves the last layer out.",
        lambda: _network(last=(nn.BatchNorm2d(3), nn.Tanh())),
    ),
    Mistake(
        "no batch norm",
        "there is no batch normalisation. The guideline puts it after each layer but the last.",
        lambda: _network(norm=False),
    ),
    Mistake(
        "one doubling too few",
        "its pictures have 16 × 16 places: 4 doubled twice. Double once more, or begin with 8 × 8.",
        lambda: _network(blocks=2),
    ),
    Mistake(
        "one channel",
        "its pictures have one channel. Colour pictures have three, for red, green and blue.",
        lambda: _network(channels=1),
    ),
    Mistake(
        "dense",
        "there is no convolution in it. The guideline allows a dense layer only at the beginning, to spread the code "
        "over the first places.",
        _dense,
    ),
)
_MESSAGES = {mistake.name: mistake.message for mistake in _GENERATOR}


def _judge(answer: Answer) -> None:
    generator = fresh()
    network = call(answer)
    if not isinstance(network, nn.Module):
        raise Wrong(f"generator_32 returns {kind_of(network)}; return the network, a module.")
    with torch.no_grad():
        for weight in network.parameters():  # large enough that the ends of the range are reached
            if weight.ndim > 1:
                weight.copy_(normal(*weight.shape, generator=generator) * 3 / weight[0].numel() ** 0.5)
    z = normal(16, _LATENT, generator=generator)
    pictures = call(network, z)
    _refuse_shape(pictures, network)
    _refuse_range(pictures.detach(), network)
    _refuse_layers(network)
    (gradient,) = torch.autograd.grad(pictures.square().sum(), next(network.parameters()), allow_unused=True)
    if gradient is None or not gradient.any():
        raise Wrong("no gradient comes back to its first weights; it could not learn.")
    pictures = pictures.detach()
    if torch.allclose(pictures[0], pictures[1], atol=1e-4):
        raise Wrong("two codes give the same picture: the code does not reach the output.")


def _refuse_shape(pictures: Tensor, network: nn.Module) -> None:
    if not isinstance(pictures, Tensor):
        raise Wrong(f"the network returns {kind_of(pictures)}; it should return pictures, a tensor.")
    shape = tuple(pictures.shape)
    if shape == (16, 3, 16, 16):
        raise Wrong(_MESSAGES["one doubling too few"])
    if shape == (16, 1, 32, 32):
        raise Wrong(_MESSAGES["one channel"])
    if shape != (16, *_SHAPE):
        raise Wrong(f"16 codes give the shape {shape}; (16, 3, 32, 32) is asked for.")


def _refuse_range(pictures: Tensor, network: nn.Module) -> None:
    """Pictures fill [−1, 1] if the weights are large; what else they fill tells what stands at the end."""
    low, high = float(pictures.min()), float(pictures.max())
    ends = [module for module in network.modules() if not list(module.children())]
    if low >= 0 and high <= 1 and any(isinstance(module, nn.Tanh) for module in ends[-2:]):
        raise Wrong(_MESSAGES["ReLU, then tanh"])
    if low >= 0 and high <= 1:
        raise Wrong(_MESSAGES["sigmoid at the end"])
    if low >= 0:
        raise Wrong(_MESSAGES["ReLU at the end"])
    if low < -1 or high > 1:
        raise Wrong(_MESSAGES["nothing at the end"])
    if low > -0.5 or high < 0.5:
        raise Wrong(f"with large weights its pictures still lie between {low:.2f} and {high:.2f}, not in [−1, 1].")


def _refuse_layers(network: nn.Module) -> None:
    layers = [module for module in network.modules() if not list(module.children())]
    if not any(isinstance(layer, _CONVOLUTIONS) for layer in layers):
        raise Wrong(_MESSAGES["dense"])
    if sum(isinstance(layer, nn.Linear) for layer in layers) > 1:
        raise Wrong("there is more than one dense layer. The guideline allows one, at the beginning.")
    if not any(isinstance(layer, _NORMS) for layer in layers):
        raise Wrong(_MESSAGES["no batch norm"])
    last = max(i for i, layer in enumerate(layers) if isinstance(layer, (*_CONVOLUTIONS, nn.Linear)))
    if any(isinstance(layer, _NORMS) for layer in layers[last:]):
        raise Wrong(_MESSAGES["batch norm at the end"])


generator_32 = Check(
    "generator_32",
    _judge,
    "16 codes give 16 colour pictures of 32 × 32 places in [−1, 1], and the layers follow the guidelines.",
    _GENERATOR,
)
