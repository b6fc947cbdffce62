"""The weekly reports: read from an account's logs and traces, kept in a bucket, told to people."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from infra import reports
from infra.aws import bucket as buckets
from infra.aws.logs import events
from infra.local.outcome import Outcome, lines
from monitors import patterns
from monitors.errors import AwsError
from monitors.rightsize.advise import FunctionFacts
from subscribers import reports_handler
from tests import dashboard_samples as samples
from tests.aws import meta

END = 1_795_500_000  # 2026-11-24 06:00 UTC
DAY = 86_400
PAGED = {"list_functions", "filter_log_events", "get_metric_data"}


class Fake:
    """A client that checks what it is asked against AWS's own model, and answers by operation."""

    def __init__(self, service: str, **answers: Callable[[dict[str, Any]], Any]) -> None:
        self.meta = meta(service, endpoint_url="https://s3")
        self.model = self.meta.service_model
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def can_paginate(self, operation: str) -> bool:
        return operation in PAGED

    def get_paginator(self, operation: str) -> Any:
        def paginate(*, PaginationConfig: Any, **request: Any) -> Iterator[Any]:  # noqa: N803
            yield from self._answer(operation, request)

        return SimpleNamespace(paginate=paginate)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **request: self._answer(operation, request)

    def _answer(self, operation: str, request: dict[str, Any]) -> Any:
        name = next(one for one in self.model.operation_names if one.lower() == operation.replace("_", ""))
        report = ParamValidator().validate(request, self.model.operation_model(name).input_shape)
        assert not report.has_errors(), report.generate_report()
        self.asked.append((name, request))
        return self.answers[operation](request)


def session(**clients: Fake) -> Any:
    return SimpleNamespace(region_name="eu-west-1", client=lambda service, **_rest: clients[service])


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "X")


# --- infra.aws.logs ----------------------------------------------------------------------------------


def test_events_of_a_log_group_come_page_by_page() -> None:
    logs = Fake(
        "logs", filter_log_events=lambda _: [{"events": [{"message": "a"}]}, {}, {"events": [{"message": "b"}]}]
    )
    found = events(logs, group="/g", start_s=1.5, end_s=2.5, pattern="ERROR")
    assert [one["message"] for one in found] == ["a", "b"]
    asked = {"logGroupName": "/g", "startTime": 1500, "endTime": 2500, "filterPattern": "ERROR"}
    assert logs.asked == [("FilterLogEvents", asked)]


def test_events_without_an_end_or_a_pattern_ask_for_neither() -> None:
    logs = Fake("logs", filter_log_events=lambda _: [{}])
    assert list(events(logs, group="/g", start_s=0)) == []
    assert logs.asked == [("FilterLogEvents", {"logGroupName": "/g", "startTime": 0})]


# --- infra.aws.bucket --------------------------------------------------------------------------------

IDENTITY = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/me"}


def code_bucket(region: str, create: Callable[[dict[str, Any]], Any]) -> tuple[str, Fake]:
    s3, sts = Fake("s3", create_bucket=create), Fake("sts", get_caller_identity=lambda _: IDENTITY)
    own = session(s3=s3, sts=sts)
    own.region_name = region
    return buckets.code_bucket(own), s3


@pytest.mark.parametrize(
    ("region", "place"),
    [
        ("us-east-1", {}),
        ("eu-west-1", {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}),
    ],
)
def test_the_bucket_is_made_in_its_region(region: str, place: dict[str, Any]) -> None:
    name, s3 = code_bucket(region, lambda _: {})
    assert name == f"lookout-code-123456789012-{region}"
    assert s3.asked == [("CreateBucket", {"Bucket": name, **place})]


def test_our_own_bucket_is_used_again_but_nobody_else_s() -> None:
    def raising(code: str) -> Callable[[dict[str, Any]], Any]:
        def create(_asked: dict[str, Any]) -> Any:
            raise refused(code)

        return create

    assert code_bucket("eu-west-1", raising("BucketAlreadyOwnedByYou"))[0].endswith("eu-west-1")
    with pytest.raises(AwsError, match="BucketAlreadyExists"):
        code_bucket("eu-west-1", raising("BucketAlreadyExists"))


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_a_key_is_that_of_its_content(one: bytes, other: bytes) -> None:
    own = session(s3=Fake("s3", put_object=lambda _: {}))
    keys = [buckets.upload(own, "b", data) for data in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    assert buckets.upload(own, "b", one, key="here") == "here"


# --- infra.reports -----------------------------------------------------------------------------------


def function(name: str, **more: Any) -> dict[str, Any]:
    return {"FunctionName": name, "MemorySize": 256, "Timeout": 30, "Architectures": ["arm64"], **more}


def reported(number: int, *, at_s: float) -> dict[str, Any]:
    """One REPORT line as Lambda writes it."""
    done = Outcome(
        request_id=f"00000000-0000-4000-8000-{number:012}",
        started_s=at_s,
        ended_s=at_s + 0.05,
        init_s=None,
        peak_mb=100,
        stream=f"s{number % 30}",
    )
    message = lines(done, {"FunctionName": "pay", "MemorySize": 256}, "")[-1]
    return {"message": message, "timestamp": int(at_s * 1000), "logStreamName": done.stream}


def account(groups: dict[str, list[dict[str, Any]]], *functions: dict[str, Any]) -> tuple[Any, Fake]:
    def read(asked: dict[str, Any]) -> Any:
        if asked["logGroupName"] not in groups:
            raise refused("ResourceNotFoundException")
        return [{"events": groups[asked["logGroupName"]]}]

    logs = Fake("logs", filter_log_events=read)
    return session(logs=logs, **{"lambda": Fake("lambda", list_functions=lambda _: [{"Functions": functions}])}), logs


def test_the_memory_report_reads_every_function_where_it_logs() -> None:
    said = [reported(n, at_s=END - 10 * DAY + n * 3600) for n in range(240)]
    groups = {"/aws/lambda/pay": said, "/own/group": [{"message": 'he said "REPORT RequestId"', "timestamp": 1}]}
    told: list[tuple[int, int]] = []
    own, logs = account(
        groups,
        function("pay"),
        function("never-invoked"),
        function("elsewhere", LoggingConfig={"LogGroup": "/own/group"}),
    )
    found = reports.memory(own, end_s=END, days=14, progress=lambda done, total: told.append((done, total)))
    assert [(one.function, one.invocations, one.used_mb) for one in found.advice] == [("pay", 240, 100)]
    assert (found.invocations, found.region, found.advice[0].architecture) == (240, "eu-west-1", "arm64")
    assert told == [(1, 3), (2, 3), (3, 3)]
    asked = [request for _, request in logs.asked]
    assert [one["logGroupName"] for one in asked] == ["/aws/lambda/pay", "/aws/lambda/never-invoked", "/own/group"]
    assert {(one["startTime"], one["endTime"]) for one in asked} == {((END - 14 * DAY) * 1000, END * 1000)}


def test_the_pattern_lets_both_formats_pass() -> None:
    chosen = patterns.compile(reports.REPORTS)
    record = '{"time":"2026-11-24T06:00:00Z","type":"platform.report","record":{"requestId":"r"}}'
    assert chosen.match("REPORT RequestId: r\tDuration: 1 ms") is not None
    assert chosen.match(record) is not None
    assert chosen.match("START RequestId: r Version: $LATEST") is None


def test_a_log_group_that_may_not_be_read_is_an_error() -> None:
    def denied(_asked: dict[str, Any]) -> Any:
        raise refused("AccessDeniedException")

    own, logs = account({}, function("pay"))
    logs.answers["filter_log_events"] = denied
    with pytest.raises(AwsError, match="logs:FilterLogEvents"):
        reports.memory(own, end_s=END)


def test_facts_have_aws_s_defaults() -> None:
    """CreateFunction: 128 MB, 3 seconds, x86_64."""
    assert reports._facts({}) == FunctionFacts(memory_mb=128, architecture="x86_64", timeout_ms=3000)


def trace(at: int, number: int) -> dict[str, Any]:
    id_ = f"1-{at:08x}-{number:024x}"
    segment = {
        "id": f"{number:016x}",
        "trace_id": id_,
        "name": "pay",
        "origin": "AWS::Lambda::Function",
        "start_time": at + 0.1,
        "end_time": at + 0.2,
    }
    return {"Id": id_, "Segments": [{"Id": segment["id"], "Document": json.dumps(segment)}]}


def test_the_latency_report_compares_two_windows_and_weighs_by_minute() -> None:
    made = {
        one["Id"]: one for one in (trace(END - day * DAY - 60 * n, 100 * day + n) for day in (1, 8) for n in range(9))
    }

    def summaries(asked: dict[str, Any]) -> Any:
        first, last = asked["StartTime"].timestamp(), asked["EndTime"].timestamp()
        return {"TraceSummaries": [{"Id": id_} for id_ in made if first <= int(id_[2:10], 16) < last]}

    def counted(asked: dict[str, Any]) -> Any:
        (line,) = asked["MetricDataQueries"]
        assert line["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "FunctionName", "Value": "pay"}]
        minutes = range(END - 14 * DAY, END, 60)
        stamps = [datetime.fromtimestamp(at, UTC) for at in minutes]
        return [{"MetricDataResults": [{"Id": line["Id"], "Timestamps": stamps, "Values": [10.0] * len(stamps)}]}]

    xray = Fake(
        "xray",
        get_trace_summaries=summaries,
        batch_get_traces=lambda asked: {"Traces": [made[id_] for id_ in asked["TraceIds"]]},
    )
    own = session(
        xray=xray,
        cloudwatch=Fake("cloudwatch", get_metric_data=counted),
        **{"lambda": Fake("lambda", list_functions=lambda _: [{"Functions": [function("pay")]}])},
    )
    found = reports.latency(own, end_s=END, days=7)
    assert (found.start, found.end, found.traces_read) == (END - 7 * DAY, END, 9)
    (only,) = found.functions
    # 9 traces in as many minutes, each of which had 10 invocations.
    assert (only.function, only.traces) == ("pay", 9)
    assert only.requests == pytest.approx(90)


# --- subscribers.reports_handler ---------------------------------------------------------------------


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The handlers with made-up reports, in Lambda's own environment; what they wrote, told and measured."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "lookout-memory-report")
    monkeypatch.setenv("REPORTS_BUCKET", "reports")
    monkeypatch.setenv("TICKET_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:lookout-ticket")
    monkeypatch.setattr("aws_xray_sdk.core.patch", lambda _modules: None)
    asked: dict[str, Any] = {}

    def report(kind: str, made: Any) -> Callable[..., Any]:
        def read(_session: Any, *, end_s: float, days: float) -> Any:
            asked.update(kind=kind, end_s=end_s, days=days)
            return made

        return read

    monkeypatch.setattr(reports, "memory", report("memory", samples.memory()))
    monkeypatch.setattr(reports, "latency", report("latency", samples.latency()))
    s3, sns = Fake("s3", put_object=lambda _: {}), Fake("sns", publish=lambda _: {})
    monkeypatch.setattr(reports_handler, "session", lambda: session(s3=s3, sns=sns))
    return SimpleNamespace(s3=s3, sns=sns, asked=asked, said=lambda: capsys.readouterr().out)


@pytest.mark.parametrize(("kind", "days"), [("memory", 14.0), ("latency", 7.0)])
def test_a_report_is_kept_told_and_measured(delivered: Any, kind: str, days: float) -> None:
    keys = getattr(reports_handler, kind)({"end_s": END}, None)
    assert keys == {suffix: f"2026-11-24/{kind}.{suffix}" for suffix in ("html", "csv", "json")}
    assert delivered.asked == {"kind": kind, "end_s": END, "days": days}
    puts = {request["Key"]: request for _, request in delivered.s3.asked}
    assert puts.keys() == {*keys.values()}
    assert {request["Bucket"] for request in puts.values()} == {"reports"}
    assert puts[keys["html"]]["Body"].startswith(b"<!doctype html>")
    made = samples.memory() if kind == "memory" else samples.latency()
    assert json.loads(puts[keys["json"]]["Body"]) == json.loads(json.dumps(asdict(made)))
    ((_, told),) = delivered.sns.asked
    assert told["Subject"] == f"Weekly {kind} report, 2026-11-24"
    assert all(f"s3://reports/{key}" in told["Message"] for key in keys.values())
    measured = json.loads(delivered.said())
    read = samples.memory().invocations if kind == "memory" else samples.latency().traces_read
    assert (measured["Report"], measured["RecordsRead"]) == (kind, read)
    assert measured["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Lookout/Reports"


def test_how_far_back_is_for_the_event_to_say(delivered: Any) -> None:
    reports_handler.latency({"end_s": END, "days": 30}, None)
    assert delivered.asked["days"] == 30


def test_a_bucket_that_takes_nothing_is_an_error_that_lambda_sees(delivered: Any) -> None:
    def denied(_asked: dict[str, Any]) -> Any:
        raise refused("AccessDenied")

    delivered.s3.answers["put_object"] = denied
    with pytest.raises(AwsError, match="s3:PutObject"):
        reports_handler.memory({"end_s": END}, None)
    assert delivered.sns.asked == []
