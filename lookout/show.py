"""What every command prints with: tables and JSON on stdout, progress on stderr and only for people."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Cell = str | int | float | Text


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows as a table. Numbers are set right, texts are never read as markup."""
    drawn = Table(title=title, title_justify="left", title_style="bold", header_style="bold", expand=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float) for row in rows)
        drawn.add_column(column, justify="right" if numeric and rows else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(_text(cell)) for cell in row))
    console().print(drawn)


def line(words: str) -> None:
    """Print one line to stdout."""
    console().print(Text(words), soft_wrap=True)


def as_json(value: Any) -> None:
    """Print a value for a program to read."""
    print(json.dumps(value, indent=2, sort_keys=True))


def note(words: str) -> None:
    """Say something that is no result, on stderr."""
    Console(stderr=True, highlight=False).print(Text(words, style="dim"), soft_wrap=True)


def console() -> Console:
    """Where results go."""
    return Console(highlight=False)


@contextlib.contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr while a terminal watches; the function takes (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    with bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _text(cell: str | float) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else cell
