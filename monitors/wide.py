"""The alarms of one rule on many resources -> one alarm over all of them, by a Metrics Insights query. Pure.

Each resource is a contributor: the alarm is on while any of them is beyond the level, and tells of each. It watches
what is made later too, and takes the place of thousands of alarms where one level fits all. Limits: "Metrics Insights
quotas" and "Create an alarm on a Metrics Insights query" (Amazon CloudWatch User Guide); quotas.py has the figures.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from monitors import names, quotas
from monitors.model import Alarm, Comparison, Finding, Fleet, Query
from monitors.settings import Settings

FUNCTIONS: Mapping[str, str] = {
    "Sum": "SUM",
    "Average": "AVG",
    "Maximum": "MAX",
    "Minimum": "MIN",
    "SampleCount": "COUNT",
}
"""CloudWatch's statistics as Metrics Insights calls them; it knows no percentiles."""


def select(namespace: str, metric: str, dimensions: Sequence[str], *, function: str, limit: int) -> str:
    """The query for the metric with exactly these dimensions, a series for each set of their values, worst first."""
    by = ", ".join(f'"{key}"' for key in dimensions)
    order = "ASC" if function == "MIN" else "DESC"
    parts = [f'SELECT {function}("{metric}")', f'FROM SCHEMA("{namespace}", {by})', f"GROUP BY {by}"]
    return " ".join([*parts, f"ORDER BY {function}() {order} LIMIT {limit}"])


def widened(
    alarms: Iterable[Alarm], fleet: Fleet, settings: Settings, notes: Sequence[Finding]
) -> tuple[list[Alarm], list[Finding]]:
    """The alarms, with one in place of all those of a rule that the settings want fleet-wide, where there can be one.

    Else a note says why not, and each resource keeps its own.
    """
    wanted = wide_rules(settings)
    if not wanted:
        return [*alarms], []
    found: dict[str, list[Alarm]] = defaultdict(list)
    kept: list[Alarm] = []
    for alarm in alarms:
        (found[alarm.rule] if alarm.rule in wanted else kept).append(alarm)
    service = {one.id: one.service for one in fleet.resources}
    refused: list[Finding] = []
    room = quotas.INSIGHTS_ALARMS
    for rule, own in found.items():
        groups: dict[tuple[str, ...], list[Alarm]] = defaultdict(list)
        for alarm in own:
            groups[tuple(key for key, _ in alarm.queries[0].dimensions)].append(alarm)
        away = sum(_kept_out(one, rule, service) for one in notes)
        reason = _why_not(own, groups, away=away, room=room)
        if reason:
            refused.append(
                Finding(
                    kind="not_wide",
                    resource="",
                    title=f"{rule}: an alarm for each resource, not one for the fleet: {reason}",
                    evidence={"rule": rule, "reason": reason},
                )
            )
            kept += own
        else:
            kept += [_over(each, keys if len(groups) > 1 else ()) for keys, each in groups.items()]
            room -= len(groups)
    return kept, refused


def wide_rules(settings: Settings) -> frozenset[str]:
    """The rules that the settings want to have one alarm for the whole fleet."""
    return frozenset(rule for rule, override in settings.rules.items() if override.fleet)


def _why_not(
    alarms: Sequence[Alarm], groups: Mapping[tuple[str, ...], Sequence[Alarm]], *, away: int, room: int
) -> str:
    first = alarms[0]
    shapes = {(one.threshold, one.datapoints, one.periods, one.severity) for one in alarms}
    if len(first.queries) > 1:
        return "Metrics Insights judges one metric, and this takes metric math"
    if first.queries[0].statistic not in FUNCTIONS:
        return f"Metrics Insights knows no {first.queries[0].statistic}"
    if any(one.comparison is not Comparison.ABOVE for one in alarms):
        return "a resource that falls silent leaves the query, and no level below would see it"
    if not all(groups):
        return "the metric has no dimensions: there is one already"
    if len(shapes) > 1:
        levels = sorted({one.threshold for one in alarms})
        said = f"{levels[0]:g} to {levels[-1]:g}" if len(levels) > 1 else "M of N or severities"
        return f"one level must fit all, and they differ ({said})"
    if away:
        return f"a query leaves nobody out, and it is muted or turned off for {away} resources"
    if first.periods * first.queries[0].period_s > quotas.INSIGHTS_WINDOW_S:
        return f"it looks back further than {quotas.INSIGHTS_WINDOW_S // 3600} hours"
    if (most := max(map(len, groups.values()))) > quotas.INSIGHTS_METRICS:
        return f"a query sees {quotas.INSIGHTS_METRICS:,} metrics at most, and these are {most:,}"
    if len(groups) > room:
        return f"a Region has {quotas.INSIGHTS_ALARMS} such alarms at most"
    return ""


def _kept_out(note: Finding, rule: str, service: Mapping[str, str]) -> bool:
    """Whether the note tells of a resource that the rule would watch, were it not told to leave it alone."""
    if note.kind == "turned_off":
        return note.evidence.get("rule") == rule
    return note.kind == "muted" and service.get(note.resource) == rule.partition(".")[0]


def _over(alarms: Sequence[Alarm], keys: Sequence[str]) -> Alarm:
    """One alarm over these, which are alike but for whom they watch; named by its dimensions where there are others."""
    first, (query,) = alarms[0], alarms[0].queries
    wide = Query(
        id="q1",
        expression=select(
            query.namespace,
            query.metric,
            [key for key, _ in query.dimensions],
            function=FUNCTIONS[query.statistic],
            limit=quotas.INSIGHTS_SERIES,
        ),
        period_s=query.period_s,
        label=query.label,
    )
    return replace(
        first,
        name=names.alarm_name(first.rule, "/".join(["*", *keys])),
        resource=names.FLEET,
        queries=(wide,),
        description=replace(first.description, log_group=""),
        covers=tuple(one.resource for one in alarms),
    )
