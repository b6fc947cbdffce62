"""The weekly reports: read from an account's logs and traces, kept in a bucket, told to people."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from infra import deploy, reports
from infra.aws import bucket as buckets
from infra.aws.history import PREFIX
from infra.aws.logs import events
from infra.local.outcome import Outcome, lines
from infra.templates.parsing import parse
from monitors import patterns
from monitors.errors import AwsError
from monitors.rightsize.advise import FunctionFacts
from monitors.traces import aggregate, history
from monitors.traces.aggregate import latency_report
from monitors.traces.report import Change, LatencyReport
from monitors.traces.requests import Request
from subscribers import reports_handler
from tests import dashboard_samples as samples
from tests.aws import meta
from tests.trace_columns import columns_of

END = 1_795_500_000  # 2026-11-24 06:00 UTC
DAY = 86_400
PAGED = {"list_functions", "filter_log_events", "get_metric_data", "list_objects_v2"}


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
        get_trace_segment_destination=lambda _: {"Destination": "XRay", "Status": "ACTIVE"},
        get_trace_summaries=summaries,
        batch_get_traces=lambda asked: {"Traces": [made[id_] for id_ in asked["TraceIds"]]},
    )
    own = session(
        xray=xray,
        cloudwatch=Fake("cloudwatch", get_metric_data=counted),
        **{"lambda": Fake("lambda", list_functions=lambda _: [{"Functions": [function("pay")]}])},
    )
    found, window = reports.latency(own, end_s=END, days=7)
    assert (found.start, found.end, found.traces_read) == (END - 7 * DAY, END, 9)
    (only,) = found.functions
    # 9 traces in as many minutes, each of which had 10 invocations.
    assert (only.function, only.traces) == ("pay", 9)
    assert only.requests == pytest.approx(90)
    assert sum(request.weight for request in window.requests["pay"]) == pytest.approx(90)


SINCE = datetime(2026, 11, 2, 14, tzinfo=UTC).timestamp()


def joined(answers: Any) -> LatencyReport:
    """A report of the week to END with one change, joined with what the account says: FilterLogEvents `answers`."""
    change = Change(function="pay", measure="p50_ms", before=1, after=2, low=1, high=1, blamed="", since=SINCE)
    found = replace(latency_report([], start=END - 7 * DAY, end=END), changes=(change,))
    changed = function("pay") | {"LastModified": "2026-11-02T14:20:00.000+0000"}
    own = session(
        logs=Fake("logs", filter_log_events=answers),
        **{"lambda": Fake("lambda", list_functions=lambda _: [{"Functions": [changed, function("book")]}])},
    )
    return reports._with_settings(own, found, start_s=END - 14 * DAY)


def line(asked: dict[str, Any], *, size_mb: int) -> list[dict[str, Any]]:
    """One report line, at the start of the time asked for."""
    said = (
        f"REPORT RequestId: x\tDuration: 5 ms\tBilled Duration: 5 ms\tMemory Size: {size_mb} MB\tMax Memory Used: 9 MB"
    )
    return [{"events": [{"message": said, "timestamp": asked["startTime"], "logStreamName": "s"}]}]


def test_a_change_is_joined_with_the_deployment_at_its_time() -> None:
    """Lambda writes LastModified as ISO 8601 with an offset; 2026-11-02 14:20 is in the hour that began at 14:00."""
    found = joined(lambda _: [{"events": []}])
    (change,) = found.changes
    assert change.deployed == SINCE + 1200
    assert change.memory_mb is None
    assert not [note for note in found.notes if "memory" in note]


@pytest.mark.parametrize(("now_mb", "told"), [(1024, (512, 1024)), (512, None)])
def test_a_change_is_joined_with_another_memory_size(now_mb: int, told: tuple[int, int] | None) -> None:
    """That of the window before, and of the last day."""

    def answers(asked: dict[str, Any]) -> list[dict[str, Any]]:
        assert asked["logGroupName"] == "/aws/lambda/pay"
        before = asked["startTime"] == (END - 14 * DAY) * 1000 and asked["endTime"] == (END - 7 * DAY) * 1000
        assert before or asked["startTime"] == (END - DAY) * 1000
        return line(asked, size_mb=512 if before else now_mb)

    (change,) = joined(answers).changes
    assert change.memory_mb == told


def test_a_log_group_that_may_not_be_read_is_told() -> None:
    def answers(_: Any) -> Any:
        raise refused("AccessDeniedException")

    found = joined(answers)
    assert found.changes[0].memory_mb is None
    assert "Whether pay had another memory size is not known" in found.notes[-1]


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
    seen = aggregate.window([trace(END - DAY, 1)])
    monkeypatch.setattr(reports, "latency", report("latency", (samples.latency(), seen)))
    kept: dict[str, bytes] = {}
    s3 = Fake(
        "s3",
        put_object=lambda asked: kept.update({asked["Key"]: asked["Body"]}) or {},
        list_objects_v2=lambda asked: [{}, {"Contents": [{"Key": k} for k in kept if k.startswith(asked["Prefix"])]}],
        get_object=lambda asked: {"Body": io.BytesIO(kept[asked["Key"]])},
    )
    sns = Fake("sns", publish=lambda _: {})
    monkeypatch.setattr(reports_handler, "session", lambda: session(s3=s3, sns=sns))
    return SimpleNamespace(s3=s3, sns=sns, asked=asked, kept=kept, said=lambda: capsys.readouterr().out)


WEEK = "history/2026-11-17.json"
"""Where the window of the made-up report is kept: it begins seven days before END."""


@pytest.mark.parametrize(("kind", "days"), [("memory", 14.0), ("latency", 7.0)])
def test_a_report_is_kept_told_and_measured(delivered: Any, kind: str, days: float) -> None:
    keys = getattr(reports_handler, kind)({"end_s": END}, None)
    assert keys == {suffix: f"2026-11-24/{kind}.{suffix}" for suffix in ("html", "csv", "json")}
    assert delivered.asked == {"kind": kind, "end_s": END, "days": days}
    puts = {request["Key"]: request for name, request in delivered.s3.asked if name == "PutObject"}
    assert puts.keys() - {WEEK} == {*keys.values()}
    assert {request["Bucket"] for request in puts.values()} == {"reports"}
    assert puts[keys["html"]]["Body"].startswith(b"<!doctype html>")
    made = samples.memory() if kind == "memory" else samples.latency()
    told = json.loads(puts[keys["json"]]["Body"])
    told.pop("trends", None)
    assert told == json.loads(json.dumps(asdict(made)))
    ((_, told),) = delivered.sns.asked
    assert told["Subject"] == f"Weekly {kind} report, 2026-11-24"
    assert all(f"s3://reports/{key}" in told["Message"] for key in keys.values())
    measured = json.loads(delivered.said())
    read = samples.memory().invocations if kind == "memory" else samples.latency().traces_read
    assert (measured["Report"], measured["RecordsRead"]) == (kind, read)
    assert measured["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Lookout/Reports"


def page_and_trends(delivered: Any) -> tuple[str, Any]:
    keys = reports_handler.latency({"end_s": END}, None)
    told = json.loads(delivered.kept[keys["json"]])
    return delivered.kept[keys["html"]].decode(), told


def earlier_week(ago: int, ms: float) -> tuple[str, bytes]:
    """The key and text of a week that ended so many weeks before END, of one request."""
    start = END - (ago + 1) * 7 * DAY
    one = Request("pay", "t", start * 1_000_000, round(ms * 1000), cold=False, failed=False, phases=())
    made = history.week({"pay": columns_of([one])}, start_s=start, end_s=start + 7 * DAY, made_s=start + 7 * DAY)
    return f"history/{history.file_name(made)}", history.to_text(made).encode()


def test_the_week_is_kept_and_read_back_a_week_later(delivered: Any) -> None:
    """The trace of this week took 100 ms; a week ago a request took 50 ms, and of the week before that nothing is kept.

    Of a year ago there is a file too, which no trend of 13 weeks needs: it is not read.
    """
    delivered.kept.update([earlier_week(1, 50), earlier_week(3, 20), earlier_week(52, 1)])
    page, told = page_and_trends(delivered)
    found = history.from_text(delivered.kept[WEEK], WEEK)
    assert (found.start_s, found.end_s, [*found.functions]) == (END - 7 * DAY, END, ["pay"])
    (trend,) = told["trends"]["functions"]
    told_ms = [week and week["response"]["p50_ms"] for week in trend["weeks"]]
    assert told_ms == [pytest.approx(20, rel=0.01), None, pytest.approx(50, rel=0.01), pytest.approx(100, rel=0.01)]
    assert "Thirteen weeks" in page
    read = [asked["Key"] for name, asked in delivered.s3.asked if name == "GetObject"]
    assert read == ["history/2026-10-27.json", "history/2026-11-10.json"]


def test_the_first_week_has_no_trend_and_says_so(delivered: Any) -> None:
    page, told = page_and_trends(delivered)
    assert "No trend yet" in page
    assert told["trends"]["ends_s"] == [END]
    assert not [note for note in told["notes"] if "not read" in note]


def test_a_broken_week_is_told_and_costs_no_more_than_its_place(delivered: Any) -> None:
    key, _ = earlier_week(2, 10)
    delivered.kept.update([earlier_week(1, 50), (key, b"\xff{")])
    page, told = page_and_trends(delivered)
    (note,) = (note for note in told["notes"] if "not read" in note)
    assert note.startswith(f"Earlier week not read: {key}: no week of latency history: ")
    assert f"Earlier week not read: {key}" in page
    assert len(told["trends"]["ends_s"]) == 2


def test_a_week_that_may_not_be_read_is_told(delivered: Any) -> None:
    def denied(_asked: dict[str, Any]) -> Any:
        raise refused("AccessDenied")

    delivered.kept.update([earlier_week(1, 50)])
    delivered.s3.answers["get_object"] = denied
    (note,) = (note for note in page_and_trends(delivered)[1]["notes"] if "not read" in note)
    assert "s3:GetObject of history/2026-11-10.json" in note
    delivered.s3.answers["list_objects_v2"] = denied
    (note,) = (note for note in page_and_trends(delivered)[1]["notes"] if "not read" in note)
    assert note.startswith("Earlier weeks not read: s3:ListObjectsV2 of reports/history/")
    assert "Allow s3:ListBucket" in note


def test_a_body_that_breaks_off_is_told(delivered: Any) -> None:
    def broken() -> bytes:
        raise ReadTimeoutError(endpoint_url="https://s3")

    delivered.kept.update([earlier_week(1, 50)])
    delivered.s3.answers["get_object"] = lambda _asked: {"Body": SimpleNamespace(read=broken)}
    (note,) = (note for note in page_and_trends(delivered)[1]["notes"] if "not read" in note)
    assert "history/2026-11-10.json" in note


def test_the_role_may_read_the_weeks_that_it_keeps() -> None:
    """s3:ListBucket is of the bucket, s3:GetObject of its objects (Service Authorization Reference, Amazon S3)."""
    properties = parse(deploy.template(), "template")["Resources"]["LatencyReport"]["Properties"]
    statements = [one for policy in properties["Policies"] for one in policy["Statement"]]
    allowed = {one["Action"]: one for one in statements if isinstance(one["Action"], str)}
    assert allowed["s3:GetObject"]["Resource"] == {"Fn::Sub": f"${{Reports.Arn}}/{PREFIX}*"}
    assert allowed["s3:ListBucket"]["Resource"] == {"Fn::GetAtt": ["Reports", "Arn"]}
    assert allowed["s3:ListBucket"]["Condition"] == {"StringEquals": {"s3:prefix": PREFIX}}


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
