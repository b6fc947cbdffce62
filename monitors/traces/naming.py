"""What a segment or subsegment says of itself -> the names in it: of the call, what it went to, the version."""

from monitors.traces.fields import TEXT_LIMIT, Aws, Http


def called(aws: Aws | None, http: Http | None) -> tuple[str, str]:
    """(operation, resource) of a call: AWS's own names, or else the method of HTTP."""
    operation, to = (aws.operation, resource(aws)) if aws else ("", "")
    if not operation and http and http.request:
        operation = http.request.method
    return operation, to


def resource(aws: Aws) -> str:
    """The function, table, queue, ... that a call went to; empty if none is named."""
    if function := aws.function_name:
        return function.split(":")[6] if function.count(":") > 5 else function.split(":")[0]
    named = (
        aws.table_name or aws.queue_url or aws.bucket_name or aws.topic_arn or aws.stream_name or aws.state_machine_arn
    )
    if named:
        return named.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return aws.resource_names[0] if aws.resource_names else ""


def qualifier(arn: str) -> str:
    """What follows the function's name in its ARN: `arn:aws:lambda:eu-west-1:123456789012:function:orders:live`."""
    if not arn.startswith("arn:") or arn.count(":") != 7:
        return ""
    parts = arn[: 2 * TEXT_LIMIT].split(":")
    return parts[-1] if parts[2] == "lambda" and parts[5] == "function" else ""
