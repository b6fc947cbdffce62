"""What BatchGetTraces returns, or segment documents as a receiver gets them -> Trace. Never raises.

Formats: AWS X-Ray Developer Guide, "X-Ray segment documents".
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from monitors.traces.documents import decode
from monitors.traces.repairing import Entity, Place, repaired, status
from monitors.traces.tree import Repair, Span, Trace

LATEST_S = 1e11
"""No time in seconds is above; one in milliseconds is."""
SPREAD_US = 30 * 86_400_000_000
"""X-Ray keeps traces for 30 days: nothing further from a trace's middle belongs to it."""
ROUNDED_US = 2_000
"""What the rounding of two times may come to."""
TEXT_LIMIT = 250
"""Longer than any name X-Ray accepts (200)."""

# The fields of `aws` that name what a call went to, first match first.
_RESOURCES = ("table_name", "queue_url", "bucket_name", "topic_arn", "stream_name", "state_machine_arn")
_NAMING = frozenset({"operation", "function_name", "resource_names", *_RESOURCES})


class _Parts(NamedTuple):
    id: str
    segments: list[Any]
    limit_exceeded: bool
    duration_s: object = None


def read_trace(envelope: object) -> Trace:
    """The repaired trace of one element of BatchGetTraces' `Traces`: `{"Id", "LimitExceeded"?, "Segments": [...]}`.

    Each segment is `{"Id", "Document"}` with the document as text or decoded, or the bare document. What cannot be
    used is left out and counted in `repairs`; if nothing can, the trace has no spans.
    """
    parts = _parts(envelope)
    ledger: Counter[str] = Counter()
    entities = _plausible(_entities(parts.segments, ledger), ledger)
    ledger[Repair.DURATION] += _differs(parts.duration_s, entities.values())
    if parts.limit_exceeded:
        ledger[Repair.LIMIT_EXCEEDED] += 1
    if not entities:
        ledger[Repair.EMPTY] += 1
    spans = tuple(_span(place) for place in repaired(entities, ledger))
    repairs = tuple(sorted((str(kind), count) for kind, count in ledger.items() if count))
    return Trace(id=parts.id, spans=spans, repairs=repairs, limit_exceeded=parts.limit_exceeded)


def envelopes(documents: Iterable[object]) -> list[dict[str, Any]]:
    """Traces as BatchGetTraces shapes them, of bare segment documents (text or decoded) in the order received.

    Documents that say no trace, or are no JSON, come together under the empty id.
    """
    grouped: dict[str, list[dict[str, Any]]] = {}
    for document in documents:
        value = _decoded(document)
        trace_id = value.get("trace_id") if isinstance(value, dict) else None
        grouped.setdefault(_text(trace_id), []).append({"Document": value})
    return [{"Id": trace_id, "Segments": segments} for trace_id, segments in grouped.items()]


def _parts(envelope: object) -> _Parts:
    if not isinstance(envelope, Mapping):
        return _Parts("", [None], limit_exceeded=False)
    segments = envelope.get("Segments")
    return _Parts(
        _text(envelope.get("Id")),
        segments if isinstance(segments, list) else [],
        envelope.get("LimitExceeded") is True,
        envelope.get("Duration"),
    )


def _differs(duration_s: object, entities: Iterable[Entity]) -> bool:
    """Whether X-Ray's own length of the trace, from its first start to its last end, is not that of what it returned.

    Late segments change a trace for a week; its clock shows whole milliseconds.
    """
    told = _microseconds(duration_s)
    whole = [(entity.start, entity.end) for entity in entities if entity.segment and entity.end is not None]
    if told is None or not whole:
        return False
    length = max(end for _, end in whole) - min(start for start, _ in whole)
    return abs(told - length) > ROUNDED_US


def _decoded(document: object) -> object:
    if not isinstance(document, str):
        return document
    try:
        return decode(document)
    except ValueError:
        return None


def _documents(segments: Iterable[object]) -> Iterator[object]:
    for segment in segments:
        wrapped = isinstance(segment, dict) and "Document" in segment
        yield _decoded(segment["Document"] if wrapped else segment)  # type: ignore[index]  # wrapped says it is a dict


def _entities(segments: Iterable[object], ledger: Counter[str]) -> dict[str, Entity]:
    """Every segment and subsegment by id; of two with one id, the complete one, or else the later."""
    found: dict[str, Entity] = {}
    for document in _documents(segments):
        separate = isinstance(document, dict) and document.get("type") == "subsegment"
        ledger[Repair.MERGED] += separate
        pending = [(document, "")]
        for body, above in pending:  # grows while it is walked
            entity = _entity(body, above, segment=body is document and not separate)
            if entity is None:
                ledger[Repair.BROKEN_DOCUMENT if body is document else Repair.BROKEN_SUBSEGMENT] += 1
            else:
                _keep(entity, found, ledger)
            inside = body.get("subsegments") if isinstance(body, dict) else None
            if isinstance(inside, list):
                nearest = entity.id if entity else above
                pending.extend((child, nearest) for child in inside)
    return found


def _entity(body: object, above: str, *, segment: bool) -> Entity | None:
    if not isinstance(body, dict):
        return None
    start, end = _microseconds(body.get("start_time")), _microseconds(body.get("end_time"))
    identity = _text(body.get("id"))
    if start is None or not identity:
        return None
    origin = _text(body["origin"]) if "origin" in body else ""
    return Entity(identity, above or _text(body.get("parent_id")), start, end, segment, origin, body)


def _keep(entity: Entity, found: dict[str, Entity], ledger: Counter[str]) -> None:
    earlier = found.get(entity.id)
    if earlier is None:
        found[entity.id] = entity
        return
    both = earlier.end is not None and entity.end is not None
    ledger[Repair.DUPLICATE_ID if both else Repair.SUPERSEDED] += 1
    if entity.end is not None or earlier.end is None:
        found[entity.id] = entity


def _plausible(entities: dict[str, Entity], ledger: Counter[str]) -> dict[str, Entity]:
    starts = sorted(entity.start for entity in entities.values())
    if not starts or starts[-1] - starts[0] <= SPREAD_US:
        return entities
    middle = starts[len(starts) // 2]
    kept = {key: entity for key, entity in entities.items() if abs(entity.start - middle) <= SPREAD_US}
    ledger[Repair.IMPLAUSIBLE_TIME] += len(entities) - len(kept)
    return kept


def _microseconds(seconds: object) -> int | None:
    """Whole microseconds: rounded once, here, since a float at today's epoch resolves a quarter of one."""
    if (type(seconds) is float or type(seconds) is int) and 0 <= seconds <= LATEST_S:
        return round(seconds * 1_000_000)
    return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    cut = value[:TEXT_LIMIT]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _span(place: Place) -> Span:
    entity, body = place.entity, place.entity.body
    get = body.get
    operation, resource = _called(get("aws"), get("http"))
    return Span(  # by position, in a third of the time: a report makes millions
        entity.id,
        _text(get("name")),
        place.start,
        place.end,
        place.parent,
        entity.segment,
        entity.origin,
        _text(get("namespace")) if "namespace" in body else "",
        operation,
        resource,
        status(body) if "http" in body else 0,
        get("error") is True,
        get("fault") is True,
        get("throttle") is True,
        get("inferred") is True,
        place.asynchronous,
        entity.end is None,
        _strings(get("precursor_ids")) if "precursor_ids" in body else (),
        _qualifier(get("resource_arn")) if "resource_arn" in body else "",
    )


def _called(aws: object, http: object) -> tuple[str, str]:
    """(operation, resource) of a call: AWS's own names, or else the method of HTTP."""
    operation = resource = ""
    if isinstance(aws, dict) and not _NAMING.isdisjoint(aws):
        operation, resource = _text(aws.get("operation")), _resource(aws)
    if not operation and isinstance(http, dict):
        operation = _text(_mapping(http.get("request")).get("method"))
    return operation, resource


def _resource(aws: Mapping[str, Any]) -> str:
    if function := _text(aws.get("function_name")):
        return function.split(":")[6] if function.count(":") > 5 else function.split(":")[0]
    for key in _RESOURCES:
        if value := _text(aws.get(key)):
            return value.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    names = aws.get("resource_names")
    return _text(names[0]) if isinstance(names, list) and names else ""


def _qualifier(arn: object) -> str:
    """What follows the function's name in its ARN: `arn:aws:lambda:eu-west-1:123456789012:function:orders:live`."""
    if not isinstance(arn, str) or not arn.startswith("arn:") or arn.count(":") != 7:
        return ""
    parts = arn[: 2 * TEXT_LIMIT].split(":")
    return parts[-1] if parts[2] == "lambda" and parts[5] == "function" else ""


def _strings(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
