"""What functions used on a UTC day <-> a Parquet file. The edge: DuckDB, of the extra `engines`.

A row is a function at a memory size on that day. In Athena or DuckDB, with the folder's `day=` as a partition:

    function, memory_mb   whose, and at which memory size
    invocations           all of them, warm or cold
    warm                  duration in ms -> of how many warm invocations; a duration stands for a bin of 1 %, or of 2 %
                          where Logs Insights or Athena added up
    pressed               the same of warm invocations in a sandbox that had used 90 % of its memory
    cold                  the same of cold starts
    init                  the same of what came before them: init durations in ms, or those of SnapStart's restore
    billed_ms, init_ms    all billed time, and all init time, together
    worst_ms              the longest duration
    killed, timeouts      invocations that ran out of memory, or of time
    clipped               invocations whose use of memory was at the size, so that the need may be higher
    first_ms, last_ms     when the first and the last were logged, in epoch ms; 0 where nothing says
    sandboxes             log stream -> its high-water marks in their order: used_mb, of so many invocations (`times`)

Percentiles over days: sum the maps' values by key, `FROM t CROSS JOIN UNNEST(warm) AS w(ms, times)` in Athena.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from glob import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from monitors.errors import InputError
from monitors.rightsize.usage import Key, Usage, Use, join, mark

if TYPE_CHECKING:
    import duckdb

VERSION = 1
_DAMAGED = "is damaged, or no day of a memory history"
_KEY = "lookout_memory_history"
"""Of the Parquet file's own metadata, where it is kept what the file was made of."""
_MAP, _COUNT, _MS = "MAP(DOUBLE, BIGINT)", "BIGINT", "DOUBLE"
COLUMNS: Mapping[str, str] = {
    "function": "VARCHAR",
    "memory_mb": _COUNT,
    "invocations": _COUNT,
    **dict.fromkeys(("warm", "pressed", "cold", "init"), _MAP),
    **dict.fromkeys(("billed_ms", "init_ms", "worst_ms"), _MS),
    **dict.fromkeys(("killed", "timeouts", "clipped", "first_ms", "last_ms"), _COUNT),
    "sandboxes": "MAP(VARCHAR, STRUCT(used_mb BIGINT, times BIGINT)[])",
}
_HISTOGRAMS = tuple(name for name, kind in COLUMNS.items() if kind == _MAP)
_NUMBERS = tuple(one.name for one in fields(Use) if COLUMNS[one.name] in (_MS, _COUNT))
# Lists of numbers become Python's in a tenth of the time that maps and structs take.
_FILE = f"""SELECT function, memory_mb, {", ".join(_NUMBERS)},
    map_keys(sandboxes), [len(marks) for marks in map_values(sandboxes)],
    [mark.used_mb for mark in flatten(map_values(sandboxes))], [mark.times for mark in flatten(map_values(sandboxes))]
  FROM read_parquet(?, hive_partitioning = false)"""  # noqa: S608 - of the names above only
# In DuckDB, since the days of a quarter have millions of bins.
_SUMMED = """SELECT function, memory_mb, list(ms ORDER BY ms), list(times ORDER BY ms) FROM (
    SELECT function, memory_mb, ms, sum(times)::BIGINT AS times FROM (
      SELECT function, memory_mb, unnest(map_keys({name})) AS ms, unnest(map_values({name})) AS times
      FROM read_parquet(?, hive_partitioning = false)
    ) GROUP BY ALL
  ) GROUP BY ALL"""


class Seen(NamedTuple):
    """A log file as it was when it was read."""

    size: int
    changed_ns: int
    """Epoch nanoseconds."""
    days: tuple[str, ...]
    """Those of its lines, such as 2026-11-24: it is read whole once each of them names it."""


class Kept(NamedTuple):
    """What a day's file was made of."""

    account: str
    """Its id; empty where it was log files."""
    region: str
    files: Mapping[str, Seen]
    """The log files with lines of that day, by name as it was given."""


def write(path: Path, usage: Usage, kept: Kept) -> None:
    """Write a day's file, and its folder; whoever reads finds the one before, or none, until it is whole.

    InputError if it can't be written, or DuckDB is not there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # two at once must not write into one
    files = {name: seen._asdict() for name, seen in kept.files.items()}
    made_of = json.dumps({"version": VERSION, **kept._asdict(), "files": files})
    copy = f"""COPY (SELECT unnest(from_json_strict($rows::JSON, $columns), recursive := true))
        TO {_quoted(str(part))} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{_KEY}: {_quoted(made_of)}}})"""
    rows = orjson.dumps([_row(key, usage[key]) for key in sorted(usage)], option=orjson.OPT_NON_STR_KEYS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _connected() as connection, _explaining(path, "cannot be written"):
            connection.execute(copy, {"rows": rows.decode(), "columns": orjson.dumps([COLUMNS]).decode()})
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def about(paths: Iterable[Path]) -> list[Kept]:
    """What days' files were made of; InputError for one that is none of ours, of another version, or damaged."""
    with _connected() as connection:
        return [_about(connection, path) for path in paths]


def read(paths: Sequence[Path]) -> Usage:
    """What functions used on the files' days together; of a sandbox the earlier files come first.

    InputError as of `about`.
    """
    usage: Usage = defaultdict(Use)
    with _connected() as connection:
        for path in paths:
            with _explaining(path, _DAMAGED):
                for function, memory_mb, *told in connection.execute(_FILE, [_escaped(path)]).fetchall():
                    _add(usage[function, memory_mb], told)
        for name in _HISTOGRAMS if paths else ():
            with _explaining(paths[0].parents[1], _DAMAGED):
                found = connection.execute(_SUMMED.format(name=name), [list(map(_escaped, paths))]).fetchall()
            for function, memory_mb, values, often in found:
                getattr(usage[function, memory_mb], name).update(dict(zip(values, often, strict=True)))
    return usage


def _about(connection: "duckdb.DuckDBPyConnection", path: Path) -> Kept:
    with _explaining(path, "is damaged, or no Parquet"):
        asked = "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = ?"
        found = connection.execute(asked, [_escaped(path), _KEY]).fetchone()
    if not found:
        raise InputError(f"{path}: no day of a memory history: remove it, or name another folder")
    told = json.loads(found[0])
    if told["version"] != VERSION:
        raise InputError(f"{path}: its version is {told['version']!r:.80}, and {VERSION} is known: begin a new history")
    files = {name: Seen(**(seen | {"days": tuple(seen["days"])})) for name, seen in told["files"].items()}
    return Kept(told["account"], told["region"], files)


def _row(key: Key, use: Use) -> dict[str, Any]:
    function, memory_mb = key
    return {
        "function": _sound(function),
        "memory_mb": memory_mb,
        "invocations": use.invocations,
        **{name: dict(sorted(getattr(use, name).items())) for name in _HISTOGRAMS},
        **{name: getattr(use, name) for name in _NUMBERS},
        "sandboxes": {
            _sound(stream): [{"used_mb": used_mb, "times": times} for used_mb, times in marks]
            for stream, marks in sorted(use.sandboxes.items())
        },
    }


def _add(use: Use, told: list[Any]) -> None:
    """Add a row, by the columns of _FILE after the first two."""
    streams, lengths, used_mb, times = told[len(_NUMBERS) :]
    join(use, Use(**dict(zip(_NUMBERS, told, strict=False))))
    marks = zip(used_mb, times, strict=True)
    for stream, length in zip(streams, lengths, strict=True):
        its = list(islice(marks, length))
        if stream in use.sandboxes:
            for mb, invocations in its:
                mark(use.sandboxes[stream], mb, invocations)
        else:
            use.sandboxes[stream] = its


def _sound(name: str) -> str:
    """Without halves of surrogate pairs, which JSON may have and UTF-8 not."""
    return name.encode(errors="replace").decode()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(path: Path) -> str:
    """As the pattern that DuckDB takes a name for."""
    return escape(str(path))


def _connected() -> "duckdb.DuckDBPyConnection":
    try:
        import duckdb
    except ImportError as error:
        raise InputError("--history is kept with DuckDB: pip install 'lambda-lookout[engines]'") from error
    return duckdb.connect()


@contextmanager
def _explaining(path: Path, trouble: str) -> Iterator[None]:
    """Turns DuckDB's errors inside into one of the file."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise InputError(f"{path}: {trouble}: {str(error).splitlines()[0]}") from error
