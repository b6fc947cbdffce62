"""A segment document, as text or decoded -> what it says, in the types that X-Ray documents. Never raises.

The field names and types are those of the X-Ray Developer Guide, "X-Ray segment documents".
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from monitors.traces.documents import decode


class Request(Struct, omit_defaults=True, gc=False):
    method: str = ""


class Response(Struct, omit_defaults=True, gc=False):
    status: int = 0


class Http(Struct, omit_defaults=True, gc=False):
    request: Request | None = None
    response: Response | None = None


class Aws(Struct, omit_defaults=True, gc=False):
    function_arn: str = ""
    operation: str = ""
    function_name: str = ""
    table_name: str = ""
    queue_url: str = ""
    bucket_name: str = ""
    topic_arn: str = ""
    stream_name: str = ""
    state_machine_arn: str = ""
    resource_names: list[str] = []


class Body(Struct, omit_defaults=True):
    """A segment or subsegment; what it doesn't say is empty."""

    id: str = ""
    start_time: float | None = None
    """Epoch seconds."""
    end_time: float | None = None
    """Epoch seconds; None while it is in progress."""
    name: str = ""
    origin: str = ""
    namespace: str = ""
    type: str = ""
    resource_arn: str = ""
    inferred: bool = False
    error: bool = False
    fault: bool = False
    throttle: bool = False
    http: Http | None = None
    aws: Aws | None = None
    parent_id: str = ""
    precursor_ids: list[str] = []
    subsegments: list["Body"] = []


documented = msgspec.json.Decoder(Body).decode
"""The body of a text that keeps to the guide; for any other it raises MsgspecError, ValueError or RecursionError."""

_TEXTS = ("id", "name", "origin", "namespace", "type", "resource_arn", "parent_id")
_FLAGS = ("inferred", "error", "fault", "throttle")
_AWS_TEXTS = tuple(name for name in Aws.__struct_fields__ if name != "resource_names")


def body(document: object) -> Body:
    """What a document says, as far as it keeps to the guide: a field of another type counts as one it hasn't."""
    if isinstance(document, Body):
        return document
    try:
        return documented(document) if isinstance(document, str) else msgspec.convert(document, Body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _as_far_as_possible(document)


def _as_far_as_possible(document: object) -> Body:
    if isinstance(document, str):
        try:
            document = decode(document)
        except ValueError:
            return Body()
    made = Body()
    pending = [(made, document)]
    for into, found in pending:  # grows while it is walked
        if isinstance(found, Mapping):
            _fill(into, found)
            inside = found.get("subsegments")
            parts = [(Body(), part) for part in inside] if isinstance(inside, list) else []
            into.subsegments = [made for made, _ in parts]
            pending += parts
    return made


def _fill(into: Body, found: Mapping[str, Any]) -> None:
    """Put down all but the subsegments."""
    _fill_texts(into, found, _TEXTS)
    for name in _FLAGS:
        setattr(into, name, found.get(name) is True)
    into.start_time, into.end_time = _number(found.get("start_time")), _number(found.get("end_time"))
    into.precursor_ids = _texts(found.get("precursor_ids"))
    if isinstance(aws := found.get("aws"), Mapping):
        into.aws = Aws(resource_names=_texts(aws.get("resource_names")))
        _fill_texts(into.aws, aws, _AWS_TEXTS)
    if isinstance(http := found.get("http"), Mapping):
        request, response = http.get("request"), http.get("response")
        into.http = Http(
            request=Request(_text(request.get("method"))) if isinstance(request, Mapping) else None,
            response=Response(_whole(response.get("status"))) if isinstance(response, Mapping) else None,
        )


def _fill_texts(into: Struct, found: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        setattr(into, name, _text(found.get(name)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int:
    return value if type(value) is int else 0
