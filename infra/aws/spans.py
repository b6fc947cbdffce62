"""A time range -> its traces, from the spans that X-Ray keeps in a log group when Transaction Search is on.

X-Ray then lists and returns indexed traces only, 1 % unless told otherwise (CloudWatch User Guide, "Transaction
Search"). The log group is read by CloudWatch Logs Insights: USD 0.005 for a GB that a query scans (us-east-1; Amazon
CloudWatch pricing), up to 10,000 rows in an answer (CloudWatch Logs API Reference, GetQueryResults).
"""

import re
from collections.abc import Callable
from itertools import pairwise
from math import ceil
from time import sleep as wait

from botocore.client import BaseClient

from infra.aws.insights import POLL_S, ROWS, rows
from infra.aws.session import Json, call, error_code
from monitors.errors import AwsError
from monitors.traces import otel
from monitors.traces.documents import decode

GROUP = "aws/spans"
DIGITS = "0123456789abcdef"

_UNKNOWN_CALL = re.compile(r"Unknown|InvalidAction|NotImplemented|40[04]")  # how emulators of X-Ray refuse it

Progress = Callable[[int, int], None]
"""(windows read, windows known)"""
Window = tuple[int, int]
"""Whole epoch seconds, both included."""


def in_logs(xray: BaseClient) -> bool:
    """Whether X-Ray keeps this account's spans in the log group; AwsError if it won't say.

    An endpoint that doesn't know the question has no Transaction Search either.
    """
    try:
        return bool(call(xray, "GetTraceSegmentDestination").get("Destination") == "CloudWatchLogs")
    except AwsError as error:
        if _UNKNOWN_CALL.search(error_code(error)):
            return False
        raise


def read_spans(
    logs: BaseClient,
    *,
    start_s: float,
    end_s: float,
    limit: int,
    progress: Progress | None = None,
    sleep: Callable[[float], object] = wait,
) -> list[dict[str, Json]]:
    """About `limit` of the traces from `start_s` to `end_s` (epoch seconds), whole, at even distances; never more.

    They are chosen by the last digits of their ids, which are random (AWS X-Ray Developer Guide, "Trace ID format"; W3C
    Trace Context Level 2), so that busy times keep their share and no list of all ids is needed. The range is scanned
    twice, once to count and once to read, whatever the limit; a part of it again if it holds more than was expected.
    A trace that crosses a border of the range comes without what lies beyond, and of a single second 10,000 spans come
    at most.

    Raises:
        AwsError: a call or a query failed.
    """
    whole = int(start_s), ceil(end_s)
    counted = next(iter(answer(logs, "stats count_distinct(traceId) as traces, count(*) as spans", whole, sleep)), {})
    traces, spans = (int(float(counted.get(name) or 0)) for name in ("traces", "spans"))
    chosen, share = _choice(traces, limit)
    waiting = _parts(whole, ceil(2 * spans * share / ROWS))  # half full, since the load is not even
    messages: dict[str, str] = {}
    done = 0
    while waiting:
        low, high = waiting.pop()
        found = answer(logs, f"fields @message{chosen}", (low, high), sleep)
        if len(found) >= ROWS and high - low > 1:
            waiting.extend(_parts((low, high), 2))
            continue
        messages.update((row["@ptr"], row["@message"]) for row in found)  # windows share their borders
        done += 1
        if progress:
            progress(done, done + len(waiting))
    traced = sorted(otel.traces(map(_decoded, messages.values())), key=lambda trace: str(trace["Id"]))
    kept = min(limit, len(traced))
    return [traced[k * len(traced) // kept] for k in range(kept)]


def answer(
    logs: BaseClient, query: str, window: Window, sleep: Callable[[float], object] = wait
) -> list[dict[str, str]]:
    """The rows of a query over a window, at most ROWS, by field; AwsError if a call or the query failed."""
    asked = {"logGroupName": GROUP, "startTime": window[0], "endTime": window[1], "queryString": query, "limit": ROWS}
    return rows(logs, asked, target=GROUP, pause_s=POLL_S, sleep=sleep)


def _choice(traces: int, limit: int) -> tuple[str, float]:
    """(a command that keeps some traces, the share it keeps): at least limit ÷ traces, and below twice that."""
    share = max(limit, 1) / traces if traces else 1.0
    if share >= 1:
        return "", 1.0
    zeros = 0
    while share * len(DIGITS) <= 1:
        share *= len(DIGITS)
        zeros += 1
    first = ceil(share * len(DIGITS))
    return f" | filter traceId like /[{DIGITS[:first]}]{'0' * zeros}$/", first / len(DIGITS) ** (zeros + 1)


def _parts(window: Window, parts: int) -> list[Window]:
    """The window cut into parts of a second or more."""
    low, high = window
    parts = max(1, min(parts, high - low))
    borders = [low + (high - low) * k // parts for k in range(parts + 1)]
    return list(pairwise(borders))


def _decoded(message: str) -> object:
    try:
        return decode(message)
    except ValueError:
        return None
