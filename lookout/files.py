"""Files that users name: read and written with errors they can act on."""

import gzip
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from monitors import settings
from monitors.errors import InputError
from monitors.settings import Settings


def read_text(path: str) -> str:
    """A text file, whole, its line ends as they are.

    Raises:
        InputError: it is missing, unreadable or not UTF-8.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def read_json(path: str) -> Any:
    """A JSON file's value; InputError says where it is broken."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise InputError(f"{path}: nested too deeply") from error


def lines(paths: Iterable[str]) -> Iterator[str]:
    """Every line of text files, of .gz files too, and of standard input for `-`; bytes that are no UTF-8 are replaced.

    Raises:
        InputError: a file cannot be opened, or a .gz file is cut short or broken.
    """
    for path in paths:
        try:
            with _opened(path) as stream:
                for raw in stream:
                    yield raw.decode("utf-8", errors="replace")
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _opened(path: str) -> AbstractContextManager[Iterable[bytes]]:
    if path == "-":
        return nullcontext(sys.stdin.buffer)
    return gzip.open(path, "rb") if path.endswith(".gz") or _is_gzip(path) else Path(path).open("rb")


def _is_gzip(path: str) -> bool:
    """By its first bytes (RFC 1952, 2.3.1), as downloads often lose the suffix; a pipe is taken at its word."""
    if not Path(path).is_file():
        return False
    with Path(path).open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def writable(path: str) -> None:
    """InputError if `write` could not write there, as far as that shows beforehand."""
    target = Path(path).absolute()
    there = target if target.exists() else next(above for above in target.parents if above.exists())
    if target.is_dir():
        why = "a folder"
    elif there != target and not there.is_dir():
        why = "no folder"
    elif not os.access(there, os.W_OK):
        why = "read-only"
    else:
        return
    raise InputError(f"{path}: cannot be written: {there} is {why}")


def write(path: str | Path, text: str) -> None:
    """Write a text file, and the folders it lies in."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def spare(*, read: Iterable[str], write: Iterable[str | None]) -> None:
    """InputError if a file, or one in a folder, that is read would be written over."""
    targets = [Path(path) for path in write if path and Path(path).exists()]
    for source in map(Path, read):
        for target in targets:
            inside = source.is_dir() and target.resolve().is_relative_to(source.resolve())
            if inside or (source.exists() and source.samefile(target)):
                raise InputError(f"{target}: is read: name another file to write")


@contextmanager
def writing(path: str | None) -> Iterator[Callable[[str], object] | None]:
    """What writes on into a text file, for more than fits in memory; None where no file is named."""
    if not path:
        yield None
        return
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with Path(path).open("w", encoding="utf-8", errors="backslashreplace") as stream:
            yield stream.write
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def chosen_settings(path: str | None) -> Settings:
    """The settings in a file; without one those of lookout.toml, if it is there; else the defaults."""
    chosen = path or ("lookout.toml" if Path("lookout.toml").exists() else "")
    return settings.parse(read_text(chosen), file=chosen) if chosen else Settings()
