"""Log files by the block: what is counted is what the parser finds line by line, in any shape that files have."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.engines import logfiles
from infra.engines.logfiles import read
from infra.engines.pieces import CutShortError, blocks
from monitors import loglines
from monitors.errors import InputError
from monitors.records import Invocation
from monitors.rightsize.usage import Usage, usage

STREAM = "2026-11-02-[$LATEST]" + "0a" * 16
ID = "01234567-89ab-4cde-8f01-23456789abcd"
STAMP = "2026-11-02T10:00:00.000Z"


def report(*, ms: float = 12.34, billed: int = 13, size: int = 512, used: int = 80, more: str = "") -> str:
    return (
        f"REPORT RequestId: {ID}\tDuration: {ms:.2f} ms\tBilled Duration: {billed} ms\tMemory Size: {size} MB\t"
        f"Max Memory Used: {used} MB\t{more}"
    )


def json_report(
    *, ms: float = 12.34, billed: int = 13, size: int = 512, used: int = 80, status: str = "success"
) -> str:
    metrics = {"durationMs": ms, "billedDurationMs": billed, "memorySizeMB": size, "maxMemoryUsedMB": used}
    record = {"requestId": ID, "metrics": metrics, "status": status}
    return json.dumps({"time": STAMP, "type": "platform.report", "record": record}, separators=(",", ":"))


times = st.floats(0, 900_000).map(lambda ms: round(ms, 2))
shapes = {
    "ms": times,
    "billed": st.integers(0, 900_000),
    "size": st.sampled_from([128, 512, 10_240]),
    "used": st.integers(2, 520),
}
plain = st.fixed_dictionaries(shapes)
messages = st.one_of(
    plain.map(lambda one: report(**one)),
    plain.map(lambda one: report(**one, more="Init Duration: 200.12 ms\t")),
    plain.map(lambda one: report(**one, more="Status: timeout")),
    plain.map(lambda one: json_report(**one)),
    plain.map(lambda one: json_report(**one, status="error")),
    plain.map(lambda one: "saw " + report(**one)),
    plain.map(lambda one: f"saw {STAMP} " + report(**one)),
    plain.map(lambda one: json.dumps({"level": "INFO", "line": report(**one)})),
    plain.map(lambda one: json_report(**one).replace('"success"', '"success","service":"mine"')),
    st.sampled_from(["REPORT RequestId: ", f"REPORT RequestId: {ID}\tDuration: 1 s", "{", "", "\x00\tDuration: 3 ms"]),
)


def export(folder: Path, name: str, *messages: str, stream: str = STREAM) -> Path:
    """As CreateExportTask writes it: a line begins with its time."""
    path = folder / "orders" / stream / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{STAMP} {one}\n" for one in messages).encode()))
    return path


def told(found: Usage) -> dict[tuple[str, int], object]:
    """What a usage says, but for the order of a sandbox's readings."""
    return {
        key: (
            *(use.warm, use.pressed, use.cold, use.init, round(use.billed_ms, 3), use.worst_ms // 1000),
            *(use.killed, use.timeouts, use.clipped, use.invocations),
            {
                stream: sum((Counter({used: n}) for used, n in marks), Counter())
                for stream, marks in use.sandboxes.items()
            },
        )
        for key, use in found.items()
    }


def line_by_line(lines: list[str], stream: str) -> Usage:
    parsed = (loglines.parse(one, function="orders", log_stream=stream, timestamp_ms=1) for one in lines)
    return usage(one for one in parsed if isinstance(one, Invocation))


@given(lines=st.lists(messages, max_size=30))
def test_a_block_says_what_its_lines_say(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("export")
    path = export(folder, "000000.gz", *lines)
    stream = "2026/11/02/[$LATEST]" + "0a" * 16
    assert told(read([str(path)]).usage) == told(line_by_line(lines, stream))


@pytest.mark.parametrize(
    ("written", "timeout"),
    [
        (report, report(used=90, more="Status: timeout")),
        (json_report, json_report(used=90, status="timeout")),
    ],
    ids=["text", "JSON"],
)
def test_readings_keep_their_order(written: Callable[..., str], timeout: str, tmp_path: Path) -> None:
    """A leak shows at the end of a sandbox: a timeout is no plain report, and is counted in its turn all the same."""
    path = export(tmp_path, "000000.gz", written(used=80), written(used=80), timeout, written(used=100))
    (marks,) = read([str(path)]).usage["orders", 512].sandboxes.values()
    assert marks == [(80, 2), (90, 1), (100, 1)]


def test_what_a_message_quotes_on_its_further_lines_is_not_counted(tmp_path: Path) -> None:
    """In an export only the first line of an event has a time."""
    path = export(
        tmp_path, "000000.gz", report(), f"what it said:\n{report()}\n{report(more='Init Duration: 1.00 ms')}"
    )
    assert read([str(path)]).usage["orders", 512].invocations == 1


def test_times_are_those_of_the_first_and_the_last_line_that_say(tmp_path: Path) -> None:
    path = tmp_path / "orders.log"
    path.write_text(
        f"START\n2026-11-01T00:00:00.000Z {report()}\n{report()}\n2026-11-02T00:00:00.000Z {report()}\nbye\n"
    )
    use = read([str(path)]).usage["orders", 512]
    assert (use.invocations, use.first_ms, use.last_ms) == (3, 1_793_491_200_000, 1_793_577_600_000)


@pytest.mark.parametrize(
    "written",
    [
        lambda stamp, size: f"{stamp} {report(size=size)}",
        lambda stamp, size: json_report(size=size).replace(STAMP, stamp),
    ],
    ids=["text", "JSON"],
)
def test_each_memory_size_has_its_own_times(written: Callable[[str, int], str], tmp_path: Path) -> None:
    """The last seen is the current one: here 512 MB, since noon of 2026-11-02 (epoch 1,793,620,800)."""
    path = tmp_path / "orders.log"
    moments = [
        ("2026-11-01T00:00:00.000Z", 1024),
        ("2026-11-02T00:00:00.000Z", 1024),
        ("2026-11-02T12:00:00.000Z", 512),
    ]
    path.write_text("".join(f"{written(*one)}\n" for one in moments))
    found = read([str(path)]).usage
    assert {size: (use.first_ms, use.last_ms) for (_, size), use in found.items()} == {
        1024: (1_793_491_200_000, 1_793_577_600_000),
        512: (1_793_620_800_000, 1_793_620_800_000),
    }


@pytest.mark.parametrize(
    "line",
    [
        json_report().replace(":", ": ").replace("10: 00: 00", "10:00:00"),
        f"2026-11-02T10:00:00.000000+00:00 2026/11/02/[$LATEST]{'0a' * 16} {report()}",
        f"2026-11-02T10:00:00 {report()}",
        json.dumps({"timestamp": 1_793_613_600_000, "message": json_report()}),
    ],
    ids=["JSON with blanks", "aws logs tail", "aws logs tail --format short", "an event of a JSON log"],
)
def test_other_ways_to_write_a_line(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at 10:00 UTC, as far as they say so: `short` writes local time."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    path = tmp_path / "orders.log"
    path.write_text(f"{line}\n{line}\n")
    use = read([str(path)]).usage["orders", 512]
    assert (use.invocations, use.first_ms) == (2, 1_793_613_600_000)


def test_events_as_json_and_bare_lines_in_one_file(tmp_path: Path) -> None:
    event = {"logGroup": "/aws/lambda/payments", "logStream": "s", "timestamp": 1_793_491_200_000, "message": report()}
    path = tmp_path / "orders.log"
    path.write_text(f"{json.dumps(event)}\n{report()}\n{json_report()}\n")
    found = read([str(path)]).usage
    assert {key: use.invocations for key, use in found.items()} == {("payments", 512): 1, ("orders", 512): 2}


def test_several_processes_find_what_one_does(tmp_path: Path) -> None:
    for n in range(12):
        lines = [report(ms=10 + n + k / 7, used=60 + n) for k in range(200)]
        export(tmp_path, "000000.gz", *lines, stream=STREAM[:-2] + f"{n:02x}")
    alone, shared = (read([str(tmp_path)], processes=count) for count in (1, 2))
    assert told(alone.usage) == told(shared.usage)
    assert alone.usage["orders", 512].invocations == 2400


def test_a_sandbox_that_goes_on_in_the_next_file_keeps_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file is read long before the first is."""
    monkeypatch.setattr(logfiles, "SHARE", 1)
    for name, used, count in (("1.jsonl", 80, 20_000), ("2.jsonl", 90, 1)):
        event = {"logGroup": "/aws/lambda/orders", "logStream": "s", "message": report(used=used)}
        (tmp_path / name).write_text(f"{json.dumps(event)}\n" * count)
    (marks,) = read([str(tmp_path)], processes=2).usage["orders", 512].sandboxes.values()
    assert marks == [(80, 20_000), (90, 1)]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = export(tmp_path, "000000.gz", report())
    assert read([str(tmp_path), str(path), str(path)]).usage["orders", 512].invocations == 1


def test_a_file_cut_short_gives_what_was_read_and_says_so(tmp_path: Path) -> None:
    path = export(tmp_path, "000000.gz", *(report(ms=k, used=50 + k % 40) for k in range(1, 2000)))
    path.write_bytes(path.read_bytes()[:-200])
    found = read([str(path)])
    assert 1000 < found.usage["orders", 512].invocations < 2000
    assert found.notes == (f"{path}: ends before its end; what was read of it is used",)


def test_a_file_of_several_gzip_members(tmp_path: Path) -> None:
    path = tmp_path / "orders.log.gz"
    path.write_bytes(gzip.compress(f"{report()}\n".encode()) + gzip.compress(f"{report()}\n".encode()))
    assert read([str(path)]).usage["orders", 512].invocations == 2


def test_a_last_line_without_an_end_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.log"
    path.write_text(report())
    assert read([str(path)]).usage["orders", 512].invocations == 1


def test_lines_without_an_end_are_cut_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.engines.pieces.LONGEST", 1000)
    monkeypatch.setattr("infra.engines.pieces.BLOCK", 300)
    path = tmp_path / "orders.log"
    path.write_text("x" * 5000 + f"\n{report()}\n")
    found = list(blocks(str(path)))
    assert max(map(len, found)) <= 1301
    assert b"".join(found).replace(b"\n", b"") == path.read_bytes().replace(b"\n", b"")
    assert read([str(path)]).usage["orders", 512].invocations == 1


@pytest.mark.parametrize("raw", [b"", b"not gzip", gzip.compress(b"x")[:9]], ids=["empty", "no gzip", "its head alone"])
def test_what_is_no_gzip_file(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "orders.log.gz"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"orders\.log\.gz"):
        read([str(path)])


def test_a_gzip_file_broken_further_on(tmp_path: Path) -> None:
    path = tmp_path / "orders.log.gz"
    path.write_bytes(gzip.compress(f"{report()}\n".encode()) + b"\x00" * 20)
    with pytest.raises(CutShortError):
        list(blocks(str(path)))
