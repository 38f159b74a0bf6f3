"""A map of classes: each dot in its colour, each name near its class, and no name over another or out of the axes."""

from __future__ import annotations

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from course_utils import plotting
from course_utils.errors import InputError

pytestmark = pytest.mark.usefixtures("course_style")

NAMES = ["T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]


def boxes(ax):
    """Where the names stand in the drawn figure, in pixels."""
    ax.figure.canvas.draw()
    return [text.get_bbox_patch().get_window_extent() for text in ax.texts]


def clouds(spread):
    """Codes (1000, 2) of ten classes whose centres lie ``spread`` apart, and labels."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 100)
    centres = spread * np.stack([np.arange(10) % 4, np.arange(10) // 4], axis=1)
    return centres[labels] + 0.1 * generator.normal(size=(1000, 2)), labels


@pytest.mark.parametrize("names", [(), NAMES])
@pytest.mark.parametrize(
    "codes", [np.zeros((1000, 2)), clouds(0.02)[0], clouds(0.3)[0]], ids=["equal", "near", "apart"]
)
@pytest.mark.parametrize("late", [False, True])
def test_no_name_covers_another_or_leaves_the_axes(codes, names, late):
    _, ax = plt.subplots(figsize=(5, 3.5))
    plotting.show_classes(codes, clouds(0)[1], ax, names=names)
    if late:  # what changes the layout afterwards
        ax.set(xlabel="first code", ylabel="second code\nof two", title="A map\nof ten classes", xlim=(-1, 0.05))
    places = boxes(ax)
    assert len(places) == 10
    for one, other in combinations(places, 2):
        assert not one.overlaps(other)
    for place in places:
        assert ax.bbox.x0 <= place.x0 < place.x1 <= ax.bbox.x1
        assert ax.bbox.y0 <= place.y0 < place.y1 <= ax.bbox.y1


def test_a_name_with_room_stands_at_the_median_of_its_class():
    codes, labels = clouds(3.0)
    ax = plotting.show_classes(torch.tensor(codes), torch.tensor(labels), names=NAMES)
    boxes(ax)
    for label, text in enumerate(ax.texts):
        assert text.get_text() == NAMES[label]
        np.testing.assert_allclose(text.get_position(), np.median(codes[labels == label], axis=0), atol=1e-6)


def test_names_give_way_to_numbers_which_stand_at_their_points():
    codes, labels = clouds(3.0)
    ax = plotting.show_classes(codes, labels, names=NAMES)
    points = np.stack([np.median(codes[labels == label], axis=0) for label in range(10)])
    plotting.number_points(ax, points)
    places = boxes(ax)
    assert len(places) == 20
    for one, other in combinations(places, 2):
        assert not one.overlaps(other)
    numbers = [text for text in ax.texts if text.get_text() not in NAMES]
    assert [text.get_text() for text in numbers] == [str(number) for number in range(1, 11)]
    np.testing.assert_allclose([text.get_position() for text in numbers], points, atol=1e-6)


def test_equal_points_have_one_cross_and_numbers_side_by_side():
    _, ax = plt.subplots()
    plotting.number_points(ax, torch.full((3, 2), 0.5))
    places = boxes(ax)
    for one, other in combinations(places, 2):
        assert not one.overlaps(other)
    assert {(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines} == {(0.5, 0.5)}
    np.testing.assert_allclose(ax.texts[0].get_position(), 0.5)


def test_a_dot_has_the_colour_of_its_class():
    ax = plotting.show_classes(np.eye(2), np.array([7, 2]))
    assert [tuple(colour) for colour in ax.collections[0].get_facecolor()] == [
        to_rgba(plotting.CLASS_COLOURS[7]),
        to_rgba(plotting.CLASS_COLOURS[2]),
    ]
    assert [text.get_text() for text in ax.texts] == ["2", "7"]


@pytest.mark.parametrize(
    ("codes", "labels", "names", "message"),
    [
        (np.zeros((5, 3)), np.zeros(5), (), "codes"),
        (np.zeros((5, 2)), np.zeros(4), (), "codes"),
        (np.zeros((0, 2)), np.zeros(0), (), "codes"),
        (np.zeros((2, 2)), np.array([0, 10]), (), "from 0 to 10"),
        (np.zeros((2, 2)), np.array([-1, 3]), (), "from -1 to 3"),
        (np.zeros((2, 2)), np.array([0, 2]), ("a", "b"), "0 to 1"),
    ],
)
def test_what_is_no_map_is_refused(codes, labels, names, message):
    with pytest.raises(InputError, match=message):
        plotting.show_classes(codes, labels, names=names)
