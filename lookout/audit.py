"""`lookout audit`: what is not covered, what can never fire, and where the account is not as planned."""

import argparse
from dataclasses import asdict

from dashboards.formats import counted
from lookout import show
from lookout.planning import Planned, plans
from monitors.changes import Changes, changes

_TOLD = 20
"""Findings of a kind told one by one."""


def run(chosen: argparse.Namespace) -> int:
    """Print the findings of each Region; 1 if there are any."""
    found = [(one, changes(one.plan)) for one in plans(chosen)]
    if chosen.json:
        show.as_json([_document(one, drift) for one, drift in found])
    else:
        for one, drift in found:
            _print(one, drift)
    return 1 if any(_count(one, drift) for one, drift in found) else 0


def _count(one: Planned, drift: Changes) -> int:
    drifted = len(drift.added) + len(drift.changed) + len(drift.removed)
    return len(one.coverage.findings) + len(one.plan.fleet.incomplete) + drifted


def _document(one: Planned, drift: Changes) -> dict[str, object]:
    return {
        "account": one.account,
        "region": one.region,
        "findings": [asdict(finding) for finding in one.coverage.findings],
        "not_read": list(one.plan.fleet.incomplete),
        "drift": asdict(drift),
    }


def _print(one: Planned, drift: Changes) -> None:
    changed = [f"{each.alarm}: {each.what} is {each.before}, planned {each.after}" for each in drift.changed]
    told: dict[str, list[str]] = {"not read": [*one.plan.fleet.incomplete]}
    for finding in one.coverage.findings:
        told.setdefault(finding.kind.replace("_", " "), []).append(finding.title)
    told |= {"changed": changed, "not deployed": [*drift.added], "not planned": [*drift.removed]}
    rows = [(kind, words) for kind, all_ in told.items() for words in _some(all_)]
    if rows:
        show.table(one.region, ("finding", "what"), rows)
    covered = sum(bool(found.alarms) for found in one.coverage.resources)
    stated = sum(bool(found.reason) for found in one.coverage.resources)
    show.line(
        f"{one.region}: {covered} of {len(one.coverage.resources)} resources have alarms, {stated} none for a stated "
        f"reason; {counted(_count(one, drift), 'finding')}"
    )


def _some(words: list[str]) -> list[str]:
    left = len(words) - _TOLD
    return [*words[:_TOLD], *([f"and {left:,} more: --json has all"] if left > 0 else [])]
