"""The checks of two conditional means: the best linear denoiser, and Gaussian inpainting."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.linalg import lstsq

from course_utils.checks.core import (
    Answer,
    Check,
    Mistake,
    Wrong,
    cloud,
    compare,
    fresh,
    integer,
    normal,
    one_of_two,
    uniform,
)

__all__ = ["inpainting", "linear"]


# 3. The best linear denoiser ---------------------------------------------------------------------------------------


def _ridge(X: Tensor, std: float, correction: int = 0) -> tuple[Tensor, Tensor]:
    """Weights and bias by another road: least squares on the data, with noise as d_x further rows."""
    mean, d = X.mean(0), X.shape[1]
    centred = X - mean
    rows = (len(X) - correction) ** 0.5 * std * torch.eye(d, dtype=X.dtype)
    zeros = torch.zeros(d, d, dtype=X.dtype)
    W = lstsq(torch.cat([centred, rows]), torch.cat([centred, zeros])).solution.T
    return W, mean - W @ mean


def _weights(correction: int) -> tuple[Mistake, ...]:
    """Mistakes in W, with the covariance over n − correction."""

    def mistake(name: str, message: str, change: Answer, *, n: int = 0, centre: bool = True) -> Mistake:
        def make(X: Tensor, std: float) -> tuple[Tensor, Tensor]:
            mean = X.mean(0) if centre else torch.zeros_like(X[0])
            Sigma = (X - mean).T @ (X - mean) / (n or len(X) - correction)
            W = change(Sigma, std, torch.eye(len(Sigma), dtype=X.dtype))
            return W, mean - W @ mean

        return Mistake(name, message, make)

    def right(S: Tensor, std: float, eye: Tensor) -> Tensor:
        return S @ (S + std**2 * eye).inverse()

    return (
        mistake(
            "σ for σ²",
            "W adds σ to the diagonal of the covariance. What adds up there are variances.",
            lambda S, std, eye: S @ (S + std * eye).inverse(),
        ),
        mistake(
            "uncentred",
            "Σ is taken of the images as they are. A covariance is taken about the mean.",
            right,
            centre=False,
        ),
        mistake(
            "a sum over the images",
            "Σ is a sum over the images. It grows with their number, and the noise drowns in it: divide.",
            right,
            n=1,
        ),
        mistake(
            "only the inverse",
            "W is the inverse of the noisy images' covariance alone. By what is it multiplied?",
            lambda S, std, eye: (S + std**2 * eye).inverse(),
        ),
        mistake(
            "upside down",
            "W makes the noisy images larger: the covariances of the clean and the noisy images have changed places.",
            lambda S, std, eye: (S + std**2 * eye) @ S.inverse(),
        ),
        mistake(
            "what is noise",
            "W gives the share that is noise, σ²(Σ + σ²I)⁻¹; asked is the share that is image.",
            lambda S, std, eye: eye - right(S, std, eye),
        ),
    )


def _biases(correction: int) -> tuple[Mistake, ...]:
    """Mistakes in b, beside the right W."""

    def without(X: Tensor, std: float) -> tuple[Tensor, Tensor]:
        return _ridge(X, std, correction)[0], torch.zeros_like(X[0])

    def mean(X: Tensor, std: float) -> tuple[Tensor, Tensor]:
        return _ridge(X, std, correction)[0], X.mean(0)

    return (
        Mistake(
            "no bias",
            "b is zero: the mean is never put back. Which x̃ should be answered by the mean itself?",
            without,
        ),
        Mistake(
            "the mean as the bias",
            "b is the mean, and W x̃ + μ counts it twice: the mean of x̃ has to be taken away before W.",
            mean,
        ),
    )


def _judge_linear(linear_denoiser: Answer) -> None:
    generator, draws, verdicts = fresh(), [], []
    for low, n in ((0.3, 0), (1.5, 0), (2.0, 0), (0.3, 5)):  # away from 1, where σ and σ² are hard to tell apart
        draws.append((cloud(generator, n=n)[0], float(uniform(low, low + 0.4, generator=generator))))
    draws[-1], singular = draws[0], draws[-1]  # fewer images than pixels: Σ has no inverse
    for correction in (0, 1):  # a covariance over n and one over n − 1 are both fair
        reference = functools.partial(_ridge, correction=correction)
        text = "{name} is {{got}}; least squares on many noisy copies of the images would find {{expected}}."
        views = [one_of_two(i, "W", "b") for i in (0, 1)]
        try:
            for some, known in ((draws, _weights(correction)), ([singular], ())):
                compare(linear_denoiser, reference, some, known, text.format(name="W"), views[0], what="W", atol=1e-4)
        except Wrong as wrong:
            verdicts.append(str(wrong))
            continue
        known = _biases(correction)
        compare(linear_denoiser, reference, draws, known, text.format(name="b"), views[1], what="b", atol=1e-4)
        return
    known_messages = {mistake.message for mistake in linear.mistakes}
    raise Wrong(next((text for text in verdicts if text in known_messages), verdicts[0]))


linear = Check(
    "linear_denoiser",
    _judge_linear,
    "least squares on noisy copies of the images would find the same weights and the same bias.",
    _weights(0) + _biases(0),
)


# 5. Inpainting -----------------------------------------------------------------------------------------------------


def _fill(x: Tensor, missing: Tensor, mean: Tensor, Sigma: Tensor) -> Tensor:
    """The conditional mean by another road, the precision matrix Λ: μ_m − Λ_mm⁻¹ Λ_mo (x_o − μ_o)."""
    precision, seen = Sigma.inverse(), ~missing
    filled = x.clone()
    drawn = torch.linalg.solve(precision[missing][:, missing], precision[missing][:, seen])
    filled[:, missing] = mean[missing] - (x[:, seen] - mean[seen]) @ drawn.T
    return filled


def _with(change: Answer) -> Answer:
    """A filling of the hole by something else; ``change`` gets the blocks m (missing) and o (seen)."""

    def make(x: Tensor, missing: Tensor, mean: Tensor, Sigma: Tensor) -> Tensor:
        m, o = missing.nonzero().flatten(), (~missing).nonzero().flatten()
        filled = x.clone()
        filled[:, m] = change(x, m, o, mean, Sigma)
        return filled

    return make


def _into(x: Tensor, missing: Tensor, mean: Tensor, Sigma: Tensor) -> Tensor:
    x[:, missing] = _fill(x, missing, mean, Sigma)[:, missing]
    return x


_INPAINTING = (
    Mistake(
        "observed not centred",
        "the pixels that are seen go in with their mean still on them: it is their distance from the mean that tells.",
        _with(lambda x, m, o, mean, S: mean[m] + x[:, o] @ S[o][:, o].inverse() @ S[o][:, m]),
    ),
    Mistake(
        "mean not added",
        "the hole gets only the distance from its mean; the mean of the missing pixels is not added.",
        _with(lambda x, m, o, mean, S: (x[:, o] - mean[o]) @ S[o][:, o].inverse() @ S[o][:, m]),
    ),
    Mistake(
        "the mean alone",
        "every image gets the same filling, the mean. What do the pixels around the hole say?",
        _with(lambda x, m, o, mean, S: mean[m].expand(len(x), -1)),
    ),
    Mistake(
        "not inverted",
        "what the seen pixels say is counted over and over, for they also say it of each other: "
        "their own covariance has to be divided out.",
        _with(lambda x, m, o, mean, S: mean[m] + (x[:, o] - mean[o]) @ S[o][:, m]),
    ),
    Mistake(
        "inverted, then cut",
        "the whole matrix is inverted and a block cut out of the inverse. Cut out the block first, then invert it.",
        _with(lambda x, m, o, mean, S: mean[m] + (x[:, o] - mean[o]) @ S.inverse()[o][:, o] @ S[o][:, m]),
    ),
    Mistake(
        "the other way round",
        "the pixels that were seen are replaced and the hole is left: missing and seen have changed places.",
        lambda x, missing, mean, Sigma: _fill(x, ~missing, mean, Sigma),
    ),
    Mistake(
        "the hole alone",
        "only the missing pixels come back; asked are whole images, with the seen pixels as they were.",
        lambda x, missing, mean, Sigma: _fill(x, missing, mean, Sigma)[:, missing],
    ),
    Mistake(
        "in place",
        "fill writes into the images it is given: make a copy, so that the damaged ones stay as well.",
        _into,
    ),
)


def _judge_inpainting(fill: Answer) -> None:
    generator, draws = fresh(), []
    for holes in (0, 0, 0, 1):
        X, d = (lambda X: (X, X.shape[1]))(cloud(generator)[0])
        missing = torch.zeros(d, dtype=torch.bool)
        missing[torch.randperm(d, generator=generator)[: holes or integer(2, d // 2 - 1, generator)]] = True
        x = X[: integer(4, 9, generator)] + normal(1, d, generator=generator)
        x[:, missing] = 9.0  # what stands in a hole is nothing to go by
        draws.append((x, missing, X.mean(0), torch.cov(X.T) + 0.1 * torch.eye(d)))
    text = "the filled images are {got}; the Gaussian's conditional mean gives {expected}."
    spoilt = _INPAINTING[-1].message
    compare(fill, _fill, draws, _INPAINTING[:-1], text, what="what fill returns", overwritten=spoilt, rtol=1e-3)


inpainting = Check(
    "fill",
    _judge_inpainting,
    "the hole is filled with the mean of what could be there, given every pixel around it.",
    _INPAINTING,
)
