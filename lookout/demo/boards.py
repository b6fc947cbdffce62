"""The generated dashboards, drawn as pages with the account's own data."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import boto3

from dashboards import pages
from dashboards.body import bodies
from dashboards.summary import Link
from dashboards.tiles import alarm_names
from dashboards.widgets import queries
from infra.aws.metrics import read_series
from infra.aws.session import client
from monitors import names
from monitors.model import Plan, Series, State

HOURS = 12
"""As far back as the dashboards look by default."""


class Board(NamedTuple):
    title: str
    file: str
    html: str


def board_pages(
    session: boto3.Session, plan: Plan, records: Mapping[str, Mapping[str, Any]], *, end_s: float
) -> list[Board]:
    """Each dashboard of the plan that is about something in particular, as a page.

    The one with a variable is about any function at all, and left to the console. `records` are the alarms as
    DescribeAlarms gives them, by name.
    """
    states = {name: State(record["StateValue"]) for name, record in records.items()}
    found = {name: body for name, body in bodies(plan).items() if "variables" not in body}
    links = [Link(words="Overview", address="index.html")]
    links += [Link(words=_words(name, session.region_name), address=_file(name)) for name in found]
    homes = _homes(found, names.dashboard(names.FLEET_DASHBOARD, session.region_name))
    made = []
    for name, body in found.items():
        told = {name: _file(name) for name in found} | {
            alarm: f"{_file(home)}#{quote(alarm)}" for alarm, home in homes.items() if home != name
        }
        html = pages.dashboard_page(
            body,
            _data(session, body, end_s),
            title=name,
            generated_s=end_s,
            states=states,
            addresses=told,
            links=links,
        )
        made.append(Board(title=f"{_words(name, session.region_name)} dashboard", file=_file(name), html=html))
    return made


def _homes(found: Mapping[str, Mapping[str, Any]], fleet: str) -> dict[str, str]:
    """Alarm -> the dashboard where it stands beside what it watches, which is not the fleet's."""
    return {
        alarm: name
        for name, body in found.items()
        if name != fleet
        for widget in body["widgets"]
        for alarm in alarm_names(widget)
    }


def _words(dashboard: str, region: str) -> str:
    return dashboard.removeprefix("lookout-").removeprefix("app-").removesuffix(f"-{region}")


def _file(dashboard: str) -> str:
    return f"{dashboard}.html"


def _data(session: boto3.Session, body: Mapping[str, Any], end_s: float) -> dict[int, list[Series]]:
    """Each metric widget's series by the widget's place."""
    asked = {n: queries(widget) for n, widget in enumerate(body["widgets"]) if widget["type"] == "metric"}
    start_s = end_s - HOURS * 3600
    found = read_series(client(session, "cloudwatch"), [*asked.values()], start_s=start_s, end_s=end_s)
    return dict(zip(asked, found, strict=True))
