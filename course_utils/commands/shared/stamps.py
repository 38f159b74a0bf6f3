"""Which code a stored notebook was made with: a hash of its own cells, and one of the helper modules it imported."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

__all__ = ["code_hash", "helpers_hash"]

_PACKAGE = Path(__file__).resolve().parents[2]


def code_hash(notebook: nbformat.NotebookNode) -> str:
    """SHA-256 over the sources of the code cells, in order: what the stored outputs belong to."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(sources, ensure_ascii=False).encode()).hexdigest()


def helpers_hash(modules: Iterable[str]) -> str:
    """SHA-256 over the syntax trees, docstrings aside, of the named ``course_utils`` modules, sorted by name."""
    trees = [[name, _tree(_file(name))] for name in sorted(set(modules))]
    return hashlib.sha256(json.dumps(trees).encode()).hexdigest()


@cache
def _tree(path: Path) -> str:
    """The syntax tree of a module without its docstrings; empty for a module that is gone."""
    if not path.is_file():
        return ""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_text(part)]  # type: ignore[attr-defined]
    return _shape(tree)


def _shape(node: Any) -> str:
    """A syntax tree as text, the same on every Python: what is empty, and what only newer ones know, is left out."""
    if isinstance(node, list):
        return f"[{','.join(map(_shape, node))}]"
    if isinstance(node, ast.JoinedStr):  # Python 3.12 alone ends some with an empty text
        return f"JoinedStr({_shape([part for part in node.values if getattr(part, 'value', None) != ''])})"
    if not isinstance(node, ast.AST):
        return repr(node)
    named = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
    return f"{type(node).__name__}({','.join(f'{name}={_shape(value)}' for name, value in named)})"


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is nothing but a string: a docstring, of a module, a class, a function or a constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _file(module: str) -> Path:
    """Where a module of the package lies; found by its name, without importing anything."""
    path = _PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
