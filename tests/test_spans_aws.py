"""Reading traces from the log group of spans, against a fake that keeps Logs Insights' real limits."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from infra import reports
from infra.aws import spans
from monitors.errors import AwsError
from monitors.traces.reading import read_trace
from tests.aws import Aws, meta

T0 = 1_700_000_040
HOUR = 3600
DAY = 86_400


def refused(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


def span(trace: int, number: int, at_s: int) -> dict[str, Any]:
    """A span of a trace whose id ends in its number; the first is the root."""
    return {
        "traceId": f"{T0:08x}{trace:024x}",
        "spanId": f"{trace * 1000 + number + 1:016x}",
        "parentSpanId": f"{trace * 1000 + 1:016x}" if number else None,
        "kind": "SERVER" if number == 0 else "INTERNAL",
        "startTimeUnixNano": at_s * 10**9,
        "endTimeUnixNano": at_s * 10**9 + 1,
    }


class Logs:
    """Events by second; the queries asked here, answered at the third time of asking, newest first."""

    def __init__(self, events: list[tuple[int, str]], *, statuses: tuple[str, ...] = ("Scheduled", "Running")) -> None:
        self.meta = meta("logs")
        self.events = events
        self.statuses = statuses
        self.waiting: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.failure = ""

    def start_query(self, **request: Any) -> dict[str, Any]:
        self._check("StartQuery", request)
        if self.failure:
            raise refused("StartQuery", self.failure)
        assert request["logGroupName"] == "aws/spans"
        self.asked.append(request)
        self.waiting = [*self.statuses]
        return {"queryId": str(len(self.asked) - 1)}

    def get_query_results(self, **request: Any) -> dict[str, Any]:
        self._check("GetQueryResults", request)
        if self.waiting:
            return {"status": self.waiting.pop(0), "results": [[{"field": "@message", "value": "partial"}]]}
        asked = self.asked[int(request["queryId"])]
        inside = [(n, text) for n, (at, text) in enumerate(self.events) if asked["startTime"] <= at <= asked["endTime"]]
        if asked["queryString"].startswith("stats"):
            ids = {json.loads(text)["traceId"] for _, text in inside}
            cells = {"traces": str(len(ids)), "spans": f"{float(len(inside))}"}
            return {"status": "Complete", "results": [[{"field": k, "value": v} for k, v in cells.items()]]}
        pattern = re.search(r"traceId like /(.*)/", asked["queryString"])
        rows = [
            [{"field": "@message", "value": text}, {"field": "@ptr", "value": str(n)}]
            for n, text in reversed(inside)
            if not pattern or re.search(pattern[1], json.loads(text)["traceId"])
        ]
        return {"status": "Complete", "results": rows[: asked["limit"]]}

    def _check(self, operation: str, request: dict[str, Any]) -> None:
        shape = self.meta.service_model.operation_model(operation).input_shape
        assert not ParamValidator().validate(request, shape).has_errors()


def events(traces: int, *, every_s: int = 10, size: int = 3) -> list[tuple[int, str]]:
    return [(T0 + n * every_s, json.dumps(span(n, k, T0 + n * every_s))) for n in range(traces) for k in range(size)]


def read(logs: Logs, *, limit: int, hours: float = 1, **more: Any) -> tuple[list[dict[str, Any]], list[float]]:
    waits: list[float] = []
    found = spans.read_spans(logs, start_s=T0, end_s=T0 + hours * HOUR, limit=limit, sleep=waits.append, **more)
    return found, waits


def test_every_trace_comes_once_and_whole() -> None:
    logs = Logs(events(20))
    found, waits = read(logs, limit=100)
    assert [trace["Id"] for trace in found] == [f"1-{T0:08x}-{n:024x}" for n in range(20)]
    assert [len(read_trace(trace).spans) for trace in found] == [3] * 20
    assert (logs.asked[0]["startTime"], logs.asked[0]["endTime"]) == (T0, T0 + HOUR)
    assert len(logs.asked) == 2
    assert waits == [1.0] * 6


def test_an_even_load_is_scanned_once_to_count_and_once_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace every three minutes, 60 spans: ten windows of six minutes, half as full as they may be, hold them."""
    monkeypatch.setattr(spans, "ROWS", 12)
    logs = Logs(events(20, every_s=180))
    assert len(read(logs, limit=100)[0]) == 20
    assert sorted(asked["endTime"] - asked["startTime"] for asked in logs.asked) == [360] * 10 + [HOUR]


def test_windows_are_cut_until_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 spans in the first 200 of 3,600 seconds, 12 an answer: what comes at the borders comes once."""
    monkeypatch.setattr(spans, "ROWS", 12)
    logs = Logs(events(20))
    done: list[tuple[int, int]] = []
    found, _ = read(logs, limit=100, progress=lambda *now: done.append(now))
    assert [len(read_trace(trace).spans) for trace in found] == [3] * 20
    assert {repair for trace in found for repair in read_trace(trace).repairs} == {("separate subsegment merged", 2)}
    assert [number for number, _ in done] == list(range(1, len(done) + 1))
    assert done[-1] == (len(done), len(done))


def test_a_second_with_more_than_fit_gives_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "ROWS", 12)
    found, _ = read(Logs(events(5, every_s=0, size=10)), limit=100)
    assert 12 <= sum(len(trace["Segments"]) for trace in found) < 50


@pytest.mark.parametrize(
    ("limit", "filtered"), [(200, ""), (100, "/[01234567]$/"), (13, "/[01]$/"), (12, "/[0123456789abcdef]0$/")]
)
def test_a_limit_chooses_by_the_end_of_the_id(limit: int, filtered: str) -> None:
    """Of 200 traces 100 are 8 in 16, 13 just above 1 in 16, 12 just below: all that end in 0."""
    logs = Logs(events(200))
    found, _ = read(logs, limit=limit)
    assert len(found) == limit
    assert all(len(read_trace(trace).spans) == 3 for trace in found)
    assert logs.asked[1]["queryString"] == "fields @message" + (
        f" | filter traceId like {filtered}" if filtered else ""
    )


def test_a_limit_keeps_every_time_s_share() -> None:
    """180 traces in the first half hour, 20 in the second: 20 of them are 18 and 2, give or take the ids' chance."""
    made = events(180) + [(T0 + 1800 + n, json.dumps(span(180 + n, 0, T0 + 1800 + n))) for n in range(20)]
    found, _ = read(Logs(made), limit=20)
    late = [trace for trace in found if read_trace(trace).spans[0].start >= (T0 + 1800) * 1_000_000]
    assert len(found) == 20
    assert 1 <= len(late) <= 4


@given(limit=st.integers(1, 10**5), times=st.floats(0.5, 256))
def test_the_choice_is_at_least_the_limit_and_below_twice(limit: int, times: float) -> None:
    """Of up to 256 times as many traces, by at most three digits."""
    traces = ceil(limit * times)
    command, share = spans._choice(traces, limit)
    if limit >= traces:
        assert (command, share) == ("", 1.0)
    else:
        assert limit <= traces * share * (1 + 1e-9)
        assert traces * share < 2 * limit * (1 + 1e-9)
        pattern = re.search(r"/(.*)/", command)
        assert pattern
        assert sum(bool(re.search(pattern[1], f"{n:03x}")) for n in range(16**3)) == share * 16**3


def test_no_spans_are_no_traces() -> None:
    assert read(Logs([]), limit=10)[0] == []
    assert read(Logs(events(3)), limit=0)[0] == []


def test_a_message_that_is_no_span_is_there_to_be_counted() -> None:
    logs = Logs([*events(1), (T0, '{"traceId": "x"}')])
    found, _ = read(logs, limit=10)
    assert [trace["Id"] for trace in found] == ["", f"1-{T0:08x}-{0:024x}"]


def test_a_query_that_ends_otherwise_says_so() -> None:
    with pytest.raises(AwsError, match="aws/spans ended as Timeout"):
        read(Logs([], statuses=("Running", "Timeout")), limit=10)


def test_what_is_not_allowed_is_named() -> None:
    logs = Logs([])
    logs.failure = "AccessDeniedException"
    with pytest.raises(AwsError, match=r"logs:StartQuery of aws/spans .* Allow logs:StartQuery"):
        read(logs, limit=10)


class XRay:
    def __init__(self, answer: Callable[[], dict[str, Any]]) -> None:
        self.meta = meta("xray")
        self.answer = answer

    def get_trace_segment_destination(self) -> dict[str, Any]:
        return self.answer()


@pytest.mark.parametrize(("destination", "in_logs"), [("XRay", False), ("CloudWatchLogs", True)])
def test_where_the_spans_are(destination: str, in_logs: bool) -> None:
    operation = meta("xray").service_model.operation_model("GetTraceSegmentDestination")
    assert destination in operation.output_shape.members["Destination"].enum
    assert spans.in_logs(XRay(lambda: {"Destination": destination, "Status": "ACTIVE"})) is in_logs


def test_an_endpoint_without_the_question_has_no_such_log_group() -> None:
    def refuse(code: str) -> Callable[[], dict[str, Any]]:
        def answer() -> dict[str, Any]:
            raise refused("GetTraceSegmentDestination", code)

        return answer

    for code in ("404", "400", "UnknownOperationException"):
        assert spans.in_logs(XRay(refuse(code))) is False
    with pytest.raises(AwsError, match="Allow xray:GetTraceSegmentDestination"):
        spans.in_logs(XRay(refuse("AccessDeniedException")))


# --- infra.reports -------------------------------------------------------------------------------


def invoked(n: int, at_s: int, ms: int) -> str:
    """One invocation of `shop`, as its handler's span."""
    more = {
        "endTimeUnixNano": at_s * 10**9 + ms * 10**6,
        "resource": {"attributes": {"cloud.platform": "aws_lambda", "faas.name": "shop"}},
    }
    return json.dumps(span(n, 0, at_s) | more)


def account(destination: str, logs: Logs) -> Aws:
    """An account whose one function was invoked ten times in every minute."""
    minutes = [datetime.fromtimestamp(at, UTC) for at in range(T0, T0 + 2 * DAY, 60)]
    counted = {"Timestamps": minutes, "Values": [10.0] * len(minutes)}
    return Aws(
        {
            "xray:GetTraceSegmentDestination": {"Destination": destination, "Status": "ACTIVE"},
            "xray:GetTraceSummaries": {"TraceSummaries": []},
            "lambda:ListFunctions": {"Functions": [{"FunctionName": "shop"}]},
            "cloudwatch:GetMetricData": lambda asked, _: {
                "MetricDataResults": [counted | {"Id": one["Id"]} for one in asked["MetricDataQueries"]]
            },
            "logs:StartQuery": lambda asked, _: logs.start_query(**asked),
            "logs:GetQueryResults": lambda asked, _: logs.get_query_results(**asked),
        }
    )


def test_the_latency_report_is_of_spans_where_x_ray_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine invocations on each of two days, a minute apart: 100 ms, then 200 ms, each one of ten in its minute."""
    monkeypatch.setattr(spans, "POLL_S", 0.0)
    made = [(T0 + DAY * day + 60 * n + 30, day, n) for day in (0, 1) for n in range(9)]
    logs = Logs([(at, invoked(100 * day + n, at, 100 + 100 * day)) for at, day, n in made], statuses=())
    own = account("CloudWatchLogs", logs)
    found, window = reports.latency(own.session, end_s=T0 + 2 * DAY, days=1)
    assert (found.traces_read, found.start, found.end) == (9, T0 + DAY, T0 + 2 * DAY)
    (shop,) = found.functions
    assert (shop.function, shop.traces, shop.response.p50_ms) == ("shop", 9, pytest.approx(200))
    assert shop.requests == pytest.approx(90)
    assert len(window.requests["shop"]) == 9
    assert reports.FROM_SPANS in found.notes
    assert own.count("xray:GetTraceSummaries") == 0


def test_the_latency_report_is_of_x_ray_where_it_keeps_traces_itself() -> None:
    own = account("XRay", Logs([]))
    found, _ = reports.latency(own.session, end_s=T0 + 2 * DAY, days=1)
    assert own.count("xray:GetTraceSummaries") > 0
    assert own.count("logs:StartQuery") == 0
    assert reports.FROM_SPANS not in found.notes
