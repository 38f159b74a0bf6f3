"""The losses, against torch.distributions and closed forms, and in the course's one convention."""

import math

import pytest
import torch
from torch import distributions, nn
from torch.distributions import Bernoulli, kl_divergence
from torch.func import jacrev, vmap

from course_utils import losses
from course_utils.errors import InputError


def draw(*shape, seed=0, low=-2.0, high=2.0):
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64)


CASES = {
    losses.squared_error: (draw(7, 5), draw(7, 5, seed=1)),
    losses.bernoulli_nll: (draw(7, 5), draw(7, 5, seed=1, low=0, high=1)),
    losses.gaussian_nll: (draw(7, 5), draw(7, 5, seed=1), draw(7, 5, seed=2, low=0.5)),
    losses.kl_to_standard_normal: (draw(7, 5), draw(7, 5, seed=1)),
}


def test_squared_error_is_the_squared_distance_of_each_sample():
    x_hat, x = draw(5, 3, 2), draw(5, 3, 2, seed=1)
    distances = torch.stack([torch.linalg.vector_norm(a - b) ** 2 for a, b in zip(x_hat, x, strict=True)])
    torch.testing.assert_close(losses.squared_error(x_hat, x), distances.mean())
    assert losses.squared_error(torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.zeros(2, 2)) == 2.5


def test_bernoulli_nll_of_binary_targets_is_that_of_the_distribution():
    logits = draw(6, 2, 4, low=-9, high=9)
    x = (draw(6, 2, 4, seed=1) > 0).double()
    expected = -distributions.Bernoulli(logits=logits).log_prob(x).sum((1, 2)).mean()
    torch.testing.assert_close(losses.bernoulli_nll(logits, x), expected)


def test_bernoulli_nll_of_grey_targets_is_the_cross_entropy_and_its_floor_the_entropy():
    x = draw(4, 7, low=0.01, high=0.99)
    p = draw(4, 7, seed=1, low=0.01, high=0.99)
    expected = -(x * p.log() + (1 - x) * (1 - p).log()).sum(1).mean()
    torch.testing.assert_close(losses.bernoulli_nll(p.logit(), x), expected)
    entropy = distributions.Bernoulli(x).entropy().sum(1).mean()
    torch.testing.assert_close(losses.bernoulli_nll(x.logit(), x), entropy)
    assert losses.bernoulli_nll(p.logit(), x) > entropy


def test_bernoulli_nll_stays_finite_where_a_sigmoid_would_not():
    logits = torch.tensor([[200.0, -200.0]])
    torch.testing.assert_close(losses.bernoulli_nll(logits, torch.tensor([[0.0, 0.0]])), torch.tensor(200.0))


def test_gaussian_nll_is_that_of_the_distribution_with_its_constant():
    x, mean, std = draw(5, 3), draw(5, 3, seed=1), draw(5, 3, seed=2, low=0.1, high=3)
    expected = -distributions.Normal(mean, std).log_prob(x).sum(1).mean()
    torch.testing.assert_close(losses.gaussian_nll(x, mean, std), expected)
    at_mean = losses.gaussian_nll(torch.zeros(1, 2), torch.zeros(1, 2), torch.ones(1, 2))
    assert at_mean.item() == pytest.approx(math.log(2 * math.pi))


@pytest.mark.parametrize("as_number", [float, lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True)])
def test_gaussian_nll_takes_one_number_for_all(as_number):
    x = draw(50)
    mean, std = as_number(0.3), as_number(1.7)
    expected = -distributions.Normal(0.3, 1.7).log_prob(x).mean()
    torch.testing.assert_close(losses.gaussian_nll(x, mean, std).detach(), expected)


def test_gaussian_nll_has_its_minimum_at_the_closed_form():
    x = draw(40)
    mean, std = x.mean().requires_grad_(), x.std(correction=0).requires_grad_()
    losses.gaussian_nll(x, mean, std).backward()
    assert abs(mean.grad) < 1e-12
    assert abs(std.grad) < 1e-12


def test_kl_is_that_of_the_distributions():
    mu, log_var = draw(6, 4), draw(6, 4, seed=1, low=-5, high=3)
    q, p = distributions.Normal(mu, (log_var / 2).exp()), distributions.Normal(0.0, 1.0)
    torch.testing.assert_close(
        losses.kl_to_standard_normal(mu, log_var), distributions.kl_divergence(q, p).sum(1).mean()
    )
    assert losses.kl_to_standard_normal(torch.zeros(3, 2), torch.zeros(3, 2)) == 0


def test_kl_is_never_negative_and_keeps_its_digits_near_zero():
    log_var = torch.logspace(-3, 0, 40)[:, None] * torch.tensor([-1.0, 1.0])
    for row in log_var:
        row = row[None]
        single = losses.kl_to_standard_normal(torch.zeros_like(row), row)
        double = losses.kl_to_standard_normal(torch.zeros_like(row).double(), row.double())
        assert single >= 0
        assert single.item() == pytest.approx(double.item(), rel=0.05, abs=1e-9)


@pytest.mark.parametrize("loss", CASES)
def test_sum_over_dimensions_mean_over_the_batch(loss):
    one = loss(*CASES[loss])
    assert one.shape == ()
    torch.testing.assert_close(loss(*[tensor.repeat(3, 1) for tensor in CASES[loss]]), one)
    torch.testing.assert_close(loss(*[tensor.repeat(1, 3) for tensor in CASES[loss]]), 3 * one)
    torch.testing.assert_close(loss(*[tensor[:, :, None] for tensor in CASES[loss]]), one)


TWO = [losses.squared_error, losses.bernoulli_nll, losses.kl_to_standard_normal]


@pytest.mark.parametrize("loss", TWO)
@pytest.mark.parametrize("shape", [(4, 1), (4,), (1, 3), (3, 4), (4, 3, 1), ()])
def test_shapes_that_torch_would_broadcast_are_refused(loss, shape):
    with pytest.raises(InputError, match=r"the same") as error:
        loss(torch.zeros(4, 3), torch.zeros(shape))
    assert str(shape) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["mean", "std"])
def test_gaussian_nll_refuses_to_broadcast(name):
    arguments = {"mean": torch.zeros(4), "std": torch.ones(4)} | {name: torch.ones(4, 1)}
    with pytest.raises(InputError, match=rf"{name} has \(4, 1\)"):
        losses.gaussian_nll(torch.zeros(4), **arguments)


@pytest.mark.parametrize("loss", TWO)
@pytest.mark.parametrize("shape", [(), (0, 3)])
def test_an_empty_batch_or_none_is_refused(loss, shape):
    with pytest.raises(InputError, match="at least one sample"):
        loss(torch.zeros(shape), torch.zeros(shape))


@pytest.mark.parametrize("std", [0.0, -1.0, math.nan])
def test_a_number_that_is_no_standard_deviation_is_refused(std):
    with pytest.raises(InputError, match="no standard deviation"):
        losses.gaussian_nll(torch.zeros(3), 0.0, std)


def test_the_sparsity_penalty_is_torchs_divergence_of_bernoulli_variables():
    rho_hat = torch.rand(9, dtype=torch.float64) * 0.98 + 0.01
    p, q = Bernoulli(torch.tensor(0.05, dtype=torch.float64)), Bernoulli(rho_hat)
    assert losses.sparsity_kl(0.05, rho_hat).item() == pytest.approx(kl_divergence(p, q).sum().item())
    assert losses.sparsity_kl(0.05, torch.full((3,), 0.05)).item() == pytest.approx(0.0, abs=1e-6)


def test_the_contraction_is_the_jacobians_norm():
    layer = nn.Linear(6, 4).double()
    x = torch.randn(5, 6, dtype=torch.float64)
    J = vmap(jacrev(lambda row: torch.sigmoid(layer(row))))(x)
    expected = J.square().sum((1, 2)).mean().item()
    assert losses.sigmoid_contraction(torch.sigmoid(layer(x)), layer.weight).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: losses.sparsity_kl(0.0, torch.rand(3)), "rho=0.0"),
        (lambda: losses.sparsity_kl(0.05, torch.rand(3, 4)), r"\(3, 4\)"),
        (lambda: losses.sigmoid_contraction(torch.rand(5, 4), torch.rand(6, 4)), r"\(5, 4\), \(6, 4\)"),
    ],
)
def test_penalties_refuse_shapes_that_do_not_belong_together(ask, words):
    with pytest.raises(InputError, match=words):
        ask()
