"""Where a command's Fleet comes from: a file, templates, or the accounts it asks."""

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

from dashboards.formats import counted
from infra.aws import survey as asked
from infra.aws.places import Accounts
from infra.aws.role import role_session
from infra.aws.session import session
from lookout import files, show
from monitors import fleet as fleets
from monitors.errors import InputError
from monitors.model import Fleet

OWN: Accounts = {"": session}
"""The account that the SDK's own settings name."""


def load(chosen: argparse.Namespace) -> Fleet:
    """The fleet that the command line names: `--fleet`, `--template`, or else the account's."""
    if chosen.parameters and not chosen.template:
        raise InputError("--parameters are a template's: name it with --template")
    if chosen.fleet and chosen.template:
        raise InputError("--fleet and --template: only one can be the fleet")
    if chosen.fleet:
        return read(chosen.fleet)
    if chosen.template:
        from infra.templates.reading import from_templates

        return from_templates(chosen.template, parameters(chosen))
    accounts = _accounts(chosen)
    return surveyed(accounts, chosen.region or [], thorough=getattr(chosen, "thorough", False))


def read(path: str) -> Fleet:
    """The fleet in a file."""
    document = files.read_json(path)
    try:
        return fleets.from_json(document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def surveyed(accounts: Accounts = OWN, regions: Sequence[str] = (), *, thorough: bool = False) -> Fleet:
    """The fleet of the accounts in the Regions, or in each account's own; the number of calls goes to stderr."""
    with show.progress("surveying") as progress:
        fleet, calls = asked.survey_all(accounts, regions=regions, thorough=thorough, progress=progress)
    show.note(f"{counted(len(fleet.resources), 'resource')} in {counted(calls, 'API call')}")
    return fleet


def _accounts(chosen: argparse.Namespace) -> Accounts:
    """Those of the profiles and roles that were named, or else the one that the SDK's settings name."""
    named, assumed = getattr(chosen, "profile", None), getattr(chosen, "role", None)
    external_id: str = getattr(chosen, "external_id", "")
    if external_id and not assumed:
        raise InputError("--external-id is for assuming a role: name it with --role")
    region = chosen.region[0] if chosen.region else ""
    profiles = {f"profile {name}": partial(session, profile=name, region=region) for name in named or ()}
    roles = {f"role {arn}": partial(role_session, arn, external_id=external_id, region=region) for arn in assumed or ()}
    return {**profiles, **roles} or {"": partial(session, region=region)}


def parameters(chosen: argparse.Namespace) -> dict[str, str]:
    """What the templates are deployed with: `--parameters`, and the Region that was named."""
    if len(chosen.region or ()) > 1:
        raise InputError("--region: a template is deployed in one Region at a time")
    found = {"AWS::Region": chosen.region[0]} if chosen.region else {}
    for one in chosen.parameters or ():
        name, equals, value = one.partition("=")
        if equals:
            found[name] = value
        elif one.endswith(".json"):
            found |= _of_file(one)
        else:
            raise InputError(f"--parameters {one}: expected NAME=VALUE, or a .json file")
    return found


def _of_file(path: str) -> dict[str, str]:
    """Parameters as `{NAME: VALUE}`, as CodePipeline has them, or as a list of what CloudFormation's API takes."""
    match files.read_json(path):
        case {"Parameters": dict(pairs)}:
            found: dict[str, Any] = pairs
        case dict(pairs):
            found = pairs
        case [*entries] if all(isinstance(one, dict) and "ParameterKey" in one for one in entries):
            found = {one["ParameterKey"]: one.get("ParameterValue") for one in entries}
        case _:
            raise InputError(f"{path}: expected {{NAME: VALUE}}, or a list of ParameterKey and ParameterValue")
    return {name: _value(value, f"{path}: {name}") for name, value in found.items() if value is not None}


def _value(value: Any, where: str) -> str:
    """As CloudFormation takes it: as text, lists with commas."""
    if isinstance(value, list):
        return ",".join(_value(item, where) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise InputError(f"{where}: expected text, a number or a list of them")
