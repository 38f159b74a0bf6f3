"""Diagrams: the family of models and the hourglass say what they show."""

from __future__ import annotations

import pytest

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
