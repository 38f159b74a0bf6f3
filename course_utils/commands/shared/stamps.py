"""What a stored notebook was made with: a hash of its own code, and one of each definition that it uses.

A *definition* is a function, a class or a constant of the package; docstrings and imports are no part of it. Which ones
a notebook uses is read from the source: the names in its cells, the names in the definitions behind these, and so on.
A notebook is stale when one of them is no longer anywhere in the package as it was. So a file may move, and a loss, a
data set or an exercise may be added, and nothing is stale.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

__all__ = ["Package", "changes", "code_hash", "definitions"]

_FOLDER = Path(__file__).resolve().parents[2]
_STATEMENTS = "statements"
_DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

Chain = tuple[str, ...]
"""A dotted name: ``("losses", "squared_error")`` for ``losses.squared_error``."""

Place = tuple[str, str]
"""Where a definition stands: the module's full name, and its own."""


def code_hash(notebook: nbformat.NotebookNode) -> str:
    """SHA-256 over the sources of the code cells, in order: what the stored outputs belong to."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(sources, ensure_ascii=False).encode()).hexdigest()


def definitions(
    notebook: nbformat.NotebookNode, folder: Path = _FOLDER, *, without: Iterable[str] = ()
) -> dict[str, str]:
    """Name → hash of every definition of the package in ``folder`` that the notebook uses, sorted by name.

    Two definitions of one name have their hashes side by side. What a module does when it is imported, beside
    defining, is called ``statements of`` and the module's name. What is reached only by way of a module in ``without``
    is left out.
    """
    closed = tuple(f"{folder.name}.{name}" for name in without)
    return _package(folder).used_by(_code(notebook), closed)


def changes(stamp: Mapping[str, str], folder: Path = _FOLDER) -> list[str]:
    """The names in ``stamp`` (see :func:`definitions`) that the package in ``folder`` no longer holds as they were."""
    known = _package(folder).hashes
    return [name for name, hashes in stamp.items() if not known.issuperset(hashes.split())]


@dataclass
class _Module:
    """One file of the package: hashes of its definitions, the dotted names each of them mentions, its imports."""

    hashes: dict[str, str] = field(default_factory=dict)
    mentions: dict[str, set[Chain]] = field(default_factory=dict)
    imports: dict[str, tuple[str, Chain]] = field(default_factory=dict)


class Package:
    """The definitions of a Python package, and which of them lead to which others.

    Args:
        folder: the package's folder; nothing in it is imported.
    """

    def __init__(self, folder: Path) -> None:
        self.modules: dict[str, _Module] = {}
        for path in sorted(folder.rglob("*.py")):
            parts = (folder.name, *path.relative_to(folder).with_suffix("").parts)
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.modules[name] = _read(ast.parse(path.read_text(encoding="utf-8")))

    @property
    def hashes(self) -> frozenset[str]:
        """The hashes of all definitions there are."""
        return frozenset(hash_ for module in self.modules.values() for hash_ in module.hashes.values())

    def used_by(self, code: str, closed: tuple[str, ...] = ()) -> dict[str, str]:
        """Name → hash of each definition that ``code`` leads to, see :func:`definitions`.

        Args:
            code: Python that imports the package.
            closed: full names of modules, and of packages with all their modules, that are not entered.
        """
        tree = ast.parse(code)
        reached: set[Place] = set()
        waiting = list(self._behind_all(_Module(imports=_imports(tree)), "", _mentions(tree)))
        while waiting:
            where, name = waiting.pop()
            if (where, name) in reached or f"{where}.".startswith(tuple(f"{module}." for module in closed)):
                continue
            reached.add((where, name))
            module = self.modules[where]
            waiting += self._behind_all(module, where, module.mentions[name])
            waiting += [(other, _STATEMENTS) for other in self._imported_with(where)]
        stamp: dict[str, set[str]] = {}
        for where, name in reached:
            label = f"{_STATEMENTS} of {where}" if name == _STATEMENTS else name
            stamp.setdefault(label, set()).add(self.modules[where].hashes[name])
        return {name: " ".join(sorted(stamp[name])) for name in sorted(stamp)}

    def _behind_all(self, module: _Module, where: str, chains: set[Chain]) -> Iterator[Place]:
        """The definitions behind dotted names that stand in ``module``, which is called ``where``."""
        for first, *rest in chains:
            if first in module.hashes:
                yield where, first
            elif first in module.imports:
                source, names = module.imports[first]
                yield from self._behind(source, (*names, *rest))

    def _behind(self, where: str, chain: Chain) -> Iterator[Place]:
        """The definitions behind a dotted name in the module ``where``; all of a module that is named as a whole."""
        module = self.modules.get(where)
        if module is None:
            return
        first = chain[0] if chain else ""
        inner = f"{where}.{first}"
        if not chain:
            yield from ((where, name) for name in module.hashes)
        elif first in module.hashes or module.imports.get(first, (where, (first,))) != (where, (first,)):
            yield from self._behind_all(module, where, {chain})
        else:  # a part of the package, or what its __getattr__ finds by looking
            yield from ((where, name) for name in module.hashes if name == "__getattr__")
            if inner in self.modules:
                yield from self._behind(inner, chain[1:])
            else:
                parts = (other for other in self.modules if other.startswith(f"{where}."))
                yield from ((other, first) for other in parts if first in self.modules[other].hashes)

    @cache  # noqa: B019 (a package is read once)
    def _imported_with(self, where: str) -> frozenset[str]:
        """The modules that are imported when ``where`` is, and do something then."""
        loaded: set[str] = set()
        waiting = [where]
        while waiting:
            name = waiting.pop()
            if name in self.modules and name not in loaded:
                loaded.add(name)
                waiting.append(name.rpartition(".")[0])
                for source, names in self.modules[name].imports.values():
                    waiting += [source, ".".join((source, *names))]
        return frozenset(name for name in loaded if _STATEMENTS in self.modules[name].hashes)


@cache
def _package(folder: Path) -> Package:
    return Package(folder)


def _code(notebook: nbformat.NotebookNode) -> str:
    """The code of a notebook as one module of Python, its magics as calls."""
    from IPython.core.inputtransformer2 import TransformerManager

    cells = (cell.source for cell in notebook.cells if cell.cell_type == "code")
    return "\n".join(TransformerManager().transform_cell(source) for source in cells)


def _read(tree: ast.Module) -> _Module:
    """The definitions of a module, with what each mentions."""
    module = _Module(imports=_imports(tree))
    parts: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in _names(node):
            parts.setdefault(name, []).append(node)
    for name, nodes in parts.items():
        module.hashes[name] = hashlib.sha256(_shape(nodes).encode()).hexdigest()[:12]
        module.mentions[name] = set().union(*map(_mentions, nodes))
    return module


def _imports(tree: ast.Module) -> dict[str, tuple[str, Chain]]:
    """Local name → the module it comes from, and its name there (none for the module itself); in functions, too."""
    imports: dict[str, tuple[str, Chain]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            imports |= {alias.asname or alias.name: (node.module, (alias.name,)) for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.split(".")[0]
                imports[alias.asname or name] = (name, ())
    return imports


def _names(node: ast.stmt) -> list[str]:
    """What a statement of a module defines; ``statements`` for one that does something else."""
    if isinstance(node, _DEFINING):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        return [name for name in names if name != "__all__"]
    return [] if _is_silent(node) else [_STATEMENTS]


def _mentions(node: ast.AST) -> set[Chain]:
    """The dotted names in a piece of code, annotations aside."""
    chains: set[Chain] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        chain = _chain(part)
        if chain:
            chains.add(chain)
            continue
        for name, value in ast.iter_fields(part):
            inner = value if isinstance(value, list) else [value]
            if name not in ("annotation", "returns"):
                waiting += [item for item in inner if isinstance(item, ast.AST)]
    return chains


def _chain(node: ast.AST) -> Chain:
    """A dotted name as its parts; empty for anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute) and (head := _chain(node.value)):
        return (*head, node.attr)
    return ()


def _shape(node: Any) -> str:
    """Code as text, the same on every Python: no docstring, no import, nothing empty, nothing that newer ones add."""
    if isinstance(node, list):
        return f"[{','.join(_shape(part) for part in node if not _is_silent(part))}]"
    if isinstance(node, ast.JoinedStr):  # Python 3.12 alone ends some with an empty text
        return f"JoinedStr({_shape([part for part in node.values if getattr(part, 'value', None) != ''])})"
    if not isinstance(node, ast.AST):
        return repr(node)
    named = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
    return f"{type(node).__name__}({','.join(f'{name}={_shape(value)}' for name, value in named)})"


def _is_silent(node: Any) -> bool:
    """Whether a statement is an import or nothing but a string: a docstring, of a module, a class or a constant."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
