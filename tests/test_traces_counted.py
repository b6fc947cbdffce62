"""All spans counted where they lie: the answers in both languages say what reading each trace says."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards import pages, sheets
from infra import deploy, reports
from infra.aws import spans as spans_aws
from infra.aws.session import client
from infra.engines import athena, spans
from lookout import cli
from monitors.errors import AwsError
from monitors.traces import otel
from monitors.traces import requests as requests_of
from monitors.traces.aggregate import latency_report, window
from monitors.traces.counted import NOTHING, Counts, Row, against, counts, weighted, with_counts
from monitors.traces.phases import view
from monitors.traces.reading import read_trace
from monitors.traces.report import Counted, LatencyReport
from monitors.traces.spanquestions import CALLS, FUNCTIONS, LEVELS, Question, of_archive, of_insights
from monitors.traces.weighing import quantiles
from tests import insights
from tests.aws import meta
from tests.e2e.test_archive import own  # noqa: F401 - a fixture
from tests.test_reports import Fake, session
from tests.test_rightsize_engines import Athena, as_text
from tests.test_traces_otel import DYNAMODB, T0_NS, span
from tests.test_traces_otel_lambda import ARN, FAAS
from tests.xray import XRay

duckdb = pytest.importorskip("duckdb")

T0 = T0_NS // 10**9
DAY = 86_400
WEEK = (float(T0), float(T0 + 7 * DAY))
BIN = 1.0203
"""A bin of SQL: e^(1/50) = 1.02020."""

Span = dict[str, Any]


def timed(one: Span) -> Span:
    """With the duration that `aws/spans` has, and an id of its own trace."""
    return one | {"durationNano": one["endTimeUnixNano"] - one["startTimeUnixNano"]}


def traced(number: int, *made: Span) -> list[Span]:
    return [timed(one) | {"traceId": f"6553f100{number:024x}"} for one in made]


def platform(
    number: int, name: str, *, ms: int, cold: bool = False, code: int = 200, at_ms: int = 0, kind: str = "Query"
) -> list[Span]:
    """An invocation as Lambda itself tells of it, in which a table is asked for half of the time."""
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
    resource = {"attributes": {"service.name": name, "cloud.platform": "aws_lambda", "cloud.resource_id": arn}}

    def told(id_: int, kind: str, low: int, high: int, part: str = "", *, below: int = 0, **attributes: Any) -> Span:
        xray = {"name": part or name, "type": "subsegment" if part else "segment"}
        more = {"resource": resource, "attributes": attributes, "_aws": {"xray": xray}}
        return span(id_, kind, at_ms + low, at_ms + high, below=below, **more)

    origin = "aws.xray.origin"
    start = [told(3, "INTERNAL", 0, 1, "Initialization", below=2)] if cold else []
    table = {"rpc.system": "aws-api", "aws.operation": kind, "aws.table_name": "orders", "http.status_code": code}
    call = told(5, "CLIENT", 1, 1 + ms // 2, "DynamoDB", below=4, **table)
    call["_aws"]["xray"]["namespace"] = "aws"
    return traced(
        number,
        told(1, "SERVER", 0, ms + 2, **{origin: "AWS::Lambda", "http.response.status_code": code}),
        told(2, "SERVER", 1, ms + 1, below=1, **{origin: "AWS::Lambda::Function"}),
        *start,
        told(4, "INTERNAL", 1, ms + 1, "Invocation", below=2),
        call,
    )


def instrumented(number: int, *, ms: int, failed: bool = False, **attributes: Any) -> list[Span]:
    """An invocation as OpenTelemetry in the function tells of it, and a call to a host."""
    host = {"server.address": "pay.example.com", "http.request.method": "POST", "http.response.status_code": 503}
    resource = {"attributes": FAAS | {"service.name": "checkout"}}
    more = {"resource": resource, "status": {"code": "ERROR" if failed else "UNSET"}}
    return traced(
        number,
        span(1, "SERVER", 0, ms, attributes=attributes, **more),
        span(2, "CLIENT", 0, 1 + ms // 3, below=1, attributes=host, resource=resource),
    )


MIXED = [
    *(one for n in range(200) for one in platform(n, "cart", ms=10 + n, cold=n % 50 == 0)),
    *(one for n in range(200, 240) for one in platform(n, "till", ms=3 * n, code=500 if n % 4 == 0 else 200)),
    *platform(250, "till", ms=1, code=429),
    *platform(251, "till", ms=2, code=404, kind="GetItem"),
    *(one for n in range(300, 330) for one in instrumented(n, ms=7 * n, failed=n % 10 == 0)),
    *instrumented(340, ms=5, **{"faas.coldstart": True, "http.method": "GET"}),
    *traced(350, span(1, "SERVER", 0, 99, resource={"attributes": {"service.name": "no function"}})),
    *traced(351, span(1, "INTERNAL", 0, 99, resource={"attributes": FAAS})),
    *traced(352, span(1, "INTERNAL", 0, 99, resource={"attributes": {}}), span(2, "INTERNAL", 0, 99, below=1)),
]


# --- asking --------------------------------------------------------------------------------------

_WORD = re.compile(r'"[^"]*"|\b(?:and|or|not)\b|@?[A-Za-z_][\w.]*(\s*\()?|[<>]=?|=|\d+|\S')
_MORE = {**insights.FUNCTIONS, "concat": lambda *texts: "".join(texts)}


def by_insights(query: str, told: Sequence[Span]) -> list[Row]:
    """The fake's answer; it knows no backticks, and sorting is left to it."""
    events = [("aws/spans", "s", one["startTimeUnixNano"] // 10**6, json.dumps(one)) for one in told]
    query, _, sort = query.replace("`", "").rpartition("\n| ")
    assert sort == "sort spans desc"
    with patch.multiple(insights, _WORD=_WORD, FUNCTIONS=_MORE):
        rows = insights.answered(query, events)
    return sorted(rows, key=lambda row: -int(row["spans"]))


def table(told: Sequence[Span]) -> Any:
    """DuckDB with the export as its table `spans`: each twice as may be, delivered a day later."""
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE spans (message VARCHAR, day VARCHAR)")
    days = [datetime.fromtimestamp(one["startTimeUnixNano"] / 1e9 + DAY, UTC) for one in told]
    rows = [(json.dumps(one), f"{day:%Y-%m-%d}") for one, day in zip(told, days, strict=True)]
    if rows:
        connection.executemany("INSERT INTO spans VALUES (?, ?)", 2 * rows)
    return connection


def by_sql(query: str, connection: Any) -> list[Row]:
    answer = connection.execute(query)
    names = [column[0] for column in answer.description]
    return [dict(zip(names, map(as_text, values), strict=True)) for values in answer.fetchall()]


def of_table(told: Sequence[Span], *, translated: bool) -> Counts:
    connection = table(told)

    def rows(question: Question) -> list[Row]:
        sql = of_archive(question, start_s=WEEK[0], end_s=WEEK[1])
        return by_sql(athena.translated(sql) if translated else sql, connection)

    return counts(rows(FUNCTIONS), rows(CALLS))


def of_logs(told: Sequence[Span]) -> Counts:
    return counts(by_insights(of_insights(FUNCTIONS), told), by_insights(of_insights(CALLS), told))


# --- what reading each trace says ------------------------------------------------------------------


def agree(found: Counts, told: Sequence[Span], *, above: float = 1.0) -> None:
    """Counts alike, percentiles measured ones that are at most so far above the exact."""
    read = window(otel.traces(told))
    assert found.functions.keys() == read.requests.keys()
    for name, requests in read.requests.items():
        one = found.functions[name]
        assert (one.spans, one.faults + one.errors) == (len(requests), sum(r.failed for r in requests))
        if one.cold is not None:
            assert one.cold == sum(r.cold for r in requests)
        at_percentiles(one, [r.duration / 1000 for r in requests], above)
    calls: dict[Any, list[Any]] = {}
    for trace in otel.traces(told):
        for call in requests_of.calls(view(read_trace(trace))):
            calls.setdefault((call.caller, call.callee, call.operation), []).append(call)
    assert found.edges.keys() == calls.keys()
    for edge, made in calls.items():
        one = found.edges[edge]
        assert (one.spans, one.faults + one.throttles) == (len(made), sum(c.failed for c in made))
        at_percentiles(one, [c.duration / 1000 for c in made], above)


def at_percentiles(one: Counted, measured: Sequence[float], above: float) -> None:
    exact = quantiles([(ms, 1.0) for ms in measured], tuple(LEVELS.values()))
    for ms, true in zip((one.p50_ms, one.p90_ms, one.p95_ms, one.p99_ms), exact, strict=True):
        assert true * (1 - 1e-9) <= ms <= true * above * (1 + 1e-9)
    assert one.max_ms == pytest.approx(max(measured))


def test_insights_counts_what_reading_each_trace_finds() -> None:
    found = of_logs(MIXED)
    agree(found, MIXED)
    # Every 50th of 200 cold; a status of 500 for every 4th of 40; one of 404, one of 429.
    assert (found.functions["cart"].spans, found.functions["cart"].cold) == (200, 4)
    till = found.functions["till"]
    assert (till.spans, till.faults, till.errors, till.throttles) == (42, 10, 2, 1)
    # 300, 310, 320 of those of OpenTelemetry failed, one says that it was cold, and of one the root is no server.
    shop = found.functions["shop"]
    assert (shop.spans, shop.faults, shop.errors, shop.cold) == (32, 3, 0, 1)
    assert found.edges["till", "DynamoDB orders", "GetItem"].spans == 1
    assert found.edges["shop", "pay.example.com", "POST"].faults == 31
    # 10 to 209 ms in the function, 2 ms around it: the 100th of 200 is 111, the 190th 201.
    cart = found.functions["cart"]
    assert (cart.p50_ms, cart.p95_ms, cart.max_ms) == (111, 201, 211)


@pytest.mark.parametrize("translated", [False, True])
def test_sql_counts_what_reading_each_trace_finds(translated: bool) -> None:
    agree(of_table(MIXED, translated=translated), MIXED, above=BIN)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.integers(1, 900_000),
            st.booleans(),
            st.sampled_from([200, 304, 400, 404, 429, 499, 500, 503, 599]),
        ),
        max_size=30,
    )
)
def test_any_invocations_are_counted_alike(made: list[tuple[str, int, bool, int]]) -> None:
    told = [
        one
        for n, (name, ms, cold, code) in enumerate(made)
        for one in platform(n, name, ms=ms, cold=cold, code=code, at_ms=1000 * n)
    ]
    agree(of_logs(told), told)
    agree(of_table(told, translated=True), told, above=BIN)


@pytest.mark.parametrize(
    ("resource", "attributes"),
    [
        ({"faas.name": "shop", "cloud.platform": "aws_lambda", "service.name": "other"}, {}),
        ({"cloud.platform": "aws_lambda", "cloud.resource_id": ARN, "service.name": "other"}, {}),
        ({"cloud.platform": "aws_lambda", "cloud.resource_id": f"{ARN}:7"}, {}),
        ({}, {"faas.invocation_id": "r", "aws.lambda.invoked_arn": f"{ARN}:live"}),
        ({"service.name": "checkout"}, {"PlatformType": "AWS::Lambda", "aws.local.operation": "shop/FunctionHandler"}),
        ({"service.name": "shop"}, {"PlatformType": "AWS::Lambda"}),
    ],
)
def test_a_function_is_named_as_in_its_traces(resource: dict[str, Any], attributes: dict[str, Any]) -> None:
    made = span(1, "SERVER", 0, 50, name="app.run", resource={"attributes": resource}, attributes=attributes)
    told = traced(1, made, span(2, "CLIENT", 10, 30, below=1, attributes=DYNAMODB, resource=made["resource"]))
    for found in (of_logs(told), of_table(told, translated=True)):
        assert {name: one.spans for name, one in found.functions.items()} == {"shop": 1}
    agree(of_logs(told[:1]), told[:1])


@pytest.mark.parametrize(
    ("attributes", "callee", "operation"),
    [
        (
            {"aws.remote.service": "AWS::DynamoDB", "rpc.system": "aws-api", "rpc.method": "X/Query"},
            "DynamoDB",
            "Query",
        ),
        ({"rpc.service": "S3", "aws.s3.bucket": "files", "rpc.method": "GetObject"}, "S3 files", "GetObject"),
        (
            {"peer.service": "queue", "aws.sqs.queue.url": "https://sqs/1/jobs", "aws.operation": "Send"},
            "queue jobs",
            "Send",
        ),
        ({"server.address": "example.com", "http.method": "GET"}, "example.com", "GET"),
        ({"aws.remote.service": "stock", "aws.remote.operation": "GET /items"}, "stock", "GET /items"),
        ({"db.name": "orders", "db.operation": "SELECT"}, "orders", "SELECT"),
        ({"messaging.destination.name": "jobs", "aws.remote.service": "kafka"}, "kafka jobs", ""),
    ],
)
def test_a_call_is_named_as_in_its_traces(attributes: dict[str, Any], callee: str, operation: str) -> None:
    resource = {"attributes": FAAS}
    told = traced(1, span(1, "SERVER", 0, 50, resource=resource), span(2, "CLIENT", 1, 30, below=1, resource=resource))
    told[1]["attributes"] = attributes
    assert of_logs(told).edges.keys() == {("shop", callee, operation)}
    agree(of_logs(told), told)
    agree(of_table(told, translated=False), told, above=BIN)


def test_an_invoked_function_is_called_by_its_name() -> None:
    """Its own segment is in the trace as a rule, by whose name the call goes there."""
    attributes = {"rpc.system": "aws-api", "rpc.method": "Invoke", "rpc.service": "Lambda", "aws.function_name": ARN}
    told = traced(1, span(1, "CLIENT", 0, 5, attributes=attributes, resource={"attributes": {"service.name": "api"}}))
    assert of_logs(told).edges.keys() == {("api", "shop", "Invoke")}


def test_an_asynchronous_invocation_is_its_tries() -> None:
    """The service's span that only took it in (202) is none; each try is one, as in a trace."""
    service, inner, *rest = platform(1, "shop", ms=100, code=202)
    tries = [
        inner | {"spanId": f"{20 + n:016x}", "kind": "INTERNAL", "attributes": {}, "parentSpanId": service["spanId"]}
        for n in range(2)
    ]
    for n, one in enumerate(tries):
        one["_aws"] = {"xray": {"name": f"Attempt #{n + 1}", "type": "subsegment"}}
    told = [service, inner | {"parentSpanId": tries[0]["spanId"]}, *tries, *rest]
    assert of_logs(told).functions["shop"].spans == 2
    assert len(window(otel.traces(told)).requests["shop"]) == 2


def test_what_runs_still_or_names_nobody_is_not_counted() -> None:
    running = {name: value for name, value in platform(1, "shop", ms=5)[0].items() if not name.startswith("duration")}
    nameless = platform(2, "UnknownService", ms=5)[0] | {"resource": {}, "name": "", "_aws": {}}
    for told in ([running], [nameless], []):
        assert of_logs(told) == NOTHING
        assert of_table(told, translated=False) == NOTHING


def test_sql_counts_only_the_time_asked_for() -> None:
    told = [
        one for n, at in enumerate((-1, 0, 7 * DAY - 1, 7 * DAY)) for one in platform(n, "shop", ms=5, at_ms=at * 1000)
    ]
    assert of_table(told, translated=True).functions["shop"].spans == 2


def row(layer: str, spans_: int, ms: float, **more: str) -> Row:
    times = dict.fromkeys([*LEVELS, "worst"], str(ms * 1e6))
    return {"whose": "shop", "origin": layer, "spans": str(spans_), **times, **more}


@pytest.mark.parametrize(
    ("service", "function", "taken"), [(100, 100, 10), (60, 100, 10), (50, 100, 10), (40, 100, 5), (0, 100, 5)]
)
def test_an_invocation_counts_once(service: int, function: int, taken: float) -> None:
    """By the service's view, 10 ms, unless it has less than half of those that the functions tell of, 5 ms."""
    rows = [row("AWS::Lambda::Function", function, 5)] + ([row("AWS::Lambda", service, 10)] if service else [])
    assert counts(rows, []).functions["shop"].p50_ms == taken


def test_rows_of_one_function_come_together() -> None:
    """90 of 1 ms and 10 of 100: exact, since each row's percentiles are one."""
    found = counts([row("AWS::Lambda", 90, 1), row("AWS::Lambda", 10, 100, tried="1")], []).functions["shop"]
    assert (found.spans, found.p50_ms, found.p90_ms, found.p95_ms, found.max_ms) == (100, 1, 1, 100, 100)


@pytest.mark.parametrize("question", [FUNCTIONS, CALLS])
def test_a_question_is_no_longer_than_insights_takes(question: Question) -> None:
    text = of_insights(question)
    shape = meta("logs").service_model.operation_model("StartQuery").input_shape.members["queryString"]
    assert len(text) <= shape.metadata["max"]
    # CloudWatch Logs User Guide: what has other characters than letters, digits, @ and dots is in backticks.
    fields = re.findall(r"(?<![`\w.])[a-z_][\w]*(?:\.\w+)+", text.partition("fields ")[2])
    assert fields
    assert not [name for name in fields if "_" in name]


# --- the engine ----------------------------------------------------------------------------------


class Logs:
    """Answers at once, with a failure if it has one."""

    def __init__(self, told: Sequence[Span], *, failure: str = "") -> None:
        self.told, self.failure = told, failure
        self.asked: list[dict[str, Any]] = []

    def start(self, request: Mapping[str, Any]) -> Any:
        if self.failure:
            raise ClientError({"Error": {"Code": self.failure, "Message": "no"}}, "StartQuery")
        self.asked.append(dict(request))
        return {"queryId": str(len(self.asked) - 1)}

    def results(self, request: Mapping[str, Any]) -> Any:
        asked = self.asked[int(request["queryId"])]
        inside = [
            one for one in self.told if asked["startTime"] <= one["startTimeUnixNano"] // 10**9 <= asked["endTime"]
        ]
        query = asked["queryString"]
        if query.startswith("filter"):
            rows = by_insights(query, inside)
        elif query.startswith("stats"):
            traces = str(len({one["traceId"] for one in inside}))
            rows = [{"traces": traces, "spans": str(len(inside))}]
        else:
            rows = [{"@message": json.dumps(one), "@ptr": str(n)} for n, one in enumerate(inside)]
            if chosen := re.search(r"/(.*)/", query):
                rows = [one for one in rows if re.search(chosen[1], json.loads(one["@message"])["traceId"])]
        cells = [[{"field": k, "value": v} for k, v in one.items()] for one in rows[: asked["limit"]]]
        return {"status": "Complete", "results": cells}


def account(logs: Logs, *, gb: float = 1.0, **more: Any) -> Any:
    """A session whose log group of spans got so many GB on one day, and whose functions nobody counted."""

    def metric(asked: Mapping[str, Any]) -> Any:
        results: list[dict[str, Any]] = []
        for line in asked["MetricDataQueries"]:
            name = line["MetricStat"]["Metric"]["MetricName"]
            known = name == "IncomingBytes" and line["MetricStat"]["Metric"]["Dimensions"][0]["Value"] == "aws/spans"
            at = [datetime.fromtimestamp(T0 // DAY * DAY + DAY, UTC)] if known else []
            results.append({"Id": line["Id"], "Timestamps": at, "Values": [gb * 1e9] * len(at)})
        return [{"MetricDataResults": results}]

    return session(
        logs=Fake("logs", start_query=logs.start, get_query_results=logs.results),
        cloudwatch=Fake("cloudwatch", get_metric_data=metric),
        **more,
    )


NO_WAIT = {"sleep": lambda _: None}


def test_each_window_is_asked_twice_as_a_whole() -> None:
    logs = Logs(MIXED)
    found = spans.counted(account(logs), [(T0 - 7 * DAY, WEEK[0]), WEEK], **NO_WAIT)
    assert found.counts[0] == NOTHING
    agree(found.counts[1], MIXED)
    assert found.notes == ()
    times = [(asked["startTime"], asked["endTime"]) for asked in logs.asked]
    assert times == [(T0 - 7 * DAY, T0 - 1)] * 2 + [(T0, T0 + 7 * DAY - 1)] * 2


@pytest.mark.parametrize(("gb", "usd", "asked"), [(100, "1.00", 2), (101, "1.01", 0)])
def test_what_costs_more_than_a_dollar_waits_for_a_word(gb: float, usd: str, asked: int) -> None:
    """Twice 100 GB at USD 0.005 are 1.00."""
    logs = Logs(MIXED)
    own_ = account(logs, gb=gb)
    found = spans.counted(own_, [WEEK], **NO_WAIT)
    assert len(logs.asked) == asked
    words = (
        f"Counting all spans has Logs Insights read {gb:.1f} GB twice, as choosing traces does: up to USD {usd} at the"
        " price of us-east-1."
    )
    assert spans.cost(own_, [WEEK]).words == words
    if not asked:
        assert found.counts == (NOTHING,)
        assert found.notes == (f"Not all spans were counted: {words} Above USD 1.00 that waits for --engine insights.",)
        assert spans.counted(own_, [WEEK], engine="insights", **NO_WAIT).counts[0].functions


def test_what_nobody_prices_waits_for_a_word() -> None:
    logs = Logs(MIXED)
    own_ = account(logs, gb=0)
    (note,) = spans.counted(own_, [WEEK], **NO_WAIT).notes
    assert "not known: CloudWatch has no bytes coming in to aws/spans" in note
    assert "--engine insights" in note
    assert not logs.asked
    assert spans.counted(own_, [WEEK], engine="insights", **NO_WAIT).counts[0].functions


def test_a_failure_is_told_unless_the_engine_was_asked_for() -> None:
    own_ = account(Logs([], failure="LimitExceededException"))
    found = spans.counted(own_, [WEEK], **NO_WAIT)
    assert found.counts == (NOTHING,)
    assert "LimitExceededException" in found.notes[0]
    with pytest.raises(AwsError, match="LimitExceededException"):
        spans.counted(own_, [WEEK], engine="insights", **NO_WAIT)


def test_a_full_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "ROWS", 2)
    monkeypatch.setattr(spans_aws, "ROWS", 2)
    found = spans.counted(account(Logs(MIXED)), [WEEK], **NO_WAIT)
    assert "more functions, or calls, than the 2 rows" in found.notes[0]
    assert len(found.counts[0].edges) == 2


def test_athena_asks_the_exported_spans() -> None:
    asked = Athena(table(MIXED))
    own_ = account(Logs([]), athena=asked)
    found = spans.counted(own_, [WEEK], engine="athena", **NO_WAIT)
    agree(found.counts[0], MIXED, above=BIN)
    assert [name for name, _ in asked.asked] == ["StartQueryExecution"] * 2
    # Two questions of at most 100 GB, of the 1,024 in a TB, at USD 5 a TB.
    words = "Athena is asked 2 times about spans: up to USD 0.98 at the price of us-east-1."
    assert spans.cost(own_, [WEEK], engine="athena").words == words


@pytest.mark.e2e
def test_the_embedded_account_s_athena_counts_alike(own: boto3.Session, tmp_path: Any) -> None:  # noqa: F811 - a fixture
    outputs = deploy.deploy(own, architecture="x86_64", parameters={}, layer=False, archive=True, pause_s=0.05)
    bucket, file = outputs["ArchiveBucket"], tmp_path / "rows.parquet"
    table(MIXED).execute(f"COPY (SELECT message FROM spans) TO '{file}' (FORMAT parquet)")
    client(own, "s3").put_object(Bucket=bucket, Key="spans/day=2023-11-15/rows.parquet", Body=file.read_bytes())
    format_ = "org.apache.hadoop.hive.ql.io.parquet"
    made = {
        "Name": "spans",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "StorageDescriptor": {
            "Columns": [{"Name": "message", "Type": "string"}],
            "Location": f"s3://{bucket}/spans/",
            "InputFormat": f"{format_}.MapredParquetInputFormat",
            "OutputFormat": f"{format_}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{format_}.serde.ParquetHiveSerDe"},
        },
    }
    client(own, "glue").create_table(DatabaseName=athena.DATABASE, TableInput=made)
    agree(spans.counted(own, [WEEK], engine="athena", **NO_WAIT).counts[0], MIXED, above=BIN)


# --- in the report -------------------------------------------------------------------------------


def one(spans_: int, ms: float, *, faults: int = 0, errors: int = 0, cold: int | None = None) -> Counted:
    times = dict.fromkeys(("p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"), ms)
    return Counted(spans=spans_, faults=faults, errors=errors, throttles=0, cold=cold, **times)


READ = platform(1, "cart", ms=100)
QUERY = ("cart", "DynamoDB orders", "Query")
NOW = Counts(
    {"cart": one(1_204_331, 90, faults=3, errors=4), "till": one(7, 5, cold=2)},
    {QUERY: one(99, 7), ("cart", "S3 files", "GetObject"): one(3, 8), ("till", "example.com", "GET"): one(2, 9)},
)


def reported(now: Counts = NOW, before: Counts = NOTHING, told: Sequence[Span] = READ) -> LatencyReport:
    return with_counts(latency_report(otel.traces(told), start=T0, end=T0 + DAY), now, before)


def test_what_was_counted_takes_the_place_of_what_was_read() -> None:
    report = reported(before=Counts({"cart": one(5, 80)}, {QUERY: one(6, 6)}))
    cart, till = report.functions
    assert (cart.function, cart.traces, cart.requests, cart.response.p95_ms) == ("cart", 1, 1_204_331, 90)
    assert cart.fault_share == pytest.approx(7 / 1_204_331)
    assert cart.phases
    assert cart.counted_before == one(5, 80)
    assert (till.traces, till.requests, till.phases, till.exemplars) == (0, 7, (), ())
    assert (till.response.p99_ms, till.cold_share) == (5, pytest.approx(2 / 7))
    edges = {(e.caller, e.callee, e.operation): (e.calls, e.response.p50_ms, e.counted_before) for e in report.edges}
    assert edges[QUERY] == (99, 7, one(6, 6))
    assert edges["cart", "S3 files", "GetObject"] == (3, 8, None)
    assert edges["till", "example.com", "GET"] == (2, 9, None)


def test_of_calls_those_without_an_answer_failed() -> None:
    """Two faults and three throttled of fifty, read or not; four other errors are answers."""
    lost = replace(one(50, 7, faults=2, errors=7), throttles=3)
    report = reported(Counts({}, {QUERY: lost, ("cart", "S3 files", "GetObject"): lost}))
    assert [edge.fault_share for edge in report.edges] == [pytest.approx(5 / 50)] * 2


def test_without_counts_nothing_changes() -> None:
    assert reported(NOTHING) == latency_report(otel.traces(READ), start=T0, end=T0 + DAY)


def test_a_call_that_goes_by_another_name_is_there_once() -> None:
    """In the trace it went to whoever answered, in the spans to a host."""
    report = reported(Counts({}, {("cart", "db.example.com", "Query"): one(9, 1)}))
    assert [edge.callee for edge in report.edges] == ["DynamoDB orders"]


def test_page_sheet_and_json_say_what_is_of_all_requests() -> None:
    report = reported(before=Counts({"cart": one(5, 80)}, {}))
    page = pages.latency_page(report, title="t", generated_s=T0)
    assert "Of all 1,204,331 requests" in page
    assert "none of it was read" in page
    assert "all 99" in page
    assert "Of 2 of 2 functions they are of all requests." in page
    rows = list(csv.DictReader(sheets.latency_csv(report).splitlines()))
    assert [(r["function"], r["traces"], r["all_spans"], r["all_errors"], r["all_cold"]) for r in rows] == [
        ("cart", "1", "1204331", "4", ""),
        ("till", "0", "7", "0", "2"),
    ]
    told = json.loads(json.dumps(asdict(report)))
    assert told["functions"][0]["counted"]["spans"] == 1_204_331
    assert told["edges"][0]["counted"]["p95_ms"] == 7
    bare = sheets.latency_csv(reported(NOTHING)).splitlines()[1]
    assert bare.endswith(",,,,,,")


@pytest.mark.parametrize(("a_minute", "part"), [(None, False), (0, False), (10, False), (11, False), (12, True)])
def test_spans_of_fewer_requests_than_cloudwatch_counted_are_a_part(a_minute: int | None, part: bool) -> None:
    """100 spans in ten minutes: they are all of 100 invocations, and of 110 above nine tenths, but not of 120."""
    made = Counts({"cart": one(100, 90)}, {QUERY: one(50, 7), ("api", "cart", "Invoke"): one(9, 5)})
    found = against(made, lambda name, minute: a_minute if minute % 60 == 0 else None, start_s=T0 - 20, end_s=T0 + 580)
    if not part:
        assert found == made
        return
    cart = found.functions["cart"]
    assert cart.of == pytest.approx(120)
    assert found.edges[QUERY].of == pytest.approx(60)
    assert found.edges["api", "cart", "Invoke"].of is None
    report = reported(found)
    bare = latency_report(otel.traces(READ), start=T0, end=T0 + DAY)
    assert report.functions == (replace(bare.functions[0], counted=cart),)
    assert report.edges[1] == replace(bare.edges[0], counted=found.edges[QUERY])
    assert "Of all 100 traced" in pages.latency_page(report, title="t", generated_s=T0)
    (unread,) = reported(against(made, lambda *_: 12, start_s=T0 - 20, end_s=T0 + 580), told=[]).functions
    assert (unread.requests, unread.traces) == (pytest.approx(120), 0)
    (told,) = weighted(otel.traces(READ), found)
    assert told["Weights"] == {}


def test_requests_read_stand_for_those_counted() -> None:
    """Two of `cart` for ten, by five each; nobody counted `till`."""
    told = [*platform(1, "cart", ms=10), *platform(2, "cart", ms=20), *platform(3, "till", ms=30)]
    seen = window(weighted([*otel.traces(told)], Counts({"cart": one(10, 1)}, {})))
    assert [request.weight for request in seen.requests["cart"]] == [5, 5]
    assert [request.weight for request in seen.requests["till"]] == [1]


def listed(names: Sequence[str]) -> dict[str, Fake]:
    found = {"Functions": [{"FunctionName": name} for name in names]}
    on = {"Destination": "CloudWatchLogs", "Status": "ACTIVE"}
    return {
        "lambda": Fake("lambda", list_functions=lambda _: [found]),
        "xray": Fake("xray", get_trace_segment_destination=lambda _: on),
    }


def test_the_report_of_spans_is_of_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 600 requests in a week 100 traces are read; the slowest is not among them, and `rare` is not at all."""
    monkeypatch.setattr(spans_aws, "POLL_S", 0.0)
    monkeypatch.setattr(reports, "SPAN_TRACES", 100)
    told = [one for n in range(600) for one in platform(n, "cart", ms=100 + n % 7, at_ms=1000 * n)]
    told += platform(0x1001, "cart", ms=60_000) + platform(0x100F, "rare", ms=5)
    found, seen = reports.latency(account(Logs(told), **listed(["cart"])), end_s=WEEK[1], days=7)
    cart, rare = found.functions
    assert found.traces_read == 100
    assert (cart.function, cart.requests, cart.counted and cart.counted.max_ms) == ("cart", 601, 60_002)
    assert sum(request.weight for request in seen.requests["cart"]) == pytest.approx(601)
    assert (rare.function, rare.traces, rare.requests) == ("rare", 0, 1)
    assert reports.COUNTED in found.notes


# --- the command ---------------------------------------------------------------------------------


def test_the_price_is_said_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(spans_aws, "POLL_S", 0.0)
    logs = Logs(MIXED)
    start, said = logs.start, []

    def heard(request: Mapping[str, Any]) -> Any:
        said.append(capsys.readouterr().err)
        return start(request)

    monkeypatch.setattr(logs, "start", heard)
    monkeypatch.setattr("lookout.xray.session", lambda: account(logs, **listed(["cart"])))
    monkeypatch.setattr("lookout.traces.time.time", lambda: WEEK[1])
    assert cli.main(["traces", "--days", "7"]) == 0
    assert "has Logs Insights read 1.0 GB twice, as choosing traces does: up to USD 0.01" in said[0]
    assert re.search(r"cart\W+all 200 requests \(200 traces read\)", capsys.readouterr().out)


def test_an_engine_is_of_spans(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("lookout.xray.session", lambda: XRay([]).session)
    assert cli.main(["traces", "--engine", "athena"]) == 2
    assert "Transaction Search is off" in capsys.readouterr().err
    assert cli.main(["traces", "--file", "traces.json", "--engine", "athena"]) == 2
    assert "leave out --file" in capsys.readouterr().err
