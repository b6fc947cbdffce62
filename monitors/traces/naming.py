"""What a segment or subsegment says of itself -> the names in it: of the call, what it went to, the version."""

from collections.abc import Mapping
from typing import Any

TEXT_LIMIT = 250
"""Longer than any name X-Ray accepts (200)."""

# The fields of `aws` that name what a call went to, first match first.
_RESOURCES = ("table_name", "queue_url", "bucket_name", "topic_arn", "stream_name", "state_machine_arn")
_NAMING = frozenset({"operation", "function_name", "resource_names", *_RESOURCES})


def called(aws: object, http: object) -> tuple[str, str]:
    """(operation, resource) of a call: AWS's own names, or else the method of HTTP."""
    operation = to = ""
    if isinstance(aws, dict) and not _NAMING.isdisjoint(aws):
        operation, to = text(aws.get("operation")), resource(aws)
    if not operation and isinstance(http, dict):
        request = http.get("request")
        operation = text(request.get("method")) if isinstance(request, dict) else ""
    return operation, to


def resource(aws: Mapping[str, Any]) -> str:
    """The function, table, queue, ... that a call went to; empty if none is named."""
    if function := text(aws.get("function_name")):
        return function.split(":")[6] if function.count(":") > 5 else function.split(":")[0]
    for key in _RESOURCES:
        if value := text(aws.get(key)):
            return value.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    names = aws.get("resource_names")
    return text(names[0]) if isinstance(names, list) and names else ""


def qualifier(arn: object) -> str:
    """What follows the function's name in its ARN: `arn:aws:lambda:eu-west-1:123456789012:function:orders:live`."""
    if not isinstance(arn, str) or not arn.startswith("arn:") or arn.count(":") != 7:
        return ""
    parts = arn[: 2 * TEXT_LIMIT].split(":")
    return parts[-1] if parts[2] == "lambda" and parts[5] == "function" else ""


def text(value: object) -> str:
    """A text as far as it is one: cut, and without what UTF-8 cannot hold."""
    if type(value) is not str:
        return ""
    if value.isascii():
        return value if len(value) <= TEXT_LIMIT else value[:TEXT_LIMIT]
    return value[:TEXT_LIMIT].encode("utf-8", "replace").decode()
