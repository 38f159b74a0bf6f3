"""Corruptions do what their names say, and the closed-form denoiser is the best affine map there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression

from course_utils import corruptions
from course_utils.errors import InputError
from course_utils.linear_denoiser import best_linear_denoiser, conditional_mean

CORRUPT = {
    "gaussian": corruptions.gaussian,
    "masking": corruptions.masking,
    "salt-and-pepper": corruptions.salt_and_pepper,
}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def clean(n=400, d=5, seed=1):
    mix = torch.randn(d, d, generator=generator(seed), dtype=torch.float64)
    return torch.sigmoid(torch.randn(n, d, generator=generator(seed + 1), dtype=torch.float64) @ mix)


def test_gaussian_noise_has_the_asked_standard_deviation_and_is_not_clipped():
    x = torch.full((300, 400), 0.5)
    noise = corruptions.gaussian(x, 0.7, generator=generator()) - x
    assert noise.mean().item() == pytest.approx(0.0, abs=0.01)
    assert noise.std().item() == pytest.approx(0.7, abs=0.01)
    assert (x + noise).min() < 0


def test_masking_takes_each_number_by_itself():
    x = torch.full((300, 400), 0.5)
    masked = corruptions.masking(x, 0.3, generator=generator())
    lost = masked == 0
    assert lost.double().mean().item() == pytest.approx(0.3, abs=0.01)
    assert (masked[~lost] == 0.5).all()
    assert len(lost.unique(dim=0)) == 300


def test_salt_and_pepper_are_equally_frequent():
    x = torch.full((300, 400), 0.5)
    spoilt = corruptions.salt_and_pepper(x, 0.4, generator=generator())
    for value in (0.0, 1.0):
        assert (spoilt == value).double().mean().item() == pytest.approx(0.2, abs=0.01)
    assert (spoilt == 0.5).double().mean().item() == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("kind", CORRUPT)
def test_the_same_generator_spoils_alike_and_leaves_the_clean_input_alone(kind):
    x = clean()
    before = x.clone()
    first, again, other = (CORRUPT[kind](x, 0.5, generator=generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(x, before)
    assert torch.equal(CORRUPT[kind](x, 0.0), x)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda x: corruptions.gaussian(x, -1.0), "std=-1.0"),
        (lambda x: corruptions.masking(x, 1.5), "probability=1.5"),
        (lambda x: corruptions.salt_and_pepper(x, -0.1), "probability=-0.1"),
        (lambda _: corruptions.central_hole(10, 10, 12), "does not fit"),
    ],
)
def test_impossible_strengths_are_refused(spoil, words):
    with pytest.raises(InputError, match=words):
        spoil(clean())


def test_the_hole_is_central():
    hole = corruptions.central_hole(28, 28, 12)
    assert hole.sum() == 144
    assert torch.equal(hole, hole.flip(0))
    assert torch.equal(hole, hole.flip(1))
    assert hole[8:20, 8:20].all()


@pytest.mark.parametrize(("kind", "strength"), [("gaussian", 0.5), ("masking", 0.5), ("salt-and-pepper", 0.3)])
def test_the_closed_form_is_what_least_squares_finds(kind, strength):
    """scikit-learn's regression of clean on corrupted data, from 400,000 draws, against the moments."""
    x = clean()
    denoise = best_linear_denoiser(x, kind, strength)
    many = x.repeat(1000, 1)
    spoilt = CORRUPT[kind](many, strength, generator=generator())
    fitted = LinearRegression().fit(spoilt.numpy(), many.numpy())
    assert_allclose(denoise.weight, fitted.coef_, atol=0.01)
    assert_allclose(denoise.bias, fitted.intercept_, atol=0.01)
    ours = (denoise(spoilt) - many).square().mean()
    theirs = np.square(fitted.predict(spoilt.numpy()) - many.numpy()).mean()
    assert float(ours) == pytest.approx(theirs, rel=1e-3)


def test_without_corruption_the_best_denoiser_changes_nothing():
    x = clean()
    for kind in CORRUPT:
        assert_allclose(best_linear_denoiser(x, kind, 0.0)(x), x, atol=1e-8)


def test_a_pixel_that_never_varies_does_no_harm():
    x = clean()
    x[:, 2] = 0.0
    for kind, strength in (("gaussian", 0.5), ("masking", 0.5), ("salt-and-pepper", 0.3)):
        restored = best_linear_denoiser(x.float(), kind, strength)(x.float())
        assert restored.isfinite().all()
        assert_allclose(restored[:, 2], 0.0, atol=1e-5)


def test_the_conditional_mean_is_the_regression_of_what_is_missing_on_what_is_there():
    x = clean()
    missing = torch.tensor([False, True, False, True, False])
    fill = conditional_mean(x, missing)
    spoilt = torch.where(missing, torch.tensor(99.0, dtype=torch.float64), x)
    filled = fill(spoilt)
    there = (~missing).numpy()
    fitted = LinearRegression().fit(x.numpy()[:, there], x.numpy()[:, ~there])
    assert_allclose(filled[:, missing], fitted.predict(x.numpy()[:, there]), atol=1e-8)
    assert torch.equal(filled[:, ~missing], x[:, ~missing])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda x: best_linear_denoiser(x, "gausian", 0.5), "gaussian"),
        (lambda x: best_linear_denoiser(x, "masking", 1.0), "strength=1.0"),
        (lambda x: best_linear_denoiser(x[0], "gaussian", 0.5), "at least two rows"),
        (lambda x: best_linear_denoiser(x, "gaussian", 0.5)(x[:, :3]), "rows of 5"),
        (lambda x: conditional_mean(x, torch.ones(5)), "boolean mask"),
        (lambda x: conditional_mean(x, torch.ones(4, dtype=torch.bool)), "boolean mask"),
    ],
)
def test_what_does_not_belong_together_is_refused(ask, words):
    with pytest.raises(InputError, match=words):
        ask(clean())
