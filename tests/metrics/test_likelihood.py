"""Divergences against torch.distributions, bounds against a model whose log p(x) is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence
from torch.nn import functional

from course_utils import losses, metrics
from course_utils.errors import InputError
from course_utils.metrics import likelihood


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_kl_of_diagonal_gaussians_is_torchs():
    mean, log_var, m, log_s2 = draws(4, 50, 7)
    expected = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(m, (log_s2 / 2).exp())).sum(-1)
    torch.testing.assert_close(metrics.gaussian_kl(mean, log_var, m, log_s2), expected, rtol=1e-12, atol=0)


def test_kl_to_the_prior_has_the_courses_loss_as_its_mean():
    mean, log_var = draws(2, 50, 7)
    expected = losses.kl_to_standard_normal(mean, log_var)
    torch.testing.assert_close(metrics.gaussian_kl(mean, log_var).mean(), expected, rtol=1e-12, atol=0)


def test_kl_of_full_gaussians_is_torchs():
    mean, m = draws(2, 20, 5)
    A, B = draws(2, 20, 5, 5, seed=1)
    cov, prior_cov = A @ A.mT + 0.1 * torch.eye(5), B @ B.mT + 0.1 * torch.eye(5)
    expected = kl_divergence(MultivariateNormal(mean, cov), MultivariateNormal(m, prior_cov))
    torch.testing.assert_close(metrics.full_gaussian_kl(mean, cov, m, prior_cov), expected, rtol=1e-9, atol=1e-12)
    diagonal = metrics.full_gaussian_kl(mean, mean.exp().diag_embed(), torch.zeros(5).double(), torch.eye(5).double())
    torch.testing.assert_close(diagonal, metrics.gaussian_kl(mean, mean), rtol=1e-10, atol=1e-12)


def test_kl_refuses_what_does_not_belong_together():
    with pytest.raises(InputError, match="must be the same"):
        metrics.gaussian_kl(torch.zeros(3, 2), torch.zeros(2))
    with pytest.raises(InputError, match="does not belong"):
        metrics.gaussian_kl(torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(4, 3, 2))
    with pytest.raises(InputError, match="positive definite"):
        metrics.full_gaussian_kl(torch.zeros(2), -torch.eye(2), torch.zeros(2), torch.eye(2))


def test_bernoulli_log_likelihood_is_torchs_and_the_loss_its_negative_mean():
    logits, x = draws(2, 6, 1, 4, 4)
    x = (x > 0).double()
    values = metrics.bernoulli_log_likelihood(logits, x)
    torch.testing.assert_close(values, Bernoulli(logits=logits).log_prob(x).flatten(1).sum(1))
    torch.testing.assert_close(-values.mean(), losses.bernoulli_nll(logits, x))


class Conjugate:
    """z ~ N(0, 1), x ∣ z ~ N(z, s²): log p(x) = log N(x; 0, 1 + s²), and q is ``off`` posterior deviations off."""

    noise = 0.5

    def __init__(self, off: float) -> None:
        self.off = off
        self.x = draws(40, 1, seed=3) * math.sqrt(1 + self.noise**2)
        std = torch.tensor(1 + self.noise**2, dtype=torch.float64).sqrt()
        self.log_p = Normal(torch.zeros_like(std), std).log_prob(self.x).squeeze(1)

    def encode(self, x):
        var = torch.full_like(x, self.noise**2 / (1 + self.noise**2))
        return x / (1 + self.noise**2) + self.off * var.sqrt(), var.log()

    def log_likelihood(self, z, x):
        return Normal(z, self.noise).log_prob(x).squeeze(1)

    def bound(self, K: int, seed: int = 0, x: torch.Tensor | None = None) -> torch.Tensor:
        return metrics.importance_weighted_bound(
            self.encode,
            lambda z: z,
            self.x if x is None else x,
            K,
            log_likelihood=self.log_likelihood,
            generator=torch.Generator().manual_seed(seed),
        )


def test_with_the_exact_posterior_every_weight_is_the_likelihood():
    toy = Conjugate(off=0.0)
    for K in (1, 7):
        torch.testing.assert_close(toy.bound(K), toy.log_p, rtol=1e-10, atol=1e-10)


def test_the_elbos_gap_is_the_kl_to_the_posterior():
    toy = Conjugate(off=1.0)
    terms = metrics.elbo(toy.encode, lambda z: z, toy.x, draws=20_000, log_likelihood=toy.log_likelihood)
    torch.testing.assert_close(toy.log_p - terms.bound, torch.full((40,), 0.5).double(), rtol=0, atol=0.06)
    assert terms.loss == pytest.approx(-terms.bound.mean().item())
    mean, log_var = toy.encode(toy.x)
    torch.testing.assert_close(terms.kl, metrics.gaussian_kl(mean, log_var))


def test_the_bound_is_the_elbo_at_one_sample_rises_with_K_and_reaches_log_p():
    toy = Conjugate(off=1.0)
    many = toy.x.repeat(200, 1)
    gaps = [(toy.log_p.repeat(200) - toy.bound(K, x=many)).mean().item() for K in (1, 10, 100)]
    gaps.append((toy.log_p - toy.bound(20_000)).mean().item())
    assert gaps[0] == pytest.approx(0.5, abs=0.05)
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[1] < 0.6 * gaps[0]
    assert abs(gaps[-1]) < 0.01


def test_with_a_decoder_of_logits_the_bound_at_one_sample_is_the_elbo_on_average(one_thread):
    x = (draws(3, 12) > 0).double()
    W = draws(12, 2, seed=5)

    def encode(x):
        return x[:, :2] * 0.3, torch.full((len(x), 2), -0.5, dtype=x.dtype)

    def decode(z):
        return z @ W.T

    generator = torch.Generator().manual_seed(0)
    terms = metrics.elbo(encode, decode, x, draws=40_000, generator=generator)
    ones = metrics.importance_weighted_bound(encode, decode, x.repeat(40_000, 1), 1, generator=generator)
    torch.testing.assert_close(ones.reshape(-1, 3).mean(0), terms.bound, rtol=0, atol=0.1)


def test_memory_is_bounded_and_the_parts_do_not_matter(monkeypatch):
    toy, sizes = Conjugate(off=1.0), []
    monkeypatch.setattr(likelihood, "ROWS", 64)

    def decode(z):
        sizes.append(len(z))
        return z

    def run(K):
        return metrics.importance_weighted_bound(toy.encode, decode, toy.x, K, log_likelihood=toy.log_likelihood)

    assert run(5).shape == (40,)
    assert (max(sizes), sum(sizes)) == (60, 200)
    sizes.clear()
    assert (toy.log_p - run(1_000)).abs().max() < 0.4
    assert (max(sizes), sum(sizes)) == (64, 40_000)


def test_weights_that_no_float_holds_are_averaged_in_log_space():
    toy = Conjugate(off=1.0)
    shifted = metrics.importance_weighted_bound(
        toy.encode,
        lambda z: z,
        toy.x,
        50,
        log_likelihood=lambda z, x: toy.log_likelihood(z, x) - 5_000,
        generator=torch.Generator().manual_seed(0),
    )
    torch.testing.assert_close(shifted + 5_000, toy.bound(50), rtol=0, atol=1e-8)


def test_shapes_that_do_not_fit_are_refused():
    toy = Conjugate(off=0.0)
    with pytest.raises(InputError, match="no bound"):
        toy.bound(0)
    with pytest.raises(InputError, match="one number each"):
        metrics.elbo(toy.encode, lambda z: z, toy.x, log_likelihood=lambda z, x: functional.mse_loss(z, x))
    with pytest.raises(InputError, match="must be the same"):
        metrics.elbo(toy.encode, lambda z: torch.zeros(len(z), 9), toy.x)
