"""A text as a figure: each character in its cell, on the colour of its value, and nothing outside the axes."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from PIL import Image

from course_utils import plotting
from course_utils.errors import InputError
from course_utils.plotting import texts

pytestmark = pytest.mark.usefixtures("course_style")

TEXT = "O Romeo,\nRomeo!"


def cells(ax):
    """Left and top of each background, in columns and rows, and the values."""
    backgrounds = ax.collections[0]
    corners = np.array([path.vertices[:4] for path in backgrounds.get_paths()])
    return corners[:, 0, 0], np.floor(corners[:, 0, 1] + 1e-9), backgrounds.get_array()


def signs(ax):
    """Row, column and colour of each sign that is drawn, with its outline back in ems."""
    letters, spacing = ax.collections[-1], ax.get_aspect() * 0.602
    found = []
    for path, colour in zip(letters.get_paths(), letters.get_facecolors(), strict=True):
        x, y = path.vertices.T
        row = int(np.floor((y.min() + y.max()) / 2))
        column = int(np.floor((x.min() + x.max()) / 2))
        outline = np.stack([(x - column) * 0.602, (row + 1 - 0.34 / spacing - y) * spacing], axis=1)
        found.append((row, column, tuple(colour), outline))
    return found


def outline(sign):
    return TextPath((0, 0), sign, size=1, prop=FontProperties(family="DejaVu Sans Mono")).vertices


def test_every_character_stands_in_its_own_cell():
    ax = plotting.show_text(None, TEXT)
    places = {(0, column): sign for column, sign in enumerate("O Romeo,") if sign != " "}
    places |= {(1, column): sign for column, sign in enumerate("Romeo!")}
    drawn = signs(ax)
    assert [(row, column) for row, column, *_ in drawn] == list(places)
    for row, column, colour, found in drawn:
        np.testing.assert_allclose(found, outline(places[row, column]), atol=1e-6)
        assert colour == to_rgba("black")


def test_a_value_colours_the_cell_of_its_character():
    values = torch.arange(len(TEXT)) / 10
    ax = plotting.show_text(None, TEXT, values, limits=(0, 3))
    columns, rows, drawn = cells(ax)
    assert columns.tolist() == [*range(9), *range(6)]
    assert rows.tolist() == [0] * 9 + [1] * 6
    np.testing.assert_allclose(drawn, values, rtol=1e-6)
    assert ax.collections[0].get_clim() == (0, 3)
    row, column, _, found = signs(ax)[7]  # after seven letters and signs of the first line
    assert (row, column) == (0, 8)
    np.testing.assert_allclose(found, outline("↵"), atol=1e-6)


@pytest.mark.parametrize(
    ("values", "palette", "limits"),
    [
        ([1.0, 3.0, 2.0], "sequential", (1, 3)),
        ([1.0, -3.0, 2.0], "diverging", (-3, 3)),
        ([2.0, 2.0, 2.0], "sequential", (2, 3)),
        ([0.0, 0.0, 0.0], "diverging", (-1, 1)),
    ],
)
def test_limits_come_from_the_values_where_none_are_given(values, palette, limits):
    backgrounds = plotting.show_text(None, "abc", values, palette=palette).collections[0]
    assert backgrounds.get_clim() == limits
    colour = backgrounds.cmap(backgrounds.norm(0.0))
    assert palette == "sequential" or min(colour) > 0.95, "zero is white"


def test_limits_do_not_depend_on_where_the_text_is_cut():
    ax = plotting.show_text(None, "ab\ncd", [1.0, 2.0, 3.0, 4.0, 5.0], rows=1)
    assert ax.collections[0].get_clim() == (1, 5)
    assert cells(ax)[2].tolist() == [1, 2]


def test_signs_are_white_on_dark_and_black_on_light():
    ax = plotting.show_text(None, "abc", [0.0, 0.5, 1.0])
    assert [colour for _, _, colour, _ in signs(ax)] == [to_rgba("black"), to_rgba("black"), to_rgba("white")]
    inks = ["#0072B2", "black", "#D55E00"]
    ax = plotting.show_text(None, "abc", [0.0, 0.5, 1.0], inks=inks)
    assert [colour for _, _, colour, _ in signs(ax)] == [to_rgba(ink) for ink in inks]


def test_a_picture_has_the_colours_where_the_characters_are():
    """Spaces alone: left white, right dark, in pixels."""
    ax = plotting.show_text(None, 8 * " ", [0.0] * 4 + [1.0] * 4, columns=8)
    ax.figure.canvas.draw()
    pixels = np.asarray(ax.figure.canvas.buffer_rgba())[..., :3]
    for column, value in ((1, 0.0), (6, 1.0)):
        x, y = ax.transData.transform((column + 0.5, 0.6))
        expected = np.array(plt.get_cmap("Oranges")(value)[:3]) * 255
        np.testing.assert_allclose(pixels[len(pixels) - int(y), int(x)], expected, atol=1.5)


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("to be or not", 5, ["to be ", "or ", "not"]),  # the space may stand one cell beyond
        ("to be or not", 6, ["to be ", "or not"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("abc\n\nde", 3, ["abc\n", "\n", "de"]),
        ("abcd\ne", 3, ["abc", "d\n", "e"]),
        ("    ab", 3, ["    ", "ab"]),
        ("\n", 2, ["\n"]),
    ],
)
def test_long_lines_are_broken_after_a_space(text, columns, rows):
    places = texts.lay_out(text, columns)
    assert places.tolist() == [[row, column] for row, part in enumerate(rows) for column in range(len(part))]
    assert "".join(rows) == text


def test_a_broken_line_fills_no_less_than_it_could():
    """Against a loop that goes character by character."""
    generator = np.random.default_rng(0)
    for _ in range(50):
        text = "".join(generator.choice([*"abc  \n"], size=60))
        places = texts.lay_out(text, 7)
        assert places[:, 1].max() <= 7
        for before, after, sign in zip(places[:-1], places[1:], text, strict=False):
            follows = after[0] == before[0] and after[1] == before[1] + 1
            assert follows or after.tolist() == [before[0] + 1, 0]
            assert (sign == "\n") <= (not follows)
        for row in range(places[-1, 0]):
            line = "".join(sign for sign, place in zip(text, places, strict=True) if place[0] == row)
            following = "".join(sign for sign, place in zip(text, places, strict=True) if place[0] == row + 1)
            first_word = following[: len(following.split(" ")[0].split("\n")[0]) + 1].rstrip(" \n")
            assert line.endswith("\n") or len(line) + max(len(first_word), 1) > 7


def test_what_has_no_room_is_cut_with_dots():
    ax = plotting.show_text(None, "abcdef\ngh\nij", columns=4, rows=2, wrap=False)
    drawn = signs(ax)
    assert [(row, column) for row, column, *_ in drawn] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 0),
        (1, 1),
        (0, 4),
        (1, 2),
    ]
    for *_, found in drawn[-2:]:
        np.testing.assert_allclose(found, outline("…"), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "rows", "wrap", "dots"),
    [
        ("abcd", 1, False, []),
        ("abcd\n", 1, False, []),
        ("abcde", 1, False, [(0, 4)]),
        ("abcd\nabcd", 1, True, [(0, 4)]),
        ("\n\nab", 2, True, [(1, 0)]),
        ("abc de", 1, True, [(0, 4)]),
        ("abcdefgh\nab", 2, False, [(0, 4)]),
        ("abcdefgh\nabcdefgh\na", 2, False, [(0, 4), (1, 4)]),
        ("ab", 5, True, []),
    ],
)
def test_dots_stand_only_where_something_is_left_out(text, rows, wrap, dots):
    shape = outline("…").shape
    ax = plotting.show_text(None, text, columns=4, rows=rows, wrap=wrap)
    found = [
        (row, column) for row, column, _, line in signs(ax) if line.shape == shape and np.allclose(line, outline("…"))
    ]
    assert found == dots
    assert ax.get_ylim() == (rows, 0)


@pytest.mark.parametrize("size", [(2, 3), (5, 1), (4, 4)])
@pytest.mark.parametrize("wrap", [True, False])
def test_nothing_is_drawn_outside_the_axes(size, wrap):
    """Every pixel with ink lies within, in axes of any shape."""
    figure = plt.figure(figsize=size, layout="none")
    ax = figure.add_axes((0.2, 0.2, 0.6, 0.6))
    text = "Mgjpq|" * 5 + "\n" + "gg " * 9
    plotting.show_text(ax, text, np.ones(len(text)), limits=(0, 1), columns=12, rows=3, wrap=wrap)
    figure.canvas.draw()
    ink = (np.asarray(figure.canvas.buffer_rgba())[..., :3] < 250).any(-1)
    rows, columns = np.nonzero(ink)
    frame = ax.get_window_extent()
    height = len(ink)
    assert frame.x0 - 1 <= columns.min() < columns.max() <= frame.x1 + 1
    assert frame.y0 - 1 <= height - rows.max() - 1 < height - rows.min() <= frame.y1 + 1
    np.testing.assert_allclose(frame.y1, 0.8 * figure.bbox.height, atol=0.5)  # from the upper left corner
    np.testing.assert_allclose(frame.x0, 0.2 * figure.bbox.width, atol=0.5)


def test_a_new_figure_has_characters_of_nine_points():
    ax = plotting.show_text(None, "abc\nde", columns=30)
    ax.figure.canvas.draw()
    width = ax.transData.transform((1, 0))[0] - ax.transData.transform((0, 0))[0]
    assert width / ax.figure.dpi * 72 / 0.602 == pytest.approx(9, rel=0.05)
    assert texts.text_size(99, 10, points=12, spacing=1.5) == pytest.approx((100 * 0.602 * 12 / 72, 10 * 1.5 * 12 / 72))


def test_cells_do_not_overlap_the_line_above():
    ax = plotting.show_text(None, "a\nb", [0.0, 0.5, 1.0], spacing=2.0)
    first, _, second = (path.vertices[:4, 1] for path in ax.collections[0].get_paths())
    assert first.max() == 1
    assert second.min() == pytest.approx(1 + 0.8 / 2)


def test_neighbours_share_a_frame_and_a_line_break_in_it_is_seen():
    ax = plotting.show_text(None, TEXT, highlight=[9, 2, 3, 4, 8])
    frames = [(*patch.get_xy(), patch.get_width()) for patch in ax.patches]
    assert [(x, np.floor(y), width) for x, y, width in frames] == [(2, 0, 3), (8, 0, 1), (0, 1, 1)]
    assert (0, 8) in [(row, column) for row, column, *_ in signs(ax)]
    assert not plotting.show_text(None, TEXT, highlight=[9], rows=1).patches, "it is not shown"


def test_signs_for_what_cannot_be_seen():
    assert [plotting.visible(sign) for sign in " \n\tA\x07"] == ["␣", "↵", "⇥", "A", "·"]


def test_a_colour_bar_takes_the_backgrounds():
    ax = plotting.show_text(None, "abc\n" * 20, [0.0, 1.0, 4.0, 0.0] * 20)
    bar = ax.figure.colorbar(ax.collections[0], ax=ax, label="loss (nats)")
    ax.figure.savefig(buffer := io.BytesIO(), format="png")
    assert (bar.vmin, bar.vmax) == (0, 4)
    assert Image.open(buffer).size[0] > 0


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "no text to show"),
        ("abc", {"columns": 1}, "columns=1; a line needs at least 2"),
        ("abc", {"rows": 0}, "rows=0; show at least one line"),
        ("abc", {"values": [1.0, 2.0]}, r"3 characters need values of shape \(3,\), not \(2,\)"),
        ("abc", {"values": torch.ones(3, 1)}, r"not \(3, 1\)"),
        ("abc", {"values": [1.0, float("nan"), 1.0]}, "Value 1 is nan"),
        ("abc", {"values": [1.0, 2.0, float("inf")]}, "Value 2 is inf"),
        ("abc", {"values": [1.0, 2.0, 3.0], "limits": (2, 1)}, r"limits=\(2, 1\); give the lower one first"),
        ("abc", {"palette": "rainbow"}, 'palette="rainbow" is unknown; there are: sequential, diverging'),
        ("abc", {"highlight": [0, 3]}, r"highlight=\[0, 3\]; the characters' indices are 0 to 2"),
        ("abc", {"highlight": [-1]}, "0 to 2"),
        ("abc", {"spacing": 1.1}, "spacing=1.1; lines overlap below 1.2"),
        ("abc", {"inks": ["black"]}, "1 inks for 3 characters"),
    ],
)
def test_what_cannot_be_drawn_says_why(text, options, message):
    with pytest.raises(InputError, match=message):
        plotting.show_text(None, text, **options)
