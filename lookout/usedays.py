"""`lookout rightsize`: which days it reads, of an account, of log files, or of the history that a folder keeps."""

import argparse
from functools import partial

from infra.engines import history, logfiles
from infra.reports import Engine
from lookout import show
from monitors.errors import InputError
from monitors.rightsize.usage import Progress, Read

DAYS = 14.0
"""Where --days doesn't say."""
MOST = 36_500
"""A century: longer than there have been functions, and short of where calendars end."""


def days(chosen: argparse.Namespace) -> float:
    """How far back to look; InputError for none, or for more than there are."""
    found = DAYS if chosen.days is None else float(chosen.days)
    if not 0 < found <= MOST:
        raise InputError(f"--days {found:g}: expected more than 0, and {MOST:,} at most")
    return found


def engine(chosen: argparse.Namespace, read: Engine) -> Engine:
    """What reads the account: the engine itself, or with --history for the days that are not there yet."""
    return partial(history.read_account, engine=read, folder=chosen.history) if chosen.history else read


def region(chosen: argparse.Namespace) -> str:
    """Whose prices to use for what `read` gives."""
    (first, *_) = chosen.files
    return chosen.region or (history.is_history(first) and history.region(first)) or "us-east-1"


def read(chosen: argparse.Namespace, progress: Progress) -> Read:
    """What the files named hold; with --history its last days, the files' among them; or those of a history named.

    InputError as of infra.engines.history and logfiles.
    """
    if kept := [path for path in chosen.files if history.is_history(path)]:
        if chosen.history or len(chosen.files) > 1:
            raise InputError(f"{kept[0]}: is a history: name it alone, without --history")
        return history.read(kept[0], last_days=days(chosen))
    if chosen.history:
        return history.read_files(
            chosen.files, folder=chosen.history, last_days=days(chosen), progress=progress, say=show.note
        )
    if chosen.days is not None:
        raise InputError("--days is of an account or a history: without --history log files are read whole")
    return logfiles.read(chosen.files, progress=progress)
