"""One invocation -> its X-Ray documents, as BatchGetTraces gives them.

Lambda's own segment (AWS::Lambda) is in whole milliseconds, the sandbox's (AWS::Lambda::Function) in microseconds;
Initialization lies before the segment that holds it; a function may outlive the service's segment by a little; a
call to another AWS service is told twice, as subsegment and as inferred segment. Source: AWS X-Ray Developer Guide,
"Segment documents", and AWS Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray".
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

from infra.local.history.profiles import ACCOUNT, REGION, Dependency
from infra.local.history.sandboxes import ASYNCHRONOUS, Call, Run

Json = dict[str, Any]
RESOURCES = {
    "DynamoDB": ("table_name", "{}", "AWS::DynamoDB::Table"),
    "SNS": ("topic_arn", f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}", "AWS::SNS"),
    "SQS": ("queue_url", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{}}", "AWS::SQS::Queue"),
    "S3": ("bucket_name", "{}", "AWS::S3::Bucket"),
    "StepFunctions": (
        "state_machine_arn",
        f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{}}",
        "AWS::STEPFUNCTIONS",
    ),
    "Lambda": ("function_name", "{}", ""),
}
"""What a call's `aws` block says of its resource, and the origin of the inferred segment; Lambda tells its own."""


def entity_id(*parts: object) -> str:
    """16 hex digits, the same for the same parts."""
    return blake2b("/".join(map(str, parts)).encode(), digest_size=8).hexdigest()


def function_id(run: Run) -> str:
    """The id of the sandbox's segment: what REPORT calls SegmentId."""
    return entity_id(run.request, run.origin.attempt, "function")


def call_id(request: int, service: str, resource: str, *, attempt: int = 1) -> str:
    """The id of an invocation's call, for what it sets off. Requests that are tried again call again."""
    return entity_id(request, attempt, service, resource)


def noise(text: str) -> float:
    """A number in [0, 1) that hangs on an id only."""
    return int(text[:4], 16) / 0x10000


def uuid(request: int) -> str:
    """A request id as AWS writes it."""
    text = f"{request:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def invocation(attempts: Sequence[Run], *, parent_id: str) -> Iterator[Json]:
    """The documents of one request to Lambda: service, function, inferred segments.

    Only an asynchronous request has more than one attempt, all under one request id. Empty `parent_id`: a root.
    """
    first, last = attempts[0], attempts[-1]
    queued = first.origin.kind in ASYNCHRONOUS
    service_id = entity_id(first.request, "service")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{first.function}"
    yield {
        "id": service_id,
        "name": first.function,
        "start_time": round(first.origin.sent_s + 0.001 if queued else first.arrived_s, 3),
        "end_time": round(last.end_s + 0.0045 * noise(service_id) - 0.0015, 3),
        "trace_id": first.origin.trace_id,
        "http": {"response": {"status": 202 if queued else 200}},
        "aws": {"request_id": uuid(first.request)},
        "origin": "AWS::Lambda",
        "resource_arn": arn,
        **({"parent_id": parent_id} if parent_id else {}),
        **_failed(last),
        **({"subsegments": [_dwell(first), *map(_attempt, attempts)]} if queued else {}),
    }
    for run in attempts:
        yield _function(run, _attempt_id(run) if queued else service_id, arn)
        yield from _inferred(run)


def _failed(run: Run) -> Json:
    return {} if run.status == "success" else {"error": True}


def _dwell(run: Run) -> Json:
    return {
        "id": entity_id(run.request, "dwell"),
        "name": "Dwell Time",
        "start_time": round(run.origin.sent_s + 0.001, 3),
        "end_time": round(run.arrived_s, 3),
    }


def _attempt(run: Run) -> Json:
    return {
        "id": _attempt_id(run),
        "name": f"Attempt #{run.origin.attempt}",
        "start_time": round(run.arrived_s, 3),
        "end_time": round(run.end_s + 0.001, 3),
        "http": {"response": {"status": 200}},
        **_failed(run),
    }


def _attempt_id(run: Run) -> str:
    return entity_id(run.request, run.origin.attempt, "attempt")


def _function(run: Run, parent_id: str, arn: str) -> Json:
    of_function = {"function_arn": arn}
    begun_s, ended_s = run.start_s + 0.0003, run.end_s - 0.0004
    flags = _failed(run)
    parts = [
        _part(run, "Overhead", ended_s + 0.00004, run.end_s - 0.00005, of_function),
        {**_part(run, "Invocation", begun_s, ended_s, of_function), **flags, "subsegments": list(_made(run))},
    ]
    if run.init_ms is not None:
        ready_s = run.start_s - 0.0009
        parts.insert(1, _part(run, "Initialization", ready_s - run.init_ms / 1000, ready_s, of_function))
    if run.error:
        kind, _, message = run.error.partition(": ")
        exception = {"id": entity_id(run.request, run.origin.attempt, "exception"), "message": message, "type": kind}
        flags = {**flags, "cause": {"working_directory": "/var/task", "exceptions": [exception]}}
    return {
        "id": function_id(run),
        "name": run.function,
        "start_time": round(run.start_s, 6),
        "end_time": round(run.end_s, 6),
        "trace_id": run.origin.trace_id,
        "parent_id": parent_id,
        "aws": {"account_id": ACCOUNT, **of_function, "resource_names": [run.function]},
        "origin": "AWS::Lambda::Function",
        "subsegments": parts,
        **flags,
    }


def _part(run: Run, name: str, start_s: float, end_s: float, aws: Json) -> Json:
    return {
        "id": entity_id(run.request, run.origin.attempt, name),
        "name": name,
        "start_time": round(start_s, 6),
        "end_time": round(max(start_s, end_s), 6),
        "aws": aws,
    }


def _timed(run: Run) -> Iterator[tuple[Call, float, float]]:
    """Each call with its start and end: one after the other, half of the computing before them and half after."""
    at_s = run.start_s + (run.duration_ms - sum(call.ms for call in run.calls)) / 2000
    for call in run.calls:
        yield call, at_s, at_s + call.ms / 1000
        at_s += call.ms / 1000


def _made(run: Run) -> Iterator[Json]:
    attempt = run.origin.attempt if run.origin.kind in ASYNCHRONOUS else 1
    for call, start_s, end_s in _timed(run):
        called = call.dependency
        yield {
            "id": call_id(run.request, called.service, called.resource, attempt=attempt),
            "name": called.service,
            "start_time": round(start_s, 6),
            "end_time": round(end_s, 6),
            "http": {"response": {"status": 200}},
            "aws": _details(called),
            "namespace": "aws",
        }


def _inferred(run: Run) -> Iterator[Json]:
    for made in _made(run):
        origin = RESOURCES[made["name"]][2]
        if origin:
            yield {
                **made,
                "id": entity_id(made["id"], "inferred"),
                "trace_id": run.origin.trace_id,
                "parent_id": made["id"],
                "inferred": True,
                "origin": origin,
                "namespace": "",
            }


def _details(dependency: Dependency) -> Json:
    key, shape, _ = RESOURCES[dependency.service]
    named = shape.format(dependency.resource)
    return {
        "retries": 0,
        "region": REGION,
        "operation": dependency.operation,
        key: named,
        "resource_names": [named],
    }
