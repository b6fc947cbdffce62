"""Segments and subsegments as reported -> the same in a tree: whose child each is, when it ended, who waited for it.

Every rule answers something seen in traces of real accounts; each use is counted in the ledger.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from monitors.traces.fields import Body
from monitors.traces.tree import Repair

LAMBDA = "AWS::Lambda"
FUNCTION = "AWS::Lambda::Function"
STARTS = ("Initialization", "Restore")
"""Subsegments that Lambda puts below the function although they ran before it."""

MARGIN_US = 1_001
"""Most services report whole milliseconds: a child may seem to end one after its parent."""
LAMBDA_MARGIN_US = 5_000
"""Lambda's service and the sandbox have two clocks."""


class Entity(Struct, frozen=True):
    """One segment or subsegment, as reported."""

    id: str
    parent_id: str
    start: int
    end: int | None
    segment: bool
    origin: str
    body: Body


Place = tuple[Entity, int, int, int, bool]
"""An entity after repair: where its parent stands (before it; -1 for none), start, end, asynchronous."""


def repaired(entities: Mapping[str, Entity], ledger: Counter[str]) -> Iterator[Place]:
    """The entities as trees, parents before children, the request's own root first."""
    found = list(entities.values())
    parents = _parents(found, ledger)
    _detach_foreign(found, parents, ledger)
    _cut_cycles(found, parents, ledger)
    order = _order(found, parents)
    position = {old: new for new, old in enumerate(order)}
    position[-1] = -1
    found, parents = [found[i] for i in order], [position[parents[i]] for i in order]
    ends = _ends(found, parents, ledger)
    ready = _move_starts(found, parents, ends, ledger)
    asynchronous = _not_waited_for(found, parents, ends)
    starts, final = _fitted(found, parents, ends, asynchronous, ready, ledger)
    return zip(found, parents, map(min, starts, final), final, asynchronous, strict=True)


def status(body: Body) -> int:
    """The HTTP status a segment reports; 0 if it reports none."""
    if not body.http or not body.http.response:
        return 0
    return body.http.response.status if 0 < body.http.response.status < 1000 else 0


def is_attempt(name: str) -> bool:
    """Lambda's subsegment for one try of an asynchronous invocation."""
    return name.startswith("Attempt #")


def _parents(found: Sequence[Entity], ledger: Counter[str]) -> list[int]:
    position = {entity.id: i for i, entity in enumerate(found)}
    parents = [position.get(entity.parent_id, -1) for entity in found]
    alone = [bool(entity.parent_id) for entity, parent in zip(found, parents, strict=True) if parent < 0]
    ledger[Repair.ORPHAN] += len(alone) - (not all(alone))
    return parents


def _arn(entity: Entity) -> str:
    """The function's ARN without version or alias; empty if the entity names none."""
    return ":".join(entity.body.aws.function_arn.split(":")[:7]) if entity.body.aws else ""


def _detach_foreign(found: Sequence[Entity], parents: list[int], ledger: Counter[str]) -> None:
    """Move Lambda's own subsegments that hang below another function to theirs, if the trace has it."""
    hosts = {i: _arn(entity) for i, entity in enumerate(found) if entity.origin == FUNCTION}
    functions: dict[str, list[int]] = {}
    for i, arn in hosts.items():
        functions.setdefault(arn, []).append(i)
    for i, entity in enumerate(found):
        if entity.segment or parents[i] not in hosts or entity.body.namespace:
            continue
        own, host = _arn(entity), hosts[parents[i]]
        if own and host and own != host:
            candidates = functions.get(own, [-1])
            parents[i] = min(candidates, key=lambda j: abs(found[j].start - entity.start))
            ledger[Repair.DETACHED] += 1


def _cut_cycles(found: Sequence[Entity], parents: list[int], ledger: Counter[str]) -> None:
    """Make the earliest span of every ring of parents a root."""
    walk_of = [0] * len(parents)
    for first in range(len(parents)):
        i = first
        while i >= 0 and not walk_of[i]:
            walk_of[i] = first + 1
            i = parents[i]
        if i >= 0 and walk_of[i] == first + 1:
            ring = [i]
            while parents[ring[-1]] != i:
                ring.append(parents[ring[-1]])
            parents[min(ring, key=lambda j: found[j].start)] = -1
            ledger[Repair.CYCLE] += 1


def _order(found: Sequence[Entity], parents: Sequence[int]) -> list[int]:
    """Positions, parents first; the first root is a segment that names no parent, if there is one: the earliest."""
    below: list[list[int]] = [[] for _ in found]
    roots: list[int] = []
    for i, parent in enumerate(parents):
        (below[parent] if parent >= 0 else roots).append(i)
    roots.sort(key=lambda i: (not found[i].segment, bool(found[i].parent_id), found[i].start), reverse=True)
    order = []
    while roots:
        order.append(roots.pop())
        roots.extend(reversed(below[order[-1]]))
    return order


def _ends(found: Sequence[Entity], parents: Sequence[int], ledger: Counter[str]) -> list[int]:
    """When each ended: as reported, or as its last descendant did if that was never reported."""
    ends = [entity.start if entity.end is None else entity.end for entity in found]
    for i, entity in enumerate(found):
        if ends[i] < entity.start:
            ends[i] = entity.start
            ledger[Repair.NEGATIVE_DURATION] += 1
    latest = ends.copy()
    for i in range(len(found) - 1, -1, -1):
        if found[i].end is None:
            ends[i] = latest[i]
            ledger[Repair.CENSORED] += 1
        above = parents[i]
        if above >= 0 and latest[above] < latest[i]:
            latest[above] = latest[i]
    return ends


def _move_starts(
    found: Sequence[Entity], parents: list[int], ends: Sequence[int], ledger: Counter[str]
) -> dict[int, int]:
    """Hang a container's start below what waited for it, and return until when; below nothing if nothing did.

    A sandbox that provisioned concurrency or Lambda itself started ahead reports the idle time as initialization (AWS
    Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"): the request did not wait.
    """
    ready: dict[int, int] = {}
    for i, entity in enumerate(found):
        above = parents[i]
        if above < 0 or entity.segment or entity.body.name not in STARTS:
            continue
        function = found[above].origin == FUNCTION
        caller = parents[above] if function else above
        if caller < 0 or not _is_service(found[caller]):
            continue
        if entity.start < found[caller].start - LAMBDA_MARGIN_US:
            parents[i] = -1
            ledger[Repair.PRE_INITIALISED] += 1
        elif function and entity.start < found[above].start:
            parents[i] = caller
            ready[caller] = ends[i]
            ledger[Repair.REPARENTED] += 1
    return ready


def _not_waited_for(found: Sequence[Entity], parents: Sequence[int], ends: Sequence[int]) -> list[bool]:
    overruns = [ends[i] - ends[above] if above >= 0 else 0 for i, above in enumerate(parents)]
    return [
        over > MARGIN_US and over > _margin(found[parents[i]], found[i], ends[parents[i]])
        for i, over in enumerate(overruns)
    ]


def _fitted(
    found: Sequence[Entity],
    parents: Sequence[int],
    ends: Sequence[int],
    asynchronous: Sequence[bool],
    ready: Mapping[int, int],
    ledger: Counter[str],
) -> tuple[list[int], list[int]]:
    """Starts and ends, whatever was waited for within its parent.

    A segment has another clock than its caller. One that seems to outlive it by what clocks differ is moved back, with
    all that hangs below, as far as its caller's start or its container's allows, so that what one clock measured stays
    whole (not if work that outlives the request goes on from there: the way to that would change). What still sticks
    out is cut off.
    """
    starts, final = [entity.start for entity in found], list(ends)
    fixed = _above([late and ends[i] > ends[0] for i, late in enumerate(asynchronous)], parents)
    for i, above in enumerate(parents):
        if above < 0:
            continue
        entity, outer = found[i], found[above]
        if entity.start < outer.start and _starts_early(entity, found[0].start, outer.start):
            ledger[Repair.EARLY] += 1
        if asynchronous[i]:
            continue
        by = outer.start - starts[above]
        over = ends[i] - by - final[above]
        if over > 0:
            moved = 0
            if over <= LAMBDA_MARGIN_US and i not in fixed and entity.segment and not entity.body.inferred:
                moved = min(over, max(0, entity.start - max(outer.start, ready.get(above, 0))))
            ledger[Repair.SHIFTED] += moved > 0
            ledger[Repair.CLAMPED] += moved < over
            by += moved
        starts[i] -= by
        final[i] = min(final[i] - by, final[above])
    return starts, final


def _starts_early(entity: Entity, request: int, parent: int) -> bool:
    """Before the request or, by more than clocks differ, before its parent did: that part counts for nothing."""
    return entity.start < max(request, parent - LAMBDA_MARGIN_US) and entity.body.name not in STARTS


def _above(chosen: Sequence[bool], parents: Sequence[int]) -> set[int]:
    """The positions of the chosen and of all that they hang below."""
    found: set[int] = set()
    for i, wanted in enumerate(chosen):
        at = i if wanted else -1
        while at >= 0 and at not in found:
            found.add(at)
            at = parents[at]
    return found


def _is_service(entity: Entity) -> bool:
    """Lambda's own view of an invocation: its service segment, or one try of an asynchronous one."""
    return entity.origin == LAMBDA or is_attempt(entity.body.name)


def _margin(parent: Entity, child: Entity, parent_end: int) -> float:
    """How much later than its parent a child may end and still have been waited for."""
    outer, inner = parent.origin, child.origin
    if outer == LAMBDA and inner == FUNCTION and child.start < parent_end and status(parent.body) != 202:
        return float("inf")
    return LAMBDA_MARGIN_US if outer.startswith(LAMBDA) or inner.startswith(LAMBDA) else MARGIN_US
