"""Lambda in OpenTelemetry: the platform's own spans, the instrumentation's, or both, are one invocation each."""

from typing import Any

import pytest

from monitors.traces.phases import functions, per_trace, view
from monitors.traces.reading import read_trace
from monitors.traces.requests import calls, invocations
from monitors.traces.tree import Repair
from tests.test_traces_otel import DYNAMODB, T0_NS, by_number, read, span

FAAS = {"cloud.platform": "aws_lambda", "faas.name": "shop"}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:shop"


def platform(number: int, origin: str, start_ms: int, end_ms: int, **more: Any) -> dict[str, Any]:
    """A span that AWS made of a segment by Lambda itself."""
    return span(number, "SERVER", start_ms, end_ms, name="shop", attributes={"aws.xray.origin": origin}, **more)


def part(number: int, name: str, start_ms: int, end_ms: int, *, below: int) -> dict[str, Any]:
    """A span that AWS made of a subsegment: its name is in `_aws.xray` only."""
    xray = {"name": name, "type": "subsegment"}
    return span(number, "INTERNAL", start_ms, end_ms, below=below, name="", _aws={"xray": xray})


def handler(number: int, start_ms: int, end_ms: int, *, below: int = 0, **attributes: Any) -> dict[str, Any]:
    """A function's span as the instrumentation makes it."""
    resource = {"attributes": FAAS}
    return span(
        number, "SERVER", start_ms, end_ms, below=below, name="app.run", resource=resource, attributes=attributes
    )


@pytest.mark.parametrize(
    ("resource", "attributes"),
    [
        ({"faas.name": "shop", "cloud.platform": "aws_lambda", "service.name": "other"}, {}),
        ({"cloud.platform": "aws_lambda", "cloud.resource_id": ARN}, {}),
        ({}, {"faas.invocation_id": "r", "aws.lambda.invoked_arn": f"{ARN}:live"}),
        ({}, {"faas.execution": "r", "faas.id": ARN}),
        ({"service.name": "checkout"}, {"PlatformType": "AWS::Lambda", "aws.local.operation": "shop/FunctionHandler"}),
        ({"service.name": "shop"}, {"PlatformType": "AWS::Lambda"}),
    ],
)
def test_a_function_s_span_is_one_invocation(resource: dict[str, Any], attributes: dict[str, Any]) -> None:
    """By OpenTelemetry's conventions of either age, and as AWS's distribution of it writes."""
    spans = [
        span(1, "SERVER", 0, 50, name="app.run", resource={"attributes": resource}, attributes=attributes),
        span(2, "CLIENT", 10, 30, below=1, attributes=DYNAMODB),
    ]
    seen = view(read(*spans))
    (request,) = invocations(seen, "t")
    assert (request.function, request.duration, request.cold) == ("shop", 50_000, False)
    assert {label.phase: us for label, us in request.phases} == {"handler": 30_000, "dependency": 20_000}


def test_the_alias_invoked_is_known() -> None:
    told = handler(1, 0, 9, **{"aws.lambda.invoked_arn": f"{ARN}:live"})
    (request,) = invocations(view(read(told)), "t")
    assert (request.function, request.qualifier) == ("shop", "live")


def segment(number: int, name: str, start_ms: int, end_ms: int, **more: Any) -> dict[str, Any]:
    """A segment or subsegment document of X-Ray's own."""
    times = {"start_time": T0_NS / 1e9 + start_ms / 1000, "end_time": T0_NS / 1e9 + end_ms / 1000}
    return {"id": f"{number:016x}", "name": name, **times, **more}


def test_the_platform_s_own_spans_are_the_trees_of_x_ray() -> None:
    """A cold start: the container until 100 ms, the runtime until 400, the handler from 410 to 480, a call in it."""
    call = segment(6, "DynamoDB", 420, 450, namespace="aws", aws={"operation": "Query"})
    parts = [
        segment(3, "Initialization", 100, 400),
        segment(4, "Invocation", 410, 480, subsegments=[call]),
        segment(5, "Overhead", 480, 490),
    ]
    documents = [
        segment(1, "shop", 0, 500, origin="AWS::Lambda"),
        segment(2, "shop", 405, 490, origin="AWS::Lambda::Function", parent_id=f"{1:016x}", subsegments=parts),
    ]
    trace = read(
        platform(1, "AWS::Lambda", 0, 500),
        platform(2, "AWS::Lambda::Function", 405, 490, below=1),
        part(3, "Initialization", 100, 400, below=2),
        part(4, "Invocation", 410, 480, below=2),
        part(5, "Overhead", 480, 490, below=2),
        span(6, "CLIENT", 420, 450, below=4, attributes=DYNAMODB),
    )
    assert trace.spans == read_trace({"Id": "1-x", "Segments": documents}).spans
    (request,) = invocations(view(trace), "t")
    assert (request.function, request.duration, request.cold) == ("shop", 500_000, True)


@pytest.mark.parametrize("below", [2, 3])
def test_platform_and_instrumentation_tell_of_one_invocation(below: int) -> None:
    """The handler's span hangs below the function or its invocation: either way it is as if the call were all there."""
    around = [
        platform(1, "AWS::Lambda", 0, 100),
        platform(2, "AWS::Lambda::Function", 10, 95, below=1),
        part(3, "Invocation", 10, 90, below=2),
    ]
    told = handler(4, 20, 80, below=below, **{"faas.coldstart": True})
    both = view(read(*around, told, span(5, "CLIENT", 30, 70, below=4, attributes=DYNAMODB)))
    alone = view(read(*around, span(5, "CLIENT", 30, 70, below=3, attributes=DYNAMODB)))
    (request,), (bare,) = invocations(both, "t"), invocations(alone, "t")
    assert (request.function, request.duration, request.cold) == ("shop", 100_000, False)
    assert dict(request.phases) == dict(bare.phases)
    assert list(calls(both)) == list(calls(alone))


def test_the_platform_knows_of_cold_starts_best() -> None:
    """A container that was ready before its first request: the platform tells of no initialization in it."""
    told = {"faas.coldstart": True}
    trace = read(platform(2, "AWS::Lambda::Function", 10, 95), handler(4, 20, 80, below=2, **told))
    (request,) = invocations(view(trace), "t")
    assert (request.duration, request.cold) == (85_000, False)


def test_a_message_s_span_is_no_invocation_of_its_own() -> None:
    resource = {"attributes": FAAS}
    trace = read(
        handler(1, 0, 50), span(2, "CONSUMER", 10, 20, below=1, resource=resource), handler(3, 12, 18, below=2)
    )
    assert [trace.spans[i].id for i in functions(view(trace))] == [f"{1:016x}"]


def test_a_called_function_is_an_invocation_of_its_own() -> None:
    """Also where it is the same function, or nothing tells of the call."""
    again, other = handler(3, 12, 18, below=2), handler(4, 30, 40, below=1)
    other["resource"] = {"attributes": FAAS | {"faas.name": "mailer"}}
    trace = read(handler(1, 0, 50), span(2, "CLIENT", 10, 20, below=1, attributes=DYNAMODB), again, other)
    assert sorted(request.function for request in invocations(view(trace), "t")) == ["mailer", "shop", "shop"]


def test_a_span_in_progress_gives_way_to_the_completed_one() -> None:
    """X-Ray writes both to the log group, in any order."""
    begun = handler(3, 20, 80, below=2)
    del begun["endTimeUnixNano"]
    around = platform(1, "AWS::Lambda", 0, 100), platform(2, "AWS::Lambda::Function", 10, 95, below=1)
    for spans in ((begun, handler(3, 20, 80, below=2)), (handler(3, 20, 80, below=2), begun)):
        trace = read(*around, *spans)
        assert dict(trace.repairs)[Repair.SUPERSEDED] == 1
        assert not by_number(trace)[3].censored
        assert len(list(invocations(view(trace), "t"))) == 1


def test_a_cold_start_takes_no_time_that_nobody_measured() -> None:
    trace = read(handler(1, 0, 50, **{"faas.coldstart": True}))
    (request,) = invocations(view(trace), "t")
    assert (request.cold, request.phases) == (True, ((("handler", ""), 50_000),))
    assert per_trace(trace)["cold_starts"] == 1
