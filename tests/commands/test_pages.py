"""Pages of notebooks: each picture carries its own text, and what other tools write into a notebook stops no page."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter, SlidesExporter
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.commands import run, slides
from course_utils.commands.shared import notebooks, pages

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PNG = "image/png"
NOTHING = "No description has been provided for this image"


def picture(alt, mime="image/png", content=PIXEL):
    return new_output("display_data", {mime: content}, metadata={mime: {"alt": alt}} if alt else {})


def with_outputs(*outputs, **metadata):
    slide = {"slideshow": {"slide_type": "slide"}}
    cells = [new_markdown_cell("# Title", metadata=slide), new_code_cell("1", outputs=list(outputs), metadata=slide)]
    return new_notebook(cells=cells, metadata=metadata)


def texts(page):
    return [image.get("alt") for image in BeautifulSoup(page, "html.parser").select(".jp-RenderedImage img")]


@pytest.mark.parametrize("exporter", [HTMLExporter, SlidesExporter])
def test_every_picture_carries_its_own_text(exporter):
    alts = ['A line that says "x < y" & rises.', "Second picture.", "Third, a vector drawing."]
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'
    notebook = with_outputs(
        picture(alts[0]), picture(alts[1], "image/jpeg"), picture(alts[2], "image/svg+xml", svg), picture("")
    )
    page = pages.html(notebook, "01_name", exporter)
    images = BeautifulSoup(page, "html.parser").select(".jp-OutputArea-output img")
    assert [image["alt"] for image in images] == [*alts, NOTHING]
    assert images[0]["src"] == f"data:image/png;base64,{PIXEL}"


@pytest.mark.parametrize("stem", ["01_gaussian_maximum_likelihood"])
def test_the_page_and_the_slides_of_a_lecture_say_what_its_figures_show(stem, monkeypatch, tmp_path):
    notebook = notebooks.read(notebooks.root() / "notebooks" / f"{stem}.ipynb")
    stored = [
        o.metadata["image/png"]["alt"] for c in notebook.cells for o in c.get("outputs", []) if PNG in o.get("data", {})
    ]
    assert len(stored) > 10
    written = []
    monkeypatch.setattr(notebooks, "write_text", lambda path, text: written.append(text))
    run.page(notebook, tmp_path / f"{stem}.ipynb")
    for page in (*written, slides.convert(notebook, stem)):
        assert texts(page) == stored
        assert NOTHING not in page


FOREIGN = {
    "a metadata of null": {"nbgrader": None, "slideshow": None, "tags": None},
    "words for objects": {"nbgrader": "solution", "slideshow": "slide", "tags": "hide", "jupyter": []},
}


@pytest.mark.parametrize("metadata", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("exporter", [HTMLExporter, SlidesExporter])
def test_a_cell_with_the_metadata_of_other_tools_has_its_page(metadata, exporter):
    notebook = with_outputs(new_output("stream", text="forty-two"))
    notebook.cells[1].metadata = from_dict(metadata)
    assert "forty-two" in pages.html(notebook, "foreign", exporter)
    assert dict(notebook.cells[1].metadata) == metadata


STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.mark.parametrize(
    "metadata",
    [
        {"widgets": {STATE: {"a1": {"model_name": "FloatProgressModel", "state": {}}}}, "colab": {"provenance": []}},
        {"widgets": {}},
        {"widgets": None},
        {"widgets": {STATE: None}},
        {"language_info": None},
        {"language_info": "python", "kernelspec": None, "authors": None, "title": 7},
        {"language_info": {"name": None, "pygments_lexer": "no such language"}},
    ],
    ids=["Colab", "empty widgets", "no widgets", "no state", "no language", "words", "an unknown language"],
)
@pytest.mark.parametrize("exporter", [HTMLExporter, SlidesExporter])
def test_a_notebook_with_the_metadata_of_other_tools_has_its_page(metadata, exporter):
    view = new_output("display_data", {VIEW: {"model_id": "a1"}, "text/plain": "Progress: done"})
    nameless = new_output("display_data", {VIEW: None, "text/plain": "no model"})
    notebook = with_outputs(view, nameless, **metadata)
    page = pages.html(notebook, "foreign", exporter)
    assert "Progress: done" in page
    assert "no model" in page
    assert notebook.cells[1].outputs[0].data[VIEW] == {"model_id": "a1"}
