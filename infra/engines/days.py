"""Log files -> what functions used, by UTC day. The edge: files, and processes."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from typing import NamedTuple

from infra.engines.logblocks import Source, read_block, source
from infra.engines.pieces import CutShortError, blocks
from monitors.errors import InputError
from monitors.rightsize.bulk import SIGNS
from monitors.rightsize.daily import by_day
from monitors.rightsize.usage import Progress, Usage, Use

Days = dict[date, Usage]
CHUNKS = 8
"""Tasks for a process: enough that none waits long for the others' last."""


class FileDays(NamedTuple):
    """What a file holds."""

    path: str
    days: Days
    note: str
    """Why nothing of it is there; empty if all is."""


def read(files: Sequence[str], *, progress: Progress, processes: int | None = None) -> Iterator[FileDays]:
    """What each file holds, in their order; lines are as infra.engines.logfiles takes them.

    `progress` is told the number of files read, and that of all. Nothing of a .gz file that is cut short is used: what
    a history has of a file is all of it.

    Raises:
        InputError: a file cannot be read at all, or has reports and no time in its lines.
    """
    workers = min(processes or os.cpu_count() or 1, len(files))
    if workers < 2:
        yield from _counted(map(_file_days, files), len(files), progress)
        return
    with ProcessPoolExecutor(workers) as pool:
        chunk = max(1, len(files) // (CHUNKS * workers))
        try:
            yield from _counted(pool.map(_file_days, files, chunksize=chunk), len(files), progress)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _counted(found: Iterator[FileDays], total: int, progress: Progress) -> Iterator[FileDays]:
    for done, one in enumerate(found, start=1):
        progress(done, total)
        yield one


def _file_days(path: str) -> FileDays:
    days: Days = defaultdict(partial(defaultdict, Use))
    day: date | None = None
    home: Source | None = None
    try:
        for block in blocks(path):
            home = home or source(path, block)
            parts, day = by_day(block, day, stamped=home.stamped)
            for of, lines in parts:
                if of is not None:
                    read_block(lines, days[of], home)
                elif any(sign in lines for sign in SIGNS):
                    raise InputError(f"{path}: its lines don't say their time, so no day: leave out --history")
    except CutShortError as error:
        return FileDays(path, {}, f"{error}; nothing of it is kept: get it whole")
    return FileDays(path, {of: usage for of, usage in days.items() if usage}, "")
