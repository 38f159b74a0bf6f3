"""Notebooks as HTML pages, whatever tool wrote them, in which each picture carries the text it was stored with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from nbconvert import HTMLExporter

__all__ = ["html"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_PICTURES = {"data_png": "image/png", "data_jpg": "image/jpeg", "data_svg": "image/svg+xml"}
_BLOCK = """
{%%- block %s scoped -%%}
{%%- set alt = output | get_metadata('alt', '%s') -%%}
{{ super() | replace('<img ', '<img alt="' ~ alt | escape_html ~ '" ', 1) if alt else super() }}
{%%- endblock -%%}
"""
_TEMPLATE = "{%- extends 'index.html.j2' -%}" + "".join(_BLOCK % names for names in _PICTURES.items())
"""nbconvert's own templates leave the texts out, and it then says that there is none."""


def html(notebook: nbformat.NotebookNode, title: str, exporter: type[HTMLExporter], **settings: Any) -> str:
    """The notebook as one HTML page, with the alternative texts of its pictures.

    Args:
        notebook: any notebook, of other tools too; it is not changed.
        title: the page's title.
        exporter: nbconvert's ``HTMLExporter`` or ``SlidesExporter``.
        settings: the exporter's traits.
    """
    converter = exporter(raw_template=_TEMPLATE, **settings)
    page, _ = converter.from_notebook_node(_plain(notebook), {"metadata": {"name": title}})
    return str(page)


def _plain(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy with that metadata alone which a page needs: what other tools write there can stop nbconvert."""
    language = notebook.metadata.get("language_info")
    shown = nbformat.v4.new_notebook(metadata={"language_info": language} if isinstance(language, dict) else {})
    for cell in notebook.cells:
        metadata = cell.get("metadata") or {}
        slideshow, tags = metadata.get("slideshow"), metadata.get("tags")
        kept = nbformat.from_dict(cell)
        kept.metadata = nbformat.from_dict(
            ({"slideshow": slideshow} if isinstance(slideshow, dict) else {})
            | ({"tags": tags} if isinstance(tags, list) else {})
        )
        for output in kept.get("outputs", []):
            output.get("data", {}).pop(_WIDGET, None)  # dead without a kernel
        shown.cells.append(kept)
    return shown
