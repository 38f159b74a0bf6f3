"""The checks of exercise 08: what they call open, right and wrong, whatever they draw."""

from __future__ import annotations

import math
from typing import Any

import gap_cells
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli
from torch.func import jacrev
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, relu, softplus
from torch.optim import Optimizer

from course_utils import training
from course_utils.checks import adversarial
from course_utils.checks.adversarial import GAMES

CURVES = tuple(f"curve_{letter}" for letter in GAMES)
STATES = ("balanced", "cycling", "too strong", "too weak")


def _loss_d(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


def _loss_g(fake: Tensor) -> Tensor:
    return softplus(-fake).mean()


EXERCISE = gap_cells.Exercise(
    "08_generative_adversarial_networks",
    adversarial,
    names={
        "both-losses": ("discriminator_loss", "generator_loss"),
        "optimal-discriminator": ("optimal_discriminator",),
        "update-discriminator": ("update_discriminator",),
        "update-generator": ("update_generator",),
        "r1-penalty": ("r1_penalty",),
        "dirac-gan": ("dirac_step", "eigenvalue_modulus"),
        "relativistic-losses": ("relativistic_losses",),
        "prediction": CURVES,
    },
    given={
        "math": math,
        "torch": torch,
        "nn": nn,
        "Tensor": Tensor,
        "Optimizer": Optimizer,
        "softplus": softplus,
        "training": training,
    },
    slow=("prediction",),
)
pytestmark = pytest.mark.usefixtures("one_thread")


# The two losses, and the best discriminator ---------------------------------------------------------------------------


def _labelled(real: Tensor, fake: Tensor) -> Tensor:
    """One cross-entropy over both batches, which are of the same size: twice the mean is the sum of both means."""
    logits, labels = torch.cat([real, fake]), torch.cat([torch.ones_like(real), torch.zeros_like(fake)])
    return 2 * binary_cross_entropy_with_logits(logits, labels)


UNKNOWN: dict[str, dict[str, Any]] = {
    "both-losses": {
        "in bits": {"discriminator_loss": lambda real, fake: _loss_d(real, fake) / math.log(2)},
        "squared errors": {"discriminator_loss": lambda real, fake: (real - 1).square().mean() + fake.square().mean()},
        "hinge": {"discriminator_loss": lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean()},
        "one for each sample": {"discriminator_loss": lambda real, fake: softplus(-real) + softplus(fake)},
        "smoothed labels": {"discriminator_loss": lambda real, fake: _loss_d(real, fake) + 0.1 * real.mean()},
        "all logits detached": {"discriminator_loss": lambda real, fake: _loss_d(real.detach(), fake.detach())},
        "G's logits detached": {"generator_loss": lambda fake: _loss_g(fake.detach())},
        "a number": {"discriminator_loss": lambda real, fake: _loss_d(real, fake).item()},
        "logits clamped": {"discriminator_loss": lambda real, fake: _loss_d(real.clamp(-50, 50), fake.clamp(-50, 50))},
        "mean logit": {"generator_loss": lambda fake: -fake.mean()},
        "median": {"generator_loss": lambda fake: softplus(-fake).median()},
        "G's in bits": {"generator_loss": lambda fake: _loss_g(fake) / math.log(2)},
        "half a gradient": {"generator_loss": lambda fake: (_loss_g(fake) + _loss_g(fake.detach())) / 2},
        "an array": {"generator_loss": lambda fake: _loss_g(fake).detach().numpy()},
    },
    "optimal-discriminator": {
        "square of the ratio": lambda a, b: torch.where(a + b > 0, (a / (a + b)).square(), 0.5),
        "1 where both are 0": lambda a, b: torch.where(a + b > 0, a / (a + b), 1.0),
        "which is larger": lambda a, b: torch.where(a == b, 0.5, (a > b).to(a)),
        "difference": lambda a, b: a - b,
        "one number": lambda a, b: torch.where(a + b > 0, a / (a + b), 0.5).mean(),
        "a list": lambda a, b: torch.where(a + b > 0, a / (a + b), 0.5).tolist(),
        "in place": lambda a, b: a.div_(a + b).nan_to_num_(0.5),
    },
}
RIGHT: list[tuple[str, Any]] = [
    ("both-losses", {"discriminator_loss": _labelled}),
    ("both-losses", {"discriminator_loss": lambda real, fake: -(logsigmoid(real) + logsigmoid(-fake)).mean()}),
    ("both-losses", {"discriminator_loss": lambda real, fake: _loss_d(real.flatten(), fake.flatten())}),
    ("both-losses", {"generator_loss": lambda fake: -logsigmoid(fake).sum() / len(fake)}),
    ("both-losses", {"generator_loss": lambda fake: torch.logaddexp(torch.zeros_like(fake), -fake).mean()}),
    ("both-losses", {"generator_loss": lambda fake: -Bernoulli(logits=fake).log_prob(torch.ones_like(fake)).mean()}),
    ("optimal-discriminator", lambda a, b: torch.nan_to_num(a / (a + b), nan=0.5)),
    ("optimal-discriminator", lambda a, b: (a.log() - b.log()).sigmoid().nan_to_num(0.5)),
    ("optimal-discriminator", lambda a, b: torch.where((a == 0) & (b == 0), 0.5, 1 - b / (a + b))),
]


# One step of each player ----------------------------------------------------------------------------------------------


def _moved(loss: Tensor, optimizer: Optimizer) -> float:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _logits(D: nn.Module, G: nn.Module, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        x_fake = G(z)
    return D(x), D(x_fake)


def _update_d(loss: Any) -> Any:
    """The discriminator's update with another loss of its logits."""
    return lambda D, G, optimizer, x, z: _moved(loss(*_logits(D, G, x, z)), optimizer)


def _update_g(loss: Any) -> Any:
    return lambda D, G, optimizer, z: _moved(loss(D(G(z))), optimizer)


def _zeroed_afterwards(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    loss = _loss_d(*_logits(D, G, x, z))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def _loss_after(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    _moved(_loss_d(*_logits(D, G, x, z)), optimizer)
    return _loss_d(*_logits(D, G, x, z)).item()


def _two_steps(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    value = _moved(_loss_d(*_logits(D, G, x, z)), optimizer)
    _moved(_loss_d(*_logits(D, G, x, z)), optimizer)
    return value


def _clipped(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    value = _moved(_loss_d(*_logits(D, G, x, z)), optimizer)
    with torch.no_grad():
        for weight in D.parameters():
            weight.clamp_(-0.1, 0.1)
    return value


def _in_eval_mode(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    G.eval()
    return _moved(_loss_d(*_logits(D, G, x, z)), optimizer)


def _frozen_g(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    G.requires_grad_(False)
    return _moved(_loss_d(D(x), D(G(z))), optimizer)


def _detached(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    return _moved(_loss_d(D(x), D(G(z).detach())), optimizer)


def _both_batches_at_once(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    with torch.no_grad():
        both = torch.cat([x, G(z)])
    return _moved(_loss_d(*D(both).chunk(2)), optimizer)


def _in_two_parts(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    D.zero_grad()
    real = softplus(-D(x)).mean()
    real.backward()
    made = softplus(D(G(z).detach())).mean()
    made.backward()
    optimizer.step()
    return float(real + made)


def _emptied_g(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
    """The gradient runs on into the generator, and is thrown away there."""
    value = _moved(_loss_d(D(x), D(G(z))), optimizer)
    G.zero_grad()
    return value


def _frozen_for_a_while(D: nn.Module, G: nn.Module, optimizer: Optimizer, z: Tensor) -> float:
    D.requires_grad_(False)
    value = _moved(_loss_g(D(G(z))), optimizer)
    D.requires_grad_(True)
    return value


def _frozen_d(D: nn.Module, G: nn.Module, optimizer: Optimizer, z: Tensor) -> float:
    D.requires_grad_(False)
    return _moved(_loss_g(D(G(z))), optimizer)


def _two_steps_of_g(D: nn.Module, G: nn.Module, optimizer: Optimizer, z: Tensor) -> float:
    value = _moved(_loss_g(D(G(z))), optimizer)
    _moved(_loss_g(D(G(z))), optimizer)
    return value


def _in_the_samples_first(D: nn.Module, G: nn.Module, optimizer: Optimizer, z: Tensor) -> float:
    """The chain rule by hand: first the gradient in the samples, then on into the generator's weights."""
    x_fake = G(z)
    loss = _loss_g(D(x_fake))
    (slope,) = torch.autograd.grad(loss, x_fake, retain_graph=True)
    optimizer.zero_grad()
    x_fake.backward(slope)
    optimizer.step()
    return loss.item()


UNKNOWN |= {
    "update-discriminator": {
        "loss after the step": _loss_after,
        "two steps": _two_steps,
        "weights clipped": _clipped,
        "hinge": _update_d(lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean()),
        "mean logits": _update_d(lambda real, fake: fake.mean() - real.mean()),
        "pairs": _update_d(lambda real, fake: softplus(fake - real).mean()),
        "fresh noise": lambda D, G, optimizer, x, z: _detached(D, G, optimizer, x, torch.randn_like(z)),
        "generator twice": lambda D, G, optimizer, x, z: _detached(D, G, optimizer, x, G(z).detach()),
        "half of the batch": lambda D, G, optimizer, x, z: _detached(D, G, optimizer, x[::2], z[::2]),
        "eval mode": _in_eval_mode,
        "a pair": lambda *given: (_detached(*given), 0.0),
    },
    "update-generator": {
        "hinge": _update_g(lambda logits: -logits.mean()),
        "half of the batch": lambda D, G, optimizer, z: _moved(_loss_g(D(G(z[::2]))), optimizer),
        "fresh noise": lambda D, G, optimizer, z: _moved(_loss_g(D(G(torch.randn_like(z)))), optimizer),
        "generator twice": lambda D, G, optimizer, z: _moved(_loss_g(D(G(G(z)))), optimizer),
        "two steps": _two_steps_of_g,
        "in bits": _update_g(lambda logits: _loss_g(logits) / math.log(2)),
        "a string": lambda *given: f"{_update_g(_loss_g)(*given):.4f}",
    },
}
RIGHT += [
    ("update-discriminator", _detached),
    ("update-discriminator", _both_batches_at_once),
    ("update-discriminator", _in_two_parts),
    ("update-discriminator", _emptied_g),
    ("update-discriminator", lambda D, G, optimizer, x, z: torch.tensor(_detached(D, G, optimizer, x, z))),
    ("update-generator", _frozen_for_a_while),
    ("update-generator", _in_the_samples_first),
    ("update-generator", lambda D, G, optimizer, z: _moved(-logsigmoid(D(G(z))).mean(), optimizer)),
]


# The penalty, the smallest game, and pairs ----------------------------------------------------------------------------


def _slopes(D: nn.Module, x: Tensor) -> Tensor:
    """Gradients of the logits in the samples, (n, d_x)."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(D(x).sum(), x, create_graph=True)[0].flatten(1)


def _one_by_one(D: nn.Module, x: Tensor, gamma: float) -> Tensor:
    squares = []
    for one in x:
        leaf = one[None].clone().requires_grad_()
        (slope,) = torch.autograd.grad(D(leaf).squeeze(), leaf, create_graph=True)
        squares.append(slope.pow(2).sum())
    return gamma * torch.stack(squares).mean() / 2


def _by_jacobians(D: nn.Module, x: Tensor, gamma: float) -> Tensor:
    """All n × n blocks of the Jacobian, of which those off the diagonal are 0."""
    jacobian = jacrev(lambda images: D(images).flatten())(x)  # (n, n, …)
    return gamma / 2 * jacobian.square().sum() / len(x)


def _with_ones(D: nn.Module, x: Tensor, gamma: float) -> Tensor:
    x = x.detach().requires_grad_()
    logits = D(x)
    (slope,) = torch.autograd.grad(logits, x, torch.ones_like(logits), create_graph=True)
    return 0.5 * gamma * slope.flatten(1).norm(dim=1).square().mean()


def _through_noise(D: nn.Module, x: Tensor, gamma: float) -> Tensor:
    """A smoothed slope: the difference of logits a small step apart, along one direction."""
    return gamma / 2 * ((D(x + 0.01) - D(x)) / 0.01).square().mean()


def _played(theta: Any, psi: Any, h: float, gamma: float) -> tuple[float, float]:
    """The step in plain numbers."""
    a, b = float(theta), float(psi)
    real = 1 / (1 + math.exp(-a * b))
    return a + h * b * (1 - real), b - h * a * real - h * gamma * b


def _step(theta: Tensor, psi: Tensor, h: float, gamma: float) -> tuple[Tensor, Tensor]:
    d = torch.sigmoid(psi * theta)
    return theta + h * psi * (1 - d), psi - h * (theta * d + gamma * psi)


def _differences(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    return softplus(fake - real).mean(), softplus(real - fake).mean()


def _constant_in_the_real(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The generator cannot move the logits of real samples, so its loss need not know how they change."""
    return softplus(fake - real).mean(), softplus(real.detach() - fake).mean()


UNKNOWN |= {
    "r1-penalty": {
        "largest norm": lambda D, x, gamma: gamma / 2 * _slopes(D, x).square().sum(1).max(),
        "of the loss": lambda D, x, gamma: gamma / 2 * _slopes(lambda x: softplus(-D(x)), x).square().sum(1).mean(),
        "of the weights": lambda D, x, gamma: gamma / 2 * sum(weight.square().sum() for weight in D.parameters()),
        "γ²": lambda D, x, gamma: gamma**2 / 2 * _slopes(D, x).square().sum(1).mean(),
        "differences": _through_noise,
        "half a gradient": lambda D, x, gamma: (
            gamma / 4 * (_slopes(D, x).square() + _slopes(D, x).square().detach()).sum(1).mean()
        ),
        "one for each sample": lambda D, x, gamma: gamma / 2 * _slopes(D, x).square().sum(1),
        "a number": lambda D, x, gamma: float(gamma / 2 * _slopes(D, x).square().sum(1).mean()),
    },
    "dirac-gan": {
        "penalty on both": {
            "dirac_step": lambda theta, psi, h, gamma: (
                _step(theta, psi, h, gamma)[0] - h * gamma * theta,
                _step(theta, psi, h, gamma)[1],
            )
        },
        "θ alone moves": {"dirac_step": lambda theta, psi, h, gamma: (_step(theta, psi, h, gamma)[0], psi)},
        "tanh": {
            "dirac_step": lambda theta, psi, h, gamma: (
                theta + h * psi * torch.tanh(psi * theta),
                psi - h * (theta * torch.tanh(psi * theta) + gamma * psi),
            )
        },
        "two steps": {"dirac_step": lambda theta, psi, h, gamma: _step(*_step(theta, psi, h, gamma), h, gamma)},
        "θ only": {"dirac_step": lambda theta, psi, h, gamma: _step(theta, psi, h, gamma)[0]},
        "strings": {"dirac_step": lambda theta, psi, h, gamma: ("0.1", "0.2")},
        "h not squared": {"eigenvalue_modulus": lambda h, gamma: math.sqrt(1 - h * gamma + h / 4)},
        "always 1": {"eigenvalue_modulus": lambda h, gamma: 1.0},
        "first order": {"eigenvalue_modulus": lambda h, gamma: 1 - h * gamma / 2 + h**2 / 8},
        "the eigenvalue": {
            "eigenvalue_modulus": lambda h, gamma: complex(1 - h * gamma / 2, h / 2 * math.sqrt(1 - gamma**2))
        },
    },
    "relativistic-losses": {
        "absolute differences": lambda real, fake: ((fake - real).abs().mean(), (real - fake).abs().mean()),
        "next in line": lambda real, fake: _differences(real, fake.roll(1, 0)),
        "sorted": lambda real, fake: _differences(real.sort(0).values, fake.sort(0).values),
        "one for each pair": lambda real, fake: (softplus(fake - real), softplus(real - fake)),
        "sum of both": lambda real, fake: sum(_differences(real, fake)),
        "half of G's gradient": lambda real, fake: (
            _differences(real, fake)[0],
            (_differences(real, fake)[1] + _differences(real, fake.detach())[1]) / 2,
        ),
        "numbers": lambda real, fake: tuple(loss.item() for loss in _differences(real, fake)),
    },
    "prediction": {
        "another word": {"curve_a": "oscillating"},
        "a number": {"curve_b": 3},
        "a list": {"curve_d": ["balanced"]},
    },
}
RIGHT += [
    ("r1-penalty", _one_by_one),
    ("r1-penalty", _by_jacobians),
    ("r1-penalty", _with_ones),
    ("r1-penalty", lambda D, x, gamma: torch.einsum("nd,nd->n", *[_slopes(D, x)] * 2).mean().mul(gamma / 2)),
    ("dirac-gan", {"dirac_step": _played}),
    ("dirac-gan", {"dirac_step": lambda *given: list(_step(*given))}),
    ("dirac-gan", {"eigenvalue_modulus": lambda h, gamma: abs(1 - h * (gamma - 1j * math.sqrt(1 - gamma**2)) / 2)}),
    (
        "dirac-gan",
        {"eigenvalue_modulus": lambda h, gamma: torch.tensor(1 - h * gamma + h * h / 4, dtype=torch.float64).sqrt()},
    ),
    ("relativistic-losses", lambda real, fake: _differences(real.flatten(), fake.flatten())),
    ("relativistic-losses", lambda real, fake: [-logsigmoid(sign * (real - fake)).mean() for sign in (1, -1)]),
    ("relativistic-losses", _constant_in_the_real),
    ("prediction", {"curve_a": " Cycling ", "curve_c": "TOO  STRONG"}),
]


class TestGaps(gap_cells.GapTests):
    exercise = EXERCISE
    unknown = UNKNOWN
    right = RIGHT


# What else the checks promise -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_a_message_asks_and_does_not_tell_the_state(state):
    for name, right in zip(CURVES, EXERCISE.answers("prediction"), strict=True):
        if right != state:
            message = EXERCISE.outcome("prediction", **{name: state})
            assert message.startswith(f"{name}: ")
            assert right not in message


def test_the_first_of_several_wrong_states_is_named():
    message = EXERCISE.outcome("prediction", curve_c="balanced", curve_d="cycling")
    assert message.startswith("curve_c: ")


def test_a_state_that_does_not_exist_is_answered_with_those_that_do():
    message = EXERCISE.outcome("prediction", curve_a="oscillating")
    assert all(f'"{state}"' in message for state in STATES)


def test_gradients_that_are_emptied_too_late_are_old_ones_in_the_step():
    (known,) = (m for m in adversarial.update_discriminator.mistakes if m.name == "gradients not zeroed")
    assert EXERCISE.outcome("update-discriminator", _zeroed_afterwards) == known.message


def test_an_update_is_judged_for_itself_whatever_the_losses_above_it_are():
    def with_a_wrong_loss(D: nn.Module, G: nn.Module, optimizer: Optimizer, x: Tensor, z: Tensor) -> float:
        return _moved(_loss_d(D(x), D(G(z).detach())) / 2, optimizer)

    assert "half of what it should be" in EXERCISE.outcome("update-discriminator", with_a_wrong_loss)


@pytest.mark.parametrize(("gap", "freezing"), [("update-discriminator", _frozen_g), ("update-generator", _frozen_d)])
def test_a_frozen_player_is_the_other_one(gap, freezing):
    assert "the other player's weights no longer ask for a gradient" in EXERCISE.outcome(gap, freezing)


def test_a_step_that_crashes_names_the_error():
    def with_one_argument_too_many(D: nn.Module, G: nn.Module, optimizer: Optimizer, z: Tensor) -> float:
        return _moved(_loss_g(D(G(z, z))), optimizer)

    message = EXERCISE.outcome("update-generator", with_one_argument_too_many)
    assert "TypeError" in message


@pytest.mark.parametrize("gap", ["both-losses", "relativistic-losses"])
def test_losses_of_extreme_logits_are_finite_in_the_solution(gap):
    far = torch.tensor([[1e4], [-1e4]])
    for answer in EXERCISE.answers(gap):
        losses = answer(*(far, far.flip(0))[: answer.__code__.co_argcount])
        assert torch.isfinite(torch.stack(gap_cells.as_answers(losses))).all()


def test_the_modulus_of_the_solution_is_the_growth_of_its_own_step():
    """Over whole turns the distance from the equilibrium grows by the predicted modulus a step."""
    step, modulus = EXERCISE.answers("dirac-gan")
    h, gamma = 0.1, 0.3
    turn = 2 * math.pi / math.atan2(h / 2 * math.sqrt(1 - gamma**2), 1 - h * gamma / 2)
    place, num_steps = torch.tensor([1e-3, 0.0], dtype=torch.float64), round(10 * turn)
    for _ in range(num_steps):
        place = torch.stack(step(*place, h, gamma))
    growth = (float(place.norm()) / 1e-3) ** (1 / num_steps)
    assert math.log(growth) == pytest.approx(math.log(modulus(h, gamma)), rel=0.02)
