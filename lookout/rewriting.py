"""New texts for files -> the files with those texts, their originals beside them; all of them, or nothing changes."""

import os
import signal
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from monitors.errors import InputError


class Change(NamedTuple):
    path: Path
    before: str
    """What the file said when it was read."""
    after: str


def backup(path: Path) -> Path:
    """Where the original of a file is kept."""
    return path.with_name(f"{path.name}.orig")


def rewrite(changes: Sequence[Change], *, rollback: Path, undo: str) -> None:
    """Write the files, each with its mode and owner, their originals as backups, and the text that undoes it.

    All is written under other names before the first file is replaced, so no file is ever half written.

    Raises:
        InputError: something stands in the way, all of it at once; or writing failed, and the files are as they were.
    """
    _check(changes, rollback)
    made: list[Path] = []
    replaced: list[Path] = []
    try:
        drafts = [_draft(change, made) for change in changes]
        for path, before, _ in changes:
            _create(backup(path), before, path.stat(), made)
        _create(rollback, undo, changes[0].path.stat(), made)
        for change, draft in zip(changes, drafts, strict=True):
            _replace(change, draft)
            replaced.append(change.path)
    except OSError as error:
        _put_back(replaced, made)
        where = error.filename or changes[0].path.parent
        raise InputError(f"{where}: cannot be written: {error.strerror}: every file is as it was") from error
    except BaseException:
        _put_back(replaced, made)
        raise


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Have a Ctrl-C wait until this is done, which takes milliseconds."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def _check(changes: Sequence[Change], rollback: Path) -> None:
    try:
        problems = [f"{change.path}: {problem}" for change in changes if (problem := _problem(change))]
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}: nothing was written") from error
    if rollback.is_symlink() or rollback.exists():
        problems.append(f"{rollback}: is there already, of an earlier run: move it away first")
    if problems:
        raise InputError("; ".join((*problems, "nothing was written")))


def _problem(change: Change) -> str:
    path, kept = change.path, backup(change.path)
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return "is a link: name the file that it leads to"
    if not stat.S_ISREG(status.st_mode):
        return "is no regular file"
    if status.st_nlink > 1:
        return "has another name (a hard link), which would keep the old text"
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        return "it, or the folder that it lies in, is not writable"
    if kept.is_symlink() or kept.exists():
        return f"its backup {kept.name} is there already, of an earlier run: move it away first"
    return "" if path.read_bytes() == change.before.encode() else "has changed since it was read"


def _draft(change: Change, made: list[Path]) -> Path:
    handle, name = tempfile.mkstemp(dir=change.path.parent, prefix=f".{change.path.name}.")
    made.append(Path(name))
    _fill(handle, change.after, change.path.stat())
    return made[-1]


def _create(path: Path, text: str, like: os.stat_result, made: list[Path]) -> None:
    """A file that is not there yet; FileExistsError if it is."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    made.append(path)
    _fill(handle, text, like)


def _fill(handle: int, text: str, like: os.stat_result) -> None:
    with os.fdopen(handle, "wb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fchown(handle, like.st_uid, like.st_gid)
        os.fchmod(handle, stat.S_IMODE(like.st_mode))
        os.fsync(handle)


def _replace(change: Change, draft: Path) -> None:
    if change.path.read_bytes() != change.before.encode():
        raise InputError(f"{change.path}: has changed since it was read: every file is as it was")
    draft.replace(change.path)


def _put_back(replaced: Sequence[Path], made: Sequence[Path]) -> None:
    """The originals where they were, and nothing beside them; InputError if one cannot be put back."""
    lost = []
    for path in replaced:
        try:
            backup(path).replace(path)
        except OSError:
            lost.append(path)
    for path in {*made} - {backup(path) for path in lost}:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    if lost:
        told = ", ".join(f"{path} (its original is {backup(path)})" for path in lost)
        raise InputError(f"cannot be put back: {told}")
