"""Slides out of notebooks: what is on them, what is left out, where the libraries come from."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.commands import slides


@pytest.fixture
def notebook():
    slide = {"slideshow": {"slide_type": "slide"}}
    return new_notebook(
        cells=[
            new_markdown_cell("# A title", metadata=slide),
            new_code_cell("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", metadata=slide),
            new_markdown_cell("left out", metadata={"slideshow": {"slide_type": "skip"}}),
        ]
    )


def test_a_page_holds_the_slides_and_the_style_of_the_course(notebook):
    page = slides.convert(notebook, "01_name")
    assert "<title>01_name slides</title>" in page
    assert len(re.findall(r"<section>", page)) == 4  # two slides, each a stack of one
    assert "overflow: hidden auto" in page.split("</head>")[0]
    assert "section.scrollHeight" in page.split("</head>")[0]
    assert "left out" not in page


def test_the_marks_of_a_solution_are_left_out_and_the_notebook_is_not_changed(notebook):
    page = slides.convert(notebook, "01_name")
    assert "SOLUTION" not in page
    assert "### BEGIN SOLUTION" in notebook.cells[1].source


def test_libraries_come_from_the_network_unless_copies_lie_beside_the_pages(notebook, tmp_path):
    assert slides.libraries(tmp_path) == {}
    assert "https://unpkg.com/reveal.js" in slides.convert(notebook, "01_name", slides.libraries(tmp_path))
    for name in ("reveal.js/dist/reveal.js", "mathjax/MathJax.js", "requirejs/require.js", "jquery/dist/jquery.min.js"):
        file = tmp_path / "node_modules" / name
        file.parent.mkdir(parents=True)
        file.touch()
    page = slides.convert(notebook, "01_name", slides.libraries(tmp_path))
    assert 'src="node_modules/requirejs/require.js"' in page
    assert 'src="node_modules/jquery/dist/jquery.min.js"' in page
    assert "node_modules/reveal.js/dist/reveal.css" in page
    assert "node_modules/mathjax/MathJax.js?config=TeX-AMS_CHTML-full,Safe" in page
    assert "unpkg.com" not in page
