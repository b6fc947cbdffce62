"""Good inputs, damaged at random, for what must never raise but its own error. `python -m tests.fuzzing 1000000`."""

import base64
import gzip
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from monitors import applines, loglines, patterns
from monitors.errors import InputError, PatternError
from monitors.logdefinitions import definitions, read
from monitors.logmetrics import gathered, platform, tells
from monitors.records import Table
from monitors.rightsize.prices import Price
from subscribers import batch, emf
from subscribers.logs_handler import process
from tests.fuzzing_reports import try_block, try_spans, try_trace

LONGEST = 4_000
NOW_MS = 1_790_000_000_000
FREE = Price(0, 0)
STRAY = "\x00\t\n\r \"'%$()*,-.:;<=>?[\\]^{|}&!é\u2028\ud800💥0aA_"
UUID = "8c360c87-d4b7-4423-b5f3-af02be3c1763"
_SIZED = "Billed Duration: 47 ms \tMemory Size: 192 MB\tMax Memory Used: 72 MB\t"
_MORE = "Init Duration: 127.02 ms\tStatus: error\tError Type: X\nXRAY TraceId: 1-5d8-b8e\tSegmentId: 312\tSampled: true"
_METRICS = '{"durationMs":30000.0,"billedDurationMs":30000,"memorySizeMB":128,"maxMemoryUsedMB":74}'
LINES = (
    f"REPORT RequestId: {UUID}\tDuration: 46.84 ms\t{_SIZED}\n",
    f"REPORT RequestId: {UUID}\tDuration: 46.84 ms\t{_SIZED}{_MORE}",
    f"START RequestId: {UUID} Version: $LATEST\n",
    "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout",
    f"2020-06-09T15:02:26.150Z {UUID} Task timed out after 3.00 seconds\n\n",
    f"RequestId: {UUID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n",
    f"[ERROR]\t2026-01-08T18:22:35.343Z\t{UUID}\tMemoryError\n",
    '[ERROR] KeyError: x\nTraceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: x',
    f"[INFO]\t2026-01-08T18:22:35.343Z\t{UUID}\tTask timed out after 3.00 seconds\n",
    '{"time":"2024-10-18T19:38:39.661Z","type":"platform.report","record":{"requestId":"1","metrics":'
    + _METRICS
    + "}}",
    '{"time":"2024-10-18T19:38:39.661Z","type":"platform.fault","record":"boom"}',
    '{"level": "ERROR", "message": "order placed", "amount": 12.5, "items": [{"sku": "A7"}, null], "nested": [[]]}',
)
PATTERNS = (
    "ERROR",
    '?ERROR ?"Task timed out" -Retry',
    "%GET.*HTTP.*5\\d\\d%",
    "%^[a-z]+(x|y)?[0-9]{2,4}$%",
    '{ $.latency > 50 && ($.path = "/api*" || $.items[*].sku = A7) }',
    "{ $.error IS NULL || $.user.* NOT EXISTS || $['odd key'] != 4e2 }",
    "[ip, id, user, time, request = *checkout*, status = 5*, bytes > 1000]",
    "[..., status != 200 && status != 404, ms]",
)
DEFINED = definitions(
    json.dumps(
        [
            {"name": "Errors", "pattern": "ERROR -Retry"},
            {"name": "Amount", "pattern": "{ $.amount > 9 }", "value": "$.amount", "dimensions": [["M", "$.message"]]},
            {"name": "Slow", "pattern": "[..., ms > 10, rest]", "value": "$ms", "default": 0},
        ]
    )
).sound


def damaged(good: Sequence[str], chance: random.Random) -> str:
    """One of the good texts with a few cuts, copies, strays and splices; some are left whole."""
    text = chance.choice(good)
    for _ in range(chance.randrange(4)):
        at, to = sorted((chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)))
        piece = chance.choice(
            (
                "",
                text[at:to] * chance.randrange(2, 9),
                "".join(chance.choices(STRAY, k=chance.randrange(1, 9))),
                chance.choice(good),
            )
        )
        text = (text[:at] + piece + text[chance.choice((at, to)) :])[:LONGEST]
    return text


def try_pattern(chance: random.Random) -> None:
    try:
        pattern = patterns.compile(damaged(PATTERNS, chance)[:1_100])
    except PatternError:
        return
    line = damaged(LINES, chance)
    found = pattern.match(line)
    assert (found is None) == (pattern.find(line) is None), "a hint rules out what the pattern finds"


def try_line(chance: random.Random) -> None:
    line = damaged(LINES, chance)
    record = loglines.parse(line)
    assert record is None or record.kind
    assert applines.level(line) in {"", *applines.LEVELS}
    shown = applines.read(line)
    assert len(shown.stack_head) <= applines.LONGEST, shown
    applines.out_of_memory(line)
    loglines.function_of(line, damaged(LINES, chance))


def try_lines(chance: random.Random) -> None:
    """Lines read together give what each gives by itself: the search over all of them confuses none."""
    messages = [damaged(LINES, chance) for _ in range(chance.randrange(6))]
    together = gathered("/aws/lambda/f", "f", 0, messages)
    apart = [gathered("/aws/lambda/f", "f", 0, [message]) for message in messages]
    own, each = platform(together, FREE), [platform(one, FREE) for one in apart]
    assert own.told == sum(one.told for one in each) == sum(map(tells, messages))
    assert own.errors == [kind for one in each for kind in one.errors]
    assert own.incidents == [incident for one in each for incident in one.incidents]
    assert _values([own.table]) == _values([one.table for one in each])
    theirs, each_of_theirs = read(together, DEFINED, known={}), [read(one, DEFINED, known={}) for one in apart]
    assert theirs.told == {position for position, one in enumerate(each_of_theirs) if one.told}


def _values(tables: Iterable[Table]) -> list[tuple[object, ...]]:
    return sorted(
        (group, metric, value)
        for table in tables
        for group, columns in table.items()
        for metric, values in columns.items()
        for value in values
    )


def envelope(chance: random.Random) -> dict[str, Any]:
    """An envelope of damaged lines, whose other parts may be anything too."""
    events = [
        {
            "id": str(chance.randrange(9)),
            "timestamp": NOW_MS - chance.randrange(10**6),
            "message": damaged(LINES, chance),
        }
        for _ in range(chance.randrange(6))
    ]
    for event in events:
        if chance.random() < 0.2:
            event[chance.choice([*event])] = chance.choice([None, -1, 10**30, 1.5, [], {}, "x"])
    return {
        "messageType": chance.choice(["DATA_MESSAGE"] * 9 + ["CONTROL_MESSAGE"]),
        "logGroup": chance.choice(["/aws/lambda/orders", "/shop", "", damaged(LINES, chance)]),
        "logStream": "2026/09/21/[$LATEST]" + "a" * 32,
        "logEvents": chance.choice([events] * 9 + [[*events, None, "x"], None]),
    }


def try_batch(chance: random.Random) -> None:
    """Events in are emitted, skipped or failed, whatever stands in the envelope; or the batch is refused whole."""
    text = json.dumps(envelope(chance))
    if chance.random() < 0.2:
        text = damaged([text], chance)
    packed = gzip.compress(text.encode(errors="surrogatepass"), compresslevel=1)
    if chance.random() < 0.1:
        at = chance.randrange(len(packed))
        packed = packed[:at] + bytes([chance.randrange(256)]) + packed[at + 1 :]
    try:
        unpacked = batch.envelope(batch.Payload(base64.b64encode(packed).decode()))
    except InputError:
        return
    result = process([unpacked], defined=DEFINED)
    counts = result.counts
    assert counts["EventsIn"] == counts["EventsEmitted"] + counts["EventsSkipped"] + counts["EventsFailed"], counts
    for line in emf.lines(result.samples, now_ms=NOW_MS).lines:
        assert json.loads(line)["_aws"]["CloudWatchMetrics"]


TARGETS: dict[str, Callable[[random.Random], None]] = {
    "pattern": try_pattern,
    "line": try_line,
    "lines": try_lines,
    "batch": try_batch,
    "trace": try_trace,
    "spans": try_spans,
    "block": try_block,
}


def run(target: str, count: int, *, seed: int = 0) -> None:
    """So many inputs; what fails names the seed that makes it again."""
    for number in range(count):
        try:
            TARGETS[target](random.Random(f"{seed}/{number}"))
        except Exception as error:
            raise AssertionError(f"{target}, seed {seed}/{number}") from error


def main() -> None:
    count, seed = int(sys.argv[1]), time.time_ns()
    for target in TARGETS:
        began = time.monotonic()
        run(target, count, seed=seed)
        print(f"{target}: {count:,} inputs in {time.monotonic() - began:.0f} s, seed {seed}")


if __name__ == "__main__":
    main()
