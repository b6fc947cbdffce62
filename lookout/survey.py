"""`lookout survey`: what exists, and what is different from what did."""

import argparse
import json
from collections import defaultdict
from dataclasses import asdict

from dashboards.formats import counted
from lookout import files, show
from lookout.fleets import load, read
from monitors import fleet as fleets
from monitors.fleet.compare import Differences
from monitors.model import Fact, Fleet, Link, Resource

_LONGEST = 40


def run(chosen: argparse.Namespace) -> int:
    """Print the fleet, or what is different in it; 1 if something could not be read, or is different."""
    old = read(chosen.diff) if chosen.diff else None
    fleet = load(chosen)
    document = fleets.to_json(fleet)
    if chosen.output:
        files.write(chosen.output, json.dumps(document, indent=1, sort_keys=True) + "\n")
        show.note(f"{counted(len(fleet.resources), 'resource')} written to {chosen.output}")
    differences = fleets.compare(old, fleet) if old else None
    if chosen.json:
        show.as_json(document if differences is None else asdict(differences))
    elif differences is not None:
        _print_differences(differences)
    elif not chosen.output:
        _print(fleet)
    for missing in fleet.incomplete:
        show.note(f"not read: {missing}")
    for note in fleet.notes:
        show.note(note)
    return 1 if fleet.incomplete or differences else 0


def _print(fleet: Fleet) -> None:
    by_service: dict[str, list[Resource]] = defaultdict(list)
    for resource in fleet.resources:
        by_service[resource.service].append(resource)
    for service, resources in sorted(by_service.items()):
        rows = [(r.name, r.application or "-", r.region or "-", _facts(r)) for r in resources]
        show.table(f"{service} ({len(resources)})", ("name", "application", "region", "facts"), rows)
    if fleet.tally:
        counts = [(one.kind, one.seen, one.understood, one.seen - one.understood) for one in fleet.tally]
        show.table("in the templates", ("type", "seen", "understood", "passed over"), counts)


def _print_differences(found: Differences) -> None:
    if not found:
        show.line("no difference")
    for words, resources in (("added", found.added), ("removed", found.removed)):
        if resources:
            rows = [(one.service, one.name, one.region or "-", _facts(one)) for one in resources]
            show.table(f"{words} ({len(rows)})", ("service", "name", "region", "facts"), rows)
    if found.changed:
        changes = [(one.service, one.name, one.what, _value(one.before), _value(one.after)) for one in found.changed]
        show.table(f"changed ({len(changes)})", ("service", "name", "what", "before", "after"), changes)
    for words, links in (("linked", found.linked), ("no longer linked", found.unlinked)):
        if links:
            show.table(f"{words} ({len(links)})", ("from", "kind", "to"), [_link(one) for one in links])


def _link(one: Link) -> tuple[str, str, str]:
    return one.source, one.kind, one.target


def _facts(resource: Resource) -> str:
    return ", ".join(
        name if value is True else f"{name}={_short(value)}" for name, value in resource.facts.items() if value
    )


def _short(value: Fact) -> str:
    text = f"{len(value)}" if isinstance(value, tuple) else str(value)
    return text if len(text) <= _LONGEST else text.rpartition(":")[2][-_LONGEST:]


def _value(value: Fact | None) -> str:
    if value is None:
        return "-"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
