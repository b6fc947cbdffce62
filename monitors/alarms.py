"""Candidate + settings + learned levels -> Alarm. Pure and total."""

from collections.abc import Mapping
from dataclasses import replace

from monitors import names
from monitors.candidates import Candidate, note
from monitors.levels import UNTIL, LearnedLevels, Side, sides
from monitors.model import Alarm, Comparison, Description, Finding, Query, Scalar, Severity
from monitors.settings import Settings, owner, wakes


def alarm(found: Candidate, settings: Settings, learned: Mapping[tuple[str, str], LearnedLevels]) -> Alarm | Finding:
    """The alarm, or the note that says which level it lacks. What is meant for the whole fleet is never learned."""
    rule, resource = found.rule, found.resource
    if found.layers and any(layer.override.fleet for layer in found.layers):
        high, low = (
            one._replace(basis=one.basis.removesuffix(UNTIL)) for one in sides(rule, resource, found.layers, None)
        )
    else:
        high, low = sides(rule, resource, found.layers, learned.get((rule.id, resource.id)))
    if high.level is None and low.level is None:
        return note("no_level", rule.id, resource, high.basis or low.basis)
    queries, comparison, threshold = _judged(found.queries, high.level, low.level)
    datapoints, periods, severity = _chosen(found)
    severity = severity if wakes(resource) else Severity.TICKET
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
            owner=owner(resource),
            log_group=str(resource.facts.get("log_group", "")),
        ),
        severity=severity,
        queries=queries,
        comparison=comparison,
        threshold=threshold,
        datapoints=datapoints,
        periods=periods,
        missing=(low.level is not None and rule.missing_low) or rule.missing,
        evidence=_evidence(high, low),
    )


def _chosen(found: Candidate) -> tuple[int, int, Severity]:
    """M, N and severity. Who sets M alone takes N along, and the other way round."""
    rule = found.rule
    if not found.layers:
        return rule.datapoints, max(rule.datapoints, rule.periods), rule.severity
    chosen = {
        name: value
        for layer in found.layers
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
        return (*(replace(one, returned=False) for one in queries), line), Comparison.AT_LEAST, 1
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
