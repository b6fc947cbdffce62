"""What lookout.toml says -> Settings: the one place where a user's choices are checked. Pure.

Values cascade: the catalog's row, then `[rules."<id>"]`, then every `[[match]]` that fits the resource, in the order
of the file; the last to speak wins. An empty text is a good start.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from fnmatch import fnmatchcase
from operator import itemgetter
from typing import Any, ClassVar, Literal, NamedTuple

from monitors import patterns, quotas
from monitors.catalog.rows import Catalog
from monitors.catalog.tables import CATALOG
from monitors.errors import PatternError, SettingsError
from monitors.model import MetricDefinition, Resource, Severity

FILE = "lookout.toml"
SLO_TAG = "lookout:slo"
"""A resource's own tag: which % of requests are to succeed, such as 99.9."""
OWNER_TAGS = ("owner", "team")
"""Tags of a resource that say who looks after it, in whatever case; the first that says something."""
PAGE_TAG = "lookout:page"
"""A resource's own tag: with `false` nothing of it wakes anybody."""
MUTE_TAG = "lookout:mute"
"""A resource's own tag: `true` leaves it without alarms."""

Json = Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Topics:
    """ARNs of the SNS topics that alarms go to; empty for none."""

    page: str = ""
    ticket: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """What takes the place of a rule's own values; None leaves them."""

    high: float | None = None
    low: float | None = None
    datapoints: int | None = None
    periods: int | None = None
    severity: Severity | None = None
    enabled: bool | None = None
    fleet: bool | None = None
    """One alarm over all resources in place of one each; only under [rules]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Other values, or silence, for the resources that fit all that is said of them."""

    name: str = "*"
    """A shell-style pattern."""
    service: str = "*"
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tag -> shell-style pattern of its value."""
    mute: bool = False
    slo: float | None = None
    """Which % of requests are to succeed over 30 days; None for no objective."""
    rules: Mapping[str, Override] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All of a user's choices."""

    topics: Topics = field(default_factory=Topics)
    metrics: tuple[MetricDefinition, ...] = ()
    rules: Mapping[str, Override] = field(default_factory=dict)
    match: tuple[Match, ...] = ()
    all_rules: bool = False
    """Whether the rules that are off by themselves are on."""
    subscribe: Literal["groups", "account"] = "groups"
    """How log lines reach the log subscriber: a subscription for each log group, or one policy of the account."""
    archive: bool = False
    """Whether log lines also go to the archive, which `lookout deploy --archive` makes."""
    dashboards: Literal["applications", "fleet"] = "applications"
    """Which there are in CloudWatch beside the fleet's and that for any function: each application's, or no more."""
    runbooks: str = "docs/runbooks.md"
    """Where runbooks are; a rule's own begins at `#<rule id>`."""

    __pydantic_config__: ClassVar[dict[str, Json]] = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


class _Mistake(NamedTuple):
    path: tuple[str | int, ...]
    text: str


def parse(text: str, *, file: str = FILE, catalog: Catalog = CATALOG) -> Settings:
    """The settings. SettingsError with every mistake, a line each: file, line, key, what is wrong, what would do."""
    from pydantic import TypeAdapter, ValidationError  # here, since planning can do without its 0.1 s

    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise SettingsError(f"{file}:{found[1] if found else '?'}: not TOML: {error}") from error
    mistakes = list(_checks(raw, catalog))
    settings = Settings()
    try:
        settings = TypeAdapter(Settings).validate_json(json.dumps(_pairs(raw), default=str))
    except ValidationError as error:
        mistakes += [_refused(detail) for detail in error.errors(include_url=False)]
    if mistakes:
        lines = text.splitlines()
        placed = sorted(((_where(lines, one.path), one) for one in mistakes), key=itemgetter(0))
        raise SettingsError("\n".join(f"{file}:{at}: {_path_text(path)}: {words}" for at, (path, words) in placed))
    return settings


def fits(match: Match, resource: Resource) -> bool:
    """Whether the match is about this resource."""
    return (
        fnmatchcase(resource.name, match.name)
        and fnmatchcase(resource.service, match.service)
        and _tagged(resource, match.tags)
    )


def measures(definition: MetricDefinition, group: Resource) -> bool:
    """Whether the definition is about this log group."""
    return fnmatchcase(group.name, definition.log_groups) and _tagged(group, definition.tags)


def _tagged(resource: Resource, wanted: Mapping[str, str]) -> bool:
    return all(fnmatchcase(resource.tags.get(tag, ""), value) for tag, value in wanted.items())


def wakes(resource: Resource) -> bool:
    """Whether the resource's alarms may wake somebody; those that would are tickets otherwise."""
    return not resource.tags or resource.tags.get(PAGE_TAG, "").strip().lower() != "false"


def owner(resource: Resource) -> str:
    """Who looks after the resource; empty if its tags don't say."""
    said = {key.lower(): value.strip() for key, value in resource.tags.items()} if resource.tags else {}
    return next((said[tag] for tag in OWNER_TAGS if said.get(tag)), "")


def _pairs(raw: Mapping[str, Json]) -> dict[str, Json]:
    """A metric's dimensions are a table in the file and pairs in the record."""
    metrics = raw.get("metrics", [])
    if not isinstance(metrics, list):
        return dict(raw)
    turned = [
        {**one, "dimensions": list(one["dimensions"].items())}
        if isinstance(one, dict) and isinstance(one.get("dimensions"), dict)
        else one
        for one in metrics
    ]
    return {**raw, "metrics": turned} if metrics else dict(raw)


def _refused(detail: Mapping[str, Json]) -> _Mistake:
    """One of pydantic's errors in our words."""
    path = tuple(detail["loc"])
    if detail["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return _Mistake(path, f"no such key{_nearest(str(path[-1]), _keys(path[:-1]))}")
    if detail["type"] == "missing":
        return _Mistake(path, "is missing")
    return _Mistake(path, f"{detail['msg'].removeprefix('Input ')}; found {detail['input']!r}")


def _keys(path: tuple[str | int, ...]) -> list[str]:
    """The keys that the table at this path may have."""
    kinds = {"topics": Topics, "metrics": MetricDefinition, "match": Match}
    kind = Override if "rules" in path else kinds.get(str(path[0]), Settings) if path else Settings
    return [one.name for one in fields(kind)]


def _nearest(found: str, known: list[str]) -> str:
    near = get_close_matches(found, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"


def _checks(raw: Mapping[str, Json], catalog: Catalog) -> Iterator[_Mistake]:
    """What no type can say. Looks only at what has the right type; the rest is pydantic's to refuse."""
    for place, arn in _table(raw, "topics").items():
        if isinstance(arn, str) and arn and not re.fullmatch(r"arn:[^:]+:sns:[^:]+:\d{12}:.+", arn):
            yield _Mistake(("topics", place), f"not the ARN of an SNS topic: {arn!r}")
    yield from _rule_checks(("rules",), _table(raw, "rules"), catalog)
    for number, match in enumerate(_tables(raw, "match")):
        if not match.keys() & {"name", "service", "tags"}:
            yield _Mistake(("match", number), "fits every resource; say which: name, service or tags")
        slo = match.get("slo")
        if isinstance(slo, int | float) and not 0 < slo < 100:
            yield _Mistake(("match", number, "slo"), f"between 0 and 100 %, such as 99.9; found {slo}")
        service = match.get("service", "*")
        services = [one.id for one in catalog.services]
        if isinstance(service, str) and not any(fnmatchcase(one, service) for one in services):
            yield _Mistake(("match", number, "service"), f"no such service: {service}{_nearest(service, services)}")
        yield from _rule_checks(("match", number, "rules"), _table(match, "rules"), catalog)
    for number, metric in enumerate(_tables(raw, "metrics")):
        yield from (_Mistake(("metrics", number, key), words) for key, words in _metric_checks(metric))


def _rule_checks(path: tuple[str | int, ...], overrides: Mapping[str, Json], catalog: Catalog) -> Iterator[_Mistake]:
    rules = {rule.id: rule for rule in catalog.rules}
    known = [*rules, *(health.id for health in catalog.healths)]
    for rule_id, override in overrides.items():
        if rule_id not in known:
            yield _Mistake((*path, rule_id), f"no such rule{_nearest_rule(rule_id, known)}")
            continue
        if not isinstance(override, dict):
            continue
        if "fleet" in override and (path != ("rules",) or rule_id not in rules):
            yield _Mistake((*path, rule_id, "fleet"), "one alarm for the fleet is for a rule under [rules] only")
        if rule_id not in rules:
            continue
        rule = rules[rule_id]
        datapoints = override.get("datapoints", rule.datapoints)
        periods = override.get("periods", max(rule.periods, datapoints) if isinstance(datapoints, int) else 1)
        if not isinstance(datapoints, int) or not isinstance(periods, int):
            continue
        longest = quotas.ALARM_WINDOW_S if rule.period_s < 3600 else quotas.ALARM_LONG_WINDOW_S
        if not 1 <= datapoints <= periods:
            yield _Mistake((*path, rule_id, "datapoints"), f"{datapoints} of {periods} periods cannot be; 1 to periods")
        if periods * rule.period_s > longest:
            most = longest // rule.period_s
            yield _Mistake((*path, rule_id, "periods"), f"at most {most} periods of {rule.period_s} s; found {periods}")


def _nearest_rule(found: str, known: list[str]) -> str:
    """The nearest rule of the same service, all of that service's, or the nearest of any."""
    service = [one for one in known if one.partition(".")[0] == found.partition(".")[0]]
    return _nearest(found, service or known)


def _metric_checks(metric: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """(key, mistake) pairs: PutMetricFilter's own limits, and what its pattern and value language allow."""
    name, pattern, value = metric.get("name"), metric.get("pattern"), metric.get("value", "1")
    dimensions = metric.get("dimensions", {})
    if isinstance(name, str) and not re.fullmatch(r"[^:*$]{1,255}", name):
        yield "name", f"1 to 255 characters, without : * $; found {name!r}"
    unit = metric.get("unit", "Count")
    if isinstance(unit, str) and unit not in quotas.METRIC_UNITS:
        yield "unit", f"no such unit: {unit}{_nearest(unit, list(quotas.METRIC_UNITS))}"
    if dimensions and metric.get("default") is not None:
        yield "default", "CloudWatch takes a default or dimensions, not both"
    if isinstance(dimensions, dict) and len(dimensions) > quotas.METRIC_FILTER_DIMENSIONS:
        yield "dimensions", f"at most {quotas.METRIC_FILTER_DIMENSIONS}; found {len(dimensions)}"
    if not isinstance(pattern, str):
        return
    try:
        compiled = patterns.compile(pattern)
    except PatternError as error:
        yield "pattern", str(error)
        return
    selectors = dimensions.values() if isinstance(dimensions, dict) else ()
    for key, selector in (("value", value), *(("dimensions", one) for one in selectors)):
        if isinstance(selector, str):
            try:
                compiled.value("", selector) if key == "value" else compiled.text("", selector)
            except PatternError as error:
                yield key, str(error)


def _table(raw: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    found = raw.get(key)
    return found if isinstance(found, dict) else {}


def _tables(raw: Mapping[str, Json], key: str) -> list[Mapping[str, Json]]:
    found = raw.get(key)
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []


def _path_text(path: tuple[str | int, ...]) -> str:
    """`rules."lambda.errors".high`, `metrics[1].pattern`: as TOML would have it."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if re.fullmatch(r"[\w-]+", part) else f'"{part}"')
    return text


def _where(lines: list[str], path: tuple[str | int, ...]) -> int:
    """The line (from 1) where the path's last part that can be found stands. Reads the text, not the grammar."""
    at = 0
    for number, part in enumerate(path):
        if isinstance(part, int):
            headers = [at for at, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{path[number - 1]}\s*\]\]", line)]
            at = headers[part] if part < len(headers) else at
        else:
            pattern = re.compile(rf"""(^|[\s\[.{{,"']){re.escape(part)}["']?\s*[\].=]""")
            at = next((here for here in range(at, len(lines)) if pattern.search(lines[here])), at)
    return at + 1
