"""The board of the game: what its buttons do, what it sends, and the four frames that everybody sees."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex, to_rgba

from course_utils import widgets
from course_utils.errors import InputError
from course_utils.training import duel
from course_utils.widgets import game

pytestmark = pytest.mark.usefixtures("course_style")

TRIANGLE = [[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]]


@pytest.fixture
def shown(monkeypatch):
    """A function that shows an explorer and returns its board."""
    boxes = []
    monkeypatch.setattr(game, "display", boxes.append)
    monkeypatch.setattr(game, "INTERVAL", 0.0)

    def show(*given, **options):
        widgets.game_explorer(*given, **options)
        return boxes.pop()

    return show


def press(board, button):
    """As it comes from the browser."""
    board._handle_custom_msg({"do": button}, [])


def steps(board):
    return int(board.message.split(".")[0].removeprefix("Step ").replace(",", ""))


async def turns(number):
    for _ in range(number):
        await asyncio.sleep(0)


def test_the_board_begins_before_the_first_step(shown):
    board = shown()
    assert (board.shape, len(board.points), board.running, board.failed) == ("ring", 300, False, False)
    assert board.message.startswith("Step 0. D picks out the real one in ")
    assert [*board.shapes] == ["ring", "two blobs", "line"]
    assert shown(torch.rand(12, 2)).shape == "", "no shape with a name"


def test_a_view_is_sent_in_the_bytes_that_the_script_reads(shown):
    board = shown("line", seed=5)
    view = board._game.view()
    assert {name: len(part) for name, part in board.view.items()} == {
        "made": 200 * 2 * 4,
        "mesh": 21 * 21 * 2 * 4,
        "arrows": 50 * 2 * 4,
        "verdict": 64 * 64,
    }
    np.testing.assert_array_equal(np.frombuffer(board.view["made"], "<f4").reshape(200, 2), view.made.numpy())
    np.testing.assert_array_equal(np.frombuffer(board.view["mesh"], "<f4").reshape(21, 21, 2), view.mesh.numpy())
    verdict = np.frombuffer(board.view["verdict"], np.uint8).reshape(64, 64)
    assert np.abs(verdict / 255 - view.verdict.numpy()).max() < 0.5 / 255 + 1e-6


def test_one_step_is_one_step(shown):
    board = shown()
    before = board.view
    press(board, "step")
    assert steps(board) == 1
    assert board.view["made"] != before["made"]


def test_start_again_takes_other_weights(shown):
    board = shown(seed=3)
    first = board.view["mesh"]
    press(board, "step")
    press(board, "again")
    assert steps(board) == 0
    assert board.view["mesh"] != first
    assert board.view["mesh"] == shown(seed=4).view["mesh"], "those of the next seed"


def test_the_kernel_has_its_turn_between_two_slices_and_pause_is_heard(shown):
    board = shown()

    async def scenario():
        board.running = True
        await turns(4)
        assert steps(board) in (60, 80), "20 steps a turn"
        board.running = False
        await turns(4)
        there = steps(board)
        await turns(4)
        assert steps(board) == there, "no step after Pause"
        board.running = True
        await turns(2)
        assert steps(board) > there, "Train goes on from there"
        board.running = False
        await turns(2)

    asyncio.run(scenario())
    assert not board.running
    assert not board.failed


def test_train_pressed_at_once_after_pause_is_one_run(shown):
    board = shown()

    async def scenario():
        board.running = True
        await turns(2)
        board.running = False
        board.running = True
        await turns(3)
        assert board.running
        before = steps(board)
        await turns(1)
        assert steps(board) == before + 20, "not two runs at a time"
        board.running = False
        await turns(2)

    asyncio.run(scenario())


def test_a_run_pauses_by_itself(shown, monkeypatch):
    monkeypatch.setattr(game, "LONGEST_RUN", 60)
    board = shown()
    board.running = True
    assert steps(board) == 60
    assert not board.running


def test_a_pause_between_views_lets_people_watch(shown, monkeypatch):
    monkeypatch.setattr(game, "INTERVAL", 0.2)
    monkeypatch.setattr(game, "LONGEST_RUN", 40)
    board, slept, sleep = shown(), [], asyncio.sleep
    monkeypatch.setattr(game.asyncio, "sleep", lambda seconds: (slept.append(seconds), sleep(0))[1])
    board.running = True
    assert len(slept) == 2
    assert all(0 <= seconds < 0.2 for seconds in slept)


def test_another_shape_brings_its_points_and_leaves_the_networks(shown):
    board = shown()
    press(board, "step")
    mesh = board.view["mesh"]
    board.set_state({"shape": "two blobs"})
    points = np.array(board.points)
    assert (len(points), board.view["mesh"]) == (300, mesh)
    right = points[:, 0] > 0
    assert right.mean() == 0.5
    assert np.abs(points[right].mean(0) - [1.0, 0.6]).max() < 0.05
    assert torch.equal(board._game.real, torch.tensor(board.points))


def test_what_is_drawn_is_what_it_trains_on(shown):
    board = shown()
    drawn = TRIANGLE * 5
    board.set_state({"points": drawn, "shape": ""})
    assert board._game.real.tolist() == drawn
    assert board.shape == ""
    board.points = TRIANGLE * 1_000
    assert len(board._game.real) == 2_000, "not more than that"


def test_too_few_points_are_a_message(shown):
    board = shown()
    board.points = TRIANGLE
    assert (board.failed, board.message) == (True, "Points so far: 3. Draw at least 10, or choose a shape.")
    for button in ("step", "again"):
        press(board, button)
        assert board.message.startswith("Points so far: 3")
        assert board._game.steps == 0
    board.running = True
    assert not board.running
    assert board._game.steps == 0
    board.points = TRIANGLE * 4
    assert (board.failed, steps(board)) == (False, 0), "the next points make it good"


def test_clearing_the_points_ends_a_run(shown):
    board = shown()

    async def scenario():
        board.running = True
        await turns(2)
        board.points = []
        await turns(3)

    asyncio.run(scenario())
    assert not board.running
    assert board.message.startswith("Points so far: 0")


def test_the_script_stands_beside_the_module_and_agrees_with_it():
    script = Path(game.__file__).with_name("game.js").read_text(encoding="utf-8")
    assert str(game.Board._esm) == script
    assert "http" not in script, "it works without a network"
    for line in (
        f"const LIMIT = {duel.LIMIT:g};",
        f"const MESH_SIDE = {duel.MESH_SIDE};",
        f"const MAP_SIDE = {duel.MAP_SIDE};",
        f"const MOST_POINTS = {game.MOST_POINTS};",
    ):
        assert line in script
    for colour in (game.REAL, game.WHITE, game.UNREAL, game.MESH_INK, *(m["color"] for m in game.MARKS.values())):
        assert f'"{colour}"' in script, "one look on the board and in the frames"


@pytest.mark.parametrize("name", game.SHAPES)
def test_a_shape_lies_well_inside_the_plane(name):
    points = game._shape(name)
    assert points.shape == (300, 2)
    assert points.abs().max() < 1.8
    assert torch.equal(points, game._shape(name)), "the same each time"


def test_arrows_grow_with_the_root_of_the_pull():
    pulls = torch.tensor([[0.0, 0.04], [-0.36, 0.0], [300.0, 400.0], [0.0, 0.0]])
    expected = [[0.0, 0.1], [-0.3, 0.0], [0.6, 0.8], [0.0, 0.0]]
    torch.testing.assert_close(game._arrows(pulls), torch.tensor(expected))


def test_the_twin_shows_four_moments_of_one_training(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    figure = widgets.game_snapshots("two blobs", seed=2)
    panels = [ax for ax in figure.axes if ax.get_xlabel() == "$x_1$"]
    titles = [ax.get_title(loc="left") for ax in panels]
    twin = duel.Game(game._shape("two blobs"), seed=2)
    for ax, title, moment in zip(panels, titles, (0, 20, 60, 120), strict=True):
        twin.train(moment - twin.steps)
        view = twin.view()
        assert title == f"Step {moment}: D correct on {view.told:.0%} of pairs"
        *mesh, real, made = ax.lines
        assert len(mesh) == 2 * duel.MESH_SIDE
        np.testing.assert_allclose(mesh[1].get_xydata(), view.mesh[1], atol=1e-6)
        np.testing.assert_allclose(made.get_xydata(), view.made, atol=1e-6)
        assert len(real.get_xydata()) == 300
        assert [to_hex(line.get_color()).upper() for line in (real, made)] == ["#D55E00", "#0072B2"]
        np.testing.assert_allclose(ax.images[0].get_array(), view.verdict, atol=1e-6)
        arrows = ax.collections[0]
        np.testing.assert_allclose(np.stack([arrows.U, arrows.V], 1), game._arrows(view.pulls), atol=1e-6)


def test_the_map_is_blue_where_it_says_made_and_orange_where_it_says_real():
    figure = widgets.game_snapshots(torch.rand(20, 2), steps=[0])
    image = figure.axes[0].images[0]
    for value, colour in ((0.0, game.UNREAL), (0.5, game.WHITE), (1.0, game.REAL)):
        assert image.cmap(image.norm(value)) == pytest.approx(to_rgba(colour), abs=0.01)
    assert image.origin == "lower"


@pytest.mark.parametrize(("steps", "rows", "columns"), [([3], 1, 1), ([0, 1], 1, 2), ([0, 1, 2, 3], 2, 2)])
def test_nothing_is_cut_off_in_the_twin(steps, rows, columns):
    figure = widgets.game_snapshots(steps=steps)
    figure.canvas.draw()
    width, height = figure.bbox.size
    assert width <= 100 * 9.6
    panels = [ax for ax in figure.axes if ax.images]
    assert panels[0].get_gridspec().get_geometry() == (rows, columns)
    for ax in panels:
        box = ax.get_tightbbox()
        assert 0 <= box.x0 < box.x1 <= width + 1
        assert 0 <= box.y0 < box.y1 <= height + 1
        assert ax.get_window_extent().width > 200, "large enough for the arrows"


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ("rnig", {}, r'no shape "rnig"\. Did you mean "ring"\?'),
        (torch.zeros(9, 2), {}, r"shape \(9, 2\); give \(n, 2\) with 10 to 2,000"),
        (torch.zeros(2_001, 2), {}, r"shape \(2001, 2\)"),
        (torch.zeros(20, 3), {}, r"shape \(20, 3\)"),
        (torch.full((20, 2), 2.5), {}, r"A point lies at 2\.5; coordinates go from -2 to 2"),
        (torch.full((20, 2), torch.nan), {}, "A point lies at nan"),
        ("ring", {"steps": [0, 1, 2, 3, 4]}, "give 1 to 4 different numbers"),
        ("ring", {"steps": [5, 5]}, r"steps=\[5, 5\]"),
        ("ring", {"steps": [5, 1]}, "in rising order"),
        ("ring", {"steps": [-1]}, "0 or more"),
    ],
)
def test_what_cannot_be_played_is_refused(shown, given, options, message):
    with pytest.raises(InputError, match=message):
        widgets.game_snapshots(given, **options)
    if not options:
        with pytest.raises(InputError, match=message):
            shown(given)
