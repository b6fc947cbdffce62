"""What every command prints with: tables and JSON on stdout, progress on stderr and only for people."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from dashboards.formats import inert

Cell = str | int | float | Text
WIDE = 10_000
"""Columns where no terminal sets a limit: a row stays on one line, for grep and the like."""


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows as a table. Numbers are set right, texts are never read as markup or as a terminal's commands."""
    drawn = Table(header_style="bold", expand=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float) for row in rows)
        drawn.add_column(column, justify="right" if numeric and rows else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(_text(cell)) for cell in row))
    _print(Text(inert(title), style="bold"))
    _print(drawn)


def marked(words: str, texts: Sequence[str]) -> Text:
    """The words with every one of the texts in them set off, where a terminal can."""
    shown = Text(inert(words))
    if texts:
        shown.highlight_words(texts, style="bold reverse")
    return shown


def line(words: str) -> None:
    """Print one line to stdout; a name in it can't begin another."""
    _print(Text(_one_line(words)))


def as_json(value: Any) -> None:
    """Print a value for a program to read."""
    print(json.dumps(value, indent=2, sort_keys=True))


def note(words: str) -> None:
    """Say something that is no result, on stderr."""
    Console(stderr=True, highlight=False).print(Text(_one_line(words), style="dim"), soft_wrap=True)


def _one_line(words: str) -> str:
    return inert(words).replace("\n", "\\u000a")


@contextlib.contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr while a terminal watches; the function takes (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    with bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(shown: RenderableType) -> None:
    # By plain print, at once: rich ends the program with status 1 where a pipe is closed, and 1 means findings here.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    with console.capture() as drawn:
        console.print(shown, soft_wrap=isinstance(shown, Text))
    print(drawn.get(), end="", flush=True)


def _text(cell: str | float) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else inert(cell)
