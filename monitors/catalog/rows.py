"""The kinds of row that make up the catalog, and what a row says of one resource. Pure.

A level lies on a side: `high` fires above it, `low` fires below it, both strictly. A rule with both sides becomes
one alarm, `IF(m1>high OR m1<low,1,0)`, since CloudWatch bills by the metric and not by the level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from string import Formatter

from monitors.model import Fact, Missing, Resource, Scalar, Severity

Dimensions = tuple[tuple[str, str], ...]

ANY = "*"
"""A dimension whose values no fact lists, such as an operation: known to be published, never alarmed on."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must be true of a resource's facts."""

    fact: str
    test: str
    value: Scalar = True


def has(fact: str) -> Condition:
    """The fact is there and says something: not False, 0 or empty."""
    return Condition(fact, "has")


def lacks(fact: str) -> Condition:
    """The opposite of `has`."""
    return Condition(fact, "lacks")


def equal(fact: str, value: Scalar) -> Condition:
    return Condition(fact, "equal", value)


def unequal(fact: str, value: Scalar) -> Condition:
    """The fact is there and is something else."""
    return Condition(fact, "unequal", value)


def at_least(fact: str, value: float) -> Condition:
    return Condition(fact, "at least", value)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A level that holds for every resource, because AWS or plain sense says so."""

    value: float


@dataclass(frozen=True, slots=True)
class Share:
    """A part of one of the resource's own limits: 0.8 of its timeout."""

    factor: float
    fact: str
    under: float | None = None
    """No level at all from here on, since the metric never exceeds it."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A level from the metric's own history; `default` until there is one; never beyond `cap`.

    A high level is no lower than `floor`, unless that is beyond the cap: a history of nothing would have it fire for a
    trifle.
    """

    default: Fixed | Share | None = None
    cap: Fixed | Share | None = None
    floor: Fixed | None = None


Level = Fixed | Share | Learned


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A kind of resource."""

    id: str
    title: str
    uncovered: str = ""
    """Why a resource of this kind may well have no alarm of its own; empty where it must have one."""
    watches: bool = False
    """It is there to watch others, and nobody asks what watches it."""
    platform_logs: bool = False
    """Its log group (fact `log_group`) carries the Lambda platform's lines, which the log subscriber reads."""
    takes_filters: bool = False
    """It is a log group: metric filters and subscriptions can be set on it."""
    subject: str = "{name}"
    """How alarm names call it: its name, and whatever else it takes to tell two of them apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A metric that resources of a service publish."""

    service: str
    id: str
    """What rules call it. Two rows may share an id if their conditions exclude each other."""
    namespace: str
    name: str
    dimensions: Dimensions
    """(dimension, template) pairs: `{name}`, `{fact}`, `{name}:{fact}`, plain text, or ANY. A fact that is a list
    makes one set of dimensions for each of its members; of one such as `live:7`, `{fact:0}` is `live`."""
    statistic: str
    unit: str
    when: tuple[Condition, ...] = ()
    """When AWS publishes it at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One thing worth an alarm."""

    id: str
    """`<service>.<what>`. Never changes: it stands in alarm names and in people's settings."""
    title: str
    metrics: tuple[str, ...]
    """Metric ids; m1, m2, ... in the expression."""
    expression: str = ""
    """Metric math over m1, m2, ...; empty where the metric itself is judged."""
    unit: str
    """What the levels are in, in words."""
    high: Level | None = None
    low: Level | None = None
    period_s: int = 60
    datapoints: int
    periods: int
    missing: Missing = Missing.NOT_BREACHING
    missing_low: Missing | None = None
    """What no data means once a low level is in force, where that is something else: silence, not peace."""
    severity: Severity
    when: tuple[Condition, ...] = ()
    """When the rule makes sense; that its metrics must exist goes without saying."""
    opt_in: bool = False
    """Off until lookout.toml turns it on: worth having for few, at a price for all."""
    reason: str
    """What it means when this fires, for the one who gets woken."""
    runbook: str = ""
    """The id under which it is explained, if that is not its own."""

    @property
    def service(self) -> str:
        return self.id.partition(".")[0]

    def __hash__(self) -> int:
        return hash(self.id)  # that of all its fields takes longer than what is looked up by a rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """A composite alarm over every `page` alarm of one resource (`service`) or of one application (empty)."""

    id: str
    service: str = ""
    title: str
    severity: Severity
    reason: str
    pairs: tuple[tuple[str, str], ...] = ()
    """Instead of over every `page` alarm: on while both rules of a pair are, which call nobody by themselves."""
    waits_for: str = ""
    """A rule of the account. While its alarm is on somebody has been called already, and this one waits."""
    runbook: str = ""
    """As a rule's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalog:
    """All rows. Tuples, since a dict would hide duplicates."""

    services: tuple[Service, ...]
    metrics: tuple[Metric, ...]
    rules: tuple[Rule, ...]
    healths: tuple[Health, ...] = field(default=())


def published(
    service: str,
    names: str,
    *,
    namespace: str,
    dimensions: Mapping[str, str],
    statistic: str,
    unit: str = "Count",
    when: tuple[Condition, ...] = (),
    prefix: str = "",
) -> tuple[Metric, ...]:
    """A Metric for each of the names (separated by blanks); ids are the names, with the prefix before them."""
    return tuple(
        Metric(
            service=service,
            id=prefix + name,
            namespace=namespace,
            name=name,
            dimensions=tuple(dimensions.items()),
            statistic=statistic,
            unit=unit,
            when=when,
        )
        for name in names.split()
    )


def holds(condition: Condition, facts: Mapping[str, Fact]) -> bool:
    """Whether the condition is true of the facts; one about a fact that is not there is not."""
    fact = facts.get(condition.fact)
    match condition.test:
        case "has":
            return bool(fact)
        case "lacks":
            return not fact
        case "equal":
            return fact == condition.value
        case "unequal":
            return fact is not None and fact != condition.value
        case _:
            return isinstance(fact, int | float) and fact >= float(condition.value)


def hold(conditions: Sequence[Condition], facts: Mapping[str, Fact]) -> bool:
    """Whether all of them are true of the facts; most rows have none."""
    return not conditions or all(holds(one, facts) for one in conditions)


def condition_text(condition: Condition) -> str:
    """The condition in words: `has is_async`, `bus unequal default`."""
    if condition.test in ("has", "lacks"):
        return f"{condition.test} {condition.fact}"
    return f"{condition.fact} {condition.test} {condition.value}"


def dimension_sets(metric: Metric, resource: Resource) -> tuple[tuple[str, Dimensions], ...]:
    """(part, dimensions) pairs under which this resource publishes the metric.

    One pair with an empty part; for a fact that is a list, one for each member, which is the part. None at all where a
    fact is missing or a dimension's values are not known. Whether `when` holds is not asked.
    """
    facts = _facts(metric.dimensions)
    if facts is None:
        return ()
    lists = [name for name in facts if isinstance(resource.facts.get(name), tuple)]
    return tuple(
        [
            (
                "/".join([chosen[name] for name in lists]),
                tuple([(dimension, template.format_map(chosen)) for dimension, template in metric.dimensions]),
            )
            for values in product(*[_values(name, resource) for name in facts])
            for chosen in (dict(zip(facts, values, strict=True)),)
        ]
    )


def subject(service: Service, resource: Resource) -> str:
    """What alarm names call the resource."""
    known = {name: "/".join(_values(name, resource)) for name in _fields(service.subject)}
    return service.subject.format_map(known)


@lru_cache(maxsize=1024)
def _facts(dimensions: Dimensions) -> tuple[str, ...] | None:
    """What the templates ask for, in order; None where a dimension's values are not known."""
    templates = [template for _, template in dimensions]
    return None if ANY in templates else tuple(sorted({name for one in templates for name in _fields(one)}))


@lru_cache(maxsize=1024)
def _fields(template: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name)


class _Member(str):
    """A member of a list: `{fact:0}` is what stands before its first colon."""

    __slots__ = ()

    def __format__(self, part: str) -> str:
        return self.split(":")[int(part)] if part else str(self)


def _values(name: str, resource: Resource) -> tuple[str, ...]:
    fact = resource.name if name == "name" else resource.facts.get(name)
    if isinstance(fact, tuple):
        return tuple(map(_Member, fact))
    return () if fact is None or fact == "" else (str(fact),)
