"""The check of the logit of a discriminator that projects its features on a vector of the class."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    call,
    compare,
    differentiated,
    fresh,
    in_double,
    integer,
    normal,
)

__all__ = ["projection_logits"]


def _reference(features: Tensor, y: Tensor, psi: nn.Module, embedding: nn.Module) -> Tensor:
    """Sample by sample, with the class's vector out of the table."""
    table = next(embedding.parameters())
    rows = [psi(one[None]).view(1) + torch.dot(table[c], one) for one, c in zip(features, y.tolist(), strict=True)]
    return torch.stack(rows)


def _products(features: Tensor, y: Tensor, embedding: nn.Module) -> Tensor:
    return (embedding(y) * features).sum(dim=1, keepdim=True)


_MISTAKES = (
    Mistake(
        "all pairs",
        "this is a matrix: the features of each sample meet the class vectors of all the others, too. Each sample "
        "needs the product with its own class vector alone.",
        lambda features, y, psi, embedding: psi(features) + features @ embedding(y).T,
    ),
    Mistake(
        "(n, 1) plus (n,)",
        "a column (n, 1) plus a row (n,) is a matrix (n, n) in PyTorch. Keep the dimension in the sum: keepdim=True.",
        lambda features, y, psi, embedding: psi(features) + _products(features, y, embedding).squeeze(1),
    ),
    Mistake(
        "all classes",
        "there is one logit for each class. Take the class vector of y alone.",
        lambda features, y, psi, embedding: psi(features) + features @ next(embedding.parameters()).T,
    ),
    Mistake(
        "sum over the batch",
        "the products are summed over the whole batch, so that each logit depends on the other samples. Sum over the "
        "features of one sample.",
        lambda features, y, psi, embedding: psi(features) + _products(features, y, embedding).sum(),
    ),
    Mistake(
        "cosine",
        "this is the cosine between the features and the class vector. Asked is their inner product, which is not "
        "divided by the lengths.",
        lambda features, y, psi, embedding: psi(features) + cosine_similarity(embedding(y), features)[:, None],
    ),
    Mistake(
        "mean over the features",
        "the products are averaged over the features. An inner product is a sum.",
        lambda features, y, psi, embedding: psi(features) + _products(features, y, embedding) / features.shape[1],
    ),
    Mistake(
        "root of d",
        "the inner product is divided by the root of its number of features, as attention does it. Here it is not.",
        lambda features, y, psi, embedding: (
            psi(features) + _products(features, y, embedding) / features.shape[1] ** 0.5
        ),
    ),
    Mistake(
        "no ψ",
        "the part that does not look at the class is missing, ψ(φ(x)).",
        lambda features, y, psi, embedding: _products(features, y, embedding),
    ),
    Mistake(
        "no projection",
        "the label plays no part here: the inner product with the class vector is missing.",
        lambda features, y, psi, embedding: psi(features) + 0 * _products(features, y, embedding),
    ),
    Mistake(
        "subtracted",
        "the inner product is subtracted. It is added.",
        lambda features, y, psi, embedding: psi(features) - _products(features, y, embedding),
    ),
    Mistake(
        "ψ of the sum",
        "features and class vector are added, and ψ reads the sum. The class vector is multiplied with the features.",
        lambda features, y, psi, embedding: psi(features + embedding(y)),
    ),
)


def _draw(generator: torch.Generator) -> tuple[Tensor, Tensor, nn.Module, nn.Module]:
    n, d, num_classes = integer(5, 8, generator), integer(3, 5, generator), integer(9, 12, generator)
    psi, embedding = nn.Linear(d, 1), nn.Embedding(num_classes, d)
    with torch.no_grad():
        for weight in (*psi.parameters(), *embedding.parameters()):
            weight.copy_(normal(*weight.shape, generator=generator))
    y = torch.randint(num_classes, (n,), generator=generator)
    return normal(n, d, generator=generator), y, psi, embedding


def _judge(answer: Answer) -> None:
    generator = fresh()
    draws = [_draw(generator) for _ in range(3)]
    draws[1:2] = in_double(draws[1:2])
    draws.append((draws[0][0][:2], draws[0][1][:2], *draws[0][2:]))
    text = "the logits are {got}, and sample by sample they are {expected}."
    compare(answer, _reference, draws, _MISTAKES, text, what="the logits")
    without = "the logits are right, but they carry no gradient back to the features: is there a detach() or no_grad()?"
    slopes, expected = (differentiated(function, 0, without) for function in (answer, _reference))
    text = "the logits are right, but their gradient in the features is not: {got} instead of {expected}."
    compare(slopes, expected, draws, (), text, what="the gradient")
    _refuse_lost_weights(answer, draws[0])


def _refuse_lost_weights(answer: Answer, case: tuple[Tensor, Tensor, nn.Module, nn.Module]) -> None:
    """A :class:`Wrong` where the class vectors or ψ would never learn."""
    weights = {"the class vectors": next(case[3].parameters()), "the weights of psi": next(case[2].parameters())}
    slopes = torch.autograd.grad(call(answer, *case).sum(), list(weights.values()), allow_unused=True)
    for name, slope in zip(weights, slopes, strict=True):
        if slope is None or not slope.any():
            raise Wrong(f"the logits are right, but no gradient reaches {name}, and they would never learn.")


projection_logits = Check(
    "projection_logits",
    _judge,
    "one logit for each sample, from its own features and the vector of its own class.",
    _MISTAKES,
)
