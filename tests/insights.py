"""A fake of CloudWatch Logs Insights that runs the commands filter, parse, fields and stats as its user guide has them.

Pages of the guide: "Supported logs and discovered fields", "CloudWatch Logs Insights language query syntax" and those
of its commands and functions. Lambda's memory is in bytes, a MB a million, as in the guide's sample queries.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from tests.aws import meta

Event = tuple[str, str, int, str]
"""(log group, log stream, epoch ms, message)"""


class _Missing:
    """A field that an event doesn't have: what is computed of it is missing as well, and no comparison holds."""

    def __truediv__(self, _other: object) -> "_Missing":
        return self

    __mul__ = __truediv__

    def __gt__(self, _other: object) -> bool:
        return False

    __ge__ = __lt__ = __eq__ = __gt__

    def __hash__(self) -> int:
        return 0


MISSING: Any = _Missing()


def _of_numbers(work: Callable[..., float]) -> Callable[..., Any]:
    return lambda *values: MISSING if any(value is MISSING for value in values) else work(*map(float, values))


FUNCTIONS = {
    "coalesce": lambda *values: next((value for value in values if value is not MISSING), MISSING),
    "ispresent": lambda value: value is not MISSING,
    "strcontains": lambda text, part: int(part in text),
    "toMillis": lambda at: at,
    "floor": _of_numbers(math.floor),
    "ceil": _of_numbers(math.ceil),
    "log": _of_numbers(math.log),
    "greatest": _of_numbers(max),
}
STATISTICS: dict[str, Callable[..., float]] = {
    "avg": lambda values: sum(values) / len(values),
    "max": max,
    "min": min,
    "sum": sum,
    "pct": lambda values, level: sorted(values)[math.ceil(level / 100 * len(values)) - 1],
}
_TEXT = {
    "@duration": (r"\tDuration: (\S+) ms", 1.0),
    "@billedDuration": (r"\tBilled Duration: (\S+) ms", 1.0),
    "@memorySize": (r"\tMemory Size: (\S+) MB", 1e6),
    "@maxMemoryUsed": (r"\tMax Memory Used: (\S+) MB", 1e6),
    "@initDuration": (r"\tInit Duration: (\S+) ms", 1.0),
}
_WORD = re.compile(r'"[^"]*"|@?[A-Za-z_][\w.]*(\s*\()?|[<>]=?|=|\d+|\S')


def discovered(event: Event) -> dict[str, Any]:
    """The event's fields."""
    group, stream, at_ms, message = event
    fields: dict[str, Any] = {"@log": f"1:{group}", "@logStream": stream, "@timestamp": at_ms, "@message": message}
    if message.startswith("REPORT "):
        found = {name: (re.search(pattern, message), unit) for name, (pattern, unit) in _TEXT.items()}
        fields |= {name: float(match[1]) * unit for name, (match, unit) in found.items() if match}
        return fields | {"@type": "REPORT"}
    return fields | (_flat(json.loads(message)) if message.startswith("{") else {})


def _flat(record: dict[str, Any], before: str = "") -> dict[str, Any]:
    found = {}
    for key, value in record.items():
        found |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return found


def evaluated(expression: str, fields: dict[str, Any]) -> Any:
    """What an expression is worth for an event."""

    def python(match: re.Match[str]) -> str:
        word = match[0]
        if match[1]:
            return f"FUNCTIONS[{word[:-1].strip()!r}]("
        if word in ("and", "or", "not") or not re.match(r"[@A-Za-z_]", word):
            return "==" if word == "=" else word
        return f"fields.get({word!r}, MISSING)"

    text = " ".join(_WORD.sub(python, expression).split())
    return eval(text, {"FUNCTIONS": FUNCTIONS, "MISSING": MISSING, "fields": fields})  # our own queries


def answered(query: str, events: Sequence[Event]) -> list[dict[str, str]]:
    """The rows of a query over these events."""
    rows = [discovered(event) for event in events]
    for command in re.split(r"\n\| ", query):
        verb, _, rest = command.partition(" ")
        if verb == "filter":
            rows = [row for row in rows if evaluated(rest, row)]
        elif verb == "parse":
            field, pattern = re.fullmatch(r"(@\w+) /(.*)/", rest).groups()
            search = re.compile(pattern.replace("(?<", "(?P<").replace("\\/", "/")).search
            rows = [row | (found.groupdict() if (found := search(row[field])) else {}) for row in rows]
        elif verb == "fields":
            named = [one.rsplit(" as ", 1) for one in _split(rest)]
            made = [{name: evaluated(text, row) for text, name in named} for row in rows]
            rows = [
                row | {name: value for name, value in new.items() if value is not MISSING}
                for row, new in zip(rows, made, strict=True)
            ]
        else:
            assert verb == "stats", command
            rows = _stats(rest, rows)
    return [{name: _text(value) for name, value in row.items() if value is not MISSING} for row in rows]


def _stats(rest: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told, by = re.split(r"\s+by ", rest)
    keys = _split(by)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key, MISSING) for key in keys), []).append(row)
    found = []
    for key, members in groups.items():
        values = dict(zip(keys, key, strict=True))
        for one in _split(told):
            function, inner, name = re.fullmatch(r"(\w+)\((.*)\) as (\w+)", one).groups()
            if function == "count":
                values[name] = len(members)
                continue
            expression, *more = _split(inner)
            numbers = [float(n) for n in (evaluated(expression, row) for row in members) if n is not MISSING]
            values[name] = STATISTICS[function](numbers, *map(float, more)) if numbers else MISSING
        found.append(values)
    return found


def _split(text: str) -> list[str]:
    """At the commas that are outside of all parentheses."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [" ".join(part.split()) for part in parts]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


class Logs:
    """The client: answers at the third time of asking, in no order, and no more rows than asked for."""

    def __init__(self, events: Sequence[Event], *, groups: Sequence[str] = (), ends: str = "Complete") -> None:
        self.meta = meta("logs")
        self.events = events
        self.groups = {event[0] for event in events} | set(groups)
        self.ends = ends
        self.asked: list[dict[str, Any]] = []
        self.times: dict[str, int] = {}

    def start_query(self, **request: Any) -> dict[str, Any]:
        self._check("StartQuery", request)
        assert 1 <= len(request["logGroupNames"]) <= 50
        if not self.groups.issuperset(request["logGroupNames"]):
            answer = {"Error": {"Code": "ResourceNotFoundException", "Message": "Log group does not exist."}}
            raise ClientError(answer, "StartQuery")
        self.asked.append(request)
        return {"queryId": str(len(self.asked) - 1)}

    def get_query_results(self, **request: Any) -> dict[str, Any]:
        self._check("GetQueryResults", request)
        key = request["queryId"]
        self.times[key] = self.times.get(key, 0) + 1
        if self.times[key] < 3:
            return {"status": ("Scheduled", "Running")[self.times[key] - 1], "results": []}
        asked = self.asked[int(key)]
        inside = [
            event
            for event in self.events
            if event[0] in asked["logGroupNames"] and asked["startTime"] <= event[2] / 1000 <= asked["endTime"]
        ]
        rows = answered(asked["queryString"], inside)[: asked["limit"]] if self.ends == "Complete" else []
        return {
            "status": self.ends,
            "results": [[{"field": name, "value": value} for name, value in row.items()] for row in rows],
        }

    def _check(self, operation: str, request: dict[str, Any]) -> None:
        report = ParamValidator().validate(request, self.meta.service_model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
