"""The records of Lambda Insights, added up by CloudWatch Logs Insights -> the CPU time of functions. The edge."""

from collections.abc import Callable, Mapping
from math import ceil
from time import sleep as wait
from typing import NamedTuple

import boto3

from infra.aws.insights import bytes_logged, rows
from infra.aws.session import client
from monitors import quotas
from monitors.cost import price
from monitors.errors import AwsError
from monitors.rightsize.cputime import GROUP, QUESTION, CpuTime, cpu_times
from monitors.rightsize.usage import Key


class CpuTimes(NamedTuple):
    """What Lambda Insights says of an account and Region."""

    by_key: Mapping[Key, CpuTime]
    notes: tuple[str, ...]
    """Why there is none, in words; empty where nothing runs with Lambda Insights."""


def read(
    session: boto3.Session,
    *,
    start_s: float,
    end_s: float,
    say: Callable[[str], object],
    sleep: Callable[[float], object] = wait,
) -> CpuTimes:
    """The CPU time of warm invocations from `start_s` until `end_s` (epoch seconds), by one query.

    `say` hears what it costs before it starts. Where no record came in then, nothing is asked and nothing said. An
    error of AWS is told in the notes: there is other evidence.
    """
    try:
        logged = bytes_logged(client(session, "cloudwatch"), [GROUP], start_s=start_s, end_s=end_s)
        gb = logged[GROUP] / 1e9
        if not gb:
            return CpuTimes({}, ())
        usd = price(ceil(gb), quotas.LOGS_SCANNED_GB)
        say(
            f"Logs Insights is asked about {gb:,.1f} GB of Lambda Insights' records: up to USD {usd:,.2f} at the price"
            f" of {quotas.PRICES_REGION}."
        )
        asked = {
            "logGroupNames": [GROUP],
            "startTime": int(start_s),
            "endTime": ceil(end_s),
            "queryString": QUESTION,
        }
        return CpuTimes(cpu_times(rows(client(session, "logs"), asked, target=GROUP, sleep=sleep)), ())
    except AwsError as error:
        return CpuTimes({}, (f"CPU time not read: {error}",))
