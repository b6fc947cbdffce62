"""What a segment or subsegment says of itself -> the names in it: of the call, what it went to, version and Region.

Pure and total.
"""

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
    parts = arn.split(":")
    return parts[7][:TEXT_LIMIT] if parts[2] == "lambda" and parts[5] == "function" else ""


def region(arn: str) -> str:
    """The Region that an ARN names: `arn:aws:lambda:eu-west-1:123456789012:function:orders`; empty if none."""
    parts = arn.split(":", 4)
    return parts[3][:TEXT_LIMIT] if len(parts) > 4 and parts[0] == "arn" else ""
