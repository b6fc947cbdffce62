"""A CloudWatch dashboard body -> the same dashboard for Grafana, over its CloudWatch data source. Pure.

The grid is the same, and so is what is asked; Grafana has no widget for the state of CloudWatch's alarms, so these are
told by name, and the alarms' changes stand as annotations in every graph. Models: Grafana's own foundation SDK.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import cloudwatch, dashboard

from dashboards.function_body import CHOOSE, FUNCTION
from dashboards.tiles import alarm_names
from dashboards.widgets import markdown, queries
from monitors.model import Query
from monitors.names import PREFIX

_SOURCE = dashboard.DataSourceRef(type_val="cloudwatch", uid="${source}")
_UID = 40
"""Characters of a dashboard's uid, at most."""
_TOLD = 20
"""Alarms that are told by name in one panel."""
_LINK = re.compile(r"\(#dashboards/dashboard/([^)\s]*)\)")
_SOURCES = re.compile(r"SOURCE '([^']*)'(?: \| )?")
_UNITS = {"ms": "ms", "s": "s", "bytes": "bytes"}
"""Axis in words -> Grafana's unit, which scales the numbers."""


def grafana(name: str, body: Mapping[str, Any]) -> str:
    """The dashboard as JSON, for Grafana's import or its file provisioning. It asks which data source to use."""
    variables = [_source_variable()]
    if "variables" in body:
        variables.append(_function_variable(_region(body["widgets"])))
    made = dashboard.Dashboard(
        uid=_uid(name),
        title=name,
        tags=[PREFIX],
        timezone="utc",
        time=dashboard.DashboardDashboardTime(from_val=f"now-{body['start'].removeprefix('-PT').lower()}"),
        refresh="1m",
        panels=[_panel(number, widget) for number, widget in enumerate(body["widgets"], start=1)],
        templating=dashboard.DashboardDashboardTemplating(list_val=variables),
        annotations=dashboard.AnnotationContainer(list_val=[]),
    )
    document = json.loads(json.dumps(made, cls=JSONEncoder))
    document["annotations"]["list"] = [_alarm_changes(_region(body["widgets"]))]
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _panel(number: int, widget: Mapping[str, Any]) -> dashboard.Panel:
    properties = widget["properties"]
    place = dashboard.GridPos(x=widget["x"], y=widget["y"], w=widget["width"], h=widget["height"])
    title = _variable(str(properties.get("title", "")))
    panel = dashboard.Panel(id_val=number, title=title, grid_pos=place, options={})
    match widget["type"], properties.get("view"):
        case "text", _:
            _as_text(panel, _variable(str(properties["markdown"])))
        case "alarm", _:
            _as_text(panel, _alarms(widget))
        case "log", _:
            panel.type_val, panel.datasource, panel.targets = "logs", _SOURCE, [_logs(properties)]
        case _, view:
            panel.type_val = {"singleValue": "stat", "table": "table", "gauge": "gauge"}.get(str(view), "timeseries")
            panel.time_from = str(properties["start"]).removeprefix("-P").lower() if "start" in properties else None
            panel.datasource, panel.targets = _SOURCE, [*_targets(widget)]
            panel.field_config = _fields(properties, panel.type_val)
            if panel.type_val == "table":
                panel.transformations = _TOTALS
    return panel


def _as_text(panel: dashboard.Panel, content: str) -> None:
    panel.type_val, panel.transparent = "text", True
    panel.options = {"mode": "markdown", "content": content}


def _alarms(widget: Mapping[str, Any]) -> str:
    found = alarm_names(widget)
    told = [f"- {markdown(name)}" for name in found[:_TOLD]]
    return "\n".join([*told, *([f"- and {len(found) - _TOLD} more"] if len(found) > _TOLD else [])])


def _targets(widget: Mapping[str, Any]) -> Iterator[cloudwatch.CloudWatchMetricsQuery]:
    region = _place(str(widget["properties"]["region"]))
    for number, query in enumerate(queries(dict(widget))):
        one = cloudwatch.CloudWatchMetricsQuery(
            query_mode=cloudwatch.CloudWatchQueryMode.METRICS,
            metric_query_type=cloudwatch.MetricQueryType.SEARCH,
            metric_editor_mode=cloudwatch.MetricEditorMode.BUILDER,
            id_val=query.id,
            ref_id=_ref(number),
            label=_variable(query.label),
            hide=not query.returned,
            region=region,
            namespace=query.namespace,
            metric_name=query.metric,
            dimensions={key: [_variable(value)] for key, value in query.dimensions},
            match_exact=True,
            statistic=query.statistic,
            period=str(query.period_s),
            expression="",
        )
        _ask(one, query)
        yield one


def _ask(one: cloudwatch.CloudWatchMetricsQuery, query: Query) -> None:
    """Metric math, a search or Metrics Insights in place of one metric."""
    if not query.expression:
        return
    one.metric_editor_mode = cloudwatch.MetricEditorMode.CODE
    if query.expression.startswith("SELECT "):
        one.metric_query_type = cloudwatch.MetricQueryType.QUERY
        one.sql_expression = _variable(query.expression)
    else:
        one.expression = _variable(query.expression)


def _fields(properties: Mapping[str, Any], kind: str) -> dashboard.FieldConfigSource:
    axis = str(properties.get("yAxis", {}).get("left", {}).get("label", ""))
    unit = "percent" if axis.startswith("%") else _UNITS.get(axis, "short")
    steps = [dashboard.Threshold(value=None, color="transparent")]
    levels = properties.get("annotations", {}).get("horizontal", [])
    steps += [
        dashboard.Threshold(value=one["value"], color="red") for one in sorted(levels, key=lambda one: one["value"])
    ]
    custom = {
        "axisLabel": axis,
        "lineWidth": 1,
        "showPoints": "auto",
        "thresholdsStyle": {"mode": "dashed" if levels else "off"},
    }
    return dashboard.FieldConfigSource(
        defaults=dashboard.FieldConfig(
            unit=unit,
            min_val=0,
            max_val=100 if kind == "gauge" else None,
            no_value="no data",
            thresholds=dashboard.ThresholdsConfig(mode=dashboard.ThresholdsMode.ABSOLUTE, steps=steps),
            custom=custom if kind == "timeseries" else {},
        ),
        overrides=[],
    )


_TOTALS = [
    dashboard.DataTransformerConfig(id_val="reduce", options={"reducers": ["sum", "max", "lastNotNull"]}),
    dashboard.DataTransformerConfig(
        id_val="sortBy", options={"fields": {}, "sort": [{"field": "Total", "desc": True}]}
    ),
]


def _logs(properties: Mapping[str, Any]) -> cloudwatch.CloudWatchLogsQuery:
    query = str(properties["query"])
    return cloudwatch.CloudWatchLogsQuery(
        query_mode=cloudwatch.CloudWatchQueryMode.LOGS,
        ref_id="A",
        region=_place(str(properties["region"])),
        expression=_SOURCES.sub("", query),
        log_group_names=[_variable(group) for group in _SOURCES.findall(query)],
    )


def _source_variable() -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.DATASOURCE, name="source", label="CloudWatch", query="cloudwatch"
    )


def _function_variable(region: str) -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name="function",
        label="Function",
        datasource=_SOURCE,
        query={
            "queryType": "dimensionValues",
            "region": region,
            "namespace": "AWS/Lambda",
            "metricName": "Invocations",
            "dimensionKey": "FunctionName",
            "refId": "CloudWatchVariableQueryEditor-VariableQuery",
        },
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
        sort=dashboard.VariableSort.ALPHABETICAL_ASC,
    )


def _alarm_changes(region: str) -> dict[str, Any]:
    """Our alarms' changes of state, as the data source finds them by the beginning of their names."""
    return {
        "name": "Alarms",
        "datasource": {"type": _SOURCE.type_val, "uid": _SOURCE.uid},
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "target": {
            "queryMode": cloudwatch.CloudWatchQueryMode.ANNOTATIONS,
            "refId": "alarms",
            "region": region,
            "prefixMatching": True,
            "alarmNamePrefix": f"{PREFIX}/",
            "actionPrefix": "",
            "namespace": "",
            "metricName": "",
            "dimensions": {},
            "statistic": "Average",
            "period": "300",
        },
    }


def _variable(text: str) -> str:
    """CloudWatch's variable in Grafana's words; links to other dashboards as links there."""
    return _LINK.sub(lambda found: f"(/d/{_uid(found[1])})", text.replace(CHOOSE, "")).replace(FUNCTION, "${function}")


def _region(widgets: Sequence[Mapping[str, Any]]) -> str:
    return _place(next((str(one["properties"]["region"]) for one in widgets if "region" in one["properties"]), ""))


def _place(region: str) -> str:
    """The data source's own Region, where a template leaves it to CloudFormation."""
    return "default" if not region or region.startswith("${") else region


def _uid(name: str) -> str:
    """Letters, digits, `-` and `_`, at most 40: a longer name is cut and ends in a hash of the whole."""
    clean = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    if clean == name and len(name) <= _UID:
        return name
    return f"{clean[: _UID - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _ref(number: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    more, last = divmod(number, len(ascii_uppercase))
    return (_ref(more - 1) if more else "") + ascii_uppercase[last]
