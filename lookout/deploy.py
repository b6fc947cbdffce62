"""`lookout deploy`: the toolkit's own Lambdas into this account and Region."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from infra import deploy as deployment
from infra.aws.session import session
from lookout import files, show
from lookout.fleets import surveyed
from monitors.errors import InputError
from monitors.model import MetricDefinition
from monitors.plan import plan

MOST_DEFINITIONS = 3_500
"""Characters: a Lambda function's whole environment takes 4 KB."""


def run(chosen: argparse.Namespace) -> int:
    """Deploy the stack and print its outputs. The subscriber gets the metric definitions no metric filter can take."""
    wanted = files.chosen_settings(chosen.settings)
    left = plan(surveyed(), wanted).subscriber_metrics if wanted.metrics else ()
    found = deployment.deploy(
        session(),
        architecture=chosen.architecture,
        parameters={
            "PageEmail": chosen.page_email,
            "TicketEmail": chosen.ticket_email,
            "MetricDefinitions": _definitions(left),
        },
        layer=not chosen.no_layer,
        progress=show.note,
    )
    show.table("the toolkit's own stack", ("output", "value"), sorted(found.items()))
    return 0


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
