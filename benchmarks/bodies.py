"""Claim: dashboard bodies of 10,000 functions are made in 5 s, within CloudWatch's limits; 400 functions of one
application take fewer than 15.

On the fleets of _fleets.py, with 16 applications or more, and on 400 functions of one. CPU time of the fastest of three
rounds from plan to text; prints how many dashboards there are, what they cost a month, and how full the fullest is.
"""

import gc
import json
import sys
from dataclasses import replace
from time import process_time

from _fleets import fleet_of

from dashboards.body import bodies, metric_counts, texts
from lookout.cli import YOUNG
from monitors import quotas
from monitors.cost import cost_lines
from monitors.model import Fleet, Plan
from monitors.plan import plan
from monitors.settings import Settings

MOST_S, FEWER = 5.0, 15


def main() -> None:
    gc.set_threshold(YOUNG)  # as the command does
    one = fleet_of(400)
    one = replace(one, resources=tuple(replace(resource, application="shop") for resource in one.resources))
    held = [_told("400 functions, one application", one, most=FEWER - 1)]
    held += [_told(f"{count:,} functions", fleet_of(count)) for count in (400, 10_000)]
    if not all(held):
        sys.exit("the claim does not hold")


def _told(name: str, fleet: Fleet, *, most: float = float("inf")) -> bool:
    made = plan(fleet, Settings())
    took_s = min(_seconds(made) for _ in range(3))
    whole = bodies(made)
    counts = metric_counts(whole)
    (price,) = (line for line in cost_lines(made, dashboard_metrics=counts) if line.kind == "dashboards")
    longest = max(map(len, map(json.dumps, whole.values())))
    widgets = max(len(body["widgets"]) for body in whole.values())
    print(
        f"{name}: {len(whole)} dashboards in {took_s:.2f} s ({took_s / MOST_S:.2f} of {MOST_S:g}), "
        f"USD {price.usd:,.0f} a month; in the fullest {widgets} widgets of {quotas.DASHBOARD_WIDGETS}, "
        f"{max(counts):,} metrics of {quotas.DASHBOARD_METRICS:,}, {longest:,} bytes"
    )
    fits = widgets <= quotas.DASHBOARD_WIDGETS and max(counts) <= quotas.DASHBOARD_METRICS
    return took_s <= MOST_S and fits and len(whole) <= most


def _seconds(made: Plan) -> float:
    began = process_time()
    texts(made)
    return process_time() - began


if __name__ == "__main__":
    main()
