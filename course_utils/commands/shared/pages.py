"""Notebooks as HTML pages, whatever tool wrote them, in which each picture carries the text it was stored with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from nbconvert import HTMLExporter

from course_utils.errors import InputError

__all__ = ["html", "plain"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_KINDS = {"slideshow": dict, "tags": list}
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
    page, _ = converter.from_notebook_node(plain(notebook, title), {"metadata": {"name": title}})
    return str(page)


def plain(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """A copy with the metadata that executing and showing need: what other tools write there can stop both.

    Raises:
        InputError: if something else than metadata is not as nbformat has it.
    """
    shown = nbformat.from_dict(notebook)
    language = notebook.get("metadata", {}).get("language_info")
    known = isinstance(language, dict) and isinstance(language.get("name"), str)
    shown.metadata = nbformat.from_dict({"language_info": language} if known else {})
    for cell in shown.cells:
        metadata = cell.get("metadata") or {}
        kept = {name: metadata[name] for name, kind in _KINDS.items() if isinstance(metadata.get(name), kind)}
        cell.metadata = nbformat.from_dict(kept)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(_WIDGET, None)  # dead without a kernel
    _, shown = nbformat.validator.normalize(shown)
    try:
        nbformat.validate(shown)
    except nbformat.ValidationError as error:
        place = ".".join(str(part) for part in error.absolute_path)
        raise InputError(
            f"{name} is damaged at {place or 'its root'}: {error.message[:120]}. Restore it from git."
        ) from None
    return shown
