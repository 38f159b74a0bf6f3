"""Diagrams: the family of models, the hourglass and the ways of labels say what they show."""

from __future__ import annotations

import pytest
import torch

from course_utils import diagrams
from course_utils.errors import InputError

pytestmark = pytest.mark.usefixtures("course_style")


def test_the_tree_marks_todays_model_and_knows_the_others():
    texts = {text.get_text().split("\n")[0]: text for text in diagrams.family_tree("VAE").axes[0].texts}
    assert texts["VAE"].get_weight() == "bold"
    assert texts["GAN"].get_weight() != "bold"
    with pytest.raises(InputError, match=r"Did you mean \"VAE\""):
        diagrams.family_tree("VEA")


def test_the_hourglass_says_its_sizes():
    text = " ".join(text.get_text() for text in diagrams.autoencoder(784, 32).axes[0].texts)
    assert "784" in text
    assert "32" in text
    with pytest.raises(InputError, match="k = 0"):
        diagrams.autoencoder(784, 0)


def test_the_unrolled_network_predicts_the_character_that_comes_next():
    texts = [text.get_text() for text in diagrams.recurrent("to b").axes[0].texts]
    assert [text for text in texts if text.startswith("x")] == ["x⟨1⟩: “t”", "x⟨2⟩: “o”", "x⟨3⟩: space"]
    assert [text for text in texts if text.startswith("ŷ")] == ["ŷ⟨1⟩: “o”?", "ŷ⟨2⟩: space?", "ŷ⟨3⟩: “b”?"]
    assert texts.count("$W_{aa}$") == 3
    with pytest.raises(InputError, match="2 to 8 characters"):
        diagrams.recurrent("t")


def test_the_two_players_get_made_and_real_samples_and_a_gradient_goes_back():
    ax = diagrams.two_players().axes[0]
    texts = [text.get_text() for text in ax.texts]
    for words in ("noise z", "generator G", "made sample\nx = G(z)", "real sample\nx from the data", "discriminator D"):
        assert words in texts
    assert "gradient, through D into G" in texts
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    frame = ax.figure.bbox
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes), "nothing is cut off"
    assert all(frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert not any(a.overlaps(b) for a, b in pairs), "no text covers another"


@pytest.mark.parametrize(
    ("kernel", "stride", "counts"),
    [
        (4, 2, [1, 1, 2, 2, 2, 2, 2, 2, 1, 1]),
        (3, 2, [1, 1, 2, 1, 2, 1, 2, 1, 1]),
        (2, 3, [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1]),
        (1, 1, [1, 1, 1, 1]),
    ],
)
def test_the_overlaps_of_a_transposed_convolution_are_those_of_ones(kernel, stride, counts):
    ax = diagrams.transposed_convolution(kernel, stride).axes[0]
    drawn = [int(text.get_text()) for text in ax.texts if text.get_text().isdigit()]
    ones = torch.nn.functional.conv_transpose1d(torch.ones(1, 1, 4), torch.ones(1, 1, kernel), stride=stride)
    assert drawn == counts == ones[0, 0].int().tolist()


@pytest.mark.parametrize(("kernel", "stride"), [(0, 1), (7, 2), (3, 0), (3, 5)])
def test_a_transposed_convolution_that_cannot_be_drawn_says_so(kernel, stride):
    with pytest.raises(InputError, match=f"kernel={kernel}, stride={stride}: the drawing takes"):
        diagrams.transposed_convolution(kernel, stride)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "outputs"),
    [(8, 3, 2, 1, 4), (7, 3, 2, 1, 4), (8, 4, 1, 0, 5), (6, 1, 3, 0, 2)],
)
def test_a_convolution_is_drawn_with_as_many_outputs_as_torch_makes(size, kernel, stride, padding, outputs):
    ax = diagrams.convolution(size, kernel, stride, padding).axes[0]
    texts = [text.get_text() for text in ax.texts]
    layer = torch.nn.Conv1d(1, 1, kernel, stride=stride, padding=padding)
    assert sum(text.startswith("$y") for text in texts) == outputs == layer(torch.zeros(1, 1, size)).shape[2]
    assert sum(text.startswith("$x") for text in texts) == size
    assert texts.count("0") == 2 * padding
    assert f"{size} cells become {outputs}" in texts[-1]


@pytest.mark.parametrize("wrong", [(1, 1, 1, 0), (8, 7, 2, 0), (8, 3, 0, 1), (8, 3, 2, 4), (2, 6, 1, 1)])
def test_a_convolution_that_cannot_be_drawn_says_so(wrong):
    with pytest.raises(InputError, match="the drawing takes sizes 2 to 12"):
        diagrams.convolution(*wrong)


def test_the_label_reaches_d_in_all_passes_and_g_wherever_it_makes():
    figure = diagrams.label_routes()
    words = [{text.get_text() for text in ax.texts} for ax in figure.axes]
    assert all("D(x, y)" in panel for panel in words)
    assert ["G(z, y)" in panel for panel in words] == [False, True, True]
    assert ["its label y" in panel for panel in words] == [True, False, False]
    assert ["gradient" in panel for panel in words] == [False, False, True]
    figure.canvas.draw()
    for ax in figure.axes:
        boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]), "no text covers another"


def test_the_new_drawings_are_not_cut_off():
    for figure in (diagrams.label_routes(), *(diagrams.transposed_convolution(k, s) for k, s in ((1, 1), (6, 4)))):
        figure.canvas.draw()
        frame = figure.bbox
        boxes = [text.get_window_extent() for ax in figure.axes for text in ax.texts if text.get_text()]
        assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
        assert all(frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
