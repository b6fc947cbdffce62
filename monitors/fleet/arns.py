"""ARN -> the parts of it that tell resources apart.

Any part may be `${...}`, colons and all, where the ARN comes from a template.
"""

import re

LEFT_OPEN = r"\$\{[^}]*\}"
"""What only a deployment decides."""
FUNCTION_NAME = rf"(?:[A-Za-z0-9_-]|{LEFT_OPEN})+"
FUNCTION = rf"arn:[a-z-]+:lambda:(?:[a-z0-9-]+|{LEFT_OPEN}):(?:\d{{12}}|{LEFT_OPEN}):function:{FUNCTION_NAME}"
"""A function's ARN, up to where a version or alias would follow."""

_WORD = re.compile(rf"(?:{LEFT_OPEN}|[^:/])+")
_PART = rf"(?:{LEFT_OPEN}|[^:/])*"
_WHOLE = {
    "lambda": re.compile(FUNCTION),
    "dynamodb": re.compile(rf"arn:[a-z-]+:dynamodb:{_PART}:{_PART}:table/{_PART}"),
    "kinesis": re.compile(rf"arn:[a-z-]+:kinesis:{_PART}:{_PART}:stream/{_PART}"),
}
"""By service, a resource's own part of the ARNs that begin with it."""


def service_of(arn: str) -> str:
    """`sqs` of an SQS queue's ARN; empty for what is no ARN."""
    parts = arn.split(":", 3)
    return parts[2] if len(parts) > 3 and parts[0] == "arn" else ""


def name_of(arn: str) -> str:
    """The last word of an ARN: the name of a queue, topic, function, table, stream or rule."""
    words = _WORD.findall(resource_arn(arn))
    return words[-1] if words else arn


def resource_arn(arn: str) -> str:
    """The ARN of the resource that an ARN belongs to.

    A function's version or alias -> the function; a table's stream -> the table; a stream's consumer -> the
    stream; a log group's streams (`:*`) -> the log group. Any other stays as it is.
    """
    pattern = _WHOLE.get(service_of(arn))
    whole = pattern.match(arn) if pattern else None
    return whole[0] if whole else arn.removesuffix(":*")
