"""`lookout plan`: what would be watched, and why, as text or JSON."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from lookout import show
from lookout.planning import Planned, plans
from monitors.changes import Changes, changes
from monitors.cost import Cost
from monitors.errors import InputError
from monitors.model import Alarm, Fact, Plan

_SAID = ("match_nothing", "not_wide", "no_objective", "no_policy")
"""Notes on what the user asked for and does not get."""


def run(chosen: argparse.Namespace) -> int:
    """Print the plan; 1 if something would stay uncovered or could not be read."""
    if chosen.schema:
        from monitors.settings_schema import schema

        show.as_json(schema())
        return 0
    planned = plans(chosen)
    if chosen.json:
        show.as_json([_document(one) for one in planned])
    elif chosen.resource:
        _print_resource([one.plan for one in planned], chosen.resource)
    else:
        for one in planned:
            _print(one)
    for missing in sorted({words for one in planned for words in one.plan.fleet.incomplete}):
        show.note(f"not read: {missing}")
    return 1 if any(one.coverage.findings or one.plan.fleet.incomplete for one in planned) else 0


def _document(one: Planned) -> dict[str, object]:
    return {
        "region": one.region,
        "alarms": [asdict(alarm) for alarm in one.plan.alarms],
        "composites": [asdict(composite) for composite in one.plan.composites],
        "metric_filters": [asdict(found) for found in one.plan.metric_filters],
        "subscriptions": [asdict(found) for found in one.plan.subscriptions],
        "cost_usd_month": one.cost.usd,
        "cost": asdict(one.cost),
        "uncovered": [asdict(finding) for finding in one.coverage.findings],
        "notes": [note.title for note in one.plan.notes],
        "changes": asdict(changes(one.plan)),
    }


def _print(one: Planned) -> None:
    by_rule = Counter(alarm.rule for alarm in one.plan.alarms)
    show.table(f"alarms in {one.region}", ("rule", "alarms"), sorted(by_rule.items()))
    lines = [(line.kind, line.quantity, line.usd) for line in one.cost.lines if line.quantity]
    show.table("USD a month", ("what", "how many", "USD"), [*lines, ("all", sum(n for _, n, _ in lines), one.cost.usd)])
    shares = [(share.what, share.alarms, share.usd) for share in one.cost.services]
    show.table("alarms by what they watch, without the free tier", ("service", "alarms", "USD"), shares)
    cuts = [(share.what, share.alarms, share.usd) for share in one.cost.cuts]
    show.table(
        "to pay less, turn off first (they wake nobody, or only put others together)", ("rule", "alarms", "USD"), cuts
    )
    covered = sum(bool(found.alarms) for found in one.coverage.resources)
    stated = sum(bool(found.reason) for found in one.coverage.resources)
    show.line(
        f"{len(one.plan.alarms)} alarms, {len(one.plan.composites)} composites, {len(one.plan.metric_filters)} metric "
        f"filters, {len(one.plan.subscriptions)} subscriptions; {covered} of {len(one.coverage.resources)} resources "
        f"have alarms, {stated} none for a stated reason"
    )
    if not one.plan.fleet.tally:  # a template knows of no deployment
        _print_changes(changes(one.plan), one.cost)
    for finding in one.coverage.findings:
        show.line(f"not covered: {finding.title}")
    for note in one.plan.notes:
        if note.kind in _SAID:
            show.note(note.title)
    if one.plan.notes:
        show.note(f"{len(one.plan.notes)} rules make no alarm; `lookout plan --json` says which and why")


def _print_changes(found: Changes, cost: Cost) -> None:
    """What apply would do to the alarms that are there."""
    if found.changed:
        rows = [(one.alarm, one.what, _cell(one.before), _cell(one.after)) for one in found.changed]
        show.table(f"changed ({len(rows)})", ("alarm", "what", "now", "then"), rows)
    if found.removed:
        show.table(f"removed ({len(found.removed)})", ("alarm",), [(name,) for name in found.removed])
    alarms = len({one.alarm for one in found.changed})
    show.line(
        f"against what is deployed: {len(found.added)} alarms added, {alarms} changed, {len(found.removed)} removed; "
        f"{len(found.foreign)} of others left alone; USD {cost.deployed_list_usd:,.2f} a month of alarms now, "
        f"{sum(share.usd for share in cost.services):,.2f} then, without the free tier"
    )


def _cell(value: Fact | None) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _print_resource(plans: Sequence[Plan], name: str) -> None:
    wanted = [(found, one) for found in plans for one in found.fleet.resources if one.name == name]
    if not wanted:
        raise InputError(f"no resource is called {name}: `lookout survey` lists them")
    for found, resource in wanted:
        rows = [_why(alarm) for alarm in found.alarms if resource.id in (alarm.resource, *alarm.covers)]
        show.table(f"{resource.service} {name}", ("rule", "level", "M of N", "severity", "why"), rows)
        for note in found.notes:
            if note.resource == resource.id:
                show.note(note.title)


def _why(alarm: Alarm) -> tuple[str, str, str, str, str]:
    level = f"{alarm.comparison} {alarm.threshold:g}"
    why = "; ".join(f"{name}: {value}" for name, value in alarm.evidence.items()) or "the catalog's own level"
    return alarm.rule, level, f"{alarm.datapoints} of {alarm.periods}", str(alarm.severity), why
