"""What checks draw: float32, as the notebooks have it, and always anew."""

from __future__ import annotations

import torch

from course_utils.checks import core


def test_fresh_draws_anew_unless_it_is_given_a_seed() -> None:
    assert torch.randn(3, generator=core.fresh()).tolist() != torch.randn(3, generator=core.fresh()).tolist()
    assert torch.randn(3, generator=core.fresh(1)).tolist() == torch.randn(3, generator=core.fresh(1)).tolist()


def test_draws_are_of_the_dtype_of_the_notebooks():
    generator = core.fresh()
    drawn = (core.normal(3, generator=generator), core.uniform(2, 3, 4, generator=generator), core.cloud(generator)[0])
    assert {values.dtype for values in (*drawn, *core.images_and_encoder(generator))} == {torch.float32}
    assert 2 <= drawn[1].min() <= drawn[1].max() < 3


def test_a_cloud_may_have_fewer_rows_than_columns():
    X, _ = core.cloud(core.fresh(), n=4)
    assert len(X) == 4 < X.shape[1]
    assert torch.linalg.matrix_rank(X - X.mean(0), rtol=1e-4) == 3
