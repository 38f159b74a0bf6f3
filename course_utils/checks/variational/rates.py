"""The check of rate and distortion: what a code costs, and what it leaves to be paid for the pixels.

The distortion is random, so it is checked with the very codes that the answer has decoded, which the check's decoder
remembers; and these are asked whether they were drawn from q.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import qr
from torch.nn.functional import binary_cross_entropy_with_logits

from course_utils.checks.core import Answer, Check, Mistake, Wrong, call, close, fresh, kind_of, normal, number, uniform
from course_utils.checks.variational.drawn_codes import CODES, Codes, are_drawn, drawn, judge_codes, judge_two_draws

__all__ = ["rate_distortion"]


def _kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(q ‖ N(0, 1)) of each latent dimension, (N, k)."""
    return (log_var.exp() + mean.square() - 1 - log_var) / 2


def _nll(logits: Tensor, x: Tensor) -> Tensor:
    """−log p(x∣z) of each image, (N,)."""
    return binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def _rate(mean: Tensor, log_var: Tensor) -> Tensor:
    return _kl(mean, log_var).sum(1).mean()


def _distortion(logits: Tensor, x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return _nll(logits, x).mean()


def _of(rate: Answer = _rate, distortion: Answer = _distortion, codes: Codes = drawn) -> Answer:
    """Rate and distortion with one of the parts in another form."""

    def rate_and_distortion(encode: Answer, decode: Answer, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = encode(x)
        return rate(mean, log_var), distortion(decode(codes(mean, log_var)), x, mean, log_var)

    return rate_and_distortion


# Known mistakes: in the rate, in the distortion, and in their order ---------------------------------------------------

_RATES = {
    "over the latents": (
        "the rate is averaged over the latent dimensions. A code costs the sum of what its dimensions cost.",
        lambda mean, log_var: _kl(mean, log_var).mean(),
    ),
    "summed over the batch": (
        "the rate grows with the number of images: sum over the dimensions, but take the mean over the batch.",
        lambda mean, log_var: _kl(mean, log_var).sum(),
    ),
    "half forgotten": (
        "the rate is twice as large as it should be: the ½ of the divergence is missing.",
        lambda mean, log_var: 2 * _rate(mean, log_var),
    ),
    "sign of the rate": (
        "the sign of the rate is turned. A divergence is 0 or more.",
        lambda mean, log_var: -_rate(mean, log_var),
    ),
    "log σ": (
        "the rate reads log_var as log σ. It is log σ², so that exp(log_var) is the variance already.",
        lambda mean, log_var: _rate(mean, 2 * log_var),
    ),
    "the other way round": (
        "the rate is KL(N(0, I) ‖ q). The codes are drawn from q, so q comes first.",
        lambda mean, log_var: (((1 + mean.square()) / log_var.exp() - 1 + log_var) / 2).sum(1).mean(),
    ),
}
_DISTORTIONS = {
    "over the pixels": (
        "the distortion is averaged over the pixels. An image costs the sum of what its pixels cost.",
        lambda logits, x, mean, log_var: _nll(logits, x).mean() / x.shape[-1],
    ),
    "distortion of the batch": (
        "the distortion grows with the number of images: sum over the pixels, but take the mean over the batch.",
        lambda logits, x, mean, log_var: _nll(logits, x).mean() * len(mean),
    ),
    "rate included": (
        "the distortion holds the rate as well. The two are asked for one by one; their sum is the negative ELBO.",
        lambda logits, x, mean, log_var: _nll(logits, x).mean() + _rate(mean, log_var),
    ),
    "sign of the distortion": (
        "the sign of the distortion is turned: it is −log p(x∣z), and 0 or more.",
        lambda logits, x, mean, log_var: -_nll(logits, x).mean(),
    ),
    "two sigmoids": (
        "the distortion reads the decoder's logits as if they had not been logits: a sigmoid has been taken before a "
        "function that takes one itself.",
        lambda logits, x, mean, log_var: _nll(logits.sigmoid(), x).mean(),
    ),
    "squared error": (
        "the distortion is a squared error. The decoder gives the logits of Bernoulli pixels: −log p(x∣z) is their "
        "cross-entropy.",
        lambda logits, x, mean, log_var: (logits.sigmoid() - x).square().sum(-1).mean(),
    ),
}
_SWAPPED = Mistake(
    "swapped",
    "rate and distortion have changed places: the rate comes first.",
    lambda *arguments: _of()(*arguments)[::-1],
)


def _by_monte_carlo(encode: Answer, decode: Answer, x: Tensor) -> tuple[Tensor, Tensor]:
    mean, log_var = encode(x)
    z = drawn(mean, log_var)
    log_ratio = (z.square() - (z - mean).square() / log_var.exp() - log_var) / 2
    return log_ratio.sum(1).mean(), _nll(decode(z), x).mean()


_MONTE_CARLO = Mistake(
    "rate by Monte Carlo",
    "the rate is nearly correct, and changes from call to call: it is estimated from draws. The divergence of two "
    "Gaussians has a closed form.",
    _by_monte_carlo,
)

# What the answer is called with, and what is asked of it --------------------------------------------------------------


class _Case:
    """Images x (N × d_x), an encoder, and a decoder that remembers what it decodes; N, d_x and k all differ."""

    def __init__(self, generator: torch.Generator, dtype: torch.dtype) -> None:
        N, d_x, k = 2_000, 7, 3
        self.x = uniform(0, 1, N, d_x, generator=generator, dtype=dtype)
        self.W, self.A, self.V = (normal(d_x, k, generator=generator, dtype=torch.float64) for _ in range(3))
        self.W, self.A = 4 * qr(self.W).Q, 4 * qr(self.A).Q  # every dimension of the code varies as much
        self.codes: list[Tensor] = []

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return (x - 0.5) @ self.W.to(x), (x - 0.5) @ self.A.to(x) - 1.5

    def decode(self, z: Tensor) -> Tensor:
        self.codes.append(z.detach().double().reshape(-1, z.shape[-1]))
        return self.logits(z)

    def logits(self, z: Tensor) -> Tensor:
        return 3 * torch.tanh(z) @ self.V.mT.to(z)

    def asked(self, answer: Answer) -> tuple[float, float, Tensor]:
        """What an answer returns for this case, and the codes that it decoded."""
        self.codes.clear()
        value = call(answer, self.encode, self.decode, self.x)
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise Wrong(f"two numbers are asked for, rate and distortion, and what comes back is {kind_of(value)}.")
        rate, distortion = number(value[0], "the rate"), number(value[1], "the distortion")
        if not self.codes:
            raise Wrong("no code is decoded. The distortion is −log p(x∣z) at codes z that are drawn from q.")
        z = torch.cat(self.codes)
        if z.shape[1] != self.W.shape[1] or len(z) % len(self.x):
            raise Wrong("decode should be called with one code for each image, or with several, (N, latent_dim).")
        return rate, distortion, z


def _judge_rate(rate: float, distortion: float, mean: Tensor, log_var: Tensor) -> None:
    expected = float(_rate(mean, log_var))
    if close(rate, expected):
        return
    if close(distortion, expected):
        raise Wrong(_SWAPPED.message)
    for message, mistaken in _RATES.values():
        if close(rate, mistaken(mean, log_var)):
            raise Wrong(message)
    if abs(rate / expected - 1) < 0.06:
        raise Wrong(_MONTE_CARLO.message)
    raise Wrong(f"the rate is {rate:.6g}, and the mean of the divergences is {expected:.6g}.")


def _judge_distortion(case: _Case, distortion: float, z: Tensor) -> None:
    x = case.x.double()
    mean, log_var = case.encode(x)
    logits, several = case.logits(z), len(z) // len(x)
    orders = (torch.arange(len(x)).repeat_interleave(several), torch.arange(len(x)).repeat(several))
    matching = [order for order in orders if close(distortion, _nll(logits, x[order]).mean())]
    for order in matching:  # several codes an image may come in either order
        if order is matching[-1] or are_drawn(z, mean[order], log_var[order]):
            return judge_codes(z, mean[order], log_var[order])
    order = orders[-1]
    for message, mistaken in _DISTORTIONS.values():
        if close(distortion, mistaken(logits, x[order], mean, log_var)):
            raise Wrong(message)
    expected = float(_nll(logits, x[order]).mean())
    raise Wrong(f"the distortion is {distortion:.6g}, and at the codes that were decoded it is {expected:.6g}.")


def _judge(answer: Answer) -> None:
    generator = fresh()
    for dtype in (torch.float32, torch.float64):
        case = _Case(generator, dtype)
        rate, distortion, z = case.asked(answer)
        _judge_rate(rate, distortion, *case.encode(case.x.double()))
        _judge_distortion(case, distortion, z)
        judge_two_draws(z, case.asked(answer)[2])


rate_distortion = Check(
    "rate_and_distortion",
    _judge,
    "what a code costs in closed form, and what it leaves to be paid for the pixels, at codes drawn from q.",
    (
        *(Mistake(name, message, _of(rate=make)) for name, (message, make) in _RATES.items()),
        *(Mistake(name, message, _of(distortion=make)) for name, (message, make) in _DISTORTIONS.items()),
        *(Mistake(name, message, _of(codes=make)) for name, (message, make) in CODES.items()),
        _SWAPPED,
        _MONTE_CARLO,
    ),
)
