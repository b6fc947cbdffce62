"""`lookout deploy`: the toolkit's own Lambdas into this account and Region."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import accumulate

from infra import deploy as deployment
from infra.aws.session import session
from lookout import files, show
from lookout.fleets import surveyed
from monitors.errors import InputError
from monitors.model import Fleet, MetricDefinition
from monitors.plan import plan

MOST_DEFINITIONS = 3_500
ENVIRONMENT = 3_900
"""Characters: a Lambda function's whole environment takes 4 KB, names of variables included."""


def run(chosen: argparse.Namespace) -> int:
    """Deploy the stack and print its outputs. The subscriber gets the metric definitions no metric filter can take, and
    the names of the functions that cost what arm64 costs.
    """
    wanted = files.chosen_settings(chosen.settings)
    fleet = surveyed()
    definitions = _definitions(plan(fleet, wanted).subscriber_metrics)
    found = deployment.deploy(
        session(),
        architecture=chosen.architecture,
        parameters={
            "PageEmail": chosen.page_email,
            "TicketEmail": chosen.ticket_email,
            "MetricDefinitions": definitions,
            "Arm64Functions": _arm64(fleet, room=ENVIRONMENT - len(definitions)),
        },
        layer=not chosen.no_layer,
        archive=chosen.archive,
        progress=show.note,
    )
    show.table("the toolkit's own stacks", ("output", "value"), sorted(found.items()))
    return 0


def _arm64(fleet: Fleet, *, room: int) -> str:
    """The patterns of the names of the functions on arm64, as many as there is room for; a note tells of the rest."""
    functions = [one for one in fleet.resources if one.service == "lambda"]
    found = sorted(one.name for one in functions if one.facts.get("architecture") == "arm64")
    if found and len(found) == len(functions):
        return "*"
    ends = accumulate(len(name) + 1 for name in found)
    fitting = sum(end <= room for end in ends)
    if fitting < len(found):
        show.note(f"no room for the names of {len(found) - fitting} functions on arm64: they are priced as x86_64")
    return ",".join(found[:fitting])


def _definitions(left: Sequence[MetricDefinition]) -> str:
    """The definitions for the log subscriber, without what is as by default. InputError if they are too many."""
    plain = asdict(MetricDefinition(name="", pattern=""))
    rows = [{key: value for key, value in asdict(one).items() if value != plain[key]} for one in left]
    text = json.dumps(rows, separators=(",", ":"))
    if len(text) > MOST_DEFINITIONS:
        raise InputError(
            f"the metric definitions that CloudWatch Logs cannot run itself take {len(text):,} characters, and the log "
            f"subscriber's environment has room for {MOST_DEFINITIONS:,}: `lookout plan` says which log groups have no "
            "room; name fewer with log_groups"
        )
    return text
