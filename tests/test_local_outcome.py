"""What the embedded account's platform says of an invocation, against the shapes in the Lambda developer guide."""

import json
import re

from infra.local.outcome import Outcome, lines, metrics, segments

CONFIG = {"FunctionName": "f", "FunctionArn": "arn:f", "MemorySize": 128, "Runtime": "python3.13", "Timeout": 3}
TRACE = "Root=1-5d83c0ad-b8eb33a0b1de97d804fac890;Parent=31255c3b19bd3637;Sampled=1"
REPORT = re.compile(
    r"REPORT RequestId: (\S+)\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB"
    r"\tMax Memory Used: (\d+) MB\t(?:Init Duration: (\d+\.\d\d) ms\t)?(?:Status: (\w+)\t)?(?:Error Type: (\S+)\t)?"
    r"(?:\nXRAY TraceId: (\S+)\tSegmentId: (\S+)\tSampled: true\t)?"
)


def outcome(*, init_s: float | None = None, peak_mb: int = 40, trace_header: str = "", error_type: str = "") -> Outcome:
    return Outcome(
        request_id="r-1",
        started_s=1_700_000_000.0,
        ended_s=1_700_000_000.25,
        init_s=init_s,
        peak_mb=peak_mb,
        stream="s",
        trace_header=trace_header,
        error_type=error_type,
    )


def report(found: Outcome) -> tuple[str | None, ...]:
    match = REPORT.fullmatch(lines(found, CONFIG, "")[-1])
    assert match
    return match.groups()


def test_a_warm_invocation() -> None:
    assert report(outcome()) == ("r-1", "250.00", "250", "128", "40", None, None, None, None, None)


def test_a_cold_start_is_announced_and_billed() -> None:
    """Since August 2025 billed = ceil(duration + init): 250 + 500.3 -> 751."""
    cold = outcome(init_s=0.5003)
    assert lines(cold, CONFIG, "")[0].startswith("INIT_START Runtime Version: python:3.13")
    assert report(cold)[2] == "751"
    assert report(cold)[5] == "500.30"


def test_a_timeout_says_so_twice() -> None:
    said = lines(outcome(error_type="Sandbox.Timedout"), CONFIG, "")
    assert said[-3].endswith("r-1 Task timed out after 3.00 seconds\n")
    assert report(outcome(error_type="Sandbox.Timedout"))[6:8] == ("timeout", None)


def test_a_crash_names_its_error_type_but_a_raised_error_does_not() -> None:
    assert report(outcome(error_type="Runtime.ExitError"))[6:8] == ("error", "Runtime.ExitError")
    assert report(outcome(error_type="ValueError"))[6:8] == (None, None)


def test_memory_use_is_clipped_at_the_size() -> None:
    assert report(outcome(peak_mb=700))[4] == "128"


def test_a_traced_invocation_names_its_trace() -> None:
    assert report(outcome(trace_header=TRACE))[8:] == ("1-5d83c0ad-b8eb33a0b1de97d804fac890", "31255c3b19bd3637")


def test_a_traceback_stays_one_event() -> None:
    said = lines(outcome(), CONFIG, "[ERROR] ValueError: x\rTraceback (most recent call last):\r\xa0File\nnext\n")
    assert said[1:3] == ["[ERROR] ValueError: x\nTraceback (most recent call last):\n\xa0File", "next"]


def test_the_json_format_reports_in_json() -> None:
    config = CONFIG | {"LoggingConfig": {"LogFormat": "JSON"}}
    record = json.loads(lines(outcome(init_s=0.1, error_type="ValueError"), config, "")[-1])
    assert record["type"] == "platform.report"
    assert record["record"]["status"] == "failure"
    assert record["record"]["metrics"] == {
        "durationMs": 250.0,
        "billedDurationMs": 350,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": 40,
        "initDurationMs": 100.0,
    }


def test_metrics_of_a_failure() -> None:
    found = {name: value for name, value, _ in metrics(outcome(error_type="ValueError"), in_flight=3)}
    assert found == {"Invocations": 1, "Errors": 1, "Throttles": 0, "Duration": 250.0, "ConcurrentExecutions": 3}


def test_segments_hang_together() -> None:
    service, function = segments(outcome(init_s=0.5, trace_header=TRACE), CONFIG, ["a" * 16, "b" * 16, "c" * 16])
    assert (service["origin"], function["origin"]) == ("AWS::Lambda", "AWS::Lambda::Function")
    assert function["parent_id"] == service["id"]
    start, invocation = function["subsegments"]
    assert start["end_time"] <= function["start_time"]
    assert invocation["id"] == "31255c3b19bd3637"


def test_an_untraced_invocation_has_no_segments() -> None:
    assert segments(outcome(), CONFIG, ["a", "b", "c"]) == []
