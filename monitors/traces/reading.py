"""What BatchGetTraces returns, or segment documents as a receiver gets them -> Trace. Never raises.

Formats: AWS X-Ray Developer Guide, "X-Ray segment documents".
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import starmap
from typing import Any, NamedTuple

from monitors.traces.documents import decode, encoded
from monitors.traces.fields import Body, body, number, text
from monitors.traces.naming import called, qualifier, region
from monitors.traces.repairing import Entity, repaired, status
from monitors.traces.tree import Repair, Span, Trace

LATEST_S = 1e11
"""No time in seconds is above; one in milliseconds is."""
SPREAD_US = 30 * 86_400_000_000
"""X-Ray keeps traces for 30 days: nothing further from a trace's middle belongs to it."""
ROUNDED_US = 2_000
"""What the rounding of two times may come to."""
UNNAMED = "(no name)"

Clock = Callable[[float | None], int | None]
"""Whole microseconds of a time or a length in seconds; None if it is none."""


class _Parts(NamedTuple):
    id: str
    segments: list[Any]
    limit_exceeded: bool
    duration_s: float | None = None


def microseconds(seconds: float | None) -> int | None:
    """Whole microseconds: rounded once, here, since a float at today's epoch resolves a quarter of one."""
    return round(seconds * 1_000_000) if seconds is not None and 0 <= seconds <= LATEST_S else None


def read_trace(envelope: object, clock: Clock = microseconds) -> Trace:
    """The repaired trace of one element of BatchGetTraces' `Traces`: `{"Id", "LimitExceeded"?, "Segments": [...]}`.

    Each segment is `{"Id", "Document"}` with the document as text or decoded, or the bare document. What cannot be
    used is left out and counted in `repairs`; if nothing can, the trace has no spans. The `clock` reads its times.
    """
    parts = _parts(envelope)
    ledger: Counter[str] = Counter()
    entities = _plausible(_entities(parts.segments, ledger, clock), ledger)
    ledger[Repair.DURATION] += _differs(clock(parts.duration_s), entities.values())
    if parts.limit_exceeded:
        ledger[Repair.LIMIT_EXCEEDED] += 1
    if not entities:
        ledger[Repair.EMPTY] += 1
    spans = tuple(starmap(_span, repaired(entities, ledger)))
    repairs = tuple(sorted((str(kind), count) for kind, count in ledger.items() if count))
    return Trace(
        id=parts.id,
        spans=spans,
        repairs=repairs,
        limit_exceeded=parts.limit_exceeded,
        region=_region(entities.values()),
    )


Loose = dict[str, list[object]]
"""Bare segment documents by their trace; those that say none, or are no JSON, under the empty id."""


def put(loose: Loose, document: object) -> None:
    """Add a bare segment document, as text or decoded. It is kept as text if it can be, in a quarter of the memory."""
    value = _decoded(document)
    trace_id = value.get("trace_id") if isinstance(value, dict) else None
    loose.setdefault(text(trace_id), []).append(document if isinstance(document, str) else encoded(value))


def envelopes(loose: Loose) -> Iterator[dict[str, Any]]:
    """Traces as BatchGetTraces shapes them, in the order in which they were begun; `loose` is empty afterwards."""
    for trace_id in [*loose]:
        yield {"Id": trace_id, "Segments": [{"Document": document} for document in loose.pop(trace_id)]}


def _parts(envelope: object) -> _Parts:
    if not isinstance(envelope, Mapping):
        return _Parts("", [None], limit_exceeded=False)
    segments = envelope.get("Segments")
    return _Parts(
        text(envelope.get("Id")),
        segments if isinstance(segments, list) else [],
        envelope.get("LimitExceeded") is True,
        number(envelope.get("Duration")),
    )


def _differs(told: int | None, entities: Iterable[Entity]) -> bool:
    """Whether X-Ray's own length of the trace is not that of what it returned.

    It reaches from the first start of a segment (an initialization may lie before) to the last end of anything (the
    tries of an asynchronous invocation outlive its segment). Late segments change a trace for a week; X-Ray's clock
    shows whole milliseconds.
    """
    starts = [entity.start for entity in entities if entity.segment]
    ends = [entity.end for entity in entities if entity.end is not None]
    return told is not None and bool(starts and ends) and abs(told - (max(ends) - min(starts))) > ROUNDED_US


def _decoded(document: object) -> object:
    if not isinstance(document, str):
        return document
    try:
        return decode(document)
    except ValueError:
        return None


def _documents(segments: Iterable[object]) -> list[Body]:
    """By their start, since X-Ray returns them in no order; those that say none come first."""
    return sorted((body(_document(segment)) for segment in segments), key=_began)


def _document(segment: object) -> object:
    return segment["Document"] if isinstance(segment, dict) and "Document" in segment else segment


def _began(document: Body) -> float:
    begun = document.start_time
    return begun if begun is not None and begun >= 0 else -1


def _entities(segments: Iterable[object], ledger: Counter[str], clock: Clock) -> dict[str, Entity]:
    """Every segment and subsegment by id; of two with one id, the complete one, or else the later."""
    found: dict[str, Entity] = {}
    for document in _documents(segments):
        separate = document.type == "subsegment"
        ledger[Repair.MERGED] += separate
        pending = [(document, "")]
        for part, above in pending:  # grows while it is walked
            entity = _entity(part, above, part is document and not separate, clock)
            if entity is None:
                ledger[Repair.BROKEN_DOCUMENT if part is document else Repair.BROKEN_SUBSEGMENT] += 1
            elif entity.id in found:
                _choose(entity, found, ledger)
            else:
                found[entity.id] = entity
            if part.subsegments:
                nearest = entity.id if entity else above
                pending += [(child, nearest) for child in part.subsegments]
    return found


def _entity(part: Body, above: str, segment: bool, clock: Clock) -> Entity | None:
    start, end = clock(part.start_time), clock(part.end_time)
    if start is None or not part.id:
        return None
    return Entity(part.id, above or part.parent_id, start, end, segment, part.origin, part)


def _choose(entity: Entity, found: dict[str, Entity], ledger: Counter[str]) -> None:
    earlier = found[entity.id]
    both = earlier.end is not None and entity.end is not None
    ledger[Repair.DUPLICATE_ID if both else Repair.SUPERSEDED] += 1
    if entity.end is not None or earlier.end is None:
        found[entity.id] = entity


def _plausible(entities: dict[str, Entity], ledger: Counter[str]) -> dict[str, Entity]:
    starts = [entity.start for entity in entities.values()]
    if not starts or max(starts) - min(starts) <= SPREAD_US:
        return entities
    middle = sorted(starts)[len(starts) // 2]
    kept = {key: entity for key, entity in entities.items() if abs(entity.start - middle) <= SPREAD_US}
    ledger[Repair.IMPLAUSIBLE_TIME] += len(entities) - len(kept)
    return kept


def _region(entities: Iterable[Entity]) -> str:
    """The first that is named; entities come by the start of their documents."""
    bodies = (entity.body for entity in entities if entity.segment)
    named = (region(body.resource_arn) or region(body.aws.function_arn if body.aws else "") for body in bodies)
    return next(filter(None, named), "")


def _span(entity: Entity, parent: int, start: int, end: int, asynchronous: bool) -> Span:
    said = entity.body
    operation, resource = called(said.aws, said.http)
    return Span(  # by position: a report makes millions
        entity.id,
        said.name or UNNAMED,
        start,
        end,
        parent,
        entity.segment,
        entity.origin,
        said.namespace,
        operation,
        resource,
        status(said),
        said.error,
        said.fault,
        said.throttle,
        said.inferred,
        asynchronous,
        entity.end is None,
        tuple(said.precursor_ids),
        qualifier(said.resource_arn),
    )
