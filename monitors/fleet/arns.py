"""ARN -> the parts of it that tell resources apart."""

import re

FUNCTION = r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+"
"""A function's ARN, up to where a version or alias would follow."""

_FUNCTION = re.compile(FUNCTION)
_TABLE = re.compile(r"arn:[a-z-]+:dynamodb:[^:]*:[^:]*:table/[^/]+")
_STREAM = re.compile(r"arn:[a-z-]+:kinesis:[^:]*:[^:]*:stream/[^/]+")


def service_of(arn: str) -> str:
    """`sqs` of an SQS queue's ARN; empty for what is no ARN."""
    parts = arn.split(":", 3)
    return parts[2] if len(parts) > 3 and parts[0] == "arn" else ""


def name_of(arn: str) -> str:
    """The last word of an ARN: the name of a queue, topic, function, table, stream or rule."""
    return re.split(r"[:/]", resource_arn(arn))[-1]


def resource_arn(arn: str) -> str:
    """The ARN of the resource that an ARN belongs to.

    A function's version or alias -> the function; a table's stream -> the table; a stream's consumer -> the
    stream; a log group's streams (`:*`) -> the log group. Any other stays as it is.
    """
    for pattern in (_FUNCTION, _TABLE, _STREAM):
        if whole := pattern.match(arn):
            return whole[0]
    return arn.removesuffix(":*")
