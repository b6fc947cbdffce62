"""The generated dashboards, drawn as pages with the account's own data."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
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
MOST_FUNCTIONS = 50
"""Functions of a fleet that are drawn one by one without being named: each asks for some twenty metrics."""
_MOST_LINKS = 12
"""Links that the head of a page has room for; beyond, the fleet's page leads on."""


class Board(NamedTuple):
    title: str
    file: str
    html: str
    function: str = ""
    """The function that it is about; empty for the fleet's and applications'."""


class _Page(NamedTuple):
    title: str
    body: Mapping[str, Any]
    function: str = ""


def board_pages(
    session: boto3.Session,
    plan: Plan,
    states: Mapping[str, State],
    *,
    end_s: float,
    since_s: float = SINCE_S,
    overview: str = "",
    functions: Sequence[str] = (),
) -> Iterator[Board]:
    """Each dashboard of the plan as a page, the fleet's first; the one for any function once for each of these.

    `states` are the alarms' by name; `overview` the address of a page that leads here.
    """
    place = session.region_name
    fleet = names.dashboard(names.FLEET_DASHBOARD, place)
    found = _pages(plan, fleet, functions)
    shown = [file for file, page in found.items() if not page.function]
    links = [Link(words="Overview", address=overview)] if overview else []
    links += [
        Link(words=_words(found[file].title, place), address=file)
        for file in (shown if len(shown) <= _MOST_LINKS else shown[:1])
    ]
    homes = _homes(found, fleet)
    subjects = {page.function: file for file, page in found.items() if page.function}
    choices = [Link(words=name, address=file) for name, file in sorted(subjects.items())]
    for file, page in found.items():
        told = {one.title: other for other, one in found.items() if not one.function}
        told |= {names.dashboard(names.FUNCTION_DASHBOARD, place): one.address for one in choices[:1]}
        told |= {alarm: f"{home}#{quote(alarm)}" for alarm, home in homes.items() if home != file}
        html = pages.dashboard_page(
            page.body,
            _data(session, page.body, end_s=end_s, since_s=since_s),
            title=page.function or page.title,
            generated_s=end_s,
            states=states,
            addresses=told,
            subjects=subjects,
            choices=choices if page.function else (),
            links=links,
        )
        title = f"function {page.function}" if page.function else f"{_words(page.title, place)} dashboard"
        yield Board(title=title, file=file, html=html, function=page.function)


def chosen_functions(plan: Plan, states: Mapping[str, State], named: Sequence[str]) -> list[str]:
    """The functions to draw one by one: those named, and all of a fleet of few, else those with an alarm that is on."""
    name_of = {one.id: one.name for one in plan.fleet.resources if one.service == "lambda"}
    every = sorted(set(name_of.values()))
    if len(every) > MOST_FUNCTIONS:
        on = {name_of.get(alarm.resource) for alarm in plan.alarms if states.get(alarm.name) is State.ALARM}
        every = [name for name in every if name in on][:MOST_FUNCTIONS]
    return sorted({*every, *named})


def _pages(plan: Plan, fleet: str, functions: Sequence[str]) -> dict[str, _Page]:
    """File -> page, the fleet's first and those of functions last."""
    made = bodies(plan)
    found = {_file(name): _Page(name, body) for name, body in made.items() if not _is_open(body)}
    found = dict(sorted(found.items(), key=lambda one: one[1].title != fleet))
    for name, body in made.items():
        if _is_open(body):
            found |= {
                _file(f"{name}--{_slug(function)}"): _Page(name, function_body.chosen(body, function, plan), function)
                for function in functions
            }
    return found


def _slug(name: str) -> str:
    """A function's name as part of a file's: another than Lambda would give ends in a hash of the whole."""
    clean = re.sub(r"[^A-Za-z0-9_-]", "-", name)[:140]
    return clean if clean == name else f"{clean}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _is_open(body: Mapping[str, Any]) -> bool:
    """Whether the dashboard has a variable to choose a function by."""
    return "variables" in body


def _homes(found: Mapping[str, _Page], fleet: str) -> dict[str, str]:
    """Alarm -> the page where it stands beside what it watches, which is not the fleet's."""
    return {
        alarm: file
        for file, page in found.items()
        if page.title != fleet
        for widget in page.body["widgets"]
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
