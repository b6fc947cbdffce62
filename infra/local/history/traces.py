"""History -> X-Ray segment documents of the sampled requests, a few of them damaged as real ones are.

A trace begins at API Gateway (REST APIs; HTTP APIs do not trace), or with Lambda itself. What a message from SQS or
a stream record sets off is a trace of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from infra.local.history.profiles import ACCOUNT, REGION, STATE_MACHINE
from infra.local.history.sandboxes import Run
from infra.local.history.segments import Json, call_id, entity_id, invocation, uuid
from infra.local.history.simulate import Execution, History

DAMAGED_EVERY = 190
"""One trace in so many is incomplete or contradicts itself, in one of four ways."""
STATES = {"shop-fraud-check": "FraudCheck", "shop-shipping-label": "ShippingLabel"}
CALLED = {
    "sns": ("SNS", "shop-order-events"),
    "async": ("Lambda", "shop-receipts"),
    "invoke": ("Lambda", "shop-carrier"),
}
"""Kind of origin to the caller's call that it comes from."""


def trace_documents(history: History) -> Iterator[Json]:
    """Segment documents, decoded, one trace after the other; the documents of one trace in no order."""
    traced: defaultdict[str, list[Run]] = defaultdict(list)
    for run in history.runs:
        if run.origin.trace_id:
            traced[run.origin.trace_id].append(run)
    executions = {execution.trace_id: execution for execution in history.executions}
    for number, (trace_id, runs) in enumerate(traced.items(), start=1):
        documents = list(_trace(runs))
        if trace_id in executions:
            documents.append(_execution(executions[trace_id], runs))
        if number % DAMAGED_EVERY == 0:
            _damage(documents, number // DAMAGED_EVERY)
        yield from sorted(documents, key=lambda document: document["id"])


def _trace(runs: Iterable[Run]) -> Iterator[Json]:
    requests: defaultdict[int, list[Run]] = defaultdict(list)
    for run in runs:
        requests[run.request].append(run)
    for attempts in requests.values():
        first = attempts[0]
        if first.origin.kind == "rest":
            yield _gateway(first)
        yield from invocation(attempts, parent_id=_parent_id(first))


def _parent_id(run: Run) -> str:
    kind = run.origin.kind
    if kind in ("rest", "states"):
        return entity_id(run.request, "caller")
    return call_id(run.origin.caller, *CALLED[kind]) if kind in CALLED else ""


def _gateway(run: Run) -> Json:
    name = "shop-storefront/live"
    failed = run.status != "success"
    status = {"response": {"status": 502 if failed else 200}}
    start_s, end_s = run.origin.sent_s, run.end_s + 0.003
    return {
        "id": entity_id(run.request, "gateway"),
        "name": name,
        "start_time": round(start_s, 3),
        "end_time": round(end_s, 3),
        "trace_id": run.origin.trace_id,
        "http": {
            "request": {"method": "GET", "url": f"https://shop.execute-api.{REGION}.amazonaws.com/live"},
            **status,
        },
        "aws": {"api_gateway": {"account_id": ACCOUNT, "stage": "live", "request_id": uuid(run.request)}},
        "origin": "AWS::ApiGateway::Stage",
        "resource_arn": f"arn:aws:apigateway:{REGION}::/restapis/shop/stages/live",
        "subsegments": [_lambda_call(run, start_s + 0.003, end_s - 0.001)],
        **({"fault": True} if failed else {}),
    }


def _lambda_call(run: Run, start_s: float, end_s: float) -> Json:
    """How API Gateway or Step Functions sees the invocation."""
    return {
        "id": entity_id(run.request, "caller"),
        "name": "Lambda",
        "start_time": round(start_s, 3),
        "end_time": round(end_s, 3),
        "namespace": "aws",
        "aws": {
            "operation": "Invoke",
            "function_name": run.function,
            "region": REGION,
            "resource_names": [run.function],
        },
        **({"error": True} if run.status != "success" else {}),
    }


def _execution(execution: Execution, runs: Sequence[Run]) -> Json:
    arn = STATE_MACHINE.replace(":stateMachine:", ":execution:") + f":order-{execution.number}"
    return {
        "id": entity_id(execution.trace_id, "execution"),
        "name": "shop-checkout",
        "start_time": round(execution.started_s, 3),
        "end_time": round(execution.ended_s, 3),
        "trace_id": execution.trace_id,
        "parent_id": call_id(execution.caller, "StepFunctions", "shop-checkout"),
        "origin": "AWS::StepFunctions::StateMachine",
        "aws": {
            "account_id": ACCOUNT,
            "state_machine_arn": STATE_MACHINE,
            "execution_arn": arn,
            "resource_names": [STATE_MACHINE],
        },
        "subsegments": list(_states([run for run in runs if run.origin.kind == "states"])),
        **({} if execution.succeeded else {"fault": True}),
    }


def _states(tasks: Sequence[Run]) -> Iterator[Json]:
    """The states gone through: a task may call its function several times; a choice takes no time."""
    for function, tries in groupby(tasks, key=lambda run: run.function):
        calls = [_lambda_call(run, run.arrived_s - 0.012, run.end_s + 0.004) for run in tries]
        ended_s = calls[-1]["end_time"]
        yield _state(calls[0]["id"], STATES[function], calls[0]["start_time"], ended_s, calls)
        if function == "shop-fraud-check":
            yield _state(calls[0]["id"], "Honest", ended_s, ended_s, [])


def _state(first_call: str, name: str, start_s: float, end_s: float, inside: list[Json]) -> Json:
    return {
        "id": entity_id(first_call, name),
        "name": name,
        "start_time": start_s,
        "end_time": end_s,
        "subsegments": inside,
    }


def _damage(documents: list[Json], number: int) -> None:
    """Break a trace as they are found broken: no root, a parent that is not there, no end, a circle of parents."""
    functions = [each for each in documents if each.get("origin") == "AWS::Lambda::Function"]
    match number % 4:
        case 0:
            del documents[0]
        case 1:
            functions[-1]["parent_id"] = entity_id(functions[-1]["id"], "lost")
        case 2:
            del documents[0]["end_time"]
            documents[0]["in_progress"] = True
        case _:
            invocation_part = next(p for p in functions[0]["subsegments"] if p["name"] == "Invocation")
            documents[0]["parent_id"] = invocation_part["id"]
