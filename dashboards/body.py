"""Plan -> CloudWatch dashboard bodies: the fleet, any one function, each application. Pure.

What is shown follows from the plan's alarms: their metrics, their levels and their descriptions. Periods are
obeyed as they stand (`inherit`), since a level holds for its alarm's period only.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from dashboards import application_body, fleet_body, function_body, watched
from dashboards.widgets import Row, metric_count, placed
from monitors import names, quotas
from monitors.buckets import buckets
from monitors.jsontext import compact
from monitors.model import Plan

_HEAD = 10  # widgets and metrics kept free for the head of each part


def bodies(plan: Plan) -> dict[str, dict[str, Any]]:
    """Dashboard name -> body, sorted by name. One too large for AWS's limits becomes parts, in which a new
    resource moves nothing else.

    Where the fleet came from a template, Region, account and partition are CloudFormation's `${AWS::Region}`
    and its like, in names and bodies, for Fn::Sub to fill in; a fleet that was read from an account has none
    of these.
    """
    return dict(sorted(_each(plan)))


def texts(plan: Plan) -> dict[str, str]:
    """The same as text, without holding all bodies at once."""
    return dict(sorted((name, dump(body)) for name, body in _each(plan)))


def _each(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    region = watched.region(plan)
    yield names.dashboard(names.FLEET_DASHBOARD, region), _body(fleet_body.rows(plan))
    if found := function_body.rows(plan):
        variables = {"variables": [function_body.VARIABLE]}
        yield names.dashboard(names.FUNCTION_DASHBOARD, region), _body(found) | variables
    for application, head, units in application_body.applications(plan) if plan.application_dashboards else ():
        name = names.application_dashboard(application, region)
        for bits, part in buckets(units, partial(_fits, units)).items():
            kept = set(part)
            own = [unit for key, unit in units.items() if key in kept]
            yield names.dashboard_part(name, bits), _body([head, *application_body.section_rows(own, region)])


def dump(body: Mapping[str, Any]) -> str:
    """The body as text: a line for each widget."""
    head = [f"{compact(key)}: {compact(value)}" for key, value in sorted(body.items()) if key != "widgets"]
    widgets = ",\n".join(map(compact, body["widgets"]))
    return "{\n" + ",\n".join([*head, f'"widgets": [\n{widgets}\n]']) + "\n}\n"


def metric_counts(made: Mapping[str, Mapping[str, Any]]) -> list[int]:
    """How many metrics each of these dashboards shows, which is what their price depends on."""
    return [sum(map(metric_count, body["widgets"])) for body in made.values()]


def _body(rows: Sequence[Row]) -> dict[str, Any]:
    return {"start": "-PT12H", "periodOverride": "inherit", "widgets": placed(rows)}


def _fits(units: application_body.Units, keys: Sequence[str]) -> bool:
    if 2 * len(keys) > quotas.DASHBOARD_WIDGETS:
        return False  # each has a head and its alarms, at least
    shown, metrics = application_body.size(units[key] for key in keys)
    return shown <= quotas.DASHBOARD_WIDGETS - _HEAD and metrics <= quotas.DASHBOARD_METRICS - _HEAD
