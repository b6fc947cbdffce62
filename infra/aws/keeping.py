"""Traces as they are read <-> a file with a line of JSON for each, so that a reading that was stopped can go on.

It is one of the shapes in which exported traces are read again.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from monitors.errors import InputError

Json = dict[str, Any]
Keeper = AbstractContextManager[tuple[dict[str, Json], Callable[[Json], None]]]
_BEGIN = b'{"Id": "1-'


def kept(path: str) -> dict[str, Json]:
    """The traces of a file by id; none if there is no such file.

    Its last line may be cut short, and is left out then. InputError if anything else is in it, or it can't be read.
    """
    traces, _ = _parted(path)
    return {trace["Id"]: trace for trace in traces}


@contextmanager
def keeping(path: str) -> Iterator[tuple[dict[str, Json], Callable[[Json], None]]]:
    """The traces of the file by id, and a function that appends another after the last that is whole there.

    InputError as for `kept`, or if the file can't be written.
    """
    traces, whole = _parted(path)
    with _writing(path):
        stream = Path(path).open("ab", buffering=0)  # noqa: SIM115 - closed below, where its errors are others
    with stream:
        with _writing(path):
            stream.truncate(len(whole))
            if whole and not whole.endswith(b"\n"):
                stream.write(b"\n")

        def keep(trace: Json) -> None:
            with _writing(path):
                stream.write(json.dumps({"Id": trace["Id"], **trace}).encode() + b"\n")

        yield {trace["Id"]: trace for trace in traces}, keep


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _parted(path: str) -> tuple[list[Json], bytes]:
    """The traces of a file, and its bytes without a last line that is cut short."""
    raw = _raw(path)
    lines = raw.split(b"\n")
    if lines[-1] and lines[-1].startswith(_BEGIN[: len(lines[-1])]) and _value(lines[-1]) is None:
        raw = raw[: -len(lines.pop())]
    return [_trace(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()], raw


def _raw(path: str) -> bytes:
    if path.endswith(".gz"):
        raise InputError(f"{path}: no line can be added to a compressed file: name one without .gz")
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _trace(path: str, number: int, line: bytes) -> Json:
    found = _value(line)
    if isinstance(found, dict) and isinstance(found.get("Id"), str) and isinstance(found.get("Segments"), list):
        return found
    raise InputError(f"{path}:{number}: no trace: expected a file that --resume has written")


def _value(line: bytes) -> object:
    """What a line says in JSON; None if it is none."""
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found
