"""Partition, Region -> addresses in the CloudWatch console. Pure."""

import re

CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""Console of each partition."""

_REGION = re.compile(r"(?:(cn|us-gov|eusc)-)?(?!us-iso|eu-iso)[a-z]{2,}(?:-[a-z]+)*-\d{1,2}")
"""The partition is in the Region's name: `regionRegex` in botocore's partitions.json. Those under `iso` are closed."""
_TRACE = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")  # AWS X-Ray Developer Guide, "Trace ID format"


def home(partition: str, region: str) -> str:
    """The CloudWatch console of a Region, named as ARNs name it."""
    console = CONSOLES.get(partition, CONSOLES["aws"])
    return f"https://{region}.{console}/cloudwatch/home?region={region}"


def trace(region: str, trace_id: str) -> str:
    """The trace's page; empty if the Region has no public console, or either is not what AWS names so."""
    known = _REGION.fullmatch(region)
    if not known or not _TRACE.fullmatch(trace_id):
        return ""
    return f"{home(f'aws-{known[1]}' if known[1] else 'aws', region)}#xray:traces/{trace_id}"
