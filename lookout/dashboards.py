"""`lookout dashboards`: the generated dashboards with their data, as pages."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dashboards import assets
from dashboards.body import bodies
from dashboards.formats import counted
from infra.aws.session import client, pages, session
from lookout import files, show
from lookout.boards import board_pages, chosen_functions
from lookout.planning import Planned, plans
from lookout.serving import serving
from monitors.errors import AwsError, InputError
from monitors.model import State

_INDEX = "index.html"
EVERY_S = 60
"""How often pages that are served are drawn anew: as often as metrics come."""


def run(chosen: argparse.Namespace) -> int:
    """Write the pages of each Region, and say where they are; or show them, drawn anew each minute, until stopped."""
    chosen.template = chosen.parameters = None
    # Pages and Grafana's dashboards cost nothing, so that each application has its own, whatever CloudWatch has.
    planned = [replace(one, plan=replace(one.plan, application_dashboards=True)) for one in plans(chosen)]
    names = {one.name for found in planned for one in found.plan.fleet.resources if one.service == "lambda"}
    if unknown := [name for name in chosen.function or () if name not in names]:
        raise InputError(f"no function is called {unknown[0]}: `lookout survey` lists them")
    if chosen.format == "grafana":
        if chosen.serve:
            raise InputError("--serve shows pages: leave --format grafana out")
        for one in planned:
            folder = _folder(one, planned, chosen)
            show.line(f"{one.region}: {counted(_write_grafana(one, folder), 'dashboard')} in {folder}, for Grafana")
        return 0
    _draw(planned, chosen)
    if not chosen.serve:
        for one in planned:
            show.line(f"{one.region}: {_folder(one, planned, chosen) / _INDEX}")
        return 0
    with serving(Path(chosen.output), port=chosen.port, every_s=EVERY_S) as address:
        for one in planned:
            path = (_folder(one, planned, chosen) / _INDEX).relative_to(chosen.output).as_posix()
            show.line(f"{one.region}: {address}{path}")
        while True:
            time.sleep(EVERY_S)
            try:
                _draw(planned, chosen)
            except AwsError as error:
                show.note(f"as they were, and again in {EVERY_S} s: {error}")


def _folder(one: Planned, planned: Sequence[Planned], chosen: argparse.Namespace) -> Path:
    """One folder a Region, where there are several."""
    return Path(chosen.output) if len(planned) == 1 else Path(chosen.output, one.account, one.region)


def _draw(planned: Sequence[Planned], chosen: argparse.Namespace) -> None:
    script = assets.chart_script()
    for one in planned:
        folder = _folder(one, planned, chosen)
        files.write(folder / "charts.js", script)
        _write(one, folder, chosen)


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
    functions = chosen_functions(one.plan, states, [name for name in chosen.function or () if name in here])
    total = len(bodies(one.plan)) + len(functions) - bool(here)
    boards = board_pages(account, one.plan, states, end_s=time.time(), since_s=chosen.since, functions=functions)
    with show.progress("drawing dashboards") as progress:
        for done, board in enumerate(boards, start=1):
            files.write(folder / board.file, board.html)
            if done == 1:
                files.write(folder / _INDEX, board.html)
            progress(done, total)
