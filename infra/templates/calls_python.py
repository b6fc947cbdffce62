"""Python's text -> the calls in it, with the places of their arguments. Pure."""

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from infra.templates.calls import Argument, Call
from monitors.errors import InputError

_LINE = re.compile(r"\r\n|\r|\n")
_MARK = "\ufeff"
"""Some editors begin a file with it."""


class _Source(NamedTuple):
    text: str
    starts: tuple[int, ...]
    """Where each line begins."""
    imported: Mapping[str, str]
    """Local name -> what it stands for."""


def calls(text: str, file: str) -> Iterator[Call]:
    """Each call of something that has a name; InputError for what this version of Python cannot read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the code is not ours to judge
            tree = ast.parse(text.removeprefix(_MARK))
        starts = (int(text.startswith(_MARK)), *(line.end() for line in _LINE.finditer(text)))
        source = _Source(text, starts, dict(_imports(tree)))
        yield from [_call(source, node, base) for node, base in _nodes(tree, "")]
    except SyntaxError as error:
        raise InputError(f"{file}:{error.lineno or 1}: not Python: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{file}: not Python: nested too deeply, or no text") from error


def _nodes(node: ast.AST, base: str) -> Iterator[tuple[ast.Call, str]]:
    """The calls below a node, each with what the class around it extends."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, base
        if isinstance(child, ast.ClassDef):
            yield from _nodes(child, _path(child.bases[0])[-1] if child.bases else "")
        else:
            yield from _nodes(child, base)


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.asname, name.name) for name in node.names if name.asname)
        elif isinstance(node, ast.ImportFrom):
            yield from ((name.asname or name.name, f"{node.module}.{name.name}") for name in node.names)


def _path(node: ast.expr) -> list[str]:
    """`a.b.c` -> its names; what is no such path is a name that says nothing."""
    if isinstance(node, ast.Attribute):
        return [*_path(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else [""]


def _call(source: _Source, node: ast.Call, base: str) -> Call:
    head, *rest = _path(node.func)
    named = tuple((word.arg, _argument(source, word.value)) for word in node.keywords if word.arg)
    given = {**dict(zip(("scope", "id"), node.args, strict=False)), **{w.arg: w.value for w in node.keywords if w.arg}}
    opaque = next((word.value for word in node.keywords if word.arg is None), None)
    first = next((word for word in node.keywords if word.arg), None)
    return Call(
        line=node.lineno,
        callee=".".join((source.imported.get(head, head), *rest)),
        scope=_words(source, given["scope"]) if "scope" in given else "",
        id=_said(given["id"]) if "id" in given else "",
        base=base,
        named=named,
        opaque=(0, f"**{_words(source, opaque)}") if opaque else None,  # 0: it may not say again what is named
        first=_index(source, first.lineno, first.col_offset) if first else None,
    )


def _argument(source: _Source, node: ast.expr) -> Argument:
    return Argument(*_span(source, node), _said(node))


def _words(source: _Source, node: ast.expr) -> str:
    start, end = _span(source, node)
    return source.text[start:end]


def _span(source: _Source, node: ast.expr) -> tuple[int, int]:
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return _index(source, node.lineno, node.col_offset), _index(source, end_line, end_column)


def _index(source: _Source, line: int, column: int) -> int:
    """The place in the text; Python counts columns in bytes of UTF-8."""
    start = source.starts[line - 1]
    return start + len(source.text[start : start + column].encode()[:column].decode())


def _said(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_said, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _said(node.left) + _said(node.right)
    return "${}"
