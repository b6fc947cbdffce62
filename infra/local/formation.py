"""CloudFormation resource types that ministack lacks or cuts short, as the product's templates need them."""

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch as cw
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from infra.local import cloudwatch

Json = dict[str, Any]
RECORDED = (
    "AWS::Athena::NamedQuery",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Logs::AccountPolicy",
    "AWS::Logs::QueryDefinition",
    "AWS::XRay::Group",
    "AWS::XRay::SamplingRule",
)
"""Types that are taken and shown as created, and do nothing here."""

_alarm_record = provisioners._cw_metric_alarm_record


def install() -> None:
    """Add the missing types to ministack's table."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::CloudWatch::CompositeAlarm"] = {
        "create": _create_composite,
        "update": _update_composite,
        "delete": lambda physical_id, _properties: cw._composite_alarms.pop(physical_id, None),
    }
    for kind in RECORDED:
        handlers.setdefault(kind, {"create": _record, "delete": lambda _physical_id, _properties: None})
    function = handlers["AWS::Lambda::Function"]
    function["create"] = _keeping_dead_letters(function["create"])
    provisioners._cw_metric_alarm_record = _alarm_with_metric_math


def _create_composite(logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
    name = properties.get("AlarmName") or f"{stack}-{logical_id}"
    status, _, body = cw._put_composite_alarm({}, {**properties, "AlarmName": name}, False, True)
    if status != 200:
        raise ValueError(body.decode(errors="replace") if isinstance(body, bytes) else str(body))
    alarm = cw._composite_alarms[name]
    alarm["ActionsSuppressor"] = properties.get("ActionsSuppressor", "")
    return name, {"Arn": alarm["AlarmArn"]}


def _update_composite(_physical_id: str, _old: Json, new: Json, stack: str, **_rest: Any) -> tuple[str, Json]:
    return _create_composite("", new, stack)


def _record(logical_id: str, _properties: Json, stack: str) -> tuple[str, Json]:
    return f"{stack}-{logical_id}", {"Arn": f"arn:aws:local:::{stack}/{logical_id}"}


def _alarm_with_metric_math(name: str, properties: Json) -> Json:
    metrics = properties.get("Metrics")
    if not metrics:
        return dict(_alarm_record(name, properties))
    plain = {key: value for key, value in properties.items() if key != "Metrics"}
    alarm = dict(_alarm_record(name, plain | {"MetricName": "-", "Namespace": "-"}))
    cloudwatch.make_metric_math(alarm, metrics)
    return alarm


def _keeping_dead_letters(create: Callable[..., Any]) -> Callable[..., Any]:
    """ministack drops a function's DeadLetterConfig when it comes from a template."""

    def wrapped(logical_id: str, properties: Json, stack: str) -> Any:
        made = create(logical_id, properties, stack)
        if properties.get("DeadLetterConfig"):
            lambda_svc._functions[made[0]]["config"]["DeadLetterConfig"] = properties["DeadLetterConfig"]
        return made

    return wrapped
