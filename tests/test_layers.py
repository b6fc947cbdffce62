"""The house's floors: imports point down, and only the edge touches the world."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("lookout", "subscribers", "infra", "dashboards", "monitors")
"""Top to bottom. A floor may use itself and what is below it."""

WORLD = {
    "boto3",
    "botocore",
    "socket",
    "subprocess",
    "urllib.request",
    "requests",
    "os",
    "tempfile",
    "shutil",
    "glob",
    "pathlib",
}
CLOCK = {"time", "secrets"}
EDGE = (
    "lookout/",
    "infra/",
    "subscribers/logs_handler.py",
    "subscribers/archive_handler.py",
    "subscribers/alarms_handler.py",
    "subscribers/reports_handler.py",
)
"""Where I/O is allowed, besides tests and benchmarks."""

SERVERS_OWN = ("infra/local/fleet/functions/",)
"""Code that runs in a Lambda of the sample fleet: it is not part of the house."""


def modules() -> list[Path]:
    return sorted(
        path
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*.py")
        if not path.relative_to(ROOT).as_posix().startswith(SERVERS_OWN)
    )


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield node.module or ""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(), ids=name)
def test_imports_point_down(path: Path) -> None:
    floor = FLOORS.index(path.relative_to(ROOT).parts[0])
    above = [found for found in imports(path) if found.split(".")[0] in FLOORS[:floor]]
    assert not above


@pytest.mark.parametrize("path", [p for p in modules() if not name(p).startswith(EDGE)], ids=name)
def test_only_the_edge_touches_the_world(path: Path) -> None:
    used = {*imports(path), *(found.split(".")[0] for found in imports(path))}
    assert not used & (WORLD | CLOCK)


@pytest.mark.parametrize("path", [p for p in modules() if name(p).startswith("monitors/")], ids=name)
def test_monitors_open_nothing(path: Path) -> None:
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"open", "print", "input", "exec", "eval"}


def test_packages_of_the_log_subscriber_have_empty_inits() -> None:
    """Cold start counts there: importing a package must import nothing else."""
    for package in ("monitors", "subscribers", "dashboards", "infra", "lookout"):
        assert (ROOT / package / "__init__.py").read_text() == ""


def test_importing_any_module_prints_and_needs_nothing() -> None:
    """Every module of the pure floors imports in a bare environment."""
    names = [
        name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in modules()
        if name(path).startswith(("monitors/", "dashboards/", "subscribers/"))
    ]
    code = "import importlib\n" + "\n".join(f"importlib.import_module({each!r})" for each in names)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
