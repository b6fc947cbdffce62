"""A time range -> what X-Ray lists of its traces; trace ids -> the traces, in the shape of BatchGetTraces.

Limits: AWS X-Ray API Reference (GetTraceSummaries: 24 hours a call, of which 6 are asked here, and SamplingStrategy for
a part of them; BatchGetTraces: 5 ids, none twice). X-Ray publishes no rates for these calls: the client's pace
(infra.aws.pace) finds them.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import sleep as wait
from typing import Any, NamedTuple

from botocore.client import BaseClient

from infra.aws.session import Json, call
from infra.aws.workers import each
from monitors.quotas import TRACES_PER_CALL
from monitors.traces.choosing import Recorded, recorded

WINDOW_S = 6 * 3600
MOST_LISTED = 200_000
"""Traces of a range that are listed; of more, a part drawn evenly. A busy account has millions a week, and the report
reads some hundreds of each function."""
FIRST_LOOK = 0.001
"""The part that is listed to see how many there are."""
IN_FLIGHT = 4
"""Calls under way at once: with some 100 ms for each, enough for any rate that X-Ray was seen to allow."""
ATTEMPTS = 6
LONGEST_WAIT_S = 30.0

Progress = Callable[[int, int], None]
"""(done, to do)"""


class Listed(NamedTuple):
    traces: list[Recorded]
    """Each once, oldest first."""
    part: float
    """Of all that X-Ray has: 1, or less where these were drawn."""


def list_traces(client: BaseClient, *, start_s: float, end_s: float, progress: Progress | None = None) -> Listed:
    """The traces begun from `start_s` to `end_s` (epoch seconds), or an even part of them where they are too many.

    AwsError if a call fails.
    """
    windows = list(_windows(start_s, end_s))
    there = len(_all_listed(client, windows, FIRST_LOOK)) / FIRST_LOOK
    part = min(1.0, MOST_LISTED / there) if there else 1.0
    return Listed(_all_listed(client, windows, part, progress), part)


def _all_listed(
    client: BaseClient, windows: Sequence[tuple[float, float]], part: float, progress: Progress | None = None
) -> list[Recorded]:
    found: dict[str, Recorded] = {}
    listing = each(lambda span: _listed(client, span, part), windows, workers=IN_FLIGHT)
    for done, (_, traces) in enumerate(listing, start=1):
        found.update((trace.id, trace) for trace in traces)  # windows share their borders
        if progress:
            progress(done, len(windows))
    return [found[trace_id] for trace_id in sorted(found)]


def read_traces(
    client: BaseClient,
    ids: Sequence[str],
    *,
    progress: Progress | None = None,
    sleep: Callable[[float], object] = wait,
) -> Iterator[dict[str, Json]]:
    """The traces with these ids, each once, in whatever order they come.

    One that X-Ray lists but does not return, however often asked, comes without segments, so that the report can
    count it. AwsError if a call fails, or is throttled for as long as the client tries.
    """
    wanted = list(dict.fromkeys(ids))
    batches = [wanted[first : first + TRACES_PER_CALL] for first in range(0, len(wanted), TRACES_PER_CALL)]
    read = 0
    for _, traces in each(lambda batch: _batch(client, batch, sleep), batches, workers=IN_FLIGHT):
        yield from traces
        read += len(traces)
        if progress:
            progress(read, len(wanted))


def _windows(start_s: float, end_s: float) -> Iterator[tuple[float, float]]:
    low = start_s
    while low < end_s:
        high = min(low + WINDOW_S, end_s)
        yield low, high
        low = high


def _listed(client: BaseClient, span: tuple[float, float], part: float) -> list[Recorded]:
    start, end = (datetime.fromtimestamp(at_s, UTC) for at_s in span)
    asked: dict[str, Json] = {"StartTime": start, "EndTime": end}
    if part < 1:
        asked |= {"Sampling": True, "SamplingStrategy": {"Name": "FixedRate", "Value": part}}
    pages = _pages(client, "GetTraceSummaries", asked)
    summaries = (summary for page in pages for summary in page.get("TraceSummaries", ()))
    return [trace for summary in summaries if (trace := recorded(summary))]


def _batch(client: BaseClient, ids: Sequence[str], sleep: Callable[[float], object]) -> list[dict[str, Json]]:
    """These traces, each once; segments that come on several pages are put together."""
    found: dict[str, dict[str, Any]] = {}
    missing = list(ids)
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(min(2.0 ** (attempt - 1), LONGEST_WAIT_S))
        unprocessed: set[str] = set()
        for page in _pages(client, "BatchGetTraces", {"TraceIds": missing}):
            unprocessed.update(page.get("UnprocessedTraceIds", ()))
            for trace in page.get("Traces", ()):
                if "Id" in trace:
                    _put_together(trace, found)
        missing = [trace_id for trace_id in missing if trace_id in unprocessed and trace_id not in found]
        if not missing:
            break
    return [found.get(trace_id) or {"Id": trace_id, "Segments": []} for trace_id in ids]


def _put_together(trace: dict[str, Json], found: dict[str, dict[str, Json]]) -> None:
    earlier = found.get(trace["Id"])
    if earlier is None:
        found[trace["Id"]] = {**trace, "Segments": list(trace.get("Segments", ()))}
        return
    earlier["Segments"].extend(trace.get("Segments", ()))
    earlier["LimitExceeded"] = bool(earlier.get("LimitExceeded") or trace.get("LimitExceeded"))


def _pages(client: BaseClient, operation: str, request: dict[str, Json]) -> Iterator[dict[str, Json]]:
    token: str | None = None
    while True:
        page = call(client, operation, {**request, "NextToken": token} if token else request)
        yield page
        token = page.get("NextToken")
        if not token:
            return
