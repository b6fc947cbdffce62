"""Where to click: addresses in the CloudWatch console. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from monitors.console import home
from monitors.model import Query

Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def alarm(partition: str, region: str, name: str) -> str:
    """The alarm's page."""
    return f"{home(partition, region)}#alarmsV2:alarm/{_percent(name)}"


def logs(partition: str, region: str, log_group: str, *, start_ms: int, end_ms: int) -> str:
    """The log group's events of a time span."""
    query = f"?start={start_ms}&end={end_ms}"
    path = f"{_twice(log_group)}/log-events{_once(query)}"
    return f"{home(partition, region)}#logsV2:log-groups/log-group/{path}"


def metrics(partition: str, region: str, queries: Sequence[Query], *, start_ms: int, end_ms: int) -> str:
    """A graph of the queries over a time span."""
    lines: list[Json] = [_line(query) for query in queries]
    span: dict[str, Json] = {"start": _iso(start_ms), "end": _iso(end_ms)}
    graph: Json = {"metrics": lines, "region": region, **span, "view": "timeSeries", "stacked": False}
    # Mail programs end a link at the first quote or parenthesis.
    said = _jsurl(graph).replace("'", "%27").replace("(", "%28").replace(")", "%29")
    return f"{home(partition, region)}#metricsV2:graph={said}"


def _iso(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _line(query: Query) -> Json:
    if query.expression:
        return [{"expression": query.expression, "id": query.id, "label": query.label or query.id}]
    dimensions = [part for pair in query.dimensions for part in pair]
    shown: Json = {"id": query.id, "stat": query.statistic, "period": query.period_s, "visible": query.returned}
    return [query.namespace, query.metric, *dimensions, shown]


def _jsurl(value: Json) -> str:
    """The console's own notation: JSON in characters that a fragment may hold."""
    if isinstance(value, bool):
        return f"~{str(value).lower()}"
    if isinstance(value, int | float):
        return f"~{value}"
    if isinstance(value, str):
        return "~'" + "".join(character if character in _PLAIN else _star(character) for character in value)
    if isinstance(value, Mapping):
        return "~(" + "~".join(f"{key}{_jsurl(inner)}" for key, inner in value.items()) + ")"
    return "~(" + "".join(map(_jsurl, value)) + ")"


def _star(character: str) -> str:
    if character == "$":
        return "!"
    code = ord(character)
    return f"*{code:02x}" if code < 256 else "".join(f"**{unit:04x}" for unit in _utf16(character))


def _utf16(character: str) -> list[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def _percent(text: str) -> str:
    data = text.encode("utf-8", "replace")
    return "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in data)


def _once(text: str) -> str:
    """The console writes the percent sign of a fragment as `$`."""
    return _percent(text).replace("%", "$")


def _twice(text: str) -> str:
    return _once(_percent(text))
