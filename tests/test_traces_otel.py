"""OpenTelemetry spans become the trees that X-Ray's own documents become, and what is no span is counted."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces import otel, otlp
from monitors.traces.aggregate import latency_report
from monitors.traces.phases import per_trace, response_path, view
from monitors.traces.reading import LATEST_S, read_trace
from monitors.traces.requests import calls, invocations
from monitors.traces.tree import Repair, Span, Trace

TRACE = "6553f1004fc5b1c42f7b40fc4801f9fd"
T0_NS = 1_700_000_000_000_000_000
DYNAMODB = {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "Query"}


def span(number: int, kind: str, start_ms: int, end_ms: int | None, *, below: int = 0, **more: Any) -> dict[str, Any]:
    """A span of `aws/spans`; its number is its id, and its attributes are those of `more` that are no field of it."""
    ended = {} if end_ms is None else {"endTimeUnixNano": T0_NS + end_ms * 1_000_000}
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        **({"parentSpanId": f"{below:016x}"} if below else {}),
        "name": f"span {number}",
        "kind": kind,
        "startTimeUnixNano": T0_NS + start_ms * 1_000_000,
        **ended,
        "status": {"code": "UNSET"},
        "attributes": {},
        **more,
    }


def read(*spans: object) -> Trace:
    (trace,) = otel.traces(spans)
    return read_trace(trace)


def by_number(trace: Trace) -> Mapping[int, Span]:
    return {int(one.id, 16): one for one in trace.spans if "-" not in one.id}


# --- ids and times -------------------------------------------------------------------------------


def test_a_whole_record_of_the_log_group() -> None:
    """As AWS makes it of API Gateway's subsegment, whose start, 1700000000.421, went through a float on the way."""
    record = {
        "resource": {
            "attributes": {
                "cloud.provider": "aws",
                "service.name": "shop-gateway",
                "cloud.resource_id": "arn:aws:apigateway:us-east-1::/restapis/abcdefghij/stages/prod",
                "cloud.platform": "aws_api_gateway",
            }
        },
        "traceId": TRACE,
        "spanId": "00f067aa0ba902b7",
        "parentSpanId": "53995c3f42cd8ad8",
        "name": "awslambda.Invoke",
        "kind": "CLIENT",
        "startTimeUnixNano": 1700000000420999936,
        "endTimeUnixNano": 1700000000460000000,
        "durationNano": 39000064,
        "attributes": {
            "aws.local.service": "shop-gateway",
            "rpc.service": "awslambda",
            "rpc.system": "aws-api",
            "aws.remote.service": "shop-get",
            "http.status_code": 502,
            "aws.span.kind": "CLIENT",
            "aws.operation": "Invoke",
            "rpc.method": "Invoke",
            "aws.function_name": "shop-get",
            "http.method": "GET",
            "http.response.status_code": 502,
        },
        "status": {"code": "UNSET"},
        "_aws": {"xray": {"name": "awslambda", "namespace": "aws", "type": "subsegment"}},
    }
    trace = read(record)
    assert trace.id == "1-6553f100-4fc5b1c42f7b40fc4801f9fd"
    (one,) = trace.spans
    assert (one.start, one.end) == (1_700_000_000_421_000, 1_700_000_000_460_000)
    assert (one.id, one.name, one.namespace, one.segment) == ("00f067aa0ba902b7", "awslambda", "aws", False)
    assert (one.operation, one.resource, one.status) == ("Invoke", "shop-get", 502)
    assert (one.error, one.fault, one.throttle) == (False, True, False)


@given(st.integers(0, 2**32 * 1_000_000 - 1), st.integers(-499, 499))
def test_no_microsecond_is_lost_until_2106(us: int, rest_ns: int) -> None:
    ns = max(0, us * 1000 + rest_ns)
    (one,) = read(span(1, "SERVER", 0, 0) | {"startTimeUnixNano": ns, "endTimeUnixNano": str(ns)}).spans
    assert one.start == us
    assert one.end == us or ns == 0


def test_a_time_ends_where_the_reader_s_do() -> None:
    assert otlp.seconds(int(LATEST_S) * 10**9) == LATEST_S
    for no_time in (int(LATEST_S) * 10**9 + 1, -1, True, 1.5, "-1", "1e9", "٣", "", None, [], "9" * 5000):
        assert otlp.seconds(no_time) is None


def test_otlp_says_the_same_as_aws_spans() -> None:
    """The OTLP specification's own words: ids in hex of either case, times as text, enums as numbers."""
    exported = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "faas.name", "value": {"stringValue": "shop"}}]},
                "scopeSpans": [
                    {
                        "scope": {"name": "x"},
                        "spans": [
                            {
                                "traceId": TRACE.upper(),
                                "spanId": "EEE19B7EC3C1B174",
                                "parentSpanId": "",
                                "name": "app.run",
                                "kind": 2,
                                "startTimeUnixNano": str(T0_NS),
                                "endTimeUnixNano": str(T0_NS + 7_000_000),
                                "attributes": [
                                    {"key": "faas.invocation_id", "value": {"stringValue": "r"}},
                                    {"key": "faas.coldstart", "value": {"boolValue": True}},
                                    {"key": "http.response.status_code", "value": {"intValue": "503"}},
                                ],
                                "status": {"code": 2},
                            },
                            {
                                "traceId": TRACE,
                                "spanId": "eee19b7ec3c1b175",
                                "parentSpanId": "eee19b7ec3c1b174",
                                "kind": "SPAN_KIND_CLIENT",
                                "startTimeUnixNano": str(T0_NS),
                                "endTimeUnixNano": str(T0_NS + 2_000_000),
                                "attributes": [
                                    {"key": "rpc.system", "value": {"stringValue": "aws-api"}},
                                    {"key": "rpc.service", "value": {"stringValue": "DynamoDB"}},
                                    {
                                        "key": "aws.dynamodb.table_names",
                                        "value": {"arrayValue": {"values": [{"stringValue": "orders"}]}},
                                    },
                                ],
                            },
                        ],
                    }
                ],
            }
        ]
    }
    (trace,) = otel.traces(otlp.spans(exported))
    seen = view(read_trace(trace))
    (request,) = invocations(seen, "t")
    assert (request.function, request.duration, request.cold, request.failed) == ("shop", 7_000, True, True)
    (call,) = calls(seen)
    assert (call.caller, call.callee, call.duration) == ("shop", "DynamoDB orders", 2_000)


# --- segments, calls, names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "attributes", "below", "segment", "namespace"),
    [
        ("SERVER", {}, 1, True, ""),
        ("CONSUMER", {}, 1, True, ""),
        ("CONSUMER", {"aws.span.kind": "CONSUMER"}, 1, False, ""),
        ("INTERNAL", {}, 1, False, ""),
        ("INTERNAL", {}, 0, True, ""),
        ("INTERNAL", {"aws.span.kind": "INTERNAL"}, 0, True, ""),
        ("INTERNAL", {"aws.span.kind": "LOCAL_ROOT"}, 1, True, ""),
        ("CLIENT", {}, 1, False, "remote"),
        ("CLIENT", {"aws.span.kind": "LOCAL_ROOT"}, 0, False, "remote"),
        ("PRODUCER", {}, 1, False, "remote"),
        ("CLIENT", DYNAMODB, 1, False, "aws"),
        (None, {}, 1, False, ""),
    ],
)
def test_kinds(kind: Any, attributes: dict[str, Any], below: int, segment: bool, namespace: str) -> None:
    one = by_number(read(span(1, "SERVER", 0, 9), span(2, kind, 1, 2, below=below, attributes=attributes)))[2]
    assert (one.segment, one.namespace) == (segment, namespace)


@pytest.mark.parametrize(("kind", "said"), [("SERVER", "segment"), ("INTERNAL", "segment"), ("SERVER", "subsegment")])
def test_what_x_ray_called_it_counts(kind: str, said: str) -> None:
    """AppSync's segments have a namespace, which only a call has in the tree."""
    xray = {"name": "AppSync", "namespace": "aws", "type": said}
    one = by_number(read(span(1, "SERVER", 0, 9), span(2, kind, 1, 2, below=1, name="", _aws={"xray": xray})))[2]
    assert one.name == "AppSync"
    assert (one.segment, one.namespace) == ((True, "") if said == "segment" else (False, "aws"))


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        (DYNAMODB | {"aws.dynamodb.table_names": ["orders", "x"]}, ("DynamoDB", "Query", "orders")),
        (DYNAMODB | {"aws.remote.service": "AWS::DynamoDB", "rpc.method": "DynamoDB/Query"}, ("DynamoDB", "Query", "")),
        (DYNAMODB | {"aws.remote.service": "AWS.SDK.DynamoDB"}, ("DynamoDB", "Query", "")),
        (
            {"rpc.system": "aws-api", "rpc.service": "SQS", "aws.queue.url": "https://sqs.eu-west-1.x/1/mail"},
            ("SQS", "", "mail"),
        ),
        (
            {"rpc.system": "aws-api", "rpc.service": "Lambda", "rpc.method": "Invoke", "faas.invoked_name": "mailer"},
            ("Lambda", "Invoke", "mailer"),
        ),
        ({"http.request.method": "GET", "server.address": "a.example"}, ("a.example", "GET", "")),
        ({"http.method": "GET", "http.host": "b.example", "aws.remote.operation": "GET /"}, ("b.example", "GET", "")),
        ({"db.system": "postgresql", "db.name": "stock", "db.operation": "SELECT"}, ("stock", "SELECT", "")),
        ({"aws.remote.service": "UnknownRemoteService", "peer.service": "tax"}, ("tax", "", "")),
        ({"aws.remote.service": "tax", "aws.remote.operation": "Rate"}, ("tax", "Rate", "")),
        ({}, ("span 2", "", "")),
    ],
)
def test_what_was_called(attributes: dict[str, Any], named: tuple[str, str, str]) -> None:
    one = by_number(read(span(1, "SERVER", 0, 9), span(2, "CLIENT", 1, 2, below=1, attributes=attributes)))[2]
    assert (one.name, one.operation, one.resource) == named


@pytest.mark.parametrize(
    ("resource", "attributes", "name", "origin"),
    [
        ({"service.name": "web"}, {"aws.local.service": "front"}, "front", ""),
        ({"service.name": "web"}, {"aws.local.service": "UnknownService"}, "web", ""),
        ({"service.name": "unknown_service:python"}, {}, "span 1", ""),
        (
            {"service.name": "api/prod", "cloud.resource_id": "arn:aws:apigateway:eu-west-1::/restapis/a/stages/prod"},
            {},
            "api/prod",
            "AWS::ApiGateway::Stage",
        ),
        (
            {"cloud.resource_id": "arn:aws:states:eu-west-1:123456789012:stateMachine:ship", "service.name": "ship"},
            {},
            "ship",
            "AWS::StepFunctions::StateMachine",
        ),
        ({"cloud.resource_id": "odd"}, {"aws.xray.origin": "AWS::ECS::Fargate"}, "span 1", "AWS::ECS::Fargate"),
    ],
)
def test_services(resource: dict[str, Any], attributes: dict[str, Any], name: str, origin: str) -> None:
    (one,) = read(span(1, "SERVER", 0, 9, resource={"attributes": resource}, attributes=attributes)).spans
    assert (one.name, one.origin) == (name, origin)


@pytest.mark.parametrize(
    ("code", "status", "event", "outcome"),
    [
        (200, "UNSET", "", (False, False, False)),
        (404, "ERROR", "", (True, False, False)),
        (429, "UNSET", "", (True, False, True)),
        (503, "UNSET", "", (False, True, False)),
        (None, "ERROR", "", (False, True, False)),
        (200, "ERROR", "", (False, True, False)),
        (None, "UNSET", "exception", (False, True, False)),
        (None, "OK", "exception", (False, False, False)),
        (400, "UNSET", "exception", (True, False, False)),
        (None, "UNSET", "retry", (False, False, False)),
    ],
)
def test_outcomes(code: int | None, status: str, event: str, outcome: tuple[bool, bool, bool]) -> None:
    attributes = {} if code is None else {"http.response.status_code": code}
    (one,) = read(
        span(1, "SERVER", 0, 9, attributes=attributes, status={"code": status}, events=[{"name": event}])
    ).spans
    assert (one.error, one.fault, one.throttle) == outcome


# --- what is no span -----------------------------------------------------------------------------


def test_bad_spans_are_counted_and_cost_no_others() -> None:
    good = span(1, "SERVER", 0, 9)
    no_id, no_time = good | {"spanId": "0" * 16}, span(2, "SERVER", 0, 9) | {"startTimeUnixNano": -1}
    none, found = sorted(
        otel.traces([good, None, 7, "x", {}, good | {"traceId": "xyz"}, no_id, no_time]), key=lambda one: str(one["Id"])
    )
    assert dict(read_trace(none).repairs) == {Repair.BROKEN_DOCUMENT: 5, Repair.EMPTY: 1}
    trace = read_trace(found)
    assert [one.id for one in trace.spans] == [f"{1:016x}"]
    assert dict(trace.repairs) == {Repair.BROKEN_DOCUMENT: 2}


def test_an_end_before_the_start_is_counted() -> None:
    assert dict(read(span(1, "SERVER", 9, 0)).repairs) == {Repair.NEGATIVE_DURATION: 1}


IDS = st.sampled_from([f"{n:016x}" for n in range(4)])
ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("Invocation")
JUNK = st.recursive(ODD, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
NAMES = st.sampled_from(
    [
        "aws.span.kind",
        "aws.xray.origin",
        "rpc.system",
        "rpc.method",
        "cloud.resource_id",
        "cloud.platform",
        "faas.name",
        "faas.invocation_id",
        "faas.coldstart",
        "http.status_code",
        "aws.dynamodb.table_names",
        "aws.function_arn",
    ]
)
VALUES = JUNK | st.sampled_from(
    ["LOCAL_ROOT", "AWS::Lambda", "AWS::Lambda::Function", "aws-api", "aws_lambda", "a:b:c"]
)
ATTRIBUTES = (
    st.dictionaries(NAMES, VALUES)
    | st.lists(st.fixed_dictionaries({"key": NAMES | JUNK, "value": JUNK | st.just({"arrayValue": {"values": [7]}})}))
    | JUNK
)
SPANS = st.fixed_dictionaries(
    {"traceId": st.just(TRACE) | JUNK, "spanId": IDS | JUNK},
    optional={
        "parentSpanId": IDS | JUNK,
        "name": JUNK,
        "kind": st.sampled_from(["SERVER", "CLIENT", "INTERNAL", "CONSUMER", 2, 3]) | JUNK,
        "startTimeUnixNano": st.integers(T0_NS, T0_NS + 10**6) | JUNK,
        "endTimeUnixNano": st.integers(T0_NS, T0_NS + 10**6) | JUNK,
        "attributes": ATTRIBUTES,
        "resource": st.fixed_dictionaries({"attributes": ATTRIBUTES}) | JUNK,
        "status": st.fixed_dictionaries({"code": JUNK}) | JUNK,
        "events": st.lists(st.fixed_dictionaries({"name": JUNK}) | JUNK) | JUNK,
        "_aws": st.fixed_dictionaries({"xray": st.dictionaries(st.sampled_from(["name", "type", "namespace"]), JUNK)}),
    },
)


@given(st.lists(SPANS | JUNK, max_size=8))
def test_no_list_of_spans_raises(spans: list[Any]) -> None:
    traces = otel.traces(spans)
    assert sum(len(trace["Segments"]) for trace in traces) == len(spans)
    for one in traces:
        trace = read_trace(one)
        path = response_path(view(trace))
        assert per_trace(trace)["response_us"] == sum(part.end - part.start for part in path.sections)
    latency_report(traces, start=0, end=1)


@given(JUNK | st.dictionaries(st.sampled_from(["resourceSpans", "x"]), st.lists(JUNK), max_size=2))
def test_no_export_raises(exported: Any) -> None:
    if isinstance(exported, dict):
        otel.traces(otlp.spans(exported))
