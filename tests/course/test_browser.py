"""The student's path, once, for real: `make lab`, the start page, exercise 02, a right answer and a wrong one.

And the explorers that have to answer to a real mouse and real keys: the plane of codes, the latent variables of a
digit, the desk where a model writes and the page that it reads, mixtures of codes and turned styles. The course is
served from a copy, so that the exercise in the repository stays as it is. Screenshots go to ``build/screenshots``.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from course_utils.checks import linear_autoencoder
from course_utils.commands.lab import START_PAGE

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
STEM = "02_linear_autoencoder_pca"
SCREENSHOTS = ROOT / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
GAP = "variance"
WRONG = """\
def components_for(X, share):
    eigenvalues = torch.linalg.svdvals(X - X.mean(dim=0)).square()
    held = eigenvalues.cumsum(dim=0) / eigenvalues.sum()
    return int((held < share).sum()) + 1


def remaining_error(X, k):
    eigenvalues = torch.linalg.svdvals(X - X.mean(dim=0)).square() / (len(X) - 1)
    return float(eigenvalues[k:].sum())
"""
WRONG_NAME = "n - 1"
EXPLORERS = {  # lines that define codes, labels, images, encode and decode come first
    "plane": "widgets.plane_explorer(codes, labels, decode)",
    "latents": "widgets.latents_explorer(images, encode, decode, [0, 1])",
}
TINY = """\
import torch

from course_utils import widgets
from course_utils.runtime import setup

setup(seed=0)
codes, labels = torch.randn(200, 2), torch.arange(200) % 10
images = torch.rand(5, 784)
weight = torch.randn(2, 784)


def encode(x):
    return (x - 0.5) @ weight.T / 10


def decode(z):
    return torch.sigmoid(z @ weight)
"""
DESK = """\
import time

import torch

from course_utils import widgets
from course_utils.errors import InputError

weight = torch.ones(1, requires_grad=True)


def write(prompt, length, temperature, top_k):
    if "@" in prompt:
        raise InputError('The prompt has a character that the model does not know: "@".')
    with torch.no_grad():
        for index in range(length):
            time.sleep(0.01)
            yield "\\n" if index % 10 == 9 else f"{top_k % 10}"


widgets.writing_explorer(write, prompt="JULIET:\\n", alphabet="JULIET:\\nab", length=60)
"""
MEANWHILE = "(2 * weight).sum().backward(); print('meanwhile')"
PAGE = """\
import torch

from course_utils import widgets

text, alphabet = "ab ab\\nba a\\n", "\\n abcdefgh"
logits = torch.zeros(len(text), len(alphabet))
logits[:, 2] = 2.0  # a is the most probable everywhere
widgets.reading_explorer(text, logits.log_softmax(-1), alphabet)
"""


GAME = "from course_utils import widgets\n\nwidgets.game_explorer('ring')"
QUIZ = """import torch
from course_utils import widgets

random = torch.Generator().manual_seed(0)
real, made = torch.rand(2, 8, 784, generator=random)
widgets.quiz_explorer(real, made, classifier_score=lambda x: x.mean(1) - 0.5, rounds=4)
"""
MIXTURES = """import torch
from course_utils import widgets
from course_utils.runtime import setup

setup(seed=0)
weight = torch.randn(8, 784) / 8**0.5
widgets.mixing_explorer(lambda z: torch.tanh(z @ weight), torch.randn(16, 8))
"""
STYLES = """
widgets.styles_explorer(lambda z, y: torch.tanh(z @ weight + y[:, None] / 5), 10, 8)
"""


@pytest.fixture(scope="module")
def browser():
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"no browser here; one of {', '.join(BROWSERS)} would do (apt install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    for name in ("notebooks", "solutions", "exercises"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / START_PAGE, folder)
    return folder


@pytest.fixture(scope="module")
def address(course, tmp_path_factory):
    """Where `make lab` says that the browser should go."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if shutil.which("make") and (ROOT / ".venv" / ".installed").exists():
        command = ["make", "lab", f"PORT={port}", f"FOLDER={course}"]
    else:
        command = [sys.executable, "-m", "course_utils", "lab", "--port", str(port), "--folder", str(course)]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "MAKE"))}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables | {"COURSE_PROFILE": "quick", "CI": "true", "JUPYTER_CONFIG_DIR": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()
    try:
        yield _wait(lambda: re.search(r"http://127\.0\.0\.1:\d+/lab\S+token=\w+", "".join(lines)), lines)[0]
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait(condition, shown, seconds=120):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {shown}"
        time.sleep(0.2)
    return result


def _number(prompt):
    """The number in `[7]:`; 0 while there is none."""
    found = re.search(r"\[(\d+)\]", prompt)
    return int(found[1]) if found else 0


class Notebook:
    """The open notebook: what the student sees, and what is saved."""

    def __init__(self, page, path):
        self.page, self.path = page, path

    def saved(self):
        before = self.path.stat().st_mtime_ns
        self.page.get_by_role("menuitem", name="File", exact=True).click()
        self.page.get_by_role("menuitem", name="Save Notebook", exact=False).first.click()
        _wait(lambda: self.path.stat().st_mtime_ns != before, "the notebook was not saved", 30)
        self.page.wait_for_timeout(500)
        return nbformat.read(self.path, as_version=4)

    def cell(self, index):
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']")

    def prompts(self):
        """What stands beside the code cells: `[ ]:` before a run, `[*]:` while it waits or runs, `[7]:` after."""
        return self.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_text_contents()

    def run_all(self):
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        _wait(lambda: all(map(_number, self.prompts())), "a cell stopped the run, or the run takes too long", 180)

    def answer(self, index, code):
        """Put ``code`` into the gap in place of what is there, run it, then the check below; what the check says."""
        prompt = self.cell(index + 1).locator(".jp-InputPrompt")
        before = _number(prompt.text_content())
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Shift+Enter")
        self.page.keyboard.press("Shift+Enter")
        _wait(lambda: _number(prompt.text_content()) > before, "the check was not run")
        outputs = self.cell(index + 1).locator(".jp-OutputArea-output")
        _wait(outputs.count, "the check says nothing", 30)
        return " ".join(outputs.all_text_contents())

    def opened(self, address):
        """Go to this notebook in place of the start page and of all that was open, and wait for its kernel."""
        self.page.goto(address.replace(f"{START_PAGE}?", f"{self.path.name}?reset&"))
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
        idle = self.page.locator(".jp-StatusBar-Widget, #jp-main-statusbar").get_by_text("(ipykernel) | Idle")
        idle.wait_for(timeout=60_000)

    def explorer(self, code):
        """The output of the cell that holds ``code``, once its picture is there, and that picture."""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell", has_text=code)
        output = cell.locator(".jp-OutputArea-output")
        drawn = output.locator("img.widget-image")
        drawn.wait_for()
        drawn.scroll_into_view_if_needed()
        self.page.wait_for_timeout(500)
        return output, drawn

    def picture(self, name, index=None):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        if index is not None:
            self.cell(index).scroll_into_view_if_needed()
            self.page.wait_for_timeout(800)  # the notebook paints what has come into view a little later
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def shows_no_stack_trace(self):
        text = " ".join(self.page.locator(".jp-Notebook .jp-OutputArea-output").all_text_contents())
        return not re.search(r"Traceback|---->|File .*, line \d+", text)


def _gap(notebook, grade_id):
    """The index of the gap, and its cell; the check stands right below."""
    for index, cell in enumerate(notebook.cells):
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            assert notebook.cells[index + 1].metadata.nbgrader.grade, "the check stands right below its gap"
            return index, cell
    raise AssertionError(f"there is no gap {grade_id}")


@pytest.fixture
def notebook(browser, course):
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(30_000)
    notebook = Notebook(page, course / "exercises" / f"{STEM}.ipynb")
    yield notebook
    notebook.picture("0-last-seen")
    page.close()


def test_a_student_works_exercise_02(notebook, address):
    page = notebook.page

    # The start page is rendered, and leads to the exercise.
    page.goto(address)
    start = page.locator(".jp-RenderedMarkdown")
    start.get_by_role("heading", level=1).wait_for(timeout=60_000)
    notebook.picture("1-start-page")
    start.locator(f"a[href*='exercises/{STEM}']").first.click()
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    page.locator(".jp-StatusBar-Widget, #jp-main-statusbar").get_by_text("(ipykernel) | Idle").wait_for(timeout=60_000)
    assert page.locator(".jp-Dialog").count() == 0, "nothing asks a student anything"

    # Run All never stops at a gap.
    notebook.run_all()
    saved = notebook.saved()
    code = [cell for cell in saved.cells if cell.cell_type == "code" and cell.source.strip()]
    assert all(cell.execution_count for cell in code), "a cell stopped the run"
    checks = [cell for cell in code if cell.metadata.get("nbgrader", {}).get("grade")]
    assert len(checks) >= 4
    for cell in checks:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert [error.ename for error in errors] == ["NotAttempted"], cell.source
    others = [output for cell in code if cell not in checks for output in cell.outputs]
    assert [output for output in others if output.output_type == "error"] == []
    assert page.locator(".jp-OutputArea-output", has_text="Not attempted").count() == len(checks)
    assert notebook.shows_no_stack_trace()

    # A right answer, out of the solution.
    index, _ = _gap(saved, GAP)
    notebook.picture("2-not-attempted", index + 1)
    _, solution = _gap(nbformat.read(ROOT / "solutions" / f"{STEM}.ipynb", as_version=4), GAP)
    said = notebook.answer(index, re.sub(r"^ *### (BEGIN|END) SOLUTION\n?", "", solution.source, flags=re.MULTILINE))
    notebook.picture("3-right", index + 1)
    assert "✓ Right:" in said
    assert linear_autoencoder.variance.praise in said

    # A known mistake is called by its name.
    said = notebook.answer(index, WRONG)
    notebook.picture("4-wrong", index + 1)
    message = next(m.message for m in linear_autoencoder.variance.mistakes if m.name == WRONG_NAME)
    assert "✗ Not right yet:" in said
    assert message in re.sub(r"\s+", " ", said)
    assert notebook.shows_no_stack_trace()

    # What was typed is what is saved.
    saved = notebook.saved()
    assert saved.cells[index].source.strip() == WRONG.strip()
    assert [output.ename for output in saved.cells[index + 1].outputs] == ["Wrong"]


@pytest.fixture
def opened(browser, course, address):
    """A function that opens a notebook with these code cells, runs them all, and returns it."""
    pages = []

    def open_and_run(name, *sources):
        path = course / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources]), path)
        pages.append(browser.new_page(viewport={"width": 1300, "height": 1000}, has_touch=True))
        pages[-1].set_default_timeout(30_000)
        notebook = Notebook(pages[-1], path)
        notebook.far = []
        pages[-1].on(
            "request", lambda request: None if "//127.0.0.1" in request.url else notebook.far.append(request.url)
        )
        notebook.opened(address)
        notebook.run_all()
        return notebook

    yield open_and_run
    for page in pages:
        page.close()


def _changes(drawn, move):
    """Whether the picture changes on the screen after ``move``."""
    before = drawn.screenshot()
    move()
    _wait(lambda: drawn.screenshot() != before, "the picture stays as it is", 15)


def test_explorers_answer_to_mouse_finger_and_keys(opened):
    explorers = opened("explorers", TINY, *EXPLORERS.values())
    page = explorers.page

    # The point on the plane: dragged by the mouse, it stays under the mouse, and the picture changes on the way.
    output, drawn = explorers.explorer(EXPLORERS["plane"])
    pad, point = output.locator(".course-plane"), output.locator(".course-plane-point")
    box = pad.bounding_box()
    at = {share: (box["x"] + share * box["width"], box["y"] + share * box["height"]) for share in (0.3, 0.5, 0.7)}
    page.mouse.move(*at[0.5])
    page.mouse.down()
    for share in (0.3, 0.7):
        _changes(drawn, lambda share=share: page.mouse.move(*at[share], steps=10))
        assert _centre(point) == pytest.approx(at[share], abs=1.5)
    page.mouse.up()
    explorers.picture("5-plane")
    page.mouse.move(*at[0.5], steps=5)
    assert _centre(point) == pytest.approx(at[0.7], abs=1.5), "let go is let go"

    # By the keys, which are the pad's alone.
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active").get_attribute("data-windowed-list-index")
    _changes(drawn, lambda: page.keyboard.press("Shift+ArrowLeft"))
    assert _centre(point)[0] < at[0.7][0] - 20
    assert page.locator(".jp-Notebook .jp-Cell.jp-mod-active").get_attribute("data-windowed-list-index") == active

    # By a finger.
    touch = page.context.new_cdp_session(page)
    for kind, share in (("touchStart", 0.5), ("touchMove", 0.4), ("touchMove", 0.3)):
        x, y = (box[axis] + share * box[size] for axis, size in (("x", "width"), ("y", "height")))
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    _wait(lambda: _centre(point) == pytest.approx(at[0.3], abs=1.5), "the point does not follow the finger", 15)

    # The slider of a latent variable, and that of the digit, which sets it back.
    output, drawn = explorers.explorer(EXPLORERS["latents"])
    sliders = output.locator(".widget-hslider")
    digit, unit = (sliders.filter(has_text=text) for text in ("digit", "unit 1"))
    own = unit.locator(".widget-readout").text_content()
    _changes(drawn, lambda: _drag(page, unit.locator(".noUi-handle"), 60))
    explorers.picture("6-latents")
    assert unit.locator(".widget-readout").text_content() != own
    _changes(drawn, lambda: _drag(page, digit.locator(".noUi-handle"), 80))
    _changes(drawn, lambda: _drag(page, digit.locator(".noUi-handle"), -200))
    _wait(lambda: unit.locator(".widget-readout").text_content() == own, "the digit does not set its units back", 15)
    assert explorers.far == [], "nothing asks for the network"


def test_a_writing_model_streams_its_text_and_stops(opened):
    notebook = opened("writing", DESK, MEANWHILE)
    page = notebook.page
    desk = page.locator(".course-writing")
    prompt, button = desk.get_by_label("Prompt"), desk.get_by_role("button")
    written, message, paper = (desk.locator(f".course-writing-{name}") for name in ("text", "message", "paper"))
    desk.scroll_into_view_if_needed()
    assert prompt.input_value() == "JULIET:\n"
    assert button.text_content() == "Write"

    # The text grows while it is sampled, and the button is itself again at its end.
    button.click()
    seen = {""}
    _wait(lambda: seen.add(written.text_content()) or "written: 60" in message.text_content(), "no text comes", 30)
    assert len(seen) >= 4, "the text comes all at once"
    assert written.text_content() == 6 * "000000000\n"
    assert paper.text_content() == "JULIET:\n" + written.text_content()
    assert button.text_content() == "Write"
    notebook.picture("7-writing")

    # Stop is heard in the middle of a text; the keys set the sliders, and are the desk's alone.
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active").get_attribute("data-windowed-list-index")
    desk.get_by_label("Length").fill("5000")
    desk.get_by_label("Top-k").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert desk.get_by_text("all 10").count() == 0
    button.focus()
    page.keyboard.press("Enter")
    _wait(lambda: "2222\n" in written.text_content(), "no text comes", 30)
    assert button.text_content() == "Stop"
    assert paper.get_attribute("aria-live") == "off"
    assert paper.get_attribute("aria-busy") == "true"
    page.keyboard.press("Enter")
    _wait(lambda: "Stopped" in message.text_content(), "Stop is not heard", 15)
    assert set(written.text_content()) == {"2", "\n"}
    assert len(written.text_content()) < 3000
    assert page.locator(".jp-Notebook .jp-Cell.jp-mod-active").get_attribute("data-windowed-list-index") == active

    # Another cell runs between two pieces, with gradients, although the model writes without.
    button.click()
    _wait(lambda: button.text_content() == "Stop", "it does not begin", 15)
    cell = page.locator(".jp-Notebook .jp-CodeCell", has_text="meanwhile").last
    before = _number(cell.locator(".jp-InputPrompt").text_content())
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    _wait(lambda: _number(cell.locator(".jp-InputPrompt").text_content()) > before, "the other cell waits", 15)
    assert cell.locator(".jp-OutputArea-output").all_text_contents() == ["meanwhile\n"]
    assert button.text_content() == "Stop", "it is still writing"
    button.click()
    _wait(lambda: button.text_content() == "Write", "Stop is not heard", 15)

    # An error is a sentence; Ctrl+Enter is the button, and Enter a line break.
    prompt.fill("a@")
    prompt.press("Enter")
    prompt.press("Control+Enter")
    _wait(lambda: "does not know" in message.text_content(), "the error is not shown", 15)
    assert prompt.input_value() == "a@\n"
    assert button.text_content() == "Write"
    assert written.text_content() == ""
    notebook.picture("8-writing-error")
    assert notebook.shows_no_stack_trace()
    assert notebook.far == [], "nothing asks for the network"


def test_a_reading_model_says_what_it_expected_under_the_cursor(opened):
    notebook = opened("reading", PAGE)
    page = notebook.page
    text, title = page.locator(".course-reading-text"), page.locator(".course-reading-title")
    chart, spoken = page.locator(".course-reading-chart"), page.locator(".course-reading [role=status]")
    characters = text.locator("span")
    assert characters.all_text_contents() == [*"ab ab↵ba a↵"]
    assert len({round(_centre(character)[1]) for character in characters.all()}) == 2, "two lines"
    assert "“a” costs" in title.text_content()

    # The mouse: what is under it is shown, the six most probable and the actual one.
    x, y = _centre(characters.nth(4))
    page.mouse.move(x, y)
    _wait(lambda: "“b”" in title.text_content(), "the mouse is not followed", 15)
    signs = chart.locator("span").all_text_contents()[::2]
    assert signs == [*"a↵␣bcd"]
    page.mouse.move(*_centre(characters.nth(5)))
    _wait(lambda: "“↵”" in title.text_content(), "the mouse is not followed", 15)
    notebook.picture("9-reading")
    assert spoken.text_content() == "", "the mouse is not read out"

    # The keys, which are the text's alone.
    page.mouse.click(*_centre(characters.nth(1)))
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active").get_attribute("data-windowed-list-index")
    for key, index in (("ArrowDown", 7), ("ArrowRight", 8), ("ArrowUp", 2), ("ArrowLeft", 1), ("End", 10), ("Home", 0)):
        page.keyboard.press(key)
        outlined = [place for place in range(11) if "2px" in characters.nth(place).get_attribute("style")]
        assert outlined == [index], key
    page.keyboard.press("ArrowLeft")
    assert "“a” costs" in spoken.text_content()
    assert page.locator(".jp-Notebook .jp-Cell.jp-mod-active").get_attribute("data-windowed-list-index") == active

    # A finger.
    touch = page.context.new_cdp_session(page)
    x, y = _centre(characters.nth(8))
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    _wait(lambda: "“␣”" in title.text_content(), "the finger is not followed", 15)
    assert notebook.far == [], "nothing asks for the network"


def test_a_game_is_drawn_on_trained_and_paused(opened):
    notebook = opened("game", GAME)
    page = notebook.page
    board = page.locator(".course-game")
    plane, message, train = (board.locator(f".course-game-{name}") for name in ("plane", "message", "train"))
    board.scroll_into_view_if_needed()

    def step():
        found = re.search(r"Step ([\d,]+)", message.text_content())
        return int(found[1].replace(",", "")) if found else 0

    # It trains until it is paused, and then stays.
    assert train.text_content() == "Train"
    _changes(plane, train.click)
    _wait(lambda: step() >= 60, "the game does not train", 60)
    train.click()
    _wait(lambda: train.text_content() == "Train", "the game does not pause", 15)
    page.wait_for_timeout(1000)
    paused = step()
    page.wait_for_timeout(500)
    assert step() == paused
    notebook.picture("9-game")

    # One step is one step, and a point is drawn where the mouse is.
    board.get_by_role("button", name="One step").click()
    _wait(lambda: step() == paused + 1, "one step is another number of steps", 15)
    board.get_by_role("button", name="Clear the points").click()
    _wait(lambda: "so far: 0" in message.text_content(), "the points are not cleared", 15)
    box = plane.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"], steps=12)
    page.mouse.up()
    _wait(lambda: board.get_by_label("Shape").input_value() not in ("ring", ""), "nothing is drawn by hand", 15)
    assert notebook.far == [], "nothing asks for the network"


def test_a_quiz_counts_the_answers(opened):
    notebook = opened("quiz", QUIZ)
    page = notebook.page
    status = page.locator("[role=status]").first
    page.locator("img.widget-image").first.wait_for()
    for number in range(1, 5):
        _wait(lambda number=number: f"Picture {number} of 4" in status.text_content(), "the picture does not come", 15)
        page.get_by_role("button", name="real", exact=True).click()
    _wait(lambda: "You were right about" in page.locator(".jp-Notebook").text_content(), "no score is said", 15)
    notebook.picture("10-quiz")
    page.get_by_role("button", name="once more").click()
    _wait(lambda: "Picture 1 of 4" in page.locator(".jp-Notebook").text_content(), "it does not begin again", 15)


def test_codes_are_mixed_and_styles_turned(opened):
    notebook = opened("generators", MIXTURES, STYLES)
    page = notebook.page

    # The place between two codes, and another end.
    output = page.locator(".jp-Notebook .jp-CodeCell", has_text="mixing_explorer").locator(".jp-OutputArea-output")
    between = output.locator("img.widget-image:visible").nth(1)
    between.wait_for()
    between.scroll_into_view_if_needed()
    _changes(between, lambda: _drag(page, output.locator(".noUi-handle"), 40))
    page.wait_for_timeout(3000)  # a drag asks for several pictures, and the last one has to be there
    output.get_by_label("to", exact=True).fill("7")
    _changes(between, lambda: page.keyboard.press("Enter"))
    notebook.picture("11-mixing")

    # Groups of samples in the other tab; a number of no sample is answered with a sentence.
    output.get_by_role("tab", name="arithmetic").click()
    result, group = output.locator("img.widget-image:visible").nth(1), output.get_by_label("group A")
    result.wait_for()

    def write(text):
        group.fill(text)
        group.press("Enter")

    _changes(result, lambda: write("0, 4, 5"))
    write("16")
    output.get_by_text("Group A has the samples [16]").wait_for()
    notebook.picture("12-arithmetic")

    # A style that turns, and another class.
    output, drawn = notebook.explorer("styles_explorer")
    first = output.locator(".widget-hslider").filter(has_text="turn 1")
    _changes(drawn, lambda: _drag(page, first.locator(".noUi-handle"), 50))
    page.wait_for_timeout(3000)  # a drag asks for several pictures, and the last one has to be there
    _changes(drawn, lambda: output.get_by_label("class y").select_option("3"))
    notebook.picture("13-styles")
    assert notebook.shows_no_stack_trace()
    assert notebook.far == [], "nothing asks for the network"


def _centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _drag(page, handle, distance):
    """Drag a slider's handle ``distance`` pixels to the side."""
    x, y = _centre(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + distance, y, steps=8)
    page.mouse.up()
