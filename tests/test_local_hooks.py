"""Every internal of ministack that the bridges touch is written down in hooks.py, and nothing else is."""

import ast
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from infra.local import hooks
from monitors.errors import LocalAccountError

BRIDGES = sorted((Path(__file__).resolve().parents[1] / "infra" / "local").glob("*.py"))


def used(path: Path) -> Iterator[str]:
    """`module.name` of all that a bridge imports from ministack, or reads of or sets in one of its modules."""
    tree = ast.parse(path.read_text())
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            for one in node.names:
                name = f"{node.module}.{one.name}"
                if name in hooks.NAMES:
                    modules[one.asname or one.name] = name
                else:
                    yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield f"{modules[node.value.id]}.{node.attr}"
        if isinstance(node, ast.ClassDef):
            yield from overridden(node, modules)


def overridden(node: ast.ClassDef, modules: dict[str, str]) -> Iterator[str]:
    """The methods of one of ministack's classes that ours puts its own in place of, or calls."""
    for base in node.bases:
        if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name) and base.value.id in modules:
            own = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
            called = {
                one.func.attr
                for one in ast.walk(node)
                if isinstance(one, ast.Call)
                and isinstance(one.func, ast.Attribute)
                and isinstance(one.func.value, ast.Name)
                and one.func.value.id == "self"
            }
            yield from (f"{modules[base.value.id]}.{base.attr}.{name}" for name in own | called)


def test_what_is_used_is_checked_and_what_is_checked_is_used() -> None:
    known = {f"{module}.{name}" for module, names in hooks.NAMES.items() for name in names}
    assert {name for path in BRIDGES for name in used(path)} == known


def test_each_name_is_written_once() -> None:
    assert all(len({*names}) == len(names) for names in hooks.NAMES.values())


def test_the_version_is_the_one_that_is_asked_for() -> None:
    project = (BRIDGES[0].parents[2] / "pyproject.toml").read_text()
    assert f'"ministack=={hooks.VERSION}"' in project


def test_what_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "NAMES", {"json": ("loads", "gone"), "no_such_module": ("x",)})
    with pytest.raises(LocalAccountError, match=rf"lacks .*json\.gone, no_such_module\.x.*ministack=={hooks.VERSION}"):
        hooks.check()


def test_without_ministack_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(LocalAccountError, match=r"lambda-lookout\[local\]"):
        hooks.installed()
