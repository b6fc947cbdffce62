"""What AWS's APIs answer, for tests: every item is held against botocore's model of the operation."""

from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator

from monitors.fleet import from_answers
from monitors.fleet.answers import Answer, Answers
from monitors.fleet.calls import CALLS, Call
from monitors.model import Fleet, Resource

ACCOUNT, REGION = "123456789012", "eu-west-1"
BOTOCORE = botocore.session.get_session()
ROWS = {row.id: row for row in CALLS}
MODELS = {service: BOTOCORE.get_service_model(service) for service in {row.id.partition(":")[0] for row in CALLS}}

Item = Any


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def function_arn(name: str) -> str:
    return arn("lambda", f"function:{name}")


def operation(row: Call) -> OperationModel:
    service, _, name = row.id.partition(":")
    return MODELS[service].operation_model(name)


def item_shape(row: Call) -> Shape:
    """The shape of one item of a row's answer."""
    shape = operation(row).output_shape
    if row.items:
        shape = shape.members[row.items]
    return shape.member if shape.type_name == "list" else shape


def said(call: str, *items: Item, parent: Item = None) -> tuple[str, list[Answer]]:
    for item in items:
        report = ParamValidator().validate(item, item_shape(ROWS[call]))
        assert not report.has_errors(), report.generate_report()
    return call, [Answer(item, parent or {"Region": REGION}) for item in items]


def fleet(*answers: tuple[str, list[Answer]], region: str = REGION, failures: tuple[str, ...] = ()) -> Fleet:
    found: dict[str, list[Answer]] = {}
    for call, items in answers:
        found.setdefault(call, []).extend(items)
    return from_answers([Answers(account=ACCOUNT, region=region, found=found, failures=failures)])


def one(fleet: Fleet, service: str, name: str) -> Resource:
    (found,) = [resource for resource in fleet.resources if (resource.service, resource.name) == (service, name)]
    return found


def function(name: str, **more: Item) -> dict[str, Item]:
    return {"FunctionName": name, "FunctionArn": function_arn(name), **more}


def functions(*names: str) -> tuple[str, list[Answer]]:
    return said("lambda:ListFunctions", *(function(name) for name in names))
