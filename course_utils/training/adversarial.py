"""What games of a generator and a discriminator share: losses, a gradient penalty, averaged weights, a stop.

The step itself, which network moves when, is written where it is taught; :func:`course_utils.training.run` plays it. A
discriminator returns logits; where they are large, a sample looks real.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from course_utils.errors import InputError, did_you_mean
from course_utils.training.loop import Diverged

__all__ = ["Dominance", "discriminator_loss", "generator_loss", "gradient_penalty", "warm_up", "weight_average"]

_KINDS = ("minimax", "non-saturating", "relativistic")


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor, *, kind: str = "non-saturating") -> Tensor:
    """What the discriminator minimises, in nats: a mean over the batch.

    ``"minimax"`` and ``"non-saturating"``: E log(1 + exp(−l)) over real samples, plus E log(1 + exp(l)) over made
    ones; 2 log 2 for a discriminator that guesses. ``"relativistic"``: E log(1 + exp(−(l − l'))) over pairs of a real
    and a made sample; log 2 for one that guesses.

    Args:
        real_logits: of real samples, shape (n, 1) or (n,).
        fake_logits: of made ones, shape (m, 1) or (m,); for ``"relativistic"`` the same shape as ``real_logits``.
        kind: of the game, one of the three above.

    Returns:
        A scalar, 0 or more.

    Raises:
        InputError: if there is no such kind, a batch is empty, or pairs do not fit.

    Source: Goodfellow et al., *Generative adversarial nets*, NeurIPS 2014, equation 1; Jolicoeur-Martineau, *The
    relativistic discriminator*, ICLR 2019; Huang et al., *The GAN is dead; long live the GAN!*, NeurIPS 2024.
    """
    _known(kind)
    _filled(real_logits, fake_logits)
    if kind == "relativistic":
        return softplus(-_differences(real_logits, fake_logits)).mean()
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor, real_logits: Tensor | None = None, *, kind: str = "non-saturating") -> Tensor:
    """What the generator minimises, in nats: a mean over the batch.

    ``"minimax"``: −E log(1 + exp(l)), the part of the discriminator's loss that depends on it, with the other sign.
    ``"non-saturating"``: E log(1 + exp(−l)). ``"relativistic"``: E log(1 + exp(l' − l)), l' of a real sample.

    Args:
        fake_logits: of made samples, shape (n, 1) or (n,).
        real_logits: of real ones, the same shape; only the relativistic loss looks at them.
        kind: of the game.

    Returns:
        A scalar; negative for ``"minimax"``.

    Raises:
        InputError: if there is no such kind, a batch is empty, or pairs do not fit.

    Source: Goodfellow et al. 2014, equation 1 and section 3; Huang et al. 2024, equation 2.
    """
    _known(kind)
    _filled(fake_logits)
    if kind == "minimax":
        return -softplus(fake_logits).mean()
    if kind == "non-saturating":
        return softplus(-fake_logits).mean()
    if real_logits is None:
        raise InputError("The relativistic loss compares made samples with real ones; give real_logits as well.")
    return softplus(_differences(real_logits, fake_logits)).mean()


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor], x: Tensor, *, gamma: float = 1.0, interval: int = 1
) -> Tensor:
    """γ/2 · E‖∇ₓ l(x)‖², of the logit l: R1 at real samples, R2 at made ones.

    The squared norm is a sum over all numbers of a sample, pixels for instance; the mean is over the batch. Where it
    is taken only every few steps, ``interval`` multiplies it, so that its pull is the same on average (Karras et al.,
    *Analyzing and improving the image quality of StyleGAN*, CVPR 2020, section 3.1).

    Args:
        discriminator: maps (n, …) to logits, (n, 1) or (n,); each sample by itself, without batch normalisation.
        x: samples, shape (n, …), floating point, in the range that the discriminator reads; it is not changed.
        gamma: γ, the weight, 0 or more.
        interval: how many steps lie between two penalties, 1 or more.

    Returns:
        A scalar with a graph, so that its own gradient reaches the discriminator's parameters.

    Raises:
        InputError: if gamma is negative, interval less than 1, ``x`` holds no sample or whole numbers, or there is not
            one logit for each sample.

    Source: Mescheder, Geiger & Nowozin, *Which training methods for GANs do actually converge?*, ICML 2018, eq. 9.
    """
    if not (gamma >= 0 and interval >= 1):
        raise InputError(f"gamma={gamma} and interval={interval}; give a weight of 0 or more, and 1 step or more.")
    if not x.numel() or not x.is_floating_point():
        raise InputError(
            f"The penalty takes samples (n, …) of floating point; x has the shape {tuple(x.shape)} and is {x.dtype}."
        )
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        logits = discriminator(at)
        if logits.numel() != len(x):
            raise InputError(
                f"The penalty is that of one logit for each sample; the discriminator made {tuple(logits.shape)} of"
                f" {len(x)} samples."
            )
        (gradient,) = torch.autograd.grad(logits.sum(), at, create_graph=True)
        return interval * gamma / 2 * gradient.reshape(len(x), -1).square().sum(1).mean()


def weight_average(model: nn.Module, *, decay: float = 0.999) -> AveragedModel:
    """A copy of a network whose weights are a moving average of the network's: new = decay · old + (1 − decay) · now.

    Call ``average.update_parameters(model)`` after each step; the first call copies the network, so that the average
    begins there and not at the first random weights. The statistics of batch normalisation are averaged too. It is a
    module: put it beside the others in ``trained`` of :func:`course_utils.training.run`, and a checkpoint keeps it.

    Args:
        model: what is trained; it is copied as it is now.
        decay: in [0, 1); the average looks back about 1 / (1 − decay) steps.

    Raises:
        InputError: if decay is outside [0, 1).

    Source: Yazıcı et al., *The unusual effectiveness of averaging in GAN training*, ICLR 2019; torch's own class.
    """
    if not 0 <= decay < 1:
        raise InputError(f"decay={decay}; give a number from 0 up to, and without, 1, such as 0.999.")
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


def warm_up(
    optimizer: torch.optim.Optimizer, num_steps: int, *, steps_up: int = 100, hold: float = 0.0
) -> torch.optim.lr_scheduler.LambdaLR:
    """A schedule: the rate grows along a line for a few steps, stays, and then falls to 0 along half a cosine.

    Args:
        optimizer: its rate is the largest of the schedule.
        num_steps: of the whole training, 1 or more; call ``.step()`` after each.
        steps_up: until the full rate, 1 or more.
        hold: the share of the steps before it begins to fall, in [0, 1]; with 1 it never falls.

    Raises:
        InputError: if one of the numbers of steps is less than 1, or the share lies outside [0, 1].

    Source: Loshchilov & Hutter, *SGDR*, ICLR 2017, equation 5, without restarts.
    """
    if min(num_steps, steps_up) < 1:
        raise InputError(f"num_steps={num_steps} and steps_up={steps_up}; give 1 or more of each.")
    if not 0 <= hold <= 1:
        raise InputError(f"hold={hold}; give a share of the steps, from 0 (falls at once) to 1 (never falls).")

    def factor(step: int) -> float:
        fallen = 0.0 if hold == 1 else min(max((step / num_steps - hold) / (1 - hold), 0.0), 1.0)
        return min(1.0, (step + 1) / steps_up) * (0.5 + 0.5 * math.cos(math.pi * fallen))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


class Dominance:
    """Stops a game that the discriminator has won for long: call it once a step, with both kinds of logits.

    A generator learns from what the discriminator is unsure of. Where D(x) is above ``1 − margin`` and D(G(z)) below
    ``margin``, on average over the batch and for ``patience`` steps in a row, little is left to learn from.

    Attributes:
        steps: how many steps in a row it has been so.
    """

    def __init__(self, *, patience: int = 500, margin: float = 0.01) -> None:
        """Begin to watch.

        Args:
            patience: steps in a row that are too many, 1 or more.
            margin: how near to 1 and to 0 counts as won, in (0, ½).

        Raises:
            InputError: if one of them is outside its range.
        """
        if patience < 1 or not 0 < margin < 0.5:
            raise InputError(f"patience={patience} and margin={margin}; give 1 or more, and a number between 0 and ½.")
        self.patience, self.margin, self.steps = patience, margin, 0

    @torch.no_grad()
    def __call__(self, real_logits: Tensor, fake_logits: Tensor) -> dict[str, float]:
        """Look at one batch, and return ``"D(x)"`` and ``"D(G(z))"``, its mean probabilities, to be recorded.

        Raises:
            Diverged: if the discriminator has won for ``patience`` steps; :func:`course_utils.training.run` stops
                then, keeps everything, and says why.
        """
        real, made = real_logits.sigmoid().mean().item(), fake_logits.sigmoid().mean().item()
        self.steps = self.steps + 1 if real > 1 - self.margin and made < self.margin else 0
        if self.steps >= self.patience:
            raise Diverged(
                f"because the discriminator has won {self.steps:,} steps in a row: D(x) is {real:.4f} and D(G(z))"
                f" {made:.2g}. Try a gradient penalty, a smaller learning rate for the discriminator, or a smaller"
                " discriminator"
            )
        return {"D(x)": real, "D(G(z))": made}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` returned."""
        self.steps = int(state["steps"])


def _known(kind: str) -> None:
    if kind not in _KINDS:
        raise InputError(f'There is no game of the kind "{kind}". {did_you_mean(str(kind), _KINDS)}')


def _filled(*logits: Tensor) -> None:
    if not all(part.numel() for part in logits):
        shapes = " and ".join(str(tuple(part.shape)) for part in logits)
        raise InputError(f"A loss is a mean over samples, and there are none: the logits have the shape {shapes}.")


def _differences(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Of pairs; shapes such as (n, 1) and (n,) would silently be compared all with all."""
    if real_logits.shape != fake_logits.shape:
        raise InputError(
            "The relativistic loss takes pairs of a real and a made sample; the logits have the shapes"
            f" {tuple(real_logits.shape)} and {tuple(fake_logits.shape)}."
        )
    return real_logits - fake_logits
