"""The generated dashboards, drawn as pages with the account's own data."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import boto3

from dashboards import function_body, pages
from dashboards.body import bodies
from dashboards.summary import Link
from dashboards.tiles import alarm_names
from dashboards.widgets import queries
from infra.aws.metrics import read_series
from infra.aws.session import client
from monitors import names
from monitors.model import Plan, Series, State

SINCE_S = 12 * 3600.0
"""As far back as the dashboards look by default."""
_MOST_LINKS = 12
"""Links that the head of a page has room for; beyond, the fleet's page leads on."""


class Board(NamedTuple):
    title: str
    file: str
    html: str


def board_pages(
    session: boto3.Session,
    plan: Plan,
    states: Mapping[str, State],
    *,
    end_s: float,
    since_s: float = SINCE_S,
    overview: str = "",
    function: str = "",
) -> Iterator[Board]:
    """Each dashboard of the plan that is about something in particular, as a page, the fleet's first.

    The one with a variable is about any function at all, and drawn for the one named, if any. `states` are the alarms'
    by name; `overview` the address of a page that leads here.
    """
    fleet = names.dashboard(names.FLEET_DASHBOARD, session.region_name)
    found = {
        name: _about(body, function, plan) for name, body in bodies(plan).items() if function or not _is_open(body)
    }
    found = {name: found[name] for name in sorted(found, key=lambda name: name != fleet)}
    links = [Link(words="Overview", address=overview)] if overview else []
    shown = [*found] if len(found) <= _MOST_LINKS else [name for name in found if name == fleet]
    links += [Link(words=_words(name, session.region_name), address=_file(name)) for name in shown]
    homes = _homes(found, fleet)
    for name, body in found.items():
        told = {name: _file(name) for name in found} | {
            alarm: f"{_file(home)}#{quote(alarm)}" for alarm, home in homes.items() if home != name
        }
        html = pages.dashboard_page(
            body,
            _data(session, body, end_s=end_s, since_s=since_s),
            title=name,
            generated_s=end_s,
            states=states,
            addresses=told,
            links=links,
        )
        yield Board(title=f"{_words(name, session.region_name)} dashboard", file=_file(name), html=html)


def _is_open(body: Mapping[str, Any]) -> bool:
    """Whether the dashboard has a variable to choose a function by."""
    return "variables" in body


def _about(body: dict[str, Any], function: str, plan: Plan) -> dict[str, Any]:
    """The dashboard, with the function in the variable's place where it has one."""
    return function_body.chosen(body, function, plan) if _is_open(body) else body


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


def _is_drawn(widget: Mapping[str, Any]) -> bool:
    """Whether the page shows its data: of metrics, over the range of the page."""
    return widget["type"] == "metric" and "start" not in widget["properties"]


def _data(session: boto3.Session, body: Mapping[str, Any], *, end_s: float, since_s: float) -> dict[int, list[Series]]:
    """Each metric widget's series by the widget's place."""
    asked = {n: queries(widget) for n, widget in enumerate(body["widgets"]) if _is_drawn(widget)}
    start_s = end_s - since_s
    found = read_series(client(session, "cloudwatch"), [*asked.values()], start_s=start_s, end_s=end_s)
    return dict(zip(asked, found, strict=True))
