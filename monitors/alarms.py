"""Candidate + settings + learned levels -> Alarm. Pure and total."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from monitors import names
from monitors.candidates import Candidate, note
from monitors.catalog.rows import Learned, Rule, Share
from monitors.levels import UNTIL, Layer, LearnedLevels, Side, sides
from monitors.model import Alarm, Comparison, Description, Fact, Finding, Missing, Query, Resource, Scalar, Severity
from monitors.settings import Settings, owner, wakes

_NOBODY = Resource(service="", name="", id="")


class _Settled(NamedTuple):
    """What is decided of a rule before it is known whose alarm it is."""

    high: Side
    low: Side
    datapoints: int
    periods: int
    severity: Severity
    missing: Missing
    evidence: Mapping[str, Scalar]


def alarm(found: Candidate, settings: Settings, learned: Mapping[tuple[str, str], LearnedLevels]) -> Alarm | Finding:
    """The alarm, or the note that says which level it lacks."""
    rule, resource, layers = found.rule, found.resource, found.layers
    history = learned.get((rule.id, resource.id))
    if layers or history is not None:
        settled = _settled(rule, resource, layers, history)
    else:
        settled = _own(rule) or _limited(rule, *[resource.facts.get(fact) for fact in _limits(rule)])
    high, low = settled.high, settled.low
    if high.level is None and low.level is None:
        return note("no_level", rule.id, resource, high.basis or low.basis)
    queries, comparison, threshold = _judged(found.queries, high.level, low.level)
    severity = settled.severity if wakes(resource) else Severity.TICKET
    return Alarm(
        name=names.alarm_name(rule.id, found.subject),
        rule=rule.id,
        resource=resource.id,
        description=Description(
            title=rule.title,
            reason=rule.reason,
            severity=severity,
            unit=rule.unit,
            high=high.level,
            low=low.level,
            runbook=f"{settings.runbooks}#{rule.runbook or rule.id}",
            owner=owner(resource) if resource.tags else "",
            log_group=str(resource.facts.get("log_group", "")),
        ),
        severity=severity,
        queries=queries,
        comparison=comparison,
        threshold=threshold,
        datapoints=settled.datapoints,
        periods=settled.periods,
        missing=settled.missing,
        evidence=settled.evidence,
    )


@lru_cache(maxsize=1024)
def _own(rule: Rule) -> _Settled | None:
    """What the rule alone decides, for all whom no setting and no history concerns; None if it asks for their limits.

    Most alarms of a fleet are such.
    """
    return None if _limits(rule) else _settled(rule, _NOBODY, (), None)


@lru_cache(maxsize=1024, typed=True)
def _limited(rule: Rule, *limits: Fact | None) -> _Settled:
    """The same of all who have these limits."""
    known = {fact: limit for fact, limit in zip(_limits(rule), limits, strict=True) if limit is not None}
    return _settled(rule, replace(_NOBODY, facts=known), (), None)


@lru_cache(maxsize=1024)
def _limits(rule: Rule) -> tuple[str, ...]:
    """The facts that its levels are shares of until a history is learned."""
    levels = [one.default if isinstance(one, Learned) else one for one in (rule.high, rule.low)]
    return tuple(one.fact for one in levels if isinstance(one, Share))


def _settled(rule: Rule, resource: Resource, layers: Sequence[Layer], history: LearnedLevels | None) -> _Settled:
    """What is meant for the whole fleet is never learned."""
    wide = any(layer.override.fleet for layer in layers)
    high, low = sides(rule, resource, layers, None if wide else history)
    if wide:
        high, low = (one._replace(basis=one.basis.removesuffix(UNTIL)) for one in (high, low))
    datapoints, periods, severity = _chosen(rule, layers)
    missing = (low.level is not None and rule.missing_low) or rule.missing
    return _Settled(high, low, datapoints, periods, severity, missing, _evidence(high, low))


def _chosen(rule: Rule, layers: Sequence[Layer]) -> tuple[int, int, Severity]:
    """M, N and severity. Who sets M alone takes N along, and the other way round."""
    chosen = {
        name: value
        for layer in layers
        for name in ("datapoints", "periods", "severity")
        if (value := getattr(layer.override, name)) is not None
    }
    datapoints, periods = chosen.get("datapoints", rule.datapoints), chosen.get("periods", rule.periods)
    if "periods" in chosen:
        return min(datapoints, periods), periods, chosen.get("severity", rule.severity)
    return datapoints, max(datapoints, periods), chosen.get("severity", rule.severity)


def _judged(
    queries: tuple[Query, ...], high: float | None, low: float | None
) -> tuple[tuple[Query, ...], Comparison, float]:
    """What CloudWatch is to compare, how, and with what. Both sides take a line of metric math more."""
    if high is not None and low is not None:
        judged = queries[-1]
        outside = f"IF({judged.id}>{_number(high)} OR {judged.id}<{_number(low)},1,0)"
        line = Query(id="outside", expression=outside, period_s=judged.period_s, label=f"{judged.label} outside")
        hidden = [replace(one, returned=False) if one.returned else one for one in queries]
        return (*hidden, line), Comparison.AT_LEAST, 1
    if high is not None:
        return queries, Comparison.ABOVE, high
    return queries, Comparison.BELOW, low or 0


def _evidence(high: Side, low: Side) -> dict[str, Scalar]:
    said: dict[str, Scalar] = {}
    for name, side in (("high", high), ("low", low)):
        if side.level is not None:
            said[name] = side.level
        if side.basis:
            said[f"{name}_from"] = side.basis
    return said


def _number(value: float) -> str:
    """Plain decimals: metric math knows no exponents."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
