"""All spans of an account, added up where they lie -> counts by function and by call, for each of several windows. The
edge.

CloudWatch Logs Insights reads the log group `aws/spans` once for each question of monitors/traces/spanquestions.py, and
costs by the GB; how much that is, the metric IncomingBytes should say, as it does of other log groups. Athena asks the
table `spans` in the archive's database, which is for whoever exports the log group there to make: a span's JSON in a
column `message`, partitions by `day` (`2026-11-24`).
"""

from collections.abc import Callable, Sequence
from math import ceil, inf, isfinite
from time import sleep as wait
from typing import NamedTuple

import boto3

from infra.aws.insights import ROWS, bytes_logged
from infra.aws.session import client
from infra.aws.spans import GROUP, answer
from infra.engines import athena
from monitors import quotas
from monitors.cost import price
from monitors.errors import AwsError
from monitors.traces.counted import NOTHING, Counts, Row, counts
from monitors.traces.spanquestions import CALLS, FUNCTIONS, of_archive, of_insights

INSIGHTS, ATHENA = "insights", "athena"
QUESTIONS = (FUNCTIONS, CALLS)
MOST_USD = 1.0
"""What counting may cost unless an engine is asked for."""

Window = tuple[float, float]
"""Epoch seconds, the end not included."""


class Cost(NamedTuple):
    usd: float
    """At most; infinite where it isn't known."""
    words: str


class Counting(NamedTuple):
    counts: tuple[Counts, ...]
    """Of each window; NOTHING of all where there was no counting."""
    notes: tuple[str, ...]


def cost(session: boto3.Session, windows: Sequence[Window], *, engine: str = "") -> Cost:
    """What `counted` costs; AwsError if CloudWatch won't say how much the log group holds."""
    if engine == ATHENA:
        times = len(QUESTIONS) * len(windows)
        usd = times * price(1, quotas.ATHENA_SCANNED_TB) * athena.STOPPED_AT_BYTES / 2**40
        return Cost(usd, f"Athena is asked {times} times about spans: {_up_to(usd)}")
    start_s, end_s = min(low for low, _ in windows), max(high for _, high in windows)
    logged = bytes_logged(client(session, "cloudwatch"), [GROUP], start_s=start_s, end_s=end_s)[GROUP]
    if not logged:
        return Cost(inf, f"What counting all spans costs is not known: CloudWatch has no bytes coming in to {GROUP}.")
    gb = logged / 1e9
    usd = price(ceil(len(QUESTIONS) * gb), quotas.LOGS_SCANNED_GB)
    return Cost(
        usd, f"Counting all spans has Logs Insights read {gb:,.1f} GB twice, as choosing traces does: {_up_to(usd)}"
    )


def counted(
    session: boto3.Session,
    windows: Sequence[Window],
    *,
    engine: str = "",
    sleep: Callable[[float], object] = wait,
) -> Counting:
    """What all spans that began in each window say of functions and calls.

    Unless an `engine` is asked for, Logs Insights is, as far as it costs no more than MOST_USD; if it costs more, or
    fails, a note says so.

    Raises:
        AwsError: the engine asked for failed.
        InputError: sqlglot, of the extra `engines`, is not there for Athena.
    """
    try:
        price_ = cost(session, windows, engine=engine)
        if not engine and price_.usd > MOST_USD:
            above = f"Above USD {MOST_USD:.2f}" if isfinite(price_.usd) else "Unpriced,"
            return _nothing(windows, f"{price_.words} {above} that waits for --engine insights.")
        found = [_asked(session, window, engine or INSIGHTS, sleep) for window in windows]
    except AwsError as error:
        if engine:
            raise
        return _nothing(windows, str(error))
    full = any(len(rows) >= ROWS for answers in found for rows in answers) and engine != ATHENA
    note = f"There are more functions, or calls, than the {ROWS:,} rows of an answer: only those of most spans count."
    return Counting(tuple(counts(*answers) for answers in found), (note,) if full else ())


def _asked(session: boto3.Session, window: Window, engine: str, sleep: Callable[[float], object]) -> list[list[Row]]:
    """The rows of the answers to both questions."""
    if engine == ATHENA:
        sql = [athena.translated(of_archive(one, start_s=window[0], end_s=window[1])) for one in QUESTIONS]
        return [list(athena.rows(client(session, "athena"), query, sleep, table="spans")) for query in sql]
    logs, seconds = client(session, "logs"), (int(window[0]), ceil(window[1]) - 1)
    return [list(answer(logs, of_insights(question), seconds, sleep)) for question in QUESTIONS]


def _nothing(windows: Sequence[Window], why: str) -> Counting:
    return Counting((NOTHING,) * len(windows), (f"Not all spans were counted: {why}",))


def _up_to(usd: float) -> str:
    return f"up to USD {usd:,.2f} at the price of {quotas.PRICES_REGION}."
