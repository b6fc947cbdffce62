"""Fleet + settings -> candidates: which rules apply to which resources, their levels still open. Pure and total."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitors.catalog.rows import Catalog, Condition, Dimensions, Metric, Rule, Service, dimension_sets, hold, subject
from monitors.levels import Layer
from monitors.model import Fact, Finding, Fleet, Query, Resource
from monitors.settings import MUTE_TAG, Match, Settings, fits


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A rule on a resource, or on a part of it such as an index, whose metrics exist."""

    rule: Rule
    resource: Resource
    subject: str
    """What the alarm's name calls it."""
    metrics: tuple[tuple[Metric, Dimensions], ...]
    """The rule's metrics as this resource publishes them."""
    layers: tuple[Layer, ...]
    """What the settings say of the rule here; the last wins."""

    @property
    def queries(self) -> tuple[Query, ...]:
        """What is judged: the one returned is the metric itself or the rule's expression."""
        rule = self.rule
        found = [
            Query(
                id=f"m{number}",
                namespace=row.namespace,
                metric=row.name,
                dimensions=dimensions,
                statistic=row.statistic,
                period_s=rule.period_s,
                label=row.name,
                returned=not rule.expression,
            )
            for number, (row, dimensions) in enumerate(self.metrics, 1)
        ]
        if rule.expression:
            found.append(Query(id="e1", expression=rule.expression, period_s=rule.period_s, label=rule.title))
        return tuple(found)


_Applying = Sequence[tuple[Rule, Sequence[Metric]]]
"""The rules that hold for a resource and whose metrics it publishes, each with the rows of these."""


class _Index(NamedTuple):
    services: Mapping[str, Service]
    rules: Mapping[str, list[tuple[Rule, list[list[Metric]]]]]
    """By service, each with the rows of each of its metrics."""
    asked: Mapping[str, tuple[str, ...]]
    """By service, the facts on which it depends what applies."""
    applying: dict[tuple[object, ...], _Applying]
    """By service and those facts' values, as they are worked out: most functions of a fleet are alike."""


class _Target(NamedTuple):
    """A resource, what alarm names call it, and the sets of dimensions by their templates, as they are worked out."""

    resource: Resource
    subject: str
    sets: dict[Dimensions, dict[str, Dimensions]]


def candidates(fleet: Fleet, settings: Settings, catalog: Catalog) -> Iterator[Candidate | Finding]:
    """Every rule on every resource it applies to; a Finding where a setting or a missing fact keeps one out."""
    index = _index(catalog)
    for resource in fleet.resources:
        matches = [match for match in settings.match if fits(match, resource)]
        if reason := _muted(resource, matches):
            yield Finding(kind="muted", resource=resource.id, title=f"{resource.name}: {reason}")
            continue
        rules = _applying(resource, index)
        target = _Target(resource, subject(index.services[resource.service], resource) if rules else "", {})
        for rule, rows in rules:
            layers = layers_of(rule.id, settings, matches)
            said = [one for one in layers if one.override.enabled is not None] if layers else []
            if said and not said[-1].override.enabled:
                yield note("turned_off", rule.id, resource, f"turned off by {said[-1].place}")
            elif said or settings.all_rules or not rule.opt_in:
                yield from _on(rule, rows, target, layers)


def layers_of(rule: str, settings: Settings, matches: list[Match]) -> tuple[Layer, ...]:
    """What the settings say of a rule for a resource that these matches fit."""
    if not (settings.rules or matches):
        return ()
    found = [(f'rules."{rule}"', settings.rules.get(rule))]
    found += [(f'[[match]] name = "{match.name}", rules."{rule}"', match.rules.get(rule)) for match in matches]
    return tuple(Layer(place, override) for place, override in found if override)


def note(kind: str, rule: str, resource: Resource, reason: str) -> Finding:
    """Why a rule that one might expect on the resource has no alarm."""
    title = f"{rule} of {resource.name}: {reason}"
    return Finding(kind=kind, resource=resource.id, title=title, evidence={"rule": rule, "reason": reason})


def _muted(resource: Resource, matches: list[Match]) -> str:
    if resource.tags.get(MUTE_TAG, "").lower() == "true":
        return f"muted by its tag {MUTE_TAG}"
    return next((f'muted by [[match]] name = "{match.name}"' for match in matches if match.mute), "")


def _on(
    rule: Rule, rows: Sequence[Metric], target: _Target, layers: tuple[Layer, ...]
) -> Iterator[Candidate | Finding]:
    """The rule on the resource, or on each of its parts."""
    resource, name, _ = target
    sets = [_sets(row, target) for row in rows]
    if not all(sets):
        facts = ", ".join(template for row in rows for _, template in row.dimensions)
        yield note("no_dimensions", rule.id, resource, f"the value of a dimension is not known: {facts}")
        return
    for part in max(sets, key=len):
        dimensions = [own[part] if part in own else own[""] for own in sets]
        yield Candidate(
            rule=rule,
            resource=resource,
            subject=f"{name}/{part}" if part else name,
            metrics=tuple(zip(rows, dimensions, strict=True)),
            layers=layers,
        )


def _sets(row: Metric, target: _Target) -> dict[str, Dimensions]:
    """The row's dimensions by part. Most rows of a resource have the same."""
    found = target.sets.get(row.dimensions)
    if found is None:
        found = target.sets[row.dimensions] = dict(dimension_sets(row, target.resource))
    return found


def _applying(resource: Resource, index: _Index) -> _Applying:
    rules, asked = index.rules.get(resource.service, ()), index.asked.get(resource.service, ())
    key = (resource.service, *(resource.facts.get(fact) for fact in asked))
    if key not in index.applying:
        index.applying[key] = [
            (rule, rows) for rule, metrics in rules if (rows := _rows(rule, metrics, resource.facts)) is not None
        ]
    return index.applying[key]


def _rows(rule: Rule, metrics: list[list[Metric]], facts: Mapping[str, Fact]) -> Sequence[Metric] | None:
    """The row of each metric that holds; rows of one id exclude each other."""
    if not hold(rule.when, facts):
        return None
    rows = [next((row for row in found if hold(row.when, facts)), None) for found in metrics]
    published = [row for row in rows if row]
    return published if len(published) == len(rows) else None


def _index(catalog: Catalog) -> _Index:
    metrics: dict[tuple[str, str], list[Metric]] = defaultdict(list)
    for metric in catalog.metrics:
        metrics[metric.service, metric.id].append(metric)
    rules: dict[str, list[tuple[Rule, list[list[Metric]]]]] = defaultdict(list)
    for rule in catalog.rules:
        rules[rule.service].append((rule, [metrics[rule.service, one] for one in rule.metrics]))
    asked = {
        service: tuple(sorted({one.fact for rule, rows in own for one in _conditions(rule, rows)}))
        for service, own in rules.items()
    }
    return _Index({one.id: one for one in catalog.services}, rules, asked, {})


def _conditions(rule: Rule, rows: list[list[Metric]]) -> Iterator[Condition]:
    yield from rule.when
    for row in (row for found in rows for row in found):
        yield from row.when
