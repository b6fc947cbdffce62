"""Files that users name: read and written with errors they can act on."""

import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from monitors.errors import InputError


def read_text(path: str) -> str:
    """A text file, whole.

    Raises:
        InputError: it is missing, unreadable or not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def read_json(path: str) -> Any:
    """A JSON file's value; InputError says where it is broken."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error


def lines(paths: Iterable[str]) -> Iterator[str]:
    """Every line of text files, of .gz files too, and of standard input for `-`; bytes that are no UTF-8 are replaced.

    Raises:
        InputError: a file cannot be opened, or a .gz file is cut short.
    """
    for path in paths:
        if path == "-":
            yield from sys.stdin
            continue
        try:
            with gzip.open(path, "rb") if path.endswith(".gz") else Path(path).open("rb") as stream:
                for raw in stream:
                    yield raw.decode("utf-8", errors="replace")
        except (OSError, EOFError) as error:
            raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def write(path: str | Path, text: str) -> None:
    """Write a text file, and the folders it lies in."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def has_settings() -> bool:
    """Whether the current folder has a lookout.toml."""
    return Path("lookout.toml").exists()
