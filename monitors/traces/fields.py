"""A segment document, as text or decoded -> what it says, in the types that X-Ray documents. Never raises.

The field names and types are those of the X-Ray Developer Guide, "X-Ray segment documents".
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from monitors.traces.documents import decode

TEXT_LIMIT = 250
"""Characters; longer than any name X-Ray accepts (200)."""
Text = Annotated[str, Meta(max_length=TEXT_LIMIT)]


class Request(Struct, omit_defaults=True, gc=False):
    method: Text = ""


class Response(Struct, omit_defaults=True, gc=False):
    status: int = 0


class Http(Struct, omit_defaults=True, gc=False):
    request: Request | None = None
    response: Response | None = None


class Aws(Struct, omit_defaults=True, gc=False):
    function_arn: str = ""
    operation: Text = ""
    function_name: Text = ""
    table_name: Text = ""
    queue_url: Text = ""
    bucket_name: Text = ""
    topic_arn: Text = ""
    stream_name: Text = ""
    state_machine_arn: Text = ""
    resource_names: list[Text] = []


class Body(Struct, omit_defaults=True):
    """A segment or subsegment; what it doesn't say is empty."""

    id: Text = ""
    start_time: float | None = None
    """Epoch seconds."""
    end_time: float | None = None
    """Epoch seconds; None while it is in progress."""
    name: Text = ""
    origin: Text = ""
    namespace: Text = ""
    type: Text = ""
    resource_arn: str = ""
    inferred: bool = False
    error: bool = False
    fault: bool = False
    throttle: bool = False
    http: Http | None = None
    aws: Aws | None = None
    parent_id: Text = ""
    precursor_ids: list[Text] = []
    subsegments: list["Body"] = []


documented = msgspec.json.Decoder(Body).decode
"""The body of a text that keeps to the guide; for any other it raises MsgspecError, ValueError or RecursionError."""

_TEXTS = ("id", "name", "origin", "namespace", "type", "resource_arn", "parent_id")
_FLAGS = ("inferred", "error", "fault", "throttle")
_AWS_TEXTS = tuple(name for name in Aws.__struct_fields__ if name != "resource_names")


def text(value: object) -> str:
    """A text as far as it is one: cut, and without what UTF-8 cannot hold."""
    return value[:TEXT_LIMIT].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """A number as far as it is one."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def body(document: object) -> Body:
    """What a document says, as far as it keeps to the guide: a field of another type counts as one it hasn't."""
    if isinstance(document, Body):
        return document
    try:
        return documented(document if isinstance(document, str) else msgspec.json.encode(document))
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
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
            into.subsegments = [part for part, _ in parts]
            pending += parts
    return made


def _fill(into: Body, found: Mapping[str, Any]) -> None:
    """Put down all but the subsegments."""
    _fill_texts(into, found, _TEXTS)
    for name in _FLAGS:
        setattr(into, name, found.get(name) is True)
    into.start_time, into.end_time = number(found.get("start_time")), number(found.get("end_time"))
    into.precursor_ids = _texts(found.get("precursor_ids"))
    if isinstance(aws := found.get("aws"), Mapping):
        into.aws = Aws(resource_names=_texts(aws.get("resource_names")))
        _fill_texts(into.aws, aws, _AWS_TEXTS)
    if isinstance(http := found.get("http"), Mapping):
        request, response = http.get("request"), http.get("response")
        into.http = Http(
            request=Request(text(request.get("method"))) if isinstance(request, Mapping) else None,
            response=Response(_whole(response.get("status"))) if isinstance(response, Mapping) else None,
        )


def _fill_texts(into: Struct, found: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        setattr(into, name, text(found.get(name)))


def _texts(value: object) -> list[str]:
    return [text(one) for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _whole(value: object) -> int:
    return value if type(value) is int else 0
