"""Findings -> HTML pages that work from a file, with no network and no script. Pure but for reading its own
templates.

Each page carries its style and its small script; charts need `charts.js` (assets.chart_script) beside it, and
where that is missing their tables are shown. Whatever text comes in is escaped, and its unseen characters are
spelled out.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboards import (
    assets,
    board,
    call_map,
    formats,
    headlines,
    latency_charts,
    memory_charts,
    memory_fleet,
    palette,
    path_charts,
    trend_charts,
)
from dashboards.summary import Link, Summary
from dashboards.vega import Chart, Table
from monitors import console
from monitors.model import Series, State
from monitors.rightsize.report import MemoryReport
from monitors.traces.report import LatencyReport
from monitors.traces.trends import Trends

ROWS = 2_000
"""The most rows of a table: pages of 10,000 functions stay usable, and say what they leave out."""
DETAILS = 300
"""The most functions shown one by one."""
PATHS = 40
"""The most entries whose critical paths are drawn."""
LONGEST = 5
"""The most phases of a function, those that add most to its tail, whose longest trace is named."""
ACTIONS = 20
"""The most things that need action told one by one; the tables have the rest."""


def index_page(summary: Summary) -> str:
    """The front page of a run: what is on, what needs action, charts, functions, alarms, notifications, cost."""
    action = headlines.run_action(summary)
    alarms = sorted(summary.alarms, key=lambda a: (a.state is not State.ALARM, a.name))
    return _page(
        "index.html",
        title=summary.title,
        generated_s=summary.generated_s,
        links=summary.links,
        charts=any(chart.spec for chart in summary.charts),
        summary=summary,
        status=headlines.run_status(summary),
        figures=headlines.run_figures(summary),
        action=action[:ACTIONS],
        more_action=len(action) - ACTIONS,
        loud=[a for a in alarms if a.state is not State.OK],
        quiet=[a for a in alarms if a.state is State.OK],
        coverage=headlines.coverage_words(summary.coverage),
    )


def latency_page(
    report: LatencyReport,
    *,
    title: str,
    generated_s: float,
    links: Sequence[Link] = (),
    trends: Trends | None = None,
) -> str:
    """The latency report: what changed, where time goes, every function, every dependency, method.

    With `trends` also how every function did week by week.
    """
    calls = call_map.call_map(report)
    columns = calls.spec.get("usermeta", {}).get("columns", 0)
    weekly = trend_charts.charts(trends) if trends else []
    return _page(
        "latency.html",
        title=title,
        generated_s=generated_s,
        links=links,
        charts=bool(report.functions or report.entries or calls.spec or weekly),
        report=report,
        status=headlines.latency_status(report),
        figures=headlines.latency_figures(report),
        changes=headlines.latency_changes(report),
        unchanged=headlines.unchanged(report),
        overview=latency_charts.response_times(report.functions),
        calls=calls,
        places=f".map{{overflow-x:auto}}\n.map .plot{{min-width:{columns * call_map.COLUMN_REM}rem}}\n",
        cold=latency_charts.cold_starts(report.functions),
        paths=PATHS,
        longest=LONGEST,
        trends=trends,
        weekly=weekly,
        ledger=Table(head=("Repair", "Times"), rows=tuple((what, formats.number(n)) for what, n in report.ledger)),
    )


def memory_page(report: MemoryReport, *, title: str, generated_s: float, links: Sequence[Link] = ()) -> str:
    """The memory report: who needs more, what can be saved, every function with its curve, method."""
    return _page(
        "memory.html",
        title=title,
        generated_s=generated_s,
        links=links,
        charts=bool(report.advice),
        report=report,
        advice=headlines.ranked(report.advice),
        status=headlines.memory_status(report),
        figures=headlines.memory_figures(report),
        first=headlines.memory_first(report),
        overview=(memory_fleet.fleet(report.advice), memory_charts.monthly_effects(report.advice)),
        followed=headlines.followed(report.before) if report.before else "",
        arm64=[a for a in report.advice if a.arm64],
    )


def dashboard_page(
    body: Mapping[str, Any],
    data: Mapping[int, Sequence[Series]],
    *,
    title: str,
    generated_s: float,
    states: Mapping[str, State] | None = None,
    addresses: Mapping[str, str] | None = None,
    subjects: Mapping[str, str] | None = None,
    choices: Sequence[Link] = (),
    links: Sequence[Link] = (),
) -> str:
    """A CloudWatch dashboard body with the data given, its widgets in their order and width.

    `data` has each metric widget's series by the widget's place in the body; `states` the alarms' states, and
    `addresses` where other dashboards and alarms are told of, both by name; `subjects` where resources have a page of
    their own, by name; `choices` lead to pages like this one about others. Resources whose alarms are all off are
    folded, and widgets that have nothing to show are named at the end of their part.
    """
    found = board.parts(body, data, states or {}, addresses or {}, subjects or {})
    tiles = [tile for part in found for tile in part.tiles]
    return _page(
        "dashboard.html",
        title=title,
        generated_s=generated_s,
        links=links,
        charts=any(tile.charts for tile in tiles),
        head=found[:1],
        shown=sorted(found[1:], key=lambda part: not part.tiles),
        choices=choices,
        said=board.status(body, states or {}),
        places="".join(f".s{n}{{grid-column:span {n}}}\n" for n in sorted({tile.width for tile in tiles})),
    )


# --- the frame -----------------------------------------------------------------------------------


def _page(template: str, *, places: str = "", **context: object) -> str:
    style = palette.stylesheet() + assets.text("page.css") + places
    script = assets.text("page.js")
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=_policy(style, script),
            rows=ROWS,
            details=DETAILS,
            **context,
        )
    )


def _policy(style: str, script: str) -> str:
    # Nothing but this page's own style and scripts, and charts.js beside it: no network, no inline handlers, no eval.
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src 'self' {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dashboards"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("link", "number", "ms", "usd", "share", "moment", "span")
    environment.filters |= {name: getattr(formats, name) for name in names}
    environment.filters |= {
        "spec": _embedded,
        "blame": headlines.blame,
        "decision": headlines.decision,
        "effect": memory_charts.effect,
        "icicle": path_charts.icicle,
        "trace_page": console.trace,
        "phases": latency_charts.phases,
        "phase_words": latency_charts.phase_words,
        "by_week": trend_charts.by_week,
        "sizes": memory_charts.sizes,
        "sandboxes": memory_charts.sandboxes,
    }
    return environment


def _finalize(value: object) -> object:
    return formats.inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _embedded(chart: Chart) -> Markup:
    # Inside <script> the browser looks for nothing but `<`; U+2028 and its like are escaped by ensure_ascii.
    text = json.dumps(_inert(chart.spec | {"description": chart.title}), allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped


def _inert(part: Any) -> Any:
    match part:
        case str():
            return formats.inert(part)
        case dict():
            return {name: _inert(value) for name, value in part.items()}
        case list():
            return [_inert(value) for value in part]
        case _:
            return part
