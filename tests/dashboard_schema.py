"""The structure of a dashboard body, restated as a JSON schema.

Source: "Dashboard Body Structure and Syntax", Amazon CloudWatch API Reference, with its limits: 500 widgets, 25
variables, 500 metrics a widget, 1-100 alarms an alarm widget, 24 columns. Stricter than AWS where AWS ignores what it
does not know: a misspelled property is an error here. Kinds of widget that we do not make are left out.
"""

_TEXT = {"type": "string", "minLength": 1}
_COLOUR = {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
_PERIOD = {"type": "integer", "anyOf": [{"enum": [1, 5, 10, 20, 30]}, {"multipleOf": 60, "minimum": 60}]}
_STATISTIC = {"type": "string", "pattern": r"^(Sum|Average|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?|p100)$"}
_ACCOUNT = {"type": "string", "pattern": r"^\d{12}$"}
_REGION = {"type": "string", "pattern": r"^([a-z]{2}(-[a-z]+)+-\d|\$\{AWS::Region\})$"}


def _object(required: tuple[str, ...], **properties: object) -> dict[str, object]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


_RENDERING = {
    "color": _COLOUR,
    "label": {"type": "string"},
    "id": {"type": "string", "pattern": "^[a-z][a-zA-Z0-9_]*$"},
    "stat": _STATISTIC,
    "period": _PERIOD,
    "visible": {"type": "boolean"},
    "yAxis": {"enum": ["left", "right"]},
    "region": _REGION,
    "accountId": _ACCOUNT,
}
_EXPRESSION = {
    "type": "array",
    "prefixItems": [_object(("expression",), expression=_TEXT, **{k: v for k, v in _RENDERING.items() if k != "stat"})],
    "minItems": 1,
    "items": False,
}
_METRIC = {
    # [Namespace, MetricName, Dimension1Name, Dimension1Value, ..., {rendering}]: always even with its rendering object
    "type": "array",
    "minItems": 3,
    "maxItems": 2 + 2 * 30 + 1,
    "prefixItems": [_TEXT, _TEXT],
    "items": {"anyOf": [_TEXT, _object((), **_RENDERING)]},
}
_AXIS = _object(
    (), label={"type": "string"}, min={"type": "number"}, max={"type": "number"}, showUnits={"type": "boolean"}
)
_HORIZONTAL = _object(
    ("value",), value={"type": "number"}, label=_TEXT, color=_COLOUR, fill={"enum": ["above", "below", "none"]}
)
_VERTICAL = _object(
    ("value",),
    value={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
    label=_TEXT,
    color=_COLOUR,
    fill={"enum": ["before", "after", "none"]},
)
_METRIC_PROPERTIES = _object(
    ("metrics", "region"),
    metrics={"type": "array", "minItems": 1, "maxItems": 500, "items": {"anyOf": [_EXPRESSION, _METRIC]}},
    region=_REGION,
    accountId=_ACCOUNT,
    title=_TEXT,
    view={"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
    stacked={"type": "boolean"},
    stat=_STATISTIC,
    period=_PERIOD,
    sparkline={"type": "boolean"},
    setPeriodToTimeRange={"type": "boolean"},
    start={"type": "string", "pattern": r"^-P(\d+[DWM]|T\d+[HM])$"},
    end={"type": "string"},
    yAxis=_object((), left=_AXIS, right=_AXIS),
    annotations=_object(
        (),
        horizontal={"type": "array", "items": _HORIZONTAL},
        vertical={"type": "array", "items": _VERTICAL},
        alarms={"type": "array"},
    ),
    legend=_object(("position",), position={"enum": ["right", "bottom", "hidden"]}),
    liveData={"type": "boolean"},
    table=_object(
        (),
        layout={"enum": ["horizontal", "vertical"]},
        showTimeSeriesData={"type": "boolean"},
        stickySummary={"type": "boolean"},
        summaryColumns={"type": "array", "items": {"enum": ["MIN", "MAX", "SUM", "AVG"]}},
    ),
)
_ALARM_PROPERTIES = _object(
    ("alarms",),
    alarms={
        "type": "array",
        "minItems": 1,
        "maxItems": 100,
        "items": {"type": "string", "pattern": "^arn:[^:]+(::[^:}]+})?:cloudwatch:.+:alarm:.+$"},
    },
    sortBy={"enum": ["default", "stateUpdatedTimestamp", "timestamp"]},
    states={"type": "array", "items": {"enum": ["ALARM", "INSUFFICIENT_DATA", "OK"]}},
    title=_TEXT,
)
_LOG_PROPERTIES = _object(
    ("query", "region"),
    query={"type": "string", "pattern": "^SOURCE '"},
    region=_REGION,
    accountId=_ACCOUNT,
    title=_TEXT,
    view={"enum": ["table", "timeSeries", "bar", "pie"]},
)
_TEXT_PROPERTIES = _object(("markdown",), markdown=_TEXT, background={"enum": ["transparent", "solid"]})


def _widget(kind: str, properties: dict[str, object]) -> dict[str, object]:
    return _object(
        ("type", "x", "y", "width", "height", "properties"),
        type={"const": kind},
        x={"type": "integer", "minimum": 0, "maximum": 23},
        y={"type": "integer", "minimum": 0},
        width={"type": "integer", "minimum": 1, "maximum": 24},
        height={"type": "integer", "minimum": 1, "maximum": 1000},
        properties=properties,
    )


_VARIABLE = _object(
    ("type", "inputType", "id"),
    type={"enum": ["property", "pattern"]},
    property=_TEXT,
    pattern=_TEXT,
    inputType={"enum": ["input", "radio", "select"]},
    id={"type": "string", "pattern": "^[A-Za-z0-9_-]{1,32}$"},
    label=_TEXT,
    visible={"type": "boolean"},
    defaultValue=_TEXT,
    search=_TEXT,
    populateFrom=_TEXT,
    values={"type": "array", "items": _object(("value",), value=_TEXT, label=_TEXT)},
)

SCHEMA = _object(
    ("widgets",),
    start={"type": "string", "pattern": r"^-P(\d+[DWM]|T\d+[HM])$"},
    end={"type": "string"},
    periodOverride={"enum": ["auto", "inherit"]},
    variables={"type": "array", "maxItems": 25, "items": _VARIABLE},
    widgets={
        "type": "array",
        "maxItems": 500,
        "items": {
            "anyOf": [
                _widget("metric", _METRIC_PROPERTIES),
                _widget("alarm", _ALARM_PROPERTIES),
                _widget("log", _LOG_PROPERTIES),
                _widget("text", _TEXT_PROPERTIES),
            ]
        },
    },
)
