"""A folder of days -> what functions used over many of them; what is not there yet is read once, and kept. The edge.

`FOLDER/day=2026-11-24/usage.parquet` is a UTC day; infra/engines/dayfiles.py says what is in it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from math import ceil
from pathlib import Path
from typing import NamedTuple

import boto3

from infra.aws.session import identity
from infra.engines import dayfiles, days, logfiles
from infra.engines.dayfiles import Kept, Seen
from infra.reports import Engine
from monitors.errors import InputError
from monitors.rightsize.daily import DAY, in_words, missing, through
from monitors.rightsize.usage import Progress, Read, Usage, Use, merge

FILE = "usage.parquet"
SETTLED_S = 3600.0
"""A day is kept once it has been over for so long: log lines may come some minutes late."""


class _Day(NamedTuple):
    path: Path
    kept: Kept


def is_history(path: str) -> bool:
    """Whether a folder is one of days kept here."""
    return any(Path(path).glob(f"day=*/{FILE}"))


def region(folder: str) -> str:
    """The Region whose functions its newest day is of; empty where it was made of log files."""
    return list(_days(folder).values())[-1].kept.region


def read(folder: str, *, last_days: float) -> Read:
    """What the history alone says of so many days up to its newest; the notes name days that are missing between.

    InputError if it has no day, or one is damaged or none of ours.
    """
    kept = _days(folder)
    if not kept:
        raise InputError(f"{folder}: no day with a report is kept there")
    first, last = min(kept), max(kept)
    _same(folder, kept, kept[last].kept)
    window = through(max(first, last - (ceil(last_days) - 1) * DAY), last)
    return Read(dayfiles.read([kept[day].path for day in window if day in kept]), tuple(missing(kept, window)))


def read_files(
    paths: Sequence[str], *, folder: str, last_days: float, progress: Progress, say: Callable[[str], object]
) -> Read:
    """Keep what is in log files that the history has not read yet; what it then says, as `read` does.

    A run that was stopped leaves whole days, and the next one reads again what the others lack. `say` hears how many
    files are read.

    Raises:
        InputError: a file cannot be read, has no times, or was read before and has changed since; the history is of an
            account, or a day in it is damaged or none of ours.
    """
    kept = _days(folder)
    _same(folder, kept, Kept("", "", {}))
    if "-" in paths:
        raise InputError("-: --history knows files by their names: write the lines to a file")
    files = logfiles.listed(paths)
    unread = _unread(files, kept, folder)
    others = f"; the history {folder} has the others" if len(unread) < len(files) else ""
    say(f"Read now: {len(unread):,} of {len(files):,} files{others}.")
    notes = _keep(unread, kept, folder, progress)
    found = read(folder, last_days=last_days)
    return Read(found.usage, (*notes, *found.notes))


def read_account(
    session: boto3.Session,
    owners: Mapping[str, str],
    *,
    engine: Engine,
    folder: str,
    start_s: float,
    end_s: float,
    progress: Progress,
    say: Callable[[str], object],
) -> Read:
    """What an engine (infra.reports.Engine) says of the UTC days from that of `start_s` until `end_s` (epoch seconds).

    Days that the history lacks are read, and kept once they are over and read without trouble; `say` hears which.

    Raises:
        AwsError: of the engine; days before are kept.
        InputError: the history is of another account or Region, or a day in it is damaged or none of ours.
    """
    kept, made_of = _days(folder), Kept(identity(session).account, session.region_name, {})
    _same(folder, kept, made_of)
    window = through(_date(start_s), _date(end_s - 0.001))
    unread = [day for day in window if day not in kept]
    say(f"Read now: {in_words(unread)}. In the history {folder}: {in_words(kept.keys() & set(window))}.")
    loose: Usage = defaultdict(Use)
    notes: list[str] = []
    for number, day in enumerate(unread):
        found = engine(
            session,
            owners,
            start_s=_start_s(day),
            end_s=min(_start_s(day + DAY), end_s),
            progress=_part(progress, number, len(unread)),
            say=_of_day(say, day),
        )
        notes += found.notes
        if found.notes or end_s < _start_s(day + DAY) + SETTLED_S:
            merge(loose, found.usage)
        else:
            path = _path(folder, day)
            dayfiles.write(path, found.usage, made_of)
            kept[day] = _Day(path, made_of)
    usage = dayfiles.read([kept[day].path for day in window if day in kept])
    merge(usage, loose)
    return Read(usage, tuple(dict.fromkeys(notes)))


def _days(folder: str) -> dict[date, _Day]:
    """The days kept, oldest first, and what they were made of."""
    if Path(folder).exists() and not Path(folder).is_dir():
        raise InputError(f"{folder}: cannot be written: it is no folder")
    paths = {_day_of(path): path for path in Path(folder).glob("day=*/*.parquet")}
    found = sorted(paths)
    made_of = dayfiles.about(paths[day] for day in found)
    return {day: _Day(paths[day], kept) for day, kept in zip(found, made_of, strict=True)}


def _day_of(path: Path) -> date:
    try:
        day = date.fromisoformat(path.parent.name.removeprefix("day="))
    except ValueError:
        day = None
    if day is None or path != _path(str(path.parents[1]), day):
        raise InputError(f"{path}: no day of a memory history: remove it, or name another folder")
    return day


def _path(folder: str, day: date) -> Path:
    return Path(folder, f"day={day}", FILE)


def _same(folder: str, kept: Mapping[date, _Day], wanted: Kept) -> None:
    for one in kept.values():
        if (one.kept.account, one.kept.region) != (wanted.account, wanted.region):
            raise InputError(f"{folder}: is of {_whose(one.kept)}, and not of {_whose(wanted)}: name another folder")


def _whose(kept: Kept) -> str:
    return f"account {kept.account} in {kept.region}" if kept.account else "log files"


def _unread(files: Iterable[str], kept: Mapping[date, _Day], folder: str) -> dict[str, Seen]:
    """The files that some day still lacks, as they are now."""
    known: dict[str, tuple[Seen, set[str]]] = {}
    for day, one in kept.items():
        for name, seen in one.kept.files.items():
            known.setdefault(name, (seen, set()))[1].add(str(day))
    unread = {}
    for path in files:
        now = _now(path)
        seen, there = known.get(path, (now, set()))
        if now[:2] != seen[:2]:
            raise InputError(
                f"{path}: has changed since the history {folder} took it in, and lines would count twice: put the new "
                f"ones into a file of their own, or remove {folder} and read all files again"
            )
        if not there or not there.issuperset(seen.days):
            unread[path] = now
    return unread


def _now(path: str) -> Seen:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    return Seen(found.st_size, found.st_mtime_ns, ())


def _keep(unread: Mapping[str, Seen], kept: Mapping[date, _Day], folder: str, progress: Progress) -> list[str]:
    """Read the files and add them to their days; what is to be told of them."""
    fresh: dict[date, Usage] = {}
    made_of: dict[date, dict[str, Seen]] = defaultdict(dict)
    notes = []
    for found in days.read(list(unread), progress=progress):
        notes += [found.note] if found.note else []
        seen = unread[found.path]._replace(days=tuple(map(str, sorted(found.days))))
        for day, usage in found.days.items():
            if day not in kept or found.path not in kept[day].kept.files:
                merge(fresh.setdefault(day, defaultdict(Use)), usage)
                made_of[day][found.path] = seen
    for day in sorted(fresh):
        before = [kept[day]] if day in kept else []
        usage = dayfiles.read([one.path for one in before])
        merge(usage, fresh[day])
        files = {name: seen for one in before for name, seen in one.kept.files.items()} | made_of[day]
        dayfiles.write(_path(folder, day), usage, Kept("", "", files))
    return notes


def _date(at_s: float) -> date:
    return datetime.fromtimestamp(at_s, UTC).date()


def _start_s(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _part(progress: Progress, number: int, parts: int) -> Progress:
    return lambda done, total: progress(number * total + done, parts * total)


def _of_day(say: Callable[[str], object], day: date) -> Callable[[str], object]:
    return lambda words: say(f"{day}: {words}")
