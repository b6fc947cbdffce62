"""OpenTelemetry spans -> X-Ray segment documents, for the one tree model that reports stand on. Pure, never raises.

The way is AWS's own, that of the Collector's X-Ray exporter (opentelemetry-collector-contrib,
exporter/awsxrayexporter/internal/translator: segment.go, cause.go, aws.go). What AWS made from X-Ray's documents, as
for the spans of Lambda itself, keeps under `_aws.xray` and `aws.xray.origin` what OpenTelemetry has no word for.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from monitors.traces.documents import decode, encoded
from monitors.traces.labels import CALLS
from monitors.traces.otlp import attributes, first, identity, items, mapping, seconds, text, whole, word
from monitors.traces.reading import Loose, envelopes, put
from monitors.traces.repairing import FUNCTION

Json = dict[str, Any]

_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES = ("UNSET", "OK", "ERROR")
_OUTGOING = ("CLIENT", "PRODUCER")

# The service in a resource's ARN -> the origin that X-Ray gives its segments.
_ORIGINS = {
    "apigateway": "AWS::ApiGateway::Stage",
    "appsync": "AWS::AppSync::GraphQLAPI",
    "states": "AWS::StepFunctions::StateMachine",
}

# Attributes, the preferred first: the exporter's, X-Ray's own fields as `aws/spans` has them, and OpenTelemetry's
# semantic conventions (aws-sdk, faas, rpc, http, database, messaging).
_AWS_FIELDS = (
    ("operation", ("aws.operation", "rpc.method", "db.operation.name", "db.operation", "messaging.operation.name")),
    ("table_name", ("aws.table_name", "aws.table.name", "aws.dynamodb.table_names")),
    ("queue_url", ("aws.queue_url", "aws.queue.url", "aws.sqs.queue.url", "messaging.url")),
    ("bucket_name", ("aws.bucket_name", "aws.s3.bucket")),
    ("topic_arn", ("aws.topic_arn", "aws.sns.topic.arn")),
    ("stream_name", ("aws.stream_name", "aws.kinesis.stream_name")),
    ("state_machine_arn", ("aws.state_machine_arn", "aws.step_functions.state_machine.arn")),
    ("function_name", ("aws.function_name", "faas.invoked_name")),
    ("function_arn", ("aws.function_arn",)),
)
_RESOURCES = ("aws.remote.resource.identifier", "messaging.destination.name")
_REMOTE = ("aws.remote.service", "peer.service", "aws.service", "db.namespace", "db.name", "rpc.service")
_HOSTS = ("server.address", "http.host", "net.peer.name")
_LOCAL = ("aws.local.service", "service.name")
_METHODS = ("http.request.method", "http.method")
_RESPONSES = ("http.response.status_code", "http.status_code")
_FUNCTION_ARNS = ("aws.lambda.invoked_arn", "cloud.resource_id", "faas.id")
_OWN_ARNS = ("aws.xray.resource_arn", "aws.lambda.invoked_arn")
_INVOCATIONS = ("faas.invocation_id", "faas.execution")
_HANDLER = "/FunctionHandler"
"""Ends `aws.local.operation` of a function's span by AWS's distribution of OpenTelemetry; before it, the function."""


class _Span(NamedTuple):
    body: Mapping[str, Any]
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    xray: Mapping[str, Any]
    """What X-Ray's own document said."""
    kind: str
    segment: bool


def traces(spans: Iterable[object]) -> Iterator[Json]:
    """Traces as reading.read_trace takes them, of spans in any order: `{"Id", "Segments": [{"Document"}]}`.

    What is no span, or says no trace, comes together under the empty id, for the reader to count.
    """
    loose: Loose = {}
    for span in spans:
        put(loose, document(span))
    return joined(loose)


def joined(loose: Loose) -> Iterator[Json]:
    """Traces, as `traces`, of documents made by `document`; those of X-Ray's own may be among them.

    Where both the platform and the instrumentation tell of an invocation, the instrumentation's span becomes part of
    the platform's, so that it counts once; so do spans of single messages below a function's own (OpenTelemetry's
    semantic conventions for AWS Lambda, "SQS").
    """
    for trace in envelopes(loose):
        told = [segment["Document"] for segment in trace["Segments"]]
        if trace["Id"] and sum(isinstance(one, str) and FUNCTION in one for one in told) > 1:
            decoded = [decode(one) if isinstance(one, str) else one for one in told]
            _nest(decoded)
            trace["Segments"] = [{"Document": encoded(one)} for one in decoded]
        yield trace


def document(span: object) -> Json | None:
    """The segment or subsegment document of a span, with its `trace_id`; None if it is no span or says no trace.

    SERVER, CONSUMER, the local root (`aws.span.kind`) and what has no parent become segments; CLIENT and PRODUCER
    subsegments that are calls; INTERNAL ones that are none. A function's segment has origin AWS::Lambda::Function, and
    its cold start (`faas.coldstart`) is an `Initialization` of no length: a span doesn't say how long that took.
    A span without an end is in progress.
    """
    body = mapping(span)
    trace_id, span_id = identity(body.get("traceId"), 32), identity(body.get("spanId"), 16)
    if not trace_id:
        return None
    one = _read(body)
    origin, start = _origin(one), seconds(body.get("startTimeUnixNano"))
    made = {
        "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
        "id": span_id,
        "parent_id": identity(body.get("parentSpanId"), 16),
        "end_time": seconds(body.get("endTimeUnixNano")),
        "type": "" if one.segment else "subsegment",
        "origin": origin,
        "resource_arn": _arn(one),
        "name": _name(one, origin),
        "namespace": _namespace(one),
        "aws": _aws(one),
        **_outcome(one),
    }
    if origin == FUNCTION and one.attributes.get("faas.coldstart") is True:
        begun = {"id": f"{span_id}-start", "name": "Initialization", "start_time": start, "end_time": start}
        made["subsegments"] = [begun]
    return {"start_time": start, **{field: value for field, value in made.items() if value}}


def _read(body: Mapping[str, Any]) -> _Span:
    found = attributes(body.get("attributes"))
    xray = mapping(mapping(body.get("_aws")).get("xray"))
    kind, role = word(body.get("kind"), _KINDS), found.get("aws.span.kind")
    if (said := xray.get("type")) in ("segment", "subsegment"):
        segment = said == "segment"
    elif kind == "CONSUMER":
        segment = role in (None, "LOCAL_ROOT")
    else:
        root = role == "LOCAL_ROOT" or not identity(body.get("parentSpanId"), 16)
        segment = kind == "SERVER" or (root and kind not in _OUTGOING)
    return _Span(body, found, attributes(mapping(body.get("resource")).get("attributes")), xray, kind, segment)


def _origin(one: _Span) -> str:
    if said := first(one.attributes, ("aws.xray.origin",)) or first(one.xray, ("origin",)):
        return said
    if not one.segment:
        return ""
    if (
        "aws_lambda" in (one.resource.get("cloud.platform"), one.attributes.get("cloud.platform"))
        or one.attributes.get("PlatformType") == "AWS::Lambda"
        or first(one.attributes, _INVOCATIONS)
    ):
        return FUNCTION
    arn = first(one.resource, ("cloud.resource_id",)).split(":")
    return _ORIGINS.get(arn[2], "") if len(arn) > 2 else ""


def _name(one: _Span, origin: str) -> str:
    """A segment's is its service's or function's, a call's that of what is called, any other span's its own."""
    own = first(one.body, ("name",))
    if said := first(one.xray, ("name",)):
        return said
    if _namespace(one):
        called = first(one.attributes, (*_REMOTE, *_HOSTS)) or own
        return called.removeprefix("AWS.SDK.").removeprefix("AWS::") if _is_aws(one) else called
    if not one.segment:
        return own
    function = _function(one) if origin == FUNCTION else ""
    return function or first(one.attributes, _LOCAL) or first(one.resource, _LOCAL) or own


def _function(one: _Span) -> str:
    """A function's name as CloudWatch has it."""
    for found in (one.resource, one.attributes):
        if name := first(found, ("faas.name",)):
            return name
        arn = first(found, _FUNCTION_ARNS).split(":")
        if len(arn) > 6 and arn[2] == "lambda":
            return arn[6]
    operation = first(one.attributes, ("aws.local.operation",))
    return operation.removesuffix(_HANDLER) if operation.endswith(_HANDLER) else ""


def _arn(one: _Span) -> str:
    """A segment's own resource; of a function as it was invoked, with version or alias, if that is said."""
    if not one.segment:
        return ""
    return first(one.attributes, _OWN_ARNS) or first(one.resource, ("cloud.resource_id",))


def _is_aws(one: _Span) -> bool:
    return one.attributes.get("rpc.system") == "aws-api" or "aws.service" in one.attributes


def _namespace(one: _Span) -> str:
    if one.segment:
        return ""
    if said := first(one.xray, ("namespace",)):
        return said
    if one.kind not in _OUTGOING:
        return ""
    return "aws" if _is_aws(one) else "remote"


def _aws(one: _Span) -> Json:
    """What a call did, and to what; of a segment only which function it is."""
    if one.segment:
        arn = first(one.attributes, ("aws.function_arn",))
        return {"function_arn": arn} if arn else {}
    found: Json = {field: value for field, names in _AWS_FIELDS if (value := first(one.attributes, names))}
    if operation := found.get("operation"):
        found["operation"] = operation.rsplit("/", 1)[-1]  # rpc.method may be service/method
    elif not first(one.attributes, _METHODS) and (operation := first(one.attributes, ("aws.remote.operation",))):
        found["operation"] = operation
    if resource := first(one.attributes, _RESOURCES):
        found["resource_names"] = [resource]
    return found


def _outcome(one: _Span) -> Json:
    """HTTP's status decides, as in the exporter; or else the span's own, or an exception that it doesn't call OK."""
    code = next((found for name in _RESPONSES if (found := whole(one.attributes.get(name))) is not None), 0)
    method = first(one.attributes, _METHODS)
    status = word(mapping(one.body.get("status")).get("code"), _STATUSES)
    events = [mapping(event).get("name") for event in items(one.body.get("events"))]
    failed = status == "ERROR" or (status != "OK" and "exception" in events)
    said = {"request": {"method": method} if method else {}, "response": {"status": code} if code else {}}
    return {
        "http": {part: value for part, value in said.items() if value},
        "error": 400 <= code < 500,
        "throttle": code == 429,
        "fault": 500 <= code < 600 or (failed and not 400 <= code < 500),
    }


def _nest(documents: Iterable[object]) -> None:
    """Make a function's segment a subsegment where it hangs, with no call between, below one of the same function."""
    found = [body for body in documents if isinstance(body, dict) and isinstance(body.get("id"), str)]
    bodies = {body["id"]: body for body in found}
    handlers = {text(body.get("parent_id")): key for key, body in bodies.items() if body.get("name") == "Invocation"}
    inner = [body for body in found if body.get("origin") == FUNCTION and _is_inside(body, bodies)]
    for body in inner:
        body["type"] = "subsegment"
        body["parent_id"] = handlers.get(body["parent_id"], body["parent_id"])
        del body["origin"]


def _is_inside(body: Mapping[str, Any], bodies: Mapping[str, Mapping[str, Any]]) -> bool:
    seen = {body["id"]}
    above = bodies.get(text(body.get("parent_id")))
    while above and above["id"] not in seen and above.get("namespace") not in CALLS:
        if above.get("origin") == FUNCTION:
            return bool(above.get("name") == body.get("name"))
        seen.add(above["id"])
        above = bodies.get(text(above.get("parent_id")))
    return False
