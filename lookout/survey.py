"""`lookout survey`: what exists."""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from infra.aws import survey as asked
from infra.aws.places import Accounts
from infra.aws.role import role_session
from infra.aws.session import session
from lookout import files, show
from monitors import fleet as fleets
from monitors.errors import InputError
from monitors.model import Fleet, Resource


def run(chosen: argparse.Namespace) -> int:
    """Survey and print; 1 if something could not be read."""
    fleet, calls = _surveyed(_accounts(chosen), chosen.region or [], thorough=chosen.thorough)
    show.note(f"{len(fleet.resources):,} resources in {calls:,} API calls")
    document = fleets.to_json(fleet)
    if chosen.output:
        files.write(chosen.output, json.dumps(document, indent=1, sort_keys=True) + "\n")
        show.note(f"{len(fleet.resources)} resources written to {chosen.output}")
    if chosen.json:
        show.as_json(document)
    elif not chosen.output:
        _print(fleet)
    for missing in fleet.incomplete:
        show.note(f"not read: {missing}")
    for note in fleet.notes:
        show.note(note)
    return 1 if fleet.incomplete else 0


def survey(regions: list[str]) -> Fleet:
    """The fleet of the account that the SDK's settings name, with a progress bar."""
    return _surveyed(_own_account(regions), regions).fleet


def load(chosen: argparse.Namespace) -> Fleet:
    """The fleet of `--fleet`, or of the account."""
    if chosen.fleet:
        return fleets.from_json(files.read_json(chosen.fleet))
    return survey(chosen.region or [])


def _surveyed(accounts: Accounts, regions: Sequence[str], *, thorough: bool = False) -> asked.Surveyed:
    with show.progress("surveying") as progress:
        return asked.survey_all(accounts, regions=regions, thorough=thorough, progress=progress)


def _accounts(chosen: argparse.Namespace) -> Accounts:
    """Those of the profiles and roles that were named, or else the one that the SDK's settings name."""
    if chosen.external_id and not chosen.role:
        raise InputError("--external-id is for assuming a role: name it with --role")
    region = chosen.region[0] if chosen.region else ""
    profiles = {f"profile {name}": partial(session, profile=name, region=region) for name in chosen.profile or ()}
    roles = {
        f"role {arn}": partial(role_session, arn, external_id=chosen.external_id, region=region)
        for arn in chosen.role or ()
    }
    return {**profiles, **roles} or _own_account(chosen.region or [])


def _own_account(regions: Sequence[str]) -> Accounts:
    return {"": partial(session, region=regions[0] if regions else "")}


def _print(fleet: Fleet) -> None:
    by_service: dict[str, list[Resource]] = defaultdict(list)
    for resource in fleet.resources:
        by_service[resource.service].append(resource)
    for service, resources in sorted(by_service.items()):
        rows = [(r.name, r.application or "-", r.region or "-", _facts(r)) for r in resources]
        show.table(f"{service} ({len(resources)})", ("name", "application", "region", "facts"), rows)


def _facts(resource: Resource) -> str:
    return ", ".join(
        name if value is True else f"{name}={_short(value)}" for name, value in resource.facts.items() if value
    )


def _short(value: object) -> str:
    text = f"{len(value)}" if isinstance(value, tuple) else str(value)
    return text if len(text) <= 40 else text.rpartition(":")[2][-40:]
