"""`lookout deploy`: the toolkit's own Lambdas into this account and Region."""

import argparse
import json
from dataclasses import asdict

from infra import deploy as deployment
from infra.aws.session import session
from lookout import files, show
from lookout.fleets import surveyed
from monitors.plan import plan


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
            "MetricDefinitions": json.dumps([asdict(one) for one in left]),
        },
        layer=not chosen.no_layer,
        progress=show.note,
    )
    show.table("the toolkit's own stack", ("output", "value"), sorted(found.items()))
    return 0
