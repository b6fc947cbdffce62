"""Log files, in the shapes in which people have them -> what functions used. The edge: files, and processes."""

import gc
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path

from infra.engines.logblocks import STREAM_FOLDER, read_block, source
from infra.engines.pieces import CutShortError, blocks
from monitors.errors import InputError
from monitors.rightsize.usage import Progress, Read, Usage, Use, merge

SHARE = 1 << 22
"""Bytes of files that are worth a task of their own."""
WRITE_TEST = "aws-logs-write-test"
"""The file with which CreateExportTask tries whether it may write there."""
YOUNG = 100_000
"""Objects before Python looks for garbage: rows of reports are many, and none is part of a cycle."""


def read(paths: Sequence[str], *, progress: Progress = lambda *_: None, processes: int | None = None) -> Read:
    """The reports in files, and in every file in folders; - is standard input.

    `progress` is told the number of files read, and that of all. A line is an event as a subscription or
    `aws logs filter-log-events` gives it (JSON with `message`, and `logGroup`, `logStream` or `logStreamName`,
    `timestamp`), or the bare message, with its time before it as in an export to S3. Bare lines of an export are of
    the sandbox that their folder is named after, and of the function that the folder above is; others of one sandbox a
    file, and of the function that the file is named after. What can be read of a .gz file that is cut short is used.

    Raises:
        InputError: a file cannot be read at all.
    """
    files = listed(paths)
    shares = list(_shares(files))
    usage: Usage = defaultdict(Use)
    notes: list[str] = []
    done = 0
    for share, part in _parts(shares, min(processes or os.cpu_count() or 1, len(shares))):
        merge(usage, part.usage)
        notes += part.notes
        done += len(share)
        progress(done, len(files))
    return Read(usage, tuple(sorted(notes)))


def listed(paths: Sequence[str]) -> list[str]:
    """The files named, each once, and every file in the folders named; not the Parquet there, which is no log.

    InputError for a folder without files, or with one that can't be read.
    """
    found: list[str] = []
    for path in paths:
        found += [path] if path == "-" or not Path(path).is_dir() else _inside(path)
    return list(dict.fromkeys(found))


def _inside(folder: str) -> list[str]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: {error.strerror}") from error

    files = (Path(at, name) for at, _, names in os.walk(folder, onerror=refuse) for name in names)
    found = sorted(one for one in files if one.is_file() and one.suffix != ".parquet" and one.name != WRITE_TEST)
    if not found:
        raise InputError(f"{folder}: no files in this folder")
    return list(map(str, found))


def _shares(files: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The files in tasks worth a process' while; those of one folder, a sandbox in an export, stay in one, in order."""
    share: list[str] = []
    size = 0
    for _, folder in groupby(files, key=os.path.dirname):
        for path in folder:
            share.append(path)
            size += Path(path).stat().st_size if Path(path).is_file() else 0
            if size >= SHARE and not STREAM_FOLDER.fullmatch(Path(path).parent.name):
                yield tuple(share)
                share, size = [], 0
        if size >= SHARE:
            yield tuple(share)
            share, size = [], 0
    if share:
        yield tuple(share)


def _parts(shares: Sequence[tuple[str, ...]], workers: int) -> Iterator[tuple[tuple[str, ...], Read]]:
    """Each share and what it holds, in their order: a sandbox may go on in the next, and what it used comes later."""
    if workers < 2:
        yield from ((share, _share(share)) for share in shares)
        return
    with ProcessPoolExecutor(workers, initializer=gc.set_threshold, initargs=(YOUNG,)) as pool:
        try:
            yield from zip(shares, pool.map(_share, shares), strict=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _share(files: Sequence[str]) -> Read:
    usage: Usage = defaultdict(Use)
    notes = []
    for path in files:
        home = None
        try:
            for block in blocks(path):
                home = home or source(path, block)
                read_block(block, usage, home)
        except CutShortError as error:
            notes.append(f"{error}; what was read of it is used")
    return Read(usage, tuple(notes))
