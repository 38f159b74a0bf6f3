"""What resumes and what is refused, at the edges: leaves of a graph, other optimisers, losses that differ in a name."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from course_utils.errors import InputError
from course_utils.losses import squared_error
from course_utils.training import fit, run

pytestmark = pytest.mark.usefixtures("one_thread")


def loss(model, x):
    return squared_error(model(x), x)


def train(model, objective=loss, x=None, **options):
    x = torch.rand(24, 6, generator=torch.Generator().manual_seed(1)) if x is None else x
    return fit(model, objective, x, **({"num_epochs": 2, "batch_size": 8, "seed": 3, "progress": False} | options))


def two():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))


def test_data_that_want_a_gradient_and_carry_no_graph_are_data():
    assert train(two(), x=torch.rand(24, 6, requires_grad=True)).stopped is None


def test_an_optimiser_of_other_parameters_is_refused_before_anything_changes(tmp_path):
    path, model, other = tmp_path / "a", two(), two()
    train(model, checkpoint=path, optimizer=torch.optim.SGD(model[0].parameters(), lr=0.01))
    before = other[0].weight.clone()
    with pytest.raises(InputError, match=r"groups of \[2\] parameters there and of \[4\] here"):
        train(other, checkpoint=path, num_epochs=3, optimizer=torch.optim.SGD(other.parameters(), lr=0.01))
    assert torch.equal(other[0].weight, before)


def test_a_part_that_the_file_lacks_is_named_before_anything_changes(tmp_path):
    path, options = tmp_path / "a", {"num_epochs": 1, "batch_size": 4, "progress": False}
    run(lambda x: 1.0, torch.rand(8, 6), {"net": two()}, checkpoint=path, **options)
    other = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    before, adam = other[0].weight.clone(), torch.optim.Adam(other.parameters())
    with pytest.raises(InputError, match="holds net, and this training has net, adam"):
        run(lambda x: 1.0, torch.rand(8, 6), {"net": other, "adam": adam}, checkpoint=path, **options)
    assert torch.equal(other[0].weight, before)


def weighted(weight, kind="abs"):
    def absolute(model, x):
        return weight * (model(x) - x).abs().sum(1).mean()

    def square(model, x):
        return weight * (model(x) - x).square().sum(1).mean()

    square.__qualname__ = absolute.__qualname__
    return absolute if kind == "abs" else square


@pytest.mark.parametrize(("other", "said"), [((1.0,), False), ((2.0,), True), ((1.0, "square"), True)])
def test_a_loss_that_differs_in_what_it_calls_or_weighs_is_named(tmp_path, capsys, other, said):
    path = tmp_path / "a"
    train(two(), weighted(1.0), checkpoint=path)
    train(two(), weighted(*other), checkpoint=path, num_epochs=3)
    assert ("the loss changed" in capsys.readouterr().out) == said


@pytest.mark.parametrize("wrong", [{"num_epochs": 0}, {"num_epochs": "2"}, {"batch_size": 0}, {"batch_size": 2.5}])
def test_counts_of_a_run_are_whole(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        run(lambda x: 1.0, torch.rand(8, 6), {"net": two()}, **({"num_epochs": 1, "batch_size": 4} | wrong))


def test_whole_numbers_for_a_model_of_floats_are_named():
    with pytest.raises(InputError, match="The data are int64 and the model's weights float32"):
        train(two(), x=torch.arange(144).reshape(24, 6))
