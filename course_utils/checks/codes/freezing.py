"""The check of a frozen network, and of groups of weights with a small rate for the old layers."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    among,
    call,
    compare,
    fresh,
    integer,
    kind_of,
    normal,
    uniform,
)

__all__ = ["layer_rates"]

_DEFAULT = 7.0  # the optimiser's own rate, which no group should have


def _frozen(network: nn.Module) -> nn.Module:
    network.requires_grad_(False)
    return network.eval()


def _attribute(network: Any) -> nn.Module:
    network.requires_grad = False
    return network.eval()


def _first_only(network: Any) -> nn.Module:
    network[0].requires_grad_(False)
    return network.eval()


def _without_biases(network: nn.Module) -> nn.Module:
    for name, weight in network.named_parameters():
        weight.requires_grad_("bias" in name)
    return network.eval()


def _zeroed(network: nn.Module) -> nn.Module:
    for weight in network.parameters():
        nn.init.zeros_(weight)
    return _frozen(network)


_ATTRIBUTE = (
    "frozen sets requires_grad of the network itself, which is a new attribute that nobody reads. The weights still "
    "ask for a gradient."
)
_ALL_ASK = "after frozen all weights still ask for a gradient, so that the next step moves them."
_SOME_ASK = (
    "after frozen there are weights that still ask for a gradient. Which of the network's weights were left out?"
)
_TRAINS = (
    "after frozen no weight asks for a gradient, but the network is in training mode. Its batch normalisation uses the "
    "statistics of the batch, and goes on changing its averages: a frozen network is in eval mode."
)
_CHANGED = "frozen changes the weights. They should stay as they are."
_FROZEN = (
    Mistake("attribute of the network", _ATTRIBUTE, _attribute),
    Mistake("eval only", _ALL_ASK, lambda network: network.eval()),
    Mistake("first layer only", _SOME_ASK, _first_only),
    Mistake("training mode", _TRAINS, lambda network: network.requires_grad_(False)),
    Mistake("weights set to 0", _CHANGED, _zeroed),
)


def _groups(encoder: nn.Module, head: nn.Module, rate: float, ratio: float) -> list[dict[str, Any]]:
    return [
        {"params": list(encoder.parameters()), "lr": ratio * rate},
        {"params": list(head.parameters()), "lr": rate},
    ]


def _rated(old: Answer, new: Answer, key: str = "lr") -> Answer:
    """Groups whose rates are functions of rate and ratio."""
    return lambda encoder, head, rate, ratio: [
        {"params": list(encoder.parameters()), key: old(rate, ratio)},
        {"params": list(head.parameters()), key: new(rate, ratio)},
    ]


_GROUPS = (
    Mistake(
        "exchanged",
        "rate_groups gives the small rate to the head, and the full one to the old layers. It is the head that knows "
        "nothing yet.",
        _rated(lambda rate, ratio: rate, lambda rate, ratio: ratio * rate),
    ),
    Mistake(
        "one rate",
        "rate_groups gives all weights the same rate. The old layers should move more slowly, by the factor ratio.",
        _rated(lambda rate, ratio: rate, lambda rate, ratio: rate),
    ),
    Mistake(
        "both small",
        "rate_groups gives the small rate to all weights, the head's too.",
        _rated(lambda rate, ratio: ratio * rate, lambda rate, ratio: ratio * rate),
    ),
    Mistake(
        "ratio for a rate",
        "rate_groups takes ratio for the rate of the old layers. It is a factor: their rate is ratio times that of the "
        "head.",
        _rated(lambda rate, ratio: ratio, lambda rate, ratio: rate),
    ),
    Mistake(
        "divided",
        "rate_groups divides by ratio, so that the old layers move faster than the head. Multiply.",
        _rated(lambda rate, ratio: rate / ratio, lambda rate, ratio: rate),
    ),
    Mistake(
        "another key",
        'rate_groups names no rate that the optimiser knows, and it takes its own for all. The key is "lr".',
        _rated(lambda rate, ratio: ratio * rate, lambda rate, ratio: rate, key="rate"),
    ),
    Mistake(
        "head only",
        "rate_groups leaves the old layers out, and they never move: that is a frozen encoder.",
        lambda encoder, head, rate, ratio: _groups(encoder, head, rate, ratio)[1:],
    ),
    Mistake(
        "encoder only",
        "rate_groups leaves the head out, and it never moves.",
        lambda encoder, head, rate, ratio: _groups(encoder, head, rate, ratio)[:1],
    ),
    Mistake(
        "first layer only",
        "rate_groups gives the small rate to a part of the old layers only, and the others do not move.",
        lambda encoder, head, rate, ratio: [
            {"params": list(encoder[0].parameters()), "lr": ratio * rate},
            {"params": list(head.parameters()), "lr": rate},
        ],
    ),
)


def _networks() -> tuple[nn.Module, nn.Module]:
    """An encoder (n, 3) → (n, 2) with batch normalisation, and a head (n, 2) → (n, 4)."""
    encoder = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2))
    return encoder, nn.Linear(2, 4)


def _stepped(answer: Answer) -> Answer:
    """How far each weight moves in one step of plain descent over its gradient: all in one row."""
    if not callable(answer):
        return answer

    @functools.wraps(answer)
    def step(rate: float, ratio: float, slopes: Tensor) -> Tensor:
        encoder, head = (network.to(slopes) for network in _networks())
        weights = [*encoder.parameters(), *head.parameters()]
        start = torch.cat([weight.detach().flatten().clone() for weight in weights])
        groups = call(answer, encoder, head, rate, ratio)
        for weight, slope in zip(weights, slopes.split([w.numel() for w in weights]), strict=True):
            weight.grad = slope.view(weight.shape).clone()
        if isinstance(groups, torch.optim.Optimizer) or not isinstance(groups, (list, tuple)):
            raise Wrong(f"rate_groups should return a list of two dicts, and what comes back is {kind_of(groups)}.")
        try:
            torch.optim.SGD(list(groups), lr=_DEFAULT).step()
        except (ValueError, TypeError, KeyError) as error:
            raise Wrong(f"the optimiser does not take the result of rate_groups: {error}.") from None
        return (start - torch.cat([weight.detach().flatten() for weight in weights])) / slopes

    return step


def _judge_frozen(frozen: Answer, generator: torch.Generator) -> None:
    encoder, _ = _networks()
    x, before = normal(7, 3, generator=generator), {k: v.clone() for k, v in encoder.state_dict().items()}

    @functools.wraps(frozen if callable(frozen) else _frozen)
    def on_the_encoder() -> Any:  # its mode is to change, which a check of arguments would refuse
        return frozen(encoder)

    network = call(on_the_encoder if callable(frozen) else frozen)
    if not isinstance(network, nn.Module):
        raise Wrong(f"frozen should return the network, and it returns {kind_of(network)}.")
    weights = list(network.parameters())
    if len(weights) != len(list(encoder.parameters())):
        raise Wrong("frozen returns another network: it has not the same weights.")
    if any(not torch.equal(value, before[key]) for key, value in network.state_dict().items()):
        raise Wrong(_CHANGED)
    asking = [weight.requires_grad for weight in weights]
    if any(asking):
        text = _ATTRIBUTE if network.__dict__.get("requires_grad") is False else _ALL_ASK
        raise Wrong(text if all(asking) else _SOME_ASK)
    if any(module.training for module in network.modules()):
        raise Wrong(_TRAINS)
    encoder.eval()
    if not torch.allclose(network(x), encoder(x), atol=1e-6):
        raise Wrong("the frozen network computes something else than before.")


def _judge(frozen: Answer, rate_groups: Answer) -> None:
    generator = fresh()
    _judge_frozen(frozen, generator)
    size = sum(weight.numel() for network in _networks() for weight in network.parameters())
    draws = []
    for _ in range(3):
        rate, ratio = float(uniform(0.5, 1.5, generator=generator)), 1 / integer(3, 9, generator)
        slopes = uniform(0.5, 1.5, size, generator=generator, dtype=torch.float64)
        draws.append((rate, ratio, slopes))
    known = [Mistake(m.name, m.message, _stepped(m.make)) for m in _GROUPS]
    text = "in a step with the groups of rate_groups a weight moves by {got} of its gradient, and should by {expected}."
    compare(_stepped(rate_groups), _stepped(_groups), draws, known, text, what="the step")


_RIGHT = (_frozen, _groups)

layer_rates = Check(
    "frozen or rate_groups",
    _judge,
    "a frozen network neither learns nor drifts, and the old layers move as slowly as they should.",
    among(_RIGHT, 0, _FROZEN) + among(_RIGHT, 1, _GROUPS),
)
