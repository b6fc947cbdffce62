"""What a segment or subsegment says of itself -> the names in it: of the call, what it went to, the version."""

from monitors.traces.fields import Aws, Http

TEXT_LIMIT = 250
"""Longer than any name X-Ray accepts (200)."""


def called(aws: Aws | None, http: Http | None) -> tuple[str, str]:
    """(operation, resource) of a call: AWS's own names, or else the method of HTTP."""
    operation, to = (text(aws.operation), resource(aws)) if aws else ("", "")
    if not operation and http and http.request:
        operation = text(http.request.method)
    return operation, to


def resource(aws: Aws) -> str:
    """The function, table, queue, ... that a call went to; empty if none is named."""
    if function := text(aws.function_name):
        return function.split(":")[6] if function.count(":") > 5 else function.split(":")[0]
    named = (
        aws.table_name or aws.queue_url or aws.bucket_name or aws.topic_arn or aws.stream_name or aws.state_machine_arn
    )
    if named:
        return text(named).rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return text(aws.resource_names[0]) if aws.resource_names else ""


def qualifier(arn: str) -> str:
    """What follows the function's name in its ARN: `arn:aws:lambda:eu-west-1:123456789012:function:orders:live`."""
    if not arn.startswith("arn:") or arn.count(":") != 7:
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
