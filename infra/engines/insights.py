"""The reports in log groups, added up by CloudWatch Logs Insights -> what functions used. The edge.

Each of the two questions (monitors/rightsize/questions.py) reads all that was logged, and costs by the GB. How much
that is, the metric IncomingBytes says: it counts uncompressed bytes, as Logs Insights does (CloudWatch Logs User Guide,
"Monitoring with CloudWatch metrics"), while the stored bytes of a log group are compressed, and of all its time.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import pairwise
from math import ceil
from time import sleep as wait
from typing import NamedTuple

import boto3
from botocore.client import BaseClient

from infra.aws.insights import ROWS, bytes_logged, rows
from infra.aws.session import client, error_code
from infra.aws.workers import each
from monitors import quotas
from monitors.cost import price
from monitors.errors import AwsError
from monitors.rightsize import questions
from monitors.rightsize.questions import Row
from monitors.rightsize.usage import Progress, Read, Usage, Use, merge

AT_ONCE = 20
"""Log groups in a query, of 50 that may be: from 1 ms to 15 minutes are 685 bins, so that few have more than ROWS."""
QUERIES = 5
"""Queries under way, of 100 that an account may have (CloudWatch Logs API Reference, StartQuery)."""


class _Share(NamedTuple):
    """What a query is about: log groups, and a time in epoch milliseconds, without its end."""

    groups: tuple[str, ...]
    start_ms: int
    end_ms: int


def read(
    session: boto3.Session,
    owners: Mapping[str, str],
    *,
    start_s: float,
    end_s: float,
    progress: Progress,
    say: Callable[[str], object],
    sleep: Callable[[float], object] = wait,
) -> Read:
    """What the reports say that were logged from `start_s` until `end_s` (epoch seconds) in log groups of the class
    Standard; in the notes, which log groups could not be read.

    `owners` tells log group -> function, for lines whose names don't tell. `say` hears what it costs before it starts.
    Log groups without bytes in that time, or that are gone, are not asked.

    Raises:
        AwsError: no log group at all could be read, or CloudWatch won't say how much they hold.
    """
    logged = bytes_logged(client(session, "cloudwatch"), list(owners), start_s=start_s, end_s=end_s)
    say(_cost(logged.values()))
    groups = [group for group in owners if logged.get(group)]
    window = round(start_s * 1000), round(end_s * 1000)
    shares = [_Share(tuple(groups[at : at + AT_ONCE]), *window) for at in range(0, len(groups), AT_ONCE)]
    usage: Usage = defaultdict(Use)
    failed: list[AwsError] = []
    work = partial(_read_share, client(session, "logs"), owners, sleep=sleep)
    for done, (_, found) in enumerate(each(work, shares, workers=QUERIES), start=1):
        if isinstance(found, AwsError):
            failed.append(found)
        else:
            merge(usage, found)
        progress(done, len(shares))
    if failed and len(failed) == len(shares):
        raise failed[0]
    return Read(usage, tuple(f"Not read: {error}" for error in failed))


def _cost(logged: Collection[float]) -> str:
    gb = sum(logged) / 1e9
    usd = price(ceil(2 * gb), quotas.LOGS_SCANNED_GB)
    return (
        f"Logs Insights is asked twice about {gb:,.1f} GB of logs: up to USD {usd:,.2f} at the price of "
        f"{quotas.PRICES_REGION}."
    )


def _read_share(
    logs: BaseClient, owners: Mapping[str, str], share: _Share, *, sleep: Callable[[float], object]
) -> Usage | AwsError:
    usage: Usage = defaultdict(Use)
    try:
        for row in _rows(logs, questions.INSIGHTS_DURATIONS, share, sleep):
            questions.add_durations(usage[questions.function_in(row, owners), questions.memory_mb(row)], row)
        # A sandbox begins with a cold start: half full, since the load is not even.
        sandboxes = sum(use.cold.total() for use in usage.values())
        for part in _parts(share, ceil(2 * sandboxes / ROWS)):
            for row in _rows(logs, questions.INSIGHTS_SANDBOXES, part, sleep):
                use = usage[questions.function_in(row, owners), questions.memory_mb(row)]
                questions.add_sandbox(use, row, stream=row.get("@logStream") or "")
    except AwsError as error:
        return error
    return usage


def _rows(logs: BaseClient, question: str, share: _Share, sleep: Callable[[float], object]) -> Iterator[Row]:
    """The rows of a share, or of its halves where they are more than an answer has, in the order of time."""
    asked = {
        "logGroupNames": list(share.groups),
        "startTime": share.start_ms // 1000,
        "endTime": ceil(share.end_ms / 1000),
        "queryString": questions.of_insights(question, start_ms=share.start_ms, end_ms=share.end_ms),
        "limit": ROWS,
    }
    more = f" and {len(share.groups) - 1} more" if len(share.groups) > 1 else ""
    halves = _halves(share)
    try:
        found = rows(logs, asked, target=share.groups[0] + more, sleep=sleep)
    except AwsError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        if not more:
            return  # the log group is gone
    else:
        if len(found) < ROWS or not halves:
            yield from found
            return
    for half in halves:
        yield from _rows(logs, question, half, sleep)


def _halves(share: _Share) -> list[_Share]:
    """By log groups as long as there are two, then by time; none of a single millisecond."""
    if middle := len(share.groups) // 2:
        return [share._replace(groups=share.groups[:middle]), share._replace(groups=share.groups[middle:])]
    return _parts(share, 2) if share.end_ms - share.start_ms > 1 else []


def _parts(share: _Share, parts: int) -> list[_Share]:
    """The share cut by time."""
    parts = max(parts, 1)
    span = share.end_ms - share.start_ms
    borders = [share.start_ms + span * part // parts for part in range(parts + 1)]
    return [share._replace(start_ms=low, end_ms=high) for low, high in pairwise(borders)]
