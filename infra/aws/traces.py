"""A time range -> the traces that X-Ray recorded in it, in the shape of BatchGetTraces.

Limits: AWS X-Ray API Reference (GetTraceSummaries: 24 hours a call, of which 6 are asked here; BatchGetTraces: 5 ids,
none twice). X-Ray publishes no rates for these calls, so a throttled one waits and tries again.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import sleep as wait
from typing import Any

from botocore.client import BaseClient

from infra.aws.session import Json, call, error_code
from monitors.errors import AwsError

WINDOW_S = 6 * 3600
BATCH = 5
ATTEMPTS = 6
LONGEST_WAIT_S = 30.0

Progress = Callable[[int, int], None]
"""(traces read, traces to read)"""


def read_traces(
    client: BaseClient,
    *,
    start: float,
    end: float,
    limit: int | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], object] = wait,
) -> Iterator[dict[str, Json]]:
    """The traces begun from `start` to `end` (epoch seconds), oldest first within a small batch.

    With a `limit`, as many, spread evenly over all there are, so that busy times keep their share. A trace that X-Ray
    lists but does not return, however often asked, comes without segments, so that the report can count it.
    AwsError if a call fails; it is tried again as long as it is only throttled.
    """
    ids = _spread(sorted(_ids(client, start, end, sleep)), limit)
    for first in range(0, len(ids), BATCH):
        yield from _batch(client, ids[first : first + BATCH], sleep)
        if progress:
            progress(min(first + BATCH, len(ids)), len(ids))


def _ids(client: BaseClient, start: float, end: float, sleep: Callable[[float], object]) -> set[str]:
    """The id of every trace in the range; windows share their borders, hence a set."""
    found: set[str] = set()
    low = start
    while low < end:
        high = min(low + WINDOW_S, end)
        request = {"StartTime": datetime.fromtimestamp(low, UTC), "EndTime": datetime.fromtimestamp(high, UTC)}
        for page in _pages(client, "GetTraceSummaries", request, sleep):
            found.update(summary["Id"] for summary in page.get("TraceSummaries", ()) if "Id" in summary)
        low = high
    return found


def _spread(ids: Sequence[str], limit: int | None) -> Sequence[str]:
    """At most `limit` of the ids, at even distances; ids begin with their time."""
    if limit is None or len(ids) <= limit:
        return ids
    return [ids[k * len(ids) // limit] for k in range(limit)]


def _batch(client: BaseClient, ids: Sequence[str], sleep: Callable[[float], object]) -> list[dict[str, Json]]:
    """These traces, each once; segments that come on several pages are put together."""
    found: dict[str, dict[str, Any]] = {}
    missing = list(ids)
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(_pause_s(attempt - 1))
        unprocessed: set[str] = set()
        for page in _pages(client, "BatchGetTraces", {"TraceIds": missing}, sleep):
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


def _pages(
    client: BaseClient, operation: str, request: dict[str, Json], sleep: Callable[[float], object]
) -> Iterator[dict[str, Json]]:
    token: str | None = None
    while True:
        page = _answer(client, operation, {**request, "NextToken": token} if token else request, sleep)
        yield page
        token = page.get("NextToken")
        if not token:
            return


def _answer(
    client: BaseClient, operation: str, request: dict[str, Json], sleep: Callable[[float], object]
) -> dict[str, Json]:
    for attempt in range(ATTEMPTS - 1):
        try:
            return call(client, operation, request)
        except AwsError as error:
            if not error_code(error).startswith(("Throttl", "TooManyRequests")):
                raise
            sleep(_pause_s(attempt))
    return call(client, operation, request)


def _pause_s(attempt: int) -> float:
    return min(2.0**attempt, LONGEST_WAIT_S)
