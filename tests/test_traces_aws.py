"""Reading traces from X-Ray, against a fake that keeps X-Ray's real limits."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from infra.aws.traces import read_traces
from monitors.errors import AwsError

MODEL = botocore.session.get_session().get_service_model("xray")
T0 = 1_700_000_000
PAGE = 3


def refused(operation: str, code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class XRay:
    """Traces by id, each at the time its id says; five ids a call, none twice; 24 hours a window; three ids a page."""

    def __init__(self, times: list[int], *, failures: dict[str, list[str]] | None = None) -> None:
        self.ids = [f"1-{time:08x}-{n:024x}" for n, time in enumerate(times)]
        self.failures = failures or {}
        self.busy: dict[str, int] = {}
        self.unknown: set[str] = set()
        self.batches: list[list[str]] = []
        self.windows: list[float] = []
        self.meta = SimpleNamespace(region_name="eu-west-1", service_model=MODEL)

    def get_trace_summaries(self, **request: Any) -> dict[str, Any]:
        self.check("GetTraceSummaries", request)
        start, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
        if end - start > 86_400:
            raise refused("GetTraceSummaries", "InvalidRequestException", "Time range cannot be longer than 24 hours")
        self.windows.append(end - start)
        inside = [i for i in self.ids if start <= int(i[2:10], 16) <= end][::-1]
        first = int(request.get("NextToken", "0"))
        more = {"NextToken": str(first + PAGE)} if first + PAGE < len(inside) else {}
        return {"TraceSummaries": [{"Id": i} for i in inside[first : first + PAGE]], **more}

    def batch_get_traces(self, **request: Any) -> dict[str, Any]:
        """Each trace's two segments come on two pages."""
        self.check("BatchGetTraces", request)
        ids = request["TraceIds"]
        if len(ids) > 5 or len(set(ids)) < len(ids):
            raise refused("BatchGetTraces", "InvalidRequestException", "at most five ids, none twice")
        page = int(request.get("NextToken", "0"))
        if not page:
            self.batches.append(ids)
        unprocessed = [i for i in ids if self.busy.get(i, 0) > 0]
        if page or not unprocessed:
            self.busy = {i: left - (i in ids) for i, left in self.busy.items()}
        ready = [i for i in ids if i not in unprocessed and i not in self.unknown]
        segments = [{"Id": f"{page}", "Document": "{}"}]
        return {
            "Traces": [{"Id": i, "Duration": 1.0, "LimitExceeded": False, "Segments": segments} for i in ready],
            "UnprocessedTraceIds": unprocessed,
            **({} if page else {"NextToken": "1"}),
        }

    def check(self, operation: str, request: dict[str, Any]) -> None:
        if self.failures.get(operation):
            raise refused(operation, self.failures[operation].pop(), "no")
        shape = MODEL.operation_model(operation).input_shape
        assert not ParamValidator().validate(request, shape).has_errors()


def read(client: XRay, hours: float, **more: Any) -> tuple[list[dict[str, Any]], list[float]]:
    waits: list[float] = []
    found = read_traces(client, start=T0, end=T0 + hours * 3600, sleep=waits.append, **more)
    return list(found), waits


def test_every_trace_comes_once_and_whole() -> None:
    client = XRay([T0 + n * 3600 for n in range(13)])  # on both borders, and on those between windows
    seen: list[tuple[int, int]] = []
    found, waits = read(client, 12, progress=lambda done, total: seen.append((done, total)))
    assert [trace["Id"] for trace in found] == client.ids
    assert {tuple(segment["Id"] for segment in trace["Segments"]) for trace in found} == {("0", "1")}
    assert set(client.windows) == {6 * 3600.0}
    assert [len(batch) for batch in client.batches] == [5, 5, 3]
    assert seen == [(5, 13), (10, 13), (13, 13)]
    assert waits == []


def test_the_last_window_is_as_short_as_the_range() -> None:
    client = XRay([T0 + 25_000, T0 + 26_000])
    found, _ = read(client, 7)
    assert [trace["Id"] for trace in found] == client.ids[:1]
    assert client.windows[-1] == 3600


def test_a_limit_keeps_every_times_share() -> None:
    """90 traces in a busy hour, 10 in a quiet one: 10 of them are 9 and 1."""
    client = XRay([T0 + n for n in range(90)] + [T0 + 3600 + n for n in range(10)])
    found, _ = read(client, 2, limit=10)
    assert sum(int(trace["Id"][2:10], 16) >= T0 + 3600 for trace in found) == 1
    assert len(found) == 10
    assert len(read(client, 2, limit=1000)[0]) == 100
    assert read(client, 2, limit=0)[0] == []


def test_unprocessed_traces_are_asked_for_again() -> None:
    client = XRay([T0 + n for n in range(5)])
    client.busy = {client.ids[1]: 2}
    found, waits = read(client, 1)
    assert [len(trace["Segments"]) for trace in found] == [2] * 5
    assert client.batches[1:] == [[client.ids[1]], [client.ids[1]]]
    assert waits == [1.0, 2.0]


def test_what_never_comes_is_not_lost_sight_of() -> None:
    client = XRay([T0, T0 + 1, T0 + 2])
    client.busy = {client.ids[0]: 10**9}
    client.unknown = {client.ids[2]}
    found, waits = read(client, 1)
    assert [(trace["Id"], len(trace["Segments"])) for trace in found] == list(zip(client.ids, (0, 2, 0), strict=True))
    assert len(client.batches) == 6
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_throttling_waits_longer_each_time() -> None:
    failures = {"GetTraceSummaries": ["ThrottledException"] * 3, "BatchGetTraces": ["ThrottlingException"]}
    client = XRay([T0], failures=failures)
    found, waits = read(client, 1)
    assert len(found) == 1
    assert waits == [1.0, 2.0, 4.0, 1.0]


def test_endless_throttling_ends() -> None:
    client = XRay([T0], failures={"BatchGetTraces": ["ThrottledException"] * 100})
    with pytest.raises(AwsError, match="ThrottledException"):
        read(client, 1)


def test_any_other_failure_names_the_missing_permission() -> None:
    client = XRay([T0], failures={"GetTraceSummaries": ["AccessDeniedException"]})
    with pytest.raises(AwsError, match="xray:GetTraceSummaries"):
        read(client, 1)


def test_times_go_out_in_utc() -> None:
    sent: list[datetime] = []
    client = XRay([])
    answer = client.get_trace_summaries
    client.get_trace_summaries = lambda **request: sent.append(request["StartTime"]) or answer(**request)  # type: ignore[method-assign, func-returns-value]  # a fake that listens
    read(client, 1)
    assert sent == [datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)]
