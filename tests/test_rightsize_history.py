"""The memory report's history: days of log files and accounts, kept as Parquet and never read again."""

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra import reports
from infra.engines import dayfiles, days, history, logfiles
from infra.engines.dayfiles import Kept, Seen
from lookout import cli
from monitors.errors import AwsError, InputError
from monitors.rightsize.daily import by_day, in_words, missing
from monitors.rightsize.usage import MARKS, Read, Usage, Use, merge
from tests.test_reports import Fake, session

duckdb = pytest.importorskip("duckdb")

DAY_S = 86_400
T0_S = 1_795_478_400  # 2026-11-24 00:00 UTC
TODAY = date(2026, 11, 24)
OF_FILES = Kept("", "", {})
STREAM = "2026-11-24-[$LATEST]" + "0" * 32


def report(ms: float, *, mb: int = 256, used: int = 100, more: str = "") -> str:
    """A REPORT line as Lambda writes it; `more` begins with a tab."""
    return (
        f"REPORT RequestId: 00000000-0000-4000-8000-000000000000\tDuration: {ms:.2f} ms\tBilled Duration: {ms:.0f} ms"
        f"\tMemory Size: {mb} MB\tMax Memory Used: {used} MB{more}\t"
    )


def stamp(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def export(folder: Path, lines: list[tuple[float, str]], *, name: str = "pay", stream: str = STREAM) -> Path:
    """A sandbox's file as CreateExportTask writes it: (seconds after T0, message)."""
    path = folder / name / stream / "000000"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{stamp(T0_S + at_s)} {message}\n" for at_s, message in lines))
    return path


def keep(paths: list[Path], folder: Path, *, last_days: float = 14, said: list[str] | None = None) -> Read:
    return history.read_files(
        [str(path) for path in paths],
        folder=str(folder),
        last_days=last_days,
        progress=lambda *_: None,
        say=(said if said is not None else []).append,
    )


def folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def counted(usage: Usage) -> dict[str, int]:
    return {name: use.invocations for (name, _), use in usage.items()}


def unordered(usage: Usage) -> dict[Any, Any]:
    """Of high-water marks only how often each came."""
    found: dict[Any, Any] = {}
    for key, use in usage.items():
        often: dict[str, Counter[int]] = defaultdict(Counter)
        for stream, its in use.sandboxes.items():
            for used_mb, times in its:
                often[stream][used_mb] += times
        found[key] = replace(use, sandboxes={}), often
    return found


# --- a day's file --------------------------------------------------------------------------------

histograms = st.dictionaries(st.floats(0.01, 900_000), st.integers(1, 10**9), max_size=5).map(Counter)
counts = st.integers(0, 10**12)
sums = st.floats(0, 1e15)
marks = st.lists(st.tuples(st.integers(10, 10_240), st.integers(1, 10**9)), min_size=1, max_size=5)
uses = st.builds(
    Use,
    **dict.fromkeys(("warm", "pressed", "cold", "init"), histograms),
    **dict.fromkeys(("killed", "timeouts", "clipped", "first_ms", "last_ms"), counts),
    **dict.fromkeys(("billed_ms", "init_ms", "worst_ms"), sums),
    sandboxes=st.dictionaries(st.text(max_size=8), marks, max_size=4),
).map(lambda use: replace(use, last_ms=use.first_ms and use.first_ms + use.last_ms))  # 0 is no time
usages = st.dictionaries(st.tuples(st.text(max_size=8), st.integers(1, 10_240)), uses, max_size=4)


@settings(max_examples=30, deadline=None)
@given(usages, st.dictionaries(st.text(max_size=8), st.builds(Seen, counts, counts, st.just(("2026-11-24",)))))
def test_a_day_is_read_as_it_was_written(usage: Usage, files: dict[str, Seen]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "it's [1]*?", "usage.parquet")  # none of these is a pattern or a quotation mark
        kept = Kept("111122223333", "eu-west-1", files)
        dayfiles.write(path, usage, kept)
        assert dayfiles.read([path]) == usage
        (found,) = dayfiles.about([path])
        assert found == kept
        assert folders(path.parent) == ["usage.parquet"]


@settings(max_examples=20, deadline=None)
@given(st.lists(usages, min_size=2, max_size=3))
def test_days_read_together_are_their_sum(parts: list[Usage]) -> None:
    """Sums of floats are those of `merge` in the same order; a sandbox of two days has its marks in their order."""
    whole: Usage = defaultdict(Use)
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{n}.parquet") for n in range(len(parts))]
        for path, part in zip(paths, parts, strict=True):
            for use in part.values():  # as `mark` has them: neighbours differ
                use.sandboxes = {
                    stream: [one for n, one in enumerate(its) if not n or its[n - 1][0] != one[0]]
                    for stream, its in use.sandboxes.items()
                }
            dayfiles.write(path, part, OF_FILES)
            merge(whole, part)
        assert dayfiles.read(paths) == whole


def test_a_sandbox_over_many_days_keeps_no_more_marks_than_one_read_at_once(tmp_path: Path) -> None:
    """200 changes a day for two days: of the 400 the first 255 are told apart, the others together: 145 invocations."""
    paths = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for n, path in enumerate(paths):
        use = Use(sandboxes={"a": [(10 + 200 * n + mb, 1) for mb in range(200)]})
        dayfiles.write(path, {("pay", 512): use}, OF_FILES)
    found = dayfiles.read(paths)["pay", 512].sandboxes["a"]
    assert (len(found), found[0], found[-1]) == (MARKS, (10, 1), (409, 145))


def test_names_that_no_utf_8_can_say_are_kept_all_the_same(tmp_path: Path) -> None:
    dayfiles.write(tmp_path / "1.parquet", {("a\ud800", 128): Use(sandboxes={"\udfff": [(50, 1)]})}, OF_FILES)
    assert dict(dayfiles.read([tmp_path / "1.parquet"])) == {("a?", 128): Use(sandboxes={"?": [(50, 1)]})}


def test_people_can_query_it(tmp_path: Path) -> None:
    """As DuckDB and Athena see it: the folder is the partition, a histogram is a map."""
    export(tmp_path / "logs", [(10, report(20)), (20, report(20)), (DAY_S + 5, report(40))])
    keep([tmp_path / "logs"], tmp_path / "kept")
    rows = duckdb.execute(
        f"SELECT day::VARCHAR, function, memory_mb, invocations, ms, times FROM ("
        f"SELECT *, unnest(map_keys(warm)) AS ms, unnest(map_values(warm)) AS times FROM "
        f"read_parquet('{tmp_path}/kept/*/*.parquet', hive_partitioning = true)) ORDER BY day"
    ).fetchall()
    # The bins of 20.0 to 20.1 and of 40.0 to 40.1 ms, by their middles.
    assert rows == [("2026-11-24", "pay", 256, 2, 20.05, 2), ("2026-11-25", "pay", 256, 1, 40.05, 1)]


# --- lines by day --------------------------------------------------------------------------------


def split(block: str, day: date | None = None, *, stamped: bool = False) -> dict[str, str]:
    found = by_day(block.encode(), day, stamped=stamped)
    return {str(of): lines.decode() for of, lines in found.parts}


def test_an_export_is_split_where_the_day_begins() -> None:
    """What has no time of its own goes on with the line before, whatever it begins with."""
    old = '2026-11-24T23:59:59.999Z one\n{"time":"2026-11-26T00:00:00.000Z"}\n2020-01-01T00:00 it said\n'
    new = "2026-11-25T00:00:00.000Z two\n  more\n"
    assert split(old + new, stamped=True) == {"2026-11-24": old, "2026-11-25": new}
    assert by_day(new.encode(), TODAY, stamped=True).last == date(2026, 11, 25)


NEXT_DAY = [
    '{"time":"2026-11-25T00:00:00.000Z","type":"platform.report"}',
    '{ "time": "2026-11-25T00:00:00.000Z", "type": "platform.report"}',
    "2026-11-25T00:00:00+00:00 2026/11/24/[$LATEST]" + "0" * 32 + " REPORT",
    "2026-11-25T01:00:00+01:00 REPORT",
    "2026-11-24T23:00:00-01:00 REPORT",
    "2026-11-25T00:00:00 REPORT",
    '{"logGroup":"g","timestamp":1795564800000,"message":"REPORT"}',
    '{"message":"a \\"timestamp\\": 1795478400000 in it","timestamp" : 1795564800000}',
]
"""Each of the first millisecond of 2026-11-25 (`date -u -d @1795564800`)."""


@pytest.mark.parametrize("line", NEXT_DAY)
def test_lines_of_every_shape_are_split_where_the_day_begins(line: str) -> None:
    old = '{"time":"2026-11-24T23:59:59.999Z","type":"platform.start"}\nREPORT of no time\n'
    assert split(f"{old}{line}\nmore\n") == {"2026-11-24": old, "2026-11-25": f"{line}\nmore\n"}


def test_days_in_any_order_come_once_each() -> None:
    lines = [f"2026-11-{day}T12:00:00.000Z {n}\n" for n, day in enumerate((24, 25, 24, 26, 25))]
    assert split("".join(lines), stamped=True) == {
        "2026-11-24": lines[0] + lines[2],
        "2026-11-25": lines[1] + lines[4],
        "2026-11-26": lines[3],
    }


def test_lines_before_any_time_are_of_the_first_day_that_is_told() -> None:
    assert split("hello\n2026-11-24T12:00:00.000Z a\n") == {"2026-11-24": "hello\n2026-11-24T12:00:00.000Z a\n"}
    assert split("hello\n") == {"None": "hello\n"}
    assert split("hello\n", TODAY) == {"2026-11-24": "hello\n"}


@pytest.mark.parametrize(
    "line", ["1970-01-01T00:00:00Z a", "2026-99-99T00:00:00.000Z a", '{"timestamp":0000000000001}']
)
def test_what_is_no_time_of_a_log_line_is_none(line: str) -> None:
    assert split(f"{line}\n", TODAY) == {"2026-11-24": f"{line}\n"}


shapes: list[Callable[[float], str]] = [
    lambda at_s: f"{stamp(at_s)} text",
    lambda at_s: f'{{"time":"{stamp(at_s)}","type":"platform.report"}}',
    lambda at_s: json.dumps({"timestamp": round(at_s * 1000), "message": "text"}),
]


@given(st.lists(st.tuples(st.integers(0, 3 * DAY_S - 1), st.sampled_from(shapes)), max_size=20), st.data())
def test_every_line_is_of_the_day_that_it_says_and_none_is_lost(
    made: list[tuple[int, Callable[[float], str]]], data: st.DataObject
) -> None:
    """Cut into two blocks anywhere."""
    lines = [(str(datetime.fromtimestamp(T0_S + at_s, UTC).date()), shape(T0_S + at_s)) for at_s, shape in made]
    cut = data.draw(st.integers(0, len(lines)))
    found: dict[str, list[str]] = defaultdict(list)
    day = None
    for part in (lines[:cut], lines[cut:]):
        parts, day = by_day("".join(f"{line}\n" for _, line in part).encode(), day, stamped=False)
        for of, its in parts:
            found[str(of)] += its.decode().splitlines()
    wanted: dict[str, list[str]] = defaultdict(list)
    for of, line in lines:
        wanted[of].append(line)
    assert {of: its for of, its in found.items() if its} == wanted


def test_days_in_words() -> None:
    said = {date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 4)}
    assert in_words(said) == "2026-11-01 to 2026-11-02, 2026-11-04"
    assert in_words(set()) == "none"
    assert missing({date(2026, 11, 3)}, [*said, date(2026, 11, 3)]) == [f"Not in the history: {in_words(said)}."]
    assert missing(said, said) == []


# --- log files -----------------------------------------------------------------------------------

lived = st.lists(
    st.tuples(
        st.integers(0, 3 * DAY_S - 1),
        st.integers(1, 2000),
        st.integers(2, 256),
        st.sampled_from(["", "\tInit Duration: 128.00 ms", "\tStatus: timeout"]),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(lived, st.booleans())
def test_days_put_together_are_what_reading_all_at_once_finds(
    made: list[tuple[int, int, int, str]], plain: bool
) -> None:
    """In a block lines that say more than a plain report are read after the others, and are of the block's first time:
    hence a plain one at the end, and no order of the high-water marks where there are such lines.
    """
    lines = [(float(at_s), report(ms, used=used, more="" if plain else more)) for at_s, ms, used, more in sorted(made)]
    last = 3.0 * DAY_S - 1, report(10)
    with TemporaryDirectory() as folder:
        logs = Path(folder, "logs")
        export(logs, [*lines, last])
        export(logs, [*lines[::2], last], name="ship")
        found = keep([logs], Path(folder, "kept"))
        whole = logfiles.read([str(logs)], processes=1).usage
        if plain:
            assert found.usage == whole
        assert unordered(found.usage) == unordered(whole)
        assert history.read(str(Path(folder, "kept")), last_days=3).usage == found.usage


def test_a_sandbox_that_lives_through_midnight_is_of_both_days(tmp_path: Path) -> None:
    """86,395 s after T0 is 23:59:55; each second one invocation, and 1 MB more."""
    path = export(tmp_path / "logs", [(DAY_S - 5 + n, report(10 + n, used=100 + n)) for n in range(10)])
    keep([path], tmp_path / "kept")
    told = {}
    for day in folders(tmp_path / "kept"):
        use = dayfiles.read([tmp_path / "kept" / day / "usage.parquet"])["pay", 256]
        ((_, its),) = use.sandboxes.items()
        told[day] = use.invocations, use.first_ms, use.last_ms, its[0], its[-1]
    at_ms = 1000 * (T0_S + DAY_S)
    assert told == {
        "day=2026-11-24": (5, at_ms - 5000, at_ms - 1000, (100, 1), (104, 1)),
        "day=2026-11-25": (5, at_ms, at_ms + 4000, (105, 1), (109, 1)),
    }


def test_files_are_read_once(tmp_path: Path) -> None:
    logs, kept, said = tmp_path / "logs", tmp_path / "kept", list[str]()
    first = export(logs, [(0, report(10)), (DAY_S, report(10))])
    assert counted(keep([logs], kept, said=said).usage) == {"pay": 2}
    export(logs, [(DAY_S, report(10))], stream=STREAM[:-1] + "1")
    assert counted(keep([logs], kept, said=said).usage) == {"pay": 3}
    assert counted(keep([first], kept, said=said).usage) == {"pay": 3}
    assert [re.findall(r"\d+ of \d+", words) for words in said] == [["1 of 1"], ["1 of 2"], ["0 of 1"]]


def test_a_file_that_has_changed_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = export(tmp_path / "logs", [(0, report(10))])
    before = keep([path], tmp_path / "kept")
    with path.open("a") as more:
        more.write(f"{stamp(T0_S + 60)} {report(10)}\n")
    with pytest.raises(InputError, match=r"000000: has changed since the history .*kept took it in.*of their own"):
        keep([path], tmp_path / "kept")
    assert history.read(str(tmp_path / "kept"), last_days=14) == before


def test_a_run_that_is_stopped_leaves_whole_days_and_the_next_one_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, kept = tmp_path / "logs", tmp_path / "kept"
    export(logs, [(n * DAY_S, report(10 + n)) for n in range(3)])
    export(logs, [(n * DAY_S, report(20 + n)) for n in range(1, 3)], name="ship")
    renamed, left = Path.replace, iter([False, True])

    def stopped(self: Path, target: Path) -> Path:
        if next(left):
            raise KeyboardInterrupt
        return renamed(self, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            keep([logs], kept)
    assert [str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()] == [
        "day=2026-11-24/usage.parquet"
    ]
    assert counted(history.read(str(kept), last_days=14).usage) == {"pay": 1}
    assert keep([logs], kept).usage == logfiles.read([str(logs)], processes=1).usage


def test_a_day_whose_folder_was_removed_is_read_again(tmp_path: Path) -> None:
    logs, kept = tmp_path / "logs", tmp_path / "kept"
    export(logs, [(0, report(10)), (DAY_S, report(10))])
    found = keep([logs], kept)
    (kept / "day=2026-11-24" / "usage.parquet").unlink()
    assert counted(history.read(str(kept), last_days=14).usage) == {"pay": 1}
    assert keep([logs], kept) == found


def test_only_the_last_days_are_told_and_those_missing_named(tmp_path: Path) -> None:
    export(tmp_path / "logs", [(n * DAY_S, report(10)) for n in (0, 1, 4, 5)])
    found = keep([tmp_path / "logs"], tmp_path / "kept", last_days=5)
    assert counted(found.usage) == {"pay": 3}
    assert found.notes == ("Not in the history: 2026-11-26 to 2026-11-27.",)
    assert counted(history.read(str(tmp_path / "kept"), last_days=0.5).usage) == {"pay": 1}
    assert counted(history.read(str(tmp_path / "kept"), last_days=91).usage) == {"pay": 4}


def test_of_a_file_that_is_cut_short_nothing_is_kept(tmp_path: Path) -> None:
    import gzip

    lines = "".join(f"{stamp(T0_S + n)} {report(10 + n % 7)}\n" for n in range(1000)).encode()
    whole = gzip.compress(lines)
    (tmp_path / "pay.gz").write_bytes(whole[: len(whole) // 2])
    export(tmp_path, [(0, report(10))], name="ship")
    found = keep([tmp_path / "pay.gz", tmp_path / "ship"], tmp_path / "kept")
    assert counted(found.usage) == {"ship": 1}
    assert found.notes[0].startswith(f"{tmp_path}/pay.gz: ends before its end; nothing of it is kept")
    (tmp_path / "pay.gz").write_bytes(whole)
    assert counted(keep([tmp_path / "pay.gz"], tmp_path / "kept").usage) == {"ship": 1, "pay": 1000}


def test_two_processes_find_what_one_does(tmp_path: Path) -> None:
    for n in range(12):
        export(tmp_path, [(n * 3600, report(10 + n)), (DAY_S + n, report(5))], stream=f"{STREAM[:-2]}{n:02}")
    files, seen = logfiles.listed([str(tmp_path)]), list[tuple[int, int]]()
    alone = list(days.read(files, progress=lambda *_: None, processes=1))
    assert list(days.read(files, progress=lambda *at: seen.append(at), processes=2)) == alone
    assert [one.path for one in alone] == files
    assert seen == [(n, 12) for n in range(1, 13)]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "none.log", "none.log: No such file"),
        (lambda _: Path("-"), "-: --history knows files by their names"),
        (lambda folder: folder / "empty", "empty: no files in this folder"),
        (lambda folder: folder / "bare.log", "bare.log: its lines don't say their time"),
        (lambda folder: folder / "silent.log", "kept: no day with a report is kept there"),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare.log").write_text(f"{report(10)}\n")
    (tmp_path / "silent.log").write_text("START\n")
    with pytest.raises(InputError, match=re.escape(words)):
        keep([make(tmp_path)], tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


# --- what is damaged, or another's ---------------------------------------------------------------


def junk(path: Path) -> None:
    path.write_bytes(b"PAR1 and no more")


def cut(path: Path) -> None:
    dayfiles.write(path, {("pay", 256): Use(warm=Counter(dict.fromkeys(range(1, 999), 1)))}, OF_FILES)
    path.write_bytes(path.read_bytes()[:-9])


def foreign(path: Path) -> None:
    duckdb.execute(f"COPY (SELECT 1 AS one) TO '{path}' (FORMAT parquet)")


def altered(path: Path) -> None:
    """Ours by its metadata, another's by its columns."""
    told = json.dumps({"version": 1, "account": "", "region": "", "files": {}})
    duckdb.execute(
        f"COPY (SELECT 1 AS one) TO '{path}' (FORMAT parquet, KV_METADATA {{lookout_memory_history: '{told}'}})"
    )


def later(path: Path) -> None:
    duckdb.execute(
        f"COPY (SELECT 1) TO '{path}' (FORMAT parquet, KV_METADATA {{lookout_memory_history: '{{\"version\":2}}'}})"
    )


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("day=2026-11-24/usage.parquet", junk, "is damaged, or no Parquet"),
        ("day=2026-11-24/usage.parquet", cut, "is damaged, or no Parquet"),
        ("day=2026-11-24/usage.parquet", foreign, "no day of a memory history: remove it"),
        ("day=2026-11-24/usage.parquet", altered, "is damaged, or no day of a memory history"),
        ("day=2026-11-24/usage.parquet", later, "its version is 2, and 1 is known"),
        ("day=2026-11-24/more.parquet", foreign, "no day of a memory history: remove it"),
        ("day=tomorrow/usage.parquet", foreign, "no day of a memory history: remove it"),
    ],
)
def test_a_damaged_or_foreign_file_is_named(
    tmp_path: Path, name: str, spoil: Callable[[Path], None], words: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    spoil(path)
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: {re.escape(words)}"):
        history.read(str(tmp_path), last_days=14)


def test_a_history_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = export(tmp_path, [(0, report(10))])
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=re.escape(f"{folder}") + ".*: cannot be written"):
            keep([path], folder)


# --- an account ----------------------------------------------------------------------------------

NOW_S = T0_S + 3 * DAY_S + 6 * 3600  # 2026-11-27 06:00 UTC


def account(number: str = "111122223333") -> Any:
    answer = {"Account": number, "Arn": f"arn:aws:iam::{number}:user/a", "UserId": "a"}
    return session(sts=Fake("sts", get_caller_identity=lambda _: answer))


class Engine:
    """One invocation for each hour asked about, in one sandbox a day; in its notes, what it could not read."""

    def __init__(self, *notes: str) -> None:
        self.notes = notes
        self.asked: list[tuple[float, float]] = []

    def __call__(self, _session: Any, _owners: Any, *, start_s: float, end_s: float, progress: Any, say: Any) -> Read:
        self.asked.append(((start_s - T0_S) / DAY_S, (end_s - T0_S) / DAY_S))
        say("It costs USD 1.")
        progress(1, 2)
        use = Use(warm=Counter({10.05: round((end_s - start_s) / 3600)}), sandboxes={str(start_s): [(50, 1)]})
        return Read({("pay", 256): use}, self.notes)


def asked(
    folder: Path, engine: Engine, *, end_s: float = NOW_S, last_days: float = 2, of: Any = None
) -> tuple[Read, list[str], list[tuple[int, int]]]:
    said: list[str] = []
    done: list[tuple[int, int]] = []
    found = history.read_account(
        of or account(),
        {},
        engine=engine,
        folder=str(folder),
        start_s=end_s - last_days * DAY_S,
        end_s=end_s,
        progress=lambda *at: done.append(at),
        say=said.append,
    )
    return found, said, done


def test_days_of_an_account_are_read_once_and_today_each_time(tmp_path: Path) -> None:
    """Two days before 2026-11-27 06:00: the whole of 2026-11-25, which is the window's first, 26, and today."""
    first, said, done = asked(tmp_path, Engine())
    assert said[0] == f"Read now: 2026-11-25 to 2026-11-27. In the history {tmp_path}: none."
    assert said[1:] == [f"2026-11-{day}: It costs USD 1." for day in (25, 26, 27)]
    assert done == [(1, 6), (3, 6), (5, 6)]
    assert folders(tmp_path) == ["day=2026-11-25", "day=2026-11-26"]
    engine = Engine()
    again, said, _ = asked(tmp_path, engine)
    assert engine.asked == [(3, 3.25)]
    assert said[0] == f"Read now: 2026-11-27. In the history {tmp_path}: 2026-11-25 to 2026-11-26."
    assert again == first
    assert counted(again.usage) == {"pay": 24 + 24 + 6}


def test_a_week_later_only_the_days_since_are_read(tmp_path: Path) -> None:
    asked(tmp_path, Engine(), last_days=91)
    engine = Engine()
    found, _, _ = asked(tmp_path, engine, end_s=NOW_S + 7 * DAY_S, last_days=91)
    assert engine.asked == [*((float(n), n + 1.0) for n in range(3, 10)), (10, 10.25)]
    assert counted(found.usage) == {"pay": 91 * 24 + 6}


def test_a_day_is_kept_once_it_is_over_for_an_hour(tmp_path: Path) -> None:
    asked(tmp_path, Engine(), end_s=T0_S + 2 * DAY_S + 3599, last_days=1)
    assert folders(tmp_path) == []
    asked(tmp_path, Engine(), end_s=T0_S + 2 * DAY_S + 3600, last_days=1)
    assert folders(tmp_path) == ["day=2026-11-25"]


def test_the_first_moment_of_a_day_is_not_yet_that_day(tmp_path: Path) -> None:
    engine = Engine()
    asked(tmp_path, engine, end_s=T0_S + 2 * DAY_S, last_days=1)
    assert engine.asked == [(1, 2)]


def test_a_day_of_which_something_could_not_be_read_is_used_and_not_kept(tmp_path: Path) -> None:
    found, _, _ = asked(tmp_path, Engine("Not read: /aws/lambda/ship"))
    assert folders(tmp_path) == []
    assert counted(found.usage) == {"pay": 54}
    assert found.notes == ("Not read: /aws/lambda/ship",)


def test_a_run_that_fails_keeps_the_days_before(tmp_path: Path) -> None:
    class Fails(Engine):
        def __call__(self, *arguments: Any, **named: Any) -> Read:
            if len(self.asked) == 1:
                raise AwsError("throttled")
            return super().__call__(*arguments, **named)

    with pytest.raises(AwsError, match="throttled"):
        asked(tmp_path, Fails())
    assert folders(tmp_path) == ["day=2026-11-25"]


def test_a_history_is_of_one_account_or_of_log_files(tmp_path: Path) -> None:
    asked(tmp_path, Engine())
    with pytest.raises(InputError, match="is of account 111122223333 in eu-west-1, and not of account 999999999999 in"):
        asked(tmp_path, Engine(), of=account("999999999999"))
    with pytest.raises(InputError, match="is of account 111122223333 in eu-west-1, and not of log files"):
        keep([export(tmp_path / "logs", [(0, report(10))])], tmp_path)
    assert history.region(str(tmp_path)) == "eu-west-1"


def test_an_invocation_at_midnight_is_of_one_day() -> None:
    """FilterLogEvents counts the end of its window in (CloudWatch Logs API Reference, endTime)."""
    at_ms = 1000 * T0_S
    events = [{"timestamp": at_ms + by, "message": report(10), "logStreamName": "a"} for by in (-1, 0)]

    def answer(request: dict[str, Any]) -> Iterator[Any]:
        yield {"events": [one for one in events if request["startTime"] <= one["timestamp"] <= request["endTime"]]}

    def read(start_s: float, end_s: float) -> dict[str, int]:
        logs = session(logs=Fake("logs", filter_log_events=answer))
        owners = {"/aws/lambda/pay": "pay"}
        found = reports.from_logs(
            logs, owners, start_s=start_s, end_s=end_s, progress=lambda *_: None, say=lambda _: None
        )
        return counted(found.usage)

    assert (read(T0_S - DAY_S, T0_S), read(T0_S, T0_S + DAY_S)) == ({"pay": 1}, {"pay": 1})


# --- the command ---------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(["rightsize", *arguments])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_command_keeps_files_and_reports_from_the_history_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    export(tmp_path / "logs", [(n * DAY_S // 4, report(10 + n)) for n in range(12)])
    status, out, err = run(capsys, "logs", "--history", "kept", "--json")
    assert (status, json.loads(out)["invocations"]) == (0, 12)
    assert "Read now: 1 of 1 files." in err
    assert json.loads(run(capsys, "logs", "--json")[1]) == json.loads(out)
    assert json.loads(run(capsys, "kept", "--json")[1]) == json.loads(out)
    last = json.loads(run(capsys, "kept", "--json", "--days", "2")[1])
    assert (last["invocations"], last["start"]) == (8, T0_S + DAY_S)
    assert json.loads(run(capsys, "logs", "--history", "kept", "--days", "1", "--json")[1])["invocations"] == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["logs", "--days", "3"], "--days is of an account or a history"),
        (["kept", "--history", "other"], "kept: is a history: name it alone"),
        (["logs", "kept"], "kept: is a history: name it alone"),
        (["kept", "--days", "-1"], "--days -1: expected more than 0"),
        (["kept", "--days", "1e300"], "--days 1e+300: expected more than 0, and 36,500 at most"),
        (["kept", "--days", "inf"], "--days inf: expected more than 0"),
        (["logs", "--history", "other", "--days", "0"], "--days 0: expected more than 0"),
        (["logs", "--history", "other", "--days", "nan"], "--days nan: expected more than 0"),
    ],
)
def test_what_does_not_go_together_is_refused(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    export(tmp_path / "logs", [(0, report(10))])
    keep([tmp_path / "logs"], tmp_path / "kept")
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert words in err
    assert not (tmp_path / "other").exists()


def test_without_duckdb_the_extra_is_named_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    export(tmp_path / "logs", [(0, report(10))])
    status, _, err = run(capsys, str(tmp_path / "logs"), "--history", str(tmp_path / "kept"))
    assert status == 2
    assert "pip install 'lambda-lookout[engines]'" in err
    engine = Engine()
    with pytest.raises(InputError, match=r"lambda-lookout\[engines\]"):
        asked(tmp_path / "kept", engine)
    assert engine.asked == []
    assert run(capsys, str(tmp_path / "logs"), "--json")[0] == 0


def test_a_history_of_an_account_has_its_prices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(tmp_path, Engine())
    assert json.loads(run(capsys, str(tmp_path), "--json")[1])["region"] == "eu-west-1"
    assert json.loads(run(capsys, str(tmp_path), "--json", "--region", "af-south-1")[1])["region"] == "af-south-1"


def test_an_account_that_is_asked_every_week_is_read_by_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command's own path: an event at noon of each of the 14 days before today, and of today."""
    queried: list[int] = []

    def answer(request: dict[str, Any]) -> Iterator[Any]:
        queried.append(request["startTime"])
        at_ms = request["startTime"] + DAY_S * 500
        yield {"events": [{"timestamp": at_ms, "message": report(10), "logStreamName": "a"}]}

    functions = [{"Functions": [{"FunctionName": "pay", "MemorySize": 256, "Timeout": 3}]}]
    own = session(
        logs=Fake("logs", filter_log_events=answer),
        **{"lambda": Fake("lambda", list_functions=lambda _: functions)},
        sts=Fake("sts", get_caller_identity=lambda _: {"Account": "1", "Arn": "arn:aws:iam::1:user/a"}),
    )
    monkeypatch.setattr("lookout.rightsize.session", lambda: own)
    monkeypatch.setattr("lookout.rightsize.time.time", lambda: T0_S + 20 * DAY_S - timedelta(hours=3).seconds)
    first = json.loads(run(capsys, "--history", str(tmp_path), "--json")[1])
    assert (first["invocations"], len(queried)) == (15, 15)
    _, out, err = run(capsys, "--history", str(tmp_path), "--json")
    assert (json.loads(out), len(queried)) == (first, 16)
    assert "Read now: 2026-12-13. In the history" in err
