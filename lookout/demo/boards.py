"""The generated dashboards, drawn as pages with the account's own data."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3

from dashboards import pages
from dashboards.body import bodies
from dashboards.widgets import queries
from infra.aws.metrics import read_series
from infra.aws.session import client
from monitors.errors import InputError
from monitors.mathsyntax import parse
from monitors.model import Plan, Query, Series, State

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
    made = []
    for name, body in found.items():
        data = _data(session, body, end_s)
        html = pages.dashboard_page(body, data, title=name, generated_s=end_s, states=states)
        made.append(Board(title=f"Dashboard {name}", file=f"{name}.html", html=html))
    return made


def _data(session: boto3.Session, body: Mapping[str, Any], end_s: float) -> dict[int, list[Series]]:
    """Each metric widget's series by the widget's place; none for what only CloudWatch itself can answer."""
    asked = {n: _answerable(queries(widget)) for n, widget in enumerate(body["widgets"]) if widget["type"] == "metric"}
    groups = [group for group in asked.values() if group]
    found = read_series(client(session, "cloudwatch"), groups, start_s=end_s - HOURS * 3600, end_s=end_s)
    places = [n for n, group in asked.items() if group]
    return {n: list(series.values()) for n, series in zip(places, found, strict=True)}


def _answerable(group: tuple[Query, ...]) -> tuple[Query, ...]:
    """The group without SEARCH and Metrics Insights, which the embedded account does not know."""
    return tuple(query for query in group if not query.expression or _is_math(query.expression))


def _is_math(expression: str) -> bool:
    try:
        parse(expression)
    except InputError:
        return False
    return True
