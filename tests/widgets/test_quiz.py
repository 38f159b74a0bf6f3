"""Real or made: which pictures are asked, what the buttons do, and what the score says."""

from __future__ import annotations

import io

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import widgets
from course_utils.errors import InputError
from course_utils.widgets import quiz

pytestmark = pytest.mark.usefixtures("course_style")


def pictures(number, first):
    """Images (number, 1, 6, 6), each with its own grey, from ``first`` upwards."""
    return (first + torch.arange(number) / 1_000)[:, None, None, None].expand(-1, 1, 6, 6).clone()


@pytest.fixture
def real():
    return pictures(60, 0.5)


@pytest.fixture
def made():
    return pictures(50, 0.1)


@pytest.fixture
def shown(real, made, monkeypatch):
    """A function that shows a quiz and returns it."""
    boxes = []
    monkeypatch.setattr(quiz, "display", boxes.append)

    def show(**options):
        widgets.quiz_explorer(real, made, **options)
        return boxes.pop()

    return show


def answer(box, answers):
    for is_real in answers:
        (box.real if is_real else box.made).click()


def right(box, hits):
    """Answers of which the first ``hits`` are right and the others wrong."""
    return [is_real == (place < hits) for place, is_real in enumerate(box.key.tolist())]


def test_the_first_picture_is_large_and_asked_about(shown):
    box = shown()
    assert isinstance(box.picture, ipywidgets.Image)
    picture = Image.open(io.BytesIO(box.picture.value))
    assert min(picture.size) >= 200
    dark = np.asarray(picture.convert("L")) < 255
    assert min(dark.any(0).sum(), dark.any(1).sum()) >= 140, "the image itself"
    assert "Picture 1 of 20: is it real or made?" in box.text.value
    assert (box.real.description, box.made.description) == ("real", "made")
    assert box.again.layout.display == "none"


def test_each_answer_leads_to_the_next_picture(shown):
    box = shown(rounds=3)
    seen = [box.picture.value]
    for number, is_real in ((2, True), (3, False)):
        answer(box, [is_real])
        seen.append(box.picture.value)
        assert f"Picture {number} of 3" in box.text.value
    assert len({*seen}) == 3
    assert box.answers == [True, False]
    assert not box.real.disabled


def test_the_end_says_the_score_and_what_guessing_gives(shown):
    box = shown()
    answer(box, right(box, 15))
    text = box.text.value
    assert "You were right about 15 of 20 pictures; guessing is right about 10 on average." in text
    assert "Guessing does as well as you, or better, in 2.1% of all such quizzes" in text
    assert "luck alone hardly explains your score" in text
    assert "classifier" not in text
    assert box.real.disabled
    assert box.made.disabled
    answer(box, [True])
    assert len(box.answers) == 20, "no more answers after the end"


@pytest.mark.parametrize(
    ("hits", "rounds", "share", "verdict"),
    [
        (20, 20, "less than 1 in 1,000", "luck alone hardly explains"),  # 1 / 2²⁰
        (4, 5, "19%", "may be luck"),  # 6 / 32
        (5, 5, "3.1%", "luck alone hardly explains"),  # 1 / 32
        (4, 4, "6.2%", "may be luck"),  # 1 / 16, a half rounded to even
        (0, 7, "100%", "may be luck"),
    ],
)
def test_luck_is_what_a_fair_coin_gives(hits, rounds, share, verdict):
    said = quiz._verdict(hits, rounds, None)
    assert f"or better, in {share} of all such quizzes" in said
    assert verdict in said


@pytest.mark.parametrize(("hits", "than"), [(12, "more than you"), (20, "as many as you")])
def test_the_classifier_judges_the_same_pictures(shown, hits, than):
    asked = []

    def score(x):
        asked.append(x)
        return (x.mean((1, 2, 3))[:, None] - 0.3) / 100  # real ones are darker than that; the sign is what counts

    box = shown(classifier_score=score)
    answer(box, right(box, hits))
    assert f"The classifier was right about 20 of the same 20, {than}." in box.text.value
    assert torch.equal(asked[-1], box._pictures)


def test_a_classifier_can_be_worse(shown):
    box = shown(classifier_score=lambda x: -(x.mean((1, 2, 3)) - 0.3), rounds=10)
    answer(box, right(box, 1))
    assert "The classifier was right about 0 of the same 10, fewer than you." in box.text.value


def test_the_classifier_works_without_gradients(shown):
    weight = torch.ones(1, requires_grad=True)
    inside = []

    def score(x):
        inside.append(torch.is_grad_enabled())
        return weight * x.mean((1, 2, 3))

    box = shown(classifier_score=score, rounds=2)
    answer(box, [True, True])
    assert "of the same 2" in box.text.value
    assert inside
    assert not any(inside)


def test_once_more_asks_other_pictures(shown):
    box = shown(rounds=5)
    first = box._pictures
    answer(box, right(box, 5))
    assert box.again.layout.display is None
    box.again.click()
    assert "Picture 1 of 5" in box.text.value
    assert not torch.equal(box._pictures, first)
    assert box.answers == []
    assert not box.made.disabled
    answer(box, right(box, 4))
    assert "right about 4 of 5" in box.text.value


def test_the_end_marks_what_was_seen_wrong():
    titles, colours = quiz._marked([True, True, False], [True, False, True])
    assert titles == ["real ✓", "real ✗", "made ✗"]
    assert colours == ["black", "#D55E00", "#D55E00"]


def test_the_mix_is_by_fair_coins_and_holds_no_picture_twice(real, made):
    keys = []
    for seed in range(200):
        mixed, key = quiz._mixed(real, made, 20, seed)
        greys = mixed[:, 0, 0, 0]
        assert torch.equal(greys > 0.3, key), "the key is true"
        assert len(greys.unique()) == 20
        keys.append(key)
    share = torch.stack(keys).float()
    assert share.mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 4_000**0.5)
    assert (share.mean(0) - 0.5).abs().max() < 4.5 * 0.5 / 200**0.5, "at each place"
    assert share.sum(1).var().item() == pytest.approx(5, rel=0.4), "independent ones: 20 · ½ · ½"


def test_a_seed_makes_a_quiz_and_torchs_generator_is_left_alone(real, made):
    state = torch.get_rng_state()
    for one, same in zip(quiz._mixed(real, made, 20, 4), quiz._mixed(real, made, 20, 4), strict=True):
        assert torch.equal(one, same)
    assert not torch.equal(quiz._mixed(real, made, 20, 5)[0], quiz._mixed(real, made, 20, 4)[0])
    assert torch.equal(torch.get_rng_state(), state)


def test_the_twin_shows_the_same_pictures_numbered_and_their_key(shown, real, made):
    box = shown(seed=3)
    figure, key = widgets.quiz_snapshots(real, made, seed=3)
    assert key == ["real" if is_real else "made" for is_real in box.key.tolist()]
    panels = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in panels] == [str(number) for number in range(1, 21)]
    for ax, picture in zip(panels, box._pictures, strict=True):
        np.testing.assert_allclose(ax.images[0].get_array(), picture[0])
    figure.canvas.draw()
    assert min(ax.get_window_extent().width for ax in panels) > 100, "large enough to see"


@pytest.mark.parametrize("rounds", [1, 7, 40])
def test_a_twin_of_any_size(real, made, rounds):
    figure, key = widgets.quiz_snapshots(real, made, rounds=rounds)
    assert len(key) == rounds == sum(bool(ax.images) for ax in figure.axes)
    assert figure.get_figwidth() < 9.6


def test_images_as_rows_are_welcome(real, made):
    figure, _ = widgets.quiz_snapshots(real.flatten(1), made.flatten(1), rounds=2)
    assert figure.axes[0].images[0].get_array().shape == (6, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rounds": 0}, "rounds=0; judge 1 to 40"),
        ({"rounds": 41}, "rounds=41"),
        ({"made": torch.rand(19, 1, 6, 6)}, "There are 19 made pictures for 20 rounds"),
        ({"real": torch.rand(3, 1, 6, 6)}, "There are 3 real pictures"),
        ({"made": torch.rand(50, 6, 6)}, r"real pictures have the shape \(60, 1, 6, 6\), the made ones \(50, 6, 6\)"),
        ({"made": pictures(50, 0.1) - 0.75}, r"made pictures have values from -0\.65 to -0\.601; .*\(x \+ 1\) / 2"),
        ({"made": 10 * pictures(50, 0.1)}, r"made pictures have values from 1 to 1\.49; they should lie in \[0, 1\]"),
        ({"real": torch.full((30, 1, 6, 6), torch.nan)}, "real pictures have values from nan"),
    ],
)
def test_what_is_no_quiz_is_refused(real, made, change, message, monkeypatch):
    monkeypatch.setattr(quiz, "display", lambda _: pytest.fail("there is nothing to show"))
    given = {"real": real, "made": made} | change
    pools = given.pop("real"), given.pop("made")
    for function in (widgets.quiz_explorer, widgets.quiz_snapshots):
        with pytest.raises(InputError, match=message):
            function(*pools, **given)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (0.93, r"classifier_score=0\.93; give a function"),
        (lambda x: x, r"gives the shape \(20, 1, 6, 6\) for 20 pictures"),
        (lambda x: x.mean(), r"gives the shape \(\)"),
        (lambda x: torch.full((20,), torch.nan), "one finite number"),
    ],
)
def test_a_classifier_of_another_kind_is_refused_before_the_quiz(shown, score, message):
    with pytest.raises(InputError, match=message):
        shown(classifier_score=score)
