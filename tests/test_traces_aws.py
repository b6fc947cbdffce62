"""Listing and reading traces of X-Ray, within its limits."""

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.aws.session import client
from infra.aws.traces import list_traces, read_traces
from monitors.errors import AwsError
from tests.xray import XRay

T0 = 1_700_000_000
HOUR = 3600


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.aws.pace.time.sleep", lambda _: None)


def listed(xray: XRay, hours: float, **more: Any) -> list[str]:
    found = list_traces(client(xray.session, "xray"), start_s=T0, end_s=T0 + hours * HOUR, **more)
    return [trace.id for trace in found.traces]


def read(xray: XRay, ids: list[str], **more: Any) -> tuple[dict[str, Any], list[float]]:
    """The traces by id, each of which comes once, and the waits."""
    waits: list[float] = []
    found = list(read_traces(client(xray.session, "xray"), ids, sleep=waits.append, **more))
    by_id = {trace["Id"]: trace for trace in found}
    assert len(by_id) == len(found)
    return by_id, waits


# --- listing -------------------------------------------------------------------------------------


def test_every_trace_is_listed_once() -> None:
    """Thirteen, on both borders and on those between windows, over several pages."""
    xray = XRay([T0 + n * HOUR for n in range(13)])
    seen: list[tuple[int, int]] = []
    assert listed(xray, 12, progress=lambda done, total: seen.append((done, total))) == xray.ids
    assert {(end - start).total_seconds() for start, end in xray.windows} == {6 * HOUR}
    assert seen == [(1, 2), (2, 2)]


def test_the_last_window_is_as_short_as_the_range() -> None:
    xray = XRay([T0 + 25_000, T0 + 26_000])
    assert listed(xray, 7) == xray.ids[:1]
    lengths = sorted((end - start).total_seconds() for start, end in xray.windows)
    assert lengths == [HOUR, HOUR, 6 * HOUR, 6 * HOUR], "each is looked at first, and then listed"


def test_times_go_out_in_utc() -> None:
    xray = XRay([])
    assert listed(xray, 1) == []
    assert {start for start, _ in xray.windows} == {datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)}


# --- reading -------------------------------------------------------------------------------------


def test_every_trace_comes_once_and_whole() -> None:
    """However often it is asked for."""
    xray = XRay([T0 + n for n in range(13)])
    seen: list[tuple[int, int]] = []
    found, waits = read(xray, [*xray.ids, *xray.ids[:4]], progress=lambda done, total: seen.append((done, total)))
    assert found.keys() == set(xray.ids)
    assert {tuple(segment["Id"] for segment in trace["Segments"]) for trace in found.values()} == {("0", "1")}
    assert sorted(len(batch) for batch in xray.batches) == [3, 5, 5]
    assert (len(seen), seen[-1]) == (3, (13, 13))
    assert waits == []


def test_unprocessed_traces_are_asked_for_again() -> None:
    xray = XRay([T0 + n for n in range(5)])
    xray.busy = Counter({xray.ids[1]: 2})
    found, waits = read(xray, xray.ids)
    assert [len(trace["Segments"]) for trace in found.values()] == [2] * 5
    assert xray.batches[1:] == [[xray.ids[1]], [xray.ids[1]]]
    assert waits == [1.0, 2.0]


def test_what_never_comes_is_not_lost_sight_of() -> None:
    xray = XRay([T0, T0 + 1, T0 + 2])
    xray.busy = Counter({xray.ids[0]: 10**9})
    xray.unknown = {xray.ids[2]}
    found, waits = read(xray, xray.ids)
    assert [len(found[trace_id]["Segments"]) for trace_id in xray.ids] == [0, 2, 0]
    assert len(xray.batches) == 6
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_throttling_loses_nothing() -> None:
    """Every third call is refused, as X-Ray does when asked too fast."""
    xray = XRay([T0 + n for n in range(60)])
    calls = iter(range(10**6))
    xray.refuses = lambda *_: ("ThrottledException", "Rate exceeded", 429) if next(calls) % 3 == 2 else None
    assert listed(xray, 1) == xray.ids
    found, _ = read(xray, xray.ids)
    assert found.keys() == set(xray.ids)
    assert all(len(trace["Segments"]) == 2 for trace in found.values())


def test_endless_throttling_ends() -> None:
    xray = XRay([T0])
    xray.refuses = lambda *_: ("ThrottledException", "Rate exceeded", 429)
    with pytest.raises(AwsError, match="ThrottledException"):
        read(xray, xray.ids)


def test_any_other_failure_names_the_missing_permission() -> None:
    xray = XRay([T0])
    xray.refuses = lambda *_: ("AccessDeniedException", "no", 403)
    with pytest.raises(AwsError, match="xray:GetTraceSummaries"):
        listed(xray, 1)


def test_no_more_than_a_few_calls_are_under_way() -> None:
    xray = XRay([T0 + n for n in range(100)])
    under_way, most = 0, 0
    gate = threading.Condition()
    answer = xray.batch

    def slow(request: Any, region: str) -> Any:
        nonlocal under_way, most
        with gate:
            under_way += 1
            most = max(most, under_way)
            gate.wait(0.01)
            under_way -= 1
        return answer(request, region)

    xray.replies["xray:BatchGetTraces"] = slow
    read(xray, xray.ids)
    assert 1 < most <= 4
