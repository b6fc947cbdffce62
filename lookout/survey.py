"""`lookout survey`: what exists."""

import argparse
import json
from collections import defaultdict

from infra.aws import survey as asked
from infra.aws.session import session
from lookout import files, show
from monitors import fleet as fleets
from monitors.model import Fleet, Resource


def run(chosen: argparse.Namespace) -> int:
    """Survey and print; 1 if something could not be read."""
    fleet = survey(chosen.region or [])
    document = fleets.to_json(fleet)
    if chosen.output:
        files.write(chosen.output, json.dumps(document, indent=1, sort_keys=True) + "\n")
        show.note(f"{len(fleet.resources)} resources written to {chosen.output}")
    if chosen.json:
        show.as_json(document)
    elif not chosen.output:
        _print(fleet)
    return 1 if fleet.incomplete else 0


def survey(regions: list[str]) -> Fleet:
    """The fleet of the account that the SDK's settings name, with a progress bar."""
    with show.progress("surveying") as progress:
        return asked.survey(session(region=regions[0] if regions else ""), regions=regions, progress=progress)


def load(chosen: argparse.Namespace) -> Fleet:
    """The fleet of `--fleet`, or of the account."""
    if chosen.fleet:
        return fleets.from_json(files.read_json(chosen.fleet))
    return survey(chosen.region or [])


def _print(fleet: Fleet) -> None:
    by_service: dict[str, list[Resource]] = defaultdict(list)
    for resource in fleet.resources:
        by_service[resource.service].append(resource)
    for service, resources in sorted(by_service.items()):
        rows = [(r.name, r.application or "-", r.region or "-", _facts(r)) for r in resources]
        show.table(f"{service} ({len(resources)})", ("name", "application", "region", "facts"), rows)
    for missing in fleet.incomplete:
        show.note(f"not read: {missing}")


def _facts(resource: Resource) -> str:
    return ", ".join(
        name if value is True else f"{name}={_short(value)}" for name, value in resource.facts.items() if value
    )


def _short(value: object) -> str:
    text = f"{len(value)}" if isinstance(value, tuple) else str(value)
    return text if len(text) <= 40 else text.rpartition(":")[2][-40:]
