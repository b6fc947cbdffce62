"""`lookout learn`: the levels that each metric's own history gives."""

import argparse
import time

from infra.aws.session import session
from infra.deploy import deployed
from infra.learn import learn
from lookout import files, show
from lookout.fleets import load
from monitors.plan import by_place, to_learn


def run(chosen: argparse.Namespace) -> int:
    """Print what was learned, and of how many rules that may learn."""
    wanted = files.chosen_settings(chosen.settings)
    documents: list[dict[str, object]] = []
    asked = 0
    for (_, region), fleet in by_place(load(chosen)).items():
        account = session(region=region)
        subscriber = bool(chosen.fleet) or "SubscriberArn" in deployed(account)
        open_ = to_learn(fleet, wanted, subscriber=subscriber)
        with show.progress(f"learning levels in {region}") as progress:
            found = learn(account, open_, end_s=time.time(), days=chosen.days, progress=progress)
        asked += len({(one.rule.id, one.resource.id) for one in open_})
        names = {one.id: one.name for one in fleet.resources}
        documents += [
            {
                "region": region,
                "rule": rule,
                "resource": names[resource],
                "high": levels.high,
                "low": levels.low,
                "days": levels.days,
                "basis": levels.basis,
            }
            for (rule, resource), levels in sorted(found.items())
        ]
    if chosen.json:
        show.as_json(documents)
        return 0
    rows = [
        (*(str(one["rule"]), str(one["resource"])), *(_level(one["high"]), _level(one["low"])), str(one["basis"]))
        for one in documents
    ]
    show.table("learned levels", ("rule", "resource", "above", "below", "from"), rows)
    show.line(f"{len(rows)} of {asked} rules that may learn have enough history; the others keep their own levels")
    return 0


def _level(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, int | float) else "-"
