"""What Lambda's lines come to as metrics; each timeout and lack of memory once."""

import json
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.logmetrics import (
    ERROR_TYPES,
    OTHER,
    Incident,
    Lines,
    Reading,
    error_table,
    gathered,
    incident_samples,
    merged,
    platform,
    tells,
)
from monitors.names import LOG_METRICS
from monitors.records import Sample, tabulate
from monitors.rightsize.prices import Price

MINUTE = 1_790_000_040_000
ID = "8f507cfc-1a2b-4c3d-9e8f-0123456789ab"
OTHER_ID = "11111111-1a2b-4c3d-9e8f-0123456789ab"


def report(more: str = "", *, used: int = 96, request: str = ID) -> str:
    return (
        f"REPORT RequestId: {request}\tDuration: 46.84 ms\tBilled Duration: 47 ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: {used} MB\t{more}\n"
    )


PRICE = Price(gb_second=0.0000166667, request=0.20e-6)


def lines(*messages: str, minute_ms: int = MINUTE) -> Lines:
    return gathered("/aws/lambda/orders", "orders", minute_ms, messages)


def read(*messages: str) -> Reading:
    return platform(lines(*messages), PRICE)


def metrics(*messages: str) -> dict[str, Any]:
    """Metric name -> values, timeouts and lacks of memory merged; the cost, tested by itself, left out."""
    reading = read(*messages)
    counted = tabulate(incident_samples(merged(reading.incidents, known=())))
    group = (LOG_METRICS, (("FunctionName", "orders"),), MINUTE)
    assert {*reading.table, *counted} <= {group}
    columns = {**reading.table.get(group, {}), **counted.get(group, {})}
    return {name: list(map(float, values)) for (name, _), values in columns.items() if name != "EstimatedCost"}


def json_report(status: str, **measured: float) -> str:
    record = {"requestId": ID, "metrics": measured, "status": status}
    return json.dumps({"time": "2026-11-23T10:00:00.123Z", "type": "platform.report", "record": record})


MEMORY = {
    "Duration": [46.84],
    "BilledDuration": [47],
    "MaxMemoryUsed": [96],
    "MemoryUsedPercent": [75.0],
}  # 96 of 128 MB


def test_warm_invocations_side_by_side() -> None:
    assert metrics(report(), report(used=64), "hello", report(used=128)) == {
        "Duration": [46.84, 46.84, 46.84],
        "BilledDuration": [47, 47, 47],
        "MaxMemoryUsed": [96, 64, 128],
        "MemoryUsedPercent": [75.0, 50.0, 100.0],
    }


def test_memory_share_is_cut_so_that_100_is_full() -> None:
    nearly = report(used=10_239).replace("Size: 128", "Size: 10240")  # 99.990 %
    assert metrics(nearly)["MemoryUsedPercent"] == [99.99]


def test_a_cold_start() -> None:
    assert metrics(report("Init Duration: 127.02 ms\t")) == MEMORY | {"ColdStarts": [1], "InitDuration": [127.02]}


def test_a_restored_snapshot_is_a_cold_start() -> None:
    found = metrics(report("Restore Duration: 398.97 ms\tBilled Restore Duration: 182 ms\t"))
    assert found == MEMORY | {"ColdStarts": [1], "RestoreDuration": [398.97]}


def test_a_managed_instance_reports_no_bill_and_no_memory() -> None:
    (columns,) = read(json_report("success", durationMs=2.5)).table.values()
    assert columns == {("Duration", "Milliseconds"): ["2.5"]}


def test_json_reports_count_like_text() -> None:
    sized = json_report("success", durationMs=46.84, billedDurationMs=47, memorySizeMB=128, maxMemoryUsedMB=96)
    assert metrics(sized) == MEMORY


@pytest.mark.parametrize(
    "line",
    [
        report("Status: timeout"),
        f"2026-11-23T10:00:03.000Z {ID} Task timed out after 3.00 seconds\n\n",
        json_report("timeout", durationMs=3000.0),
    ],
)
def test_a_timeout_however_it_is_told(line: str) -> None:
    assert metrics(line)["Timeouts"] == [1]


OUT_OF_MEMORY = {
    "error type": report("Status: error\tError Type: Runtime.OutOfMemory"),
    "failed with all memory used": report("Status: error\tError Type: Runtime.ExitError", used=128),
    "killed": f"RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n",
    "Python": f"[ERROR]\t2026-11-23T10:00:00.123Z\t{ID}\tMemoryError\n",
    "without request id": "[ERROR] MemoryError: \nTraceback (most recent call last):",
}


@pytest.mark.parametrize("line", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
def test_out_of_memory_however_it_is_told(line: str) -> None:
    assert metrics(line)["OutOfMemory"] == [1]


@pytest.mark.parametrize(
    "line",
    [
        "[WARNING] handled MemoryError gracefully",
        "[INFO] downstream said: Task timed out after 5 seconds",
        f"[INFO] {report('Status: timeout')}",
        report("Status: timeout", used=128).replace("Status: timeout", "Status: success"),
        f"RequestId: {ID} Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n",
        "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout",
    ],
)
def test_what_is_neither(line: str) -> None:
    assert not metrics(line).keys() & {"Timeouts", "OutOfMemory"}


def test_full_memory_at_a_timeout_is_no_proof() -> None:
    assert "OutOfMemory" not in metrics(report("Status: timeout", used=128))


def test_each_request_counts_once_in_whatever_order() -> None:
    told = [
        *OUT_OF_MEMORY.values(),
        report("Status: timeout", request=OTHER_ID),
        f"2026-11-23T10:00:03.000Z {OTHER_ID} Task timed out after 3.00 seconds\n\n",
    ]
    for order in list(permutations(told))[::97]:
        found = metrics(*order)
        assert (found["Timeouts"], found["OutOfMemory"]) == ([1], [1])


def test_unnamed_requests_beyond_the_named_count() -> None:
    unnamed = OUT_OF_MEMORY["without request id"]
    assert metrics(OUT_OF_MEMORY["killed"], unnamed, unnamed)["OutOfMemory"] == [1, 1]


def test_a_request_known_already_does_not_count_again() -> None:
    incidents = read(OUT_OF_MEMORY["killed"]).incidents
    assert merged(incidents, known={incidents[0].request}) == []


def test_the_earliest_minute_counts() -> None:
    first, then = (
        read(report("Status: timeout")),
        platform(
            lines(f"2026-11-23T10:01:00.000Z {ID} Task timed out after 3.00 seconds", minute_ms=MINUTE + 60_000), PRICE
        ),
    )
    for incidents in ([*first.incidents, *then.incidents], [*then.incidents, *first.incidents]):
        assert [one.minute_ms for one in merged(incidents, known=())] == [MINUTE]


requests = st.tuples(
    st.sampled_from([("Timeouts", "Count"), ("OutOfMemory", "Count")]),
    st.just((("FunctionName", "f"),)),
    st.sampled_from("abc"),
)


@given(st.lists(st.builds(Incident, requests, st.sampled_from([0, 60_000]))), st.randoms())
def test_merging_is_order_insensitive_and_exact(incidents: Sequence[Incident], generator: Any) -> None:
    shuffled = list(incidents)
    generator.shuffle(shuffled)
    found = merged(incidents, known=())
    assert sorted(found) == sorted(merged(shuffled, known=()))
    assert sorted(one.request for one in found) == sorted({one.request for one in incidents})


def test_each_error_line_counts() -> None:
    errors = [
        "[ERROR] x",
        '{"level": "ERROR"}',
        '{"message": "x", "level": "fatal"}',
        f"2026-11-23T10:00Z\t{ID}\tERROR\tx",
    ]
    assert metrics(*errors, "[WARNING] x", '{"level": "INFO"}', f"2026-11-23T10:00Z\t{ID}\tINFO\tERROR") == {
        "LogErrors": [1, 1, 1, 1]
    }


def test_which_lines_told() -> None:
    messages = [f"START RequestId: {ID} Version: 7", report(), "[ERROR] x", "hello", report("Status: timeout")]
    assert read(*messages).told == 3
    assert [tells(message) for message in messages] == [False, True, True, False, True]


def test_without_a_function_nothing_is_read() -> None:
    reading = platform(lines(report())._replace(function=""), PRICE)
    assert reading == Reading({}, 0)


def test_cost_is_billed_time_and_requests() -> None:
    """Of 47 ms at 128 MB and 1,000 ms at 2,048 MB: 0.047 x 0.125 + 1 x 2 = 2.005875 GB-s, and two requests."""
    dear = report().replace("Billed Duration: 47", "Billed Duration: 1000").replace("Size: 128", "Size: 2048")
    for messages in ([report(), dear], [report("Init Duration: 9.00 ms\t"), dear]):
        ((columns),) = read(*messages).table.values()
        (cost,) = columns["EstimatedCost", "None"]
        assert float(cost) == pytest.approx(2.005875 * 0.0000166667 + 2 * 0.20e-6)


@pytest.mark.parametrize("line", ["REPORT", "[ERROR] x", "hello"])
def test_a_null_character_hides_no_line(line: str) -> None:
    told = {"REPORT": report(), "[ERROR] x": "[ERROR] x"}.get(line, line)
    assert metrics(f"a\0{told}", told, "\0") == metrics(told)


def test_numbers_are_as_json_writes_them() -> None:
    assert metrics(report().replace("Duration: 46.84", "Duration: 0046.84")) == MEMORY
    for values in read(report().replace(" 47 ms", " 047 ms")).table.values():
        assert all(json.loads(value) is not None for column in values.values() for value in column)


def test_types_of_errors_by_line() -> None:
    reading = read("[ERROR] KeyError: 'x'", "[ERROR] done", report("Status: error\tError Type: Runtime.ExitError"), "x")
    assert reading.errors == ["KeyError", "Runtime.ExitError"]


def test_more_types_of_errors_than_can_be_told_apart() -> None:
    """Each metric is on the bill: what the code of a function makes up must not decide how many there are."""
    table, known = error_table(lines(), [f"E{number}" for number in range(ERROR_TYPES + 5)], frozenset({"Old"}))
    counts = {
        dict(dimensions)["ErrorType"]: len(columns["LogErrors", "Count"])
        for (_, dimensions, _), columns in table.items()
    }
    assert len(known) == ERROR_TYPES
    assert counts.pop(OTHER) == 6
    assert set(counts) == known - {"Old"}
    again, after = error_table(lines(), ["E0", "new"], known)
    assert {dict(dimensions)["ErrorType"] for _, dimensions, _ in again} == {"E0", OTHER}
    assert after == known


def test_units_are_the_ones_documented() -> None:
    cold = report("Init Duration: 1.00 ms\tRestore Duration: 1.00 ms\tStatus: timeout")
    reading = read(cold, "[ERROR] x")
    units = {name: unit for columns in reading.table.values() for name, unit in columns}
    assert units == {
        "Duration": "Milliseconds",
        "EstimatedCost": "None",
        "BilledDuration": "Milliseconds",
        "MaxMemoryUsed": "Megabytes",
        "MemoryUsedPercent": "Percent",
        "ColdStarts": "Count",
        "InitDuration": "Milliseconds",
        "RestoreDuration": "Milliseconds",
        "LogErrors": "Count",
    }
    assert list(incident_samples(reading.incidents)) == [
        Sample(LOG_METRICS, "Timeouts", "Count", 1, MINUTE, (("FunctionName", "orders"),))
    ]
