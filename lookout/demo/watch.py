"""The demo's look at the account: alarms replayed over the past, alarms as they stand, metrics, reports."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3

from infra.aws.metrics import read_series
from infra.aws.session import call, client, pages
from monitors.errors import AwsError
from monitors.model import Query, Series

DAY_S = 86_400.0
HOUR_S = 3600


def states(session: boto3.Session, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """DescribeAlarms' record of each alarm, by name."""
    asked = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    wanted = set(names)
    return {
        record["AlarmName"]: record
        for page in pages(client(session, "cloudwatch"), "DescribeAlarms", asked)
        for record in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        if record["AlarmName"] in wanted
    }


def hourly(
    session: boto3.Session, functions: Sequence[str], metric: str, *, end_s: float, days: float
) -> dict[str, Series]:
    """An AWS/Lambda metric's hourly sum of each function."""
    groups = [
        [
            Query(
                id="m1",
                namespace="AWS/Lambda",
                metric=metric,
                dimensions=(("FunctionName", function),),
                statistic="Sum",
                period_s=HOUR_S,
                label=metric.lower(),
            )
        ]
        for function in functions
    ]
    found = read_series(client(session, "cloudwatch"), groups, start_s=end_s - days * DAY_S, end_s=end_s)
    return {function: series for function, (series,) in zip(functions, found, strict=True)}


def report(session: boto3.Session, function: str, *, bucket: str, end_s: float) -> dict[str, str]:
    """Have a report Lambda make its report, as its schedule would; the text of each file it wrote, by kind."""
    lambda_, s3 = client(session, "lambda"), client(session, "s3")
    payload = json.dumps({"end_s": end_s})
    answer = call(lambda_, "Invoke", {"FunctionName": function, "Payload": payload}, target=function)
    said = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise AwsError(f"{function} failed: {said.get('errorType')}: {said.get('errorMessage')}")
    return {
        kind: call(s3, "GetObject", {"Bucket": bucket, "Key": key}, target=key)["Body"].read().decode()
        for kind, key in said.items()
    }


def until(done: Callable[[], bool], *, seconds: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
