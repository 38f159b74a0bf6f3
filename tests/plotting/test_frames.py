"""Images that change while a training runs: one picture is stored, every frame is kept."""

from __future__ import annotations

import io
import textwrap

import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import plotting
from course_utils.errors import InputError
from course_utils.plotting import LiveImages, frames

pytestmark = pytest.mark.usefixtures("course_style")


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would have been sent, as (what was done, bundle, metadata)."""
    sent = []

    class Handle:
        def update(self, bundle, **options):
            sent.append(("update", bundle, options["metadata"]))

    def display(bundle, **options):
        assert options["display_id"]
        sent.append(("display", bundle, options["metadata"]))
        return Handle()

    monkeypatch.setattr(frames, "display", display)
    monkeypatch.setattr(frames, "_in_notebook", lambda: True)
    return sent


def images(n: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 1, 6, 6, generator=torch.Generator().manual_seed(seed))


def test_one_picture_is_displayed_and_then_changed(shown):
    live = LiveImages("Samples of the same noise.")
    for step in (0, 100, 200):
        live(images(seed=step), f"step {step}")
    assert [done for done, _, _ in shown] == ["display", "update", "update"]
    for (_, bundle, metadata), step in zip(shown, (0, 100, 200), strict=True):
        alt = f"Samples of the same noise, step {step}."
        assert metadata["image/png"] == {"alt": alt}
        assert bundle["text/plain"] == f"Figure: {alt}"
    assert shown[0][1]["image/png"] != shown[1][1]["image/png"]
    assert not plt.get_fignums()


def test_the_picture_shows_the_images_in_rows(shown):
    batch = torch.zeros(12, 6, 6)
    batch[3], batch[11] = 1, 1
    LiveImages("Two black images among white ones", columns=10, size=0.5)(batch, "")
    picture = Image.open(io.BytesIO(shown[0][1]["image/png"])).convert("L")
    scale = 500 / 69  # ten images of 6 pixels, and a pixel of paper between two
    assert picture.size == (500, 30 + int(13 * scale))
    ink = np.asarray(picture) < 40
    for row, column, expected in ((0, 3, True), (1, 1, True), (0, 2, False), (1, 0, False), (1, 5, False)):
        assert ink[30 + int((7 * row + 3) * scale), int((7 * column + 3) * scale)] == expected
    assert ink.sum() == pytest.approx(2 * (6 * scale) ** 2, rel=0.05)


def test_a_caption_stands_above_the_images(shown):
    LiveImages("White images with a caption")(torch.zeros(10, 6, 6), "step 1,200")
    ink = np.asarray(Image.open(io.BytesIO(shown[0][1]["image/png"])).convert("L")) < 128
    assert ink[:30].any()
    assert not ink[30:].any()


@pytest.mark.parametrize("shape", [(7, 1, 6, 6), (7, 6, 6), (7, 36)])
def test_frames_are_kept_as_they_were_in_every_usual_shape(shape):
    live, batch = LiveImages("Samples of the same noise"), torch.rand(shape, requires_grad=True)
    kept = batch.detach().clone()
    live(batch, "first")
    with torch.no_grad():
        batch.zero_()
    live(batch, "second")
    np.testing.assert_array_equal(live.frames[0], kept.reshape(7, 6, 6).numpy())
    assert not live.frames[1].any()
    assert live.captions == ["first", "second"]


def test_nothing_is_shown_outside_a_notebook_or_on_request(shown, monkeypatch):
    LiveImages("Samples of the same noise", live=False)(images(), "")
    monkeypatch.setattr(frames, "_in_notebook", lambda: False)
    live = LiveImages("Samples of the same noise")
    live(images(), "")
    assert shown == []
    assert len(live.frames) == 1
    monkeypatch.undo()
    assert not frames._in_notebook()


def test_the_strip_shows_the_first_the_last_and_some_between():
    live = LiveImages("Samples of the same noise")
    for step in range(11):
        live(torch.full((12, 36), step / 10), f"step {step}")
    figure = live.strip(rows=3, columns=2, title="What the noise became")
    drawn = [ax.images[0].get_array()[0, 0] for ax in figure.axes]
    np.testing.assert_allclose(drawn, [0, 0, 0.5, 0.5, 1, 1])
    assert [ax.texts[0].get_text() for ax in figure.axes[::2]] == ["step 0", "step 5", "step 10"]
    assert figure.get_suptitle() == "What the noise became"
    assert len(live.strip(rows=40, columns=1).axes) == 11


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"alt": "samples"}, 'alt="samples" says too little'),
        ({"columns": 0}, "columns=0 and size=0.5"),
        ({"size": 0.0}, "size=0.0"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        LiveImages(**({"alt": "Samples of the same noise"} | given))


def test_frames_that_do_not_fit_are_refused_and_not_kept():
    live = LiveImages("Samples of the same noise")
    with pytest.raises(InputError, match="no frame yet"):
        live.strip()
    with pytest.raises(InputError, match="one image or more"):
        live(images(0), "")
    live(images(), "")
    with pytest.raises(InputError, match=r"shape \(3, 6, 6\) follows frames of shape \(12, 6, 6\)"):
        live(images(3), "")
    with pytest.raises(InputError, match="no square images"):
        live(torch.rand(12, 35), "")
    assert len(live.frames) == len(live.captions) == 1
    with pytest.raises(InputError, match="rows=1 and columns=10"):
        live.strip(rows=1)


def test_a_stored_notebook_keeps_one_picture_and_the_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = """
        import torch
        from course_utils import plotting, training
        model = torch.nn.Linear(2, 36)
        live, z = plotting.LiveImages("Samples of an untrained network"), torch.randn(20, 2)
        def step(x, number):
            if number % 2 == 0:
                with torch.no_grad():
                    live(model(z).sigmoid(), f"step {number}")
            return 0.0
        history = training.run(step, torch.zeros(40, 1), {"model": model}, num_epochs=2, batch_size=4, label="a")
        """
    cells = [textwrap.dedent(source), "print(len(live.frames))"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, kernel_name="python3", coalesce_streams=True, timeout=180).execute()
    pictures = [output for output in notebook.cells[0].outputs if output.output_type == "display_data"]
    assert len(pictures) == 1
    assert pictures[0].metadata["image/png"]["alt"] == "Samples of an untrained network, step 18."
    assert notebook.cells[1].outputs[0].text == "10\n"
    assert {output.output_type for output in notebook.cells[0].outputs} == {"display_data", "stream"}


def test_it_is_exported():
    assert "LiveImages" in plotting.__all__
