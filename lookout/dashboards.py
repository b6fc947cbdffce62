"""`lookout dashboards`: the generated dashboards with their data, as pages."""

import argparse
import time
from pathlib import Path

from dashboards import assets
from dashboards.body import bodies
from dashboards.formats import counted
from infra.aws.session import client, pages, session
from lookout import files, show
from lookout.boards import board_pages
from lookout.planning import Planned, plans
from monitors.errors import InputError
from monitors.model import State

_INDEX = "index.html"


def run(chosen: argparse.Namespace) -> int:
    """Write the pages of each Region, and say where they are."""
    chosen.template = chosen.parameters = None
    planned = plans(chosen)
    names = {one.name for found in planned for one in found.plan.fleet.resources if one.service == "lambda"}
    if chosen.function and chosen.function not in names:
        raise InputError(f"no function is called {chosen.function}: `lookout survey` lists them")
    for one in planned:
        folder = Path(chosen.output) if len(planned) == 1 else Path(chosen.output, one.account, one.region)
        if chosen.format == "grafana":
            count = _write_grafana(one, folder)
            show.line(f"{one.region}: {counted(count, 'dashboard')} in {folder}, to import or provision")
        else:
            _write(one, folder, chosen)
            files.write(folder / "charts.js", assets.chart_script())
            show.line(f"{one.region}: {folder / _INDEX}")
    return 0


def _write_grafana(one: Planned, folder: Path) -> int:
    from dashboards.grafana import grafana

    made = bodies(one.plan)
    for name, body in made.items():
        files.write(folder / f"{name}.json", grafana(name, body))
    return len(made)


def _write(one: Planned, folder: Path, chosen: argparse.Namespace) -> None:
    account = session(region=one.region)
    states = {
        alarm["AlarmName"]: State(alarm["StateValue"])
        for page in pages(
            client(account, "cloudwatch"), "DescribeAlarms", {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        )
        for kind in ("MetricAlarms", "CompositeAlarms")
        for alarm in page.get(kind, ())
    }
    here = {found.name for found in one.plan.fleet.resources if found.service == "lambda"}
    function = chosen.function if chosen.function in here else ""
    total = len(bodies(one.plan)) - (not function)
    boards = board_pages(account, one.plan, states, end_s=time.time(), since_s=chosen.since, function=function)
    with show.progress("drawing dashboards") as progress:
        for done, board in enumerate(boards, start=1):
            files.write(folder / board.file, board.html)
            if done == 1:
                files.write(folder / _INDEX, board.html)
            progress(done, total)
