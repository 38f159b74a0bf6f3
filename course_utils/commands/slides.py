"""Make slides of the notebooks: one reveal.js page each, from the slide metadata of the cells.

The pages take reveal.js, MathJax, RequireJS and jQuery from the network. For a room without one, put copies beside
the pages first::

    npm install --prefix build/slides reveal.js@4 mathjax@2 requirejs@2 jquery@3

and make the slides again: they then use what lies in ``build/slides/node_modules``.
"""

from __future__ import annotations

import argparse
import html
import re
from pathlib import Path

import nbformat

from course_utils.commands.shared import notebooks, pages

__all__ = ["convert", "libraries", "main"]

_HERE = Path(__file__).resolve().parent
_LIBRARIES = {
    "reveal_url_prefix": "reveal.js",
    "mathjax_url": "mathjax/MathJax.js?config=TeX-AMS_CHTML-full,Safe",
    "require_js_url": "requirejs/require.js",
    "jquery_url": "jquery/dist/jquery.min.js",
}


def main(arguments: list[str]) -> int:
    """``python -m course_utils slides [02 …]``: pages of lectures and solutions, and an index, in ``build/slides/``."""
    parser = argparse.ArgumentParser("course_utils slides", description="Make reveal.js pages of the notebooks.")
    parser.add_argument("notebook", nargs="*", help="number, stem or path; all lectures and solutions when left out")
    parser.add_argument("--reveal-prefix", help="where reveal.js is: a URL, or a folder relative to build/slides")
    options = parser.parse_args(arguments)
    target = notebooks.root() / "build" / "slides"
    settings = libraries(target)
    if options.reveal_prefix:
        settings["reveal_url_prefix"] = options.reveal_prefix.rstrip("/")
    for path in notebooks.find(options.notebook, notebooks.EXECUTED):
        page = target / (path.stem + ("_solution" if path.parent.name == "solutions" else "") + ".html")
        notebooks.write_text(page, convert(notebooks.read(path), path.stem, settings))
        print(notebooks.relative(page))
    notebooks.write_text(target / "index.html", _index(sorted(target.glob("[0-9]*.html"))))
    print(f"Open {notebooks.relative(target / 'index.html')}; to print, add ?print-pdf to a page's address.")
    if "reveal_url_prefix" not in settings:
        print("The pages need a network. For a room without one, before making them:")
        print("    npm install --prefix build/slides reveal.js@4 mathjax@2 requirejs@2 jquery@3")
    return 0


def libraries(target: Path) -> dict[str, str]:
    """The exporter's settings for those libraries that lie in ``target``'s ``node_modules``; empty when none do."""
    return {
        setting: f"node_modules/{where}"
        for setting, where in _LIBRARIES.items()
        if (target / "node_modules" / where.split("?")[0]).exists()
    }


def convert(notebook: nbformat.NotebookNode, title: str, settings: dict[str, str] | None = None) -> str:
    """The notebook as one reveal.js page.

    Args:
        notebook: lecture or solution; it is not changed.
        title: the page's title.
        settings: traits of nbconvert's ``SlidesExporter``, for example ``reveal_url_prefix``.

    Returns:
        HTML with the course's style, in which a slide taller than the page is shrunk, and the marks of nbgrader's
        solution regions left out.
    """
    from nbconvert import SlidesExporter

    shown = pages.plain(notebook, title)
    for cell in (cell for cell in shown.cells if cell.cell_type == "code"):
        cell.source = re.sub(r"^[ \t]*### (BEGIN|END) SOLUTION[ \t]*\n?", "", cell.source, flags=re.MULTILINE)
    page = pages.html(
        shown,
        title,
        SlidesExporter,
        reveal_width="1280",
        reveal_height="720",
        reveal_number="c/t",
        reveal_transition="none",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        **(settings or {}),
    )
    style = f"<style>\n{(_HERE / 'slides.css').read_text(encoding='utf-8')}</style>\n"
    script = f"<script>\n{(_HERE / 'slides.js').read_text(encoding='utf-8')}</script>\n"
    head, body = page.split("</head>", 1)
    return f"{head}{style}{script}</head>{body}"


def _index(pages: list[Path]) -> str:
    names = [html.escape(page.stem.replace("_", " ")) for page in pages]
    links = "\n".join(f'<li><a href="{page.name}">{name}</a></li>' for page, name in zip(pages, names, strict=True))
    style = "body{font:18px/1.6 sans-serif;max-width:40em;margin:3em auto}"
    head = f'<head><meta charset="utf-8"><title>Slides</title><style>{style}</style></head>'
    body = f"<body><h1>Slides</h1>\n<ul>\n{links}\n</ul></body>"
    return f'<!DOCTYPE html>\n<html lang="en">{head}{body}</html>\n'
