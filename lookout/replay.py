"""`lookout replay`: send failed log batches through again."""

import argparse

from infra.aws.session import session
from infra.deploy import deployed
from infra.replay import queue_url, replay, waiting
from lookout import show
from monitors import names
from monitors.errors import InputError


def run(chosen: argparse.Namespace) -> int:
    """Send the batches and print what became of them; 1 if any is left."""
    account = session()
    function = deployed(account).get("SubscriberArn", "")
    if not function:
        raise InputError("there is no log subscriber in this account and Region: lookout deploy")
    queue = chosen.queue or queue_url(account, names.FAILED_BATCHES)
    total = waiting(account, queue)
    if chosen.dry_run:
        show.line(f"about {total} batches wait in {queue}")
        return 0
    with show.progress("replaying") as progress:
        found = replay(
            account,
            queue=queue,
            function=function,
            limit=chosen.limit,
            progress=lambda done: progress(done, max(done, total)),
        )
    if chosen.json:
        show.as_json({"sent": found.sent, "kept": [{"message": id_, "reason": why} for id_, why in found.kept]})
    else:
        show.line(f"{found.sent} batches sent; {len(found.kept)} still in the queue")
        for id_, why in found.kept:
            show.line(f"{id_}: {why}")
    return 1 if found.kept else 0
