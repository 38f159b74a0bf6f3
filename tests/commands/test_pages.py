"""Pages of notebooks: each picture carries its own text, and what other tools write into a notebook stops no page."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import sample_notebooks as sample
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter, SlidesExporter
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.commands import run, slides
from course_utils.commands.shared import notebooks, pages
from course_utils.errors import InputError

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PNG = "image/png"
NOTHING = "No description has been provided for this image"


def picture(alt, mime="image/png", content=PIXEL):
    return new_output("display_data", {mime: content}, metadata={mime: {"alt": alt}} if alt else {})


def with_outputs(*outputs, **metadata):
    slide = {"slideshow": {"slide_type": "slide"}}
    cells = [new_markdown_cell("# Title", metadata=slide), new_code_cell("1", outputs=list(outputs), metadata=slide)]
    notebook = new_notebook(cells=cells)
    notebook.metadata = from_dict(metadata)
    return notebook


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


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A function that writes the one lecture of a course, with metadata as other tools write it, and says where."""
    monkeypatch.chdir(sample.course(tmp_path))
    monkeypatch.setenv("COURSE_THREADS", "1")
    path = tmp_path / "notebooks" / "01_sample.ipynb"

    def write(*sources, **metadata):
        cells = [new_markdown_cell("# A title, x → y"), *map(new_code_cell, sources)]
        notebook = new_notebook(cells=cells)
        for cell in notebook.cells:
            cell.metadata = from_dict({"nbgrader": None, "tags": None})
        notebook.metadata = from_dict({"widgets": {STATE: {"a1": {}}}, "kernelspec": None, "course": None} | metadata)
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    return write


def test_run_writes_the_page_of_a_notebook_that_shadows_names_and_hides_its_output(
    course, capsys, tmp_path, monkeypatch
):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    course(
        "6 * 7",
        "import os, sys\nsys.stdout = open(os.devnull, 'w')",
        "print = sorted = dict = set = sys = platform = version = runtime = data = get_ipython = exec = None",
    )
    assert run.main(["01"]) == 0
    assert "full, seed" in capsys.readouterr().out
    assert "42" in (tmp_path / "build" / "01_sample.html").read_text(encoding="utf-8")


def test_run_writes_the_page_of_a_notebook_that_stops(course, capsys, tmp_path):
    path = course("6 * 7", "1 / 0", "'not reached'")
    damaged = json.loads(path.read_text(encoding="utf-8"))
    damaged["cells"][3]["outputs"] = [{"output_type": "odd"}]
    path.write_text(json.dumps(damaged), encoding="utf-8")
    assert run.main(["01"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out
    page = (tmp_path / "build" / "01_sample.html").read_text(encoding="utf-8")
    assert "42" in page
    assert "ZeroDivisionError" in page


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source", None),
        ("outputs", None),
        ("outputs", [{"output_type": "odd"}]),
        ("outputs", [{"output_type": "stream"}]),
        ("cell_type", "weird"),
    ],
)
def test_a_damaged_notebook_is_one_line(course, name, value):
    path = course("6 * 7")
    damaged = json.loads(path.read_text(encoding="utf-8"))
    damaged["cells"][1][name] = value
    path.write_text(json.dumps(damaged), encoding="utf-8")
    with pytest.raises(InputError, match=r"01_sample.*(damaged at cells\.1|cannot be read)") as caught:
        slides.main(["01"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "7", "{}", '{"nbformat": 4, "nbformat_minor": 5, "cells": null}'])
def test_what_is_no_notebook_is_one_line(course, text):
    path = course()
    path.write_text(text, encoding="utf-8")
    for command in (run, slides):
        with pytest.raises(InputError, match="cannot be read as a notebook") as caught:
            command.main(["01"])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("command", ["run", "slides"])
def test_a_console_without_arrows_stops_no_command(course, command, monkeypatch, tmp_path):
    course("print('→')", "raise ValueError('x → y')")
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252:strict")
    line = [sys.executable, "-m", "course_utils", command, "01"]
    result = subprocess.run(line, capture_output=True, encoding="cp1252", check=False)
    assert result.returncode == (1 if command == "run" else 0)
    assert "Traceback" not in result.stdout + result.stderr
    if command == "run":
        assert "A title, x ? y" in result.stdout
        assert (tmp_path / "build" / "01_sample.html").is_file()
