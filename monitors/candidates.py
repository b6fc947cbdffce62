"""Fleet + settings -> candidates: which rules apply to which resources, their levels still open. Pure and total."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from monitors.catalog.rows import Catalog, Condition, Dimensions, Metric, Rule, Service, dimension_sets, hold, subject
from monitors.levels import Layer
from monitors.model import Fact, Finding, Fleet, Query, Resource, record
from monitors.settings import MUTE_TAG, Match, Settings, fits


@record
class Candidate:
    """A rule on a resource, or on a part of it such as an index, whose metrics exist."""

    rule: Rule
    resource: Resource
    subject: str
    """What the alarm's name calls it."""
    metrics: Sequence[Metric]
    """The rule's, as this resource publishes them."""
    dimensions: Mapping[Dimensions, Dimensions]
    """Those of the metrics, by their templates."""
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
                dimensions=self.dimensions[row.dimensions],
                statistic=row.statistic,
                period_s=rule.period_s,
                label=row.name,
                returned=not rule.expression,
            )
            for number, row in enumerate(self.metrics, 1)
        ]
        if rule.expression:
            found.append(Query(id="e1", expression=rule.expression, period_s=rule.period_s, label=rule.title))
        return tuple(found)


class _Applying(NamedTuple):
    """The rules that hold for a resource and whose metrics it publishes."""

    rules: Sequence[tuple[Rule, Sequence[Metric], int]]
    """Each with the rows of its metrics, and which of the shapes it has."""
    shapes: Sequence[Sequence[Metric]]
    """Rows with the templates of dimensions of one rule or more: most rules of a resource have the same."""


class _Index(NamedTuple):
    services: Mapping[str, Service]
    rules: Mapping[str, list[tuple[Rule, list[list[Metric]]]]]
    """By service, each with the rows of each of its metrics."""
    asked: Mapping[str, tuple[str, ...]]
    """By service, the facts on which it depends what applies."""
    applying: dict[tuple[object, ...], _Applying]
    """By service and those facts' values, as they are worked out: most functions of a fleet are alike."""


_Part = tuple[str, Mapping[Dimensions, Dimensions]]
"""What alarm names call a resource or a part of it, and the dimensions of a rule's metrics there, by templates."""


def candidates(fleet: Fleet, settings: Settings, catalog: Catalog) -> Iterator[Candidate | Finding]:
    """Every rule on every resource it applies to; a Finding where a setting or a missing fact keeps one out."""
    index = _index(catalog)
    for resource in fleet.resources:
        matches = [match for match in settings.match if fits(match, resource)]
        if reason := _muted(resource, matches):
            yield Finding(kind="muted", resource=resource.id, title=f"{resource.name}: {reason}")
            continue
        rules, shapes = _applying(resource, index)
        parts = [_parts(rows, resource, index.services[resource.service]) for rows in shapes]
        for rule, rows, shape in rules:
            layers = layers_of(rule.id, settings, matches)
            said = [one for one in layers if one.override.enabled is not None] if layers else []
            on = said[-1].override.enabled if said else settings.all_rules or not rule.opt_in
            if said and not on:
                yield note("turned_off", rule.id, resource, f"turned off by {said[-1].place}")
            elif on and not parts[shape]:
                facts = ", ".join(template for row in rows for _, template in row.dimensions)
                yield note("no_dimensions", rule.id, resource, f"the value of a dimension is not known: {facts}")
            for called, dimensions in parts[shape] if on else ():
                yield Candidate(
                    rule=rule, resource=resource, subject=called, metrics=rows, dimensions=dimensions, layers=layers
                )


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


def _parts(rows: Sequence[Metric], resource: Resource, service: Service) -> Sequence[_Part]:
    """The resource itself, or each of its parts; none where a dimension is not known."""
    sets = {row.dimensions: dict(dimension_sets(row, resource)) for row in rows}
    if not all(sets.values()):
        return []
    name = subject(service, resource)
    return [
        (
            f"{name}/{part}" if part else name,
            {templates: own[part] if part in own else own[""] for templates, own in sets.items()},
        )
        for part in max(sets.values(), key=len)
    ]


def _applying(resource: Resource, index: _Index) -> _Applying:
    rules, asked = index.rules.get(resource.service, ()), index.asked.get(resource.service, ())
    key = (resource.service, *map(resource.facts.get, asked))
    if key not in index.applying:
        found = [(rule, rows) for rule, metrics in rules if (rows := _rows(rule, metrics, resource.facts)) is not None]
        shapes = {_templates(rows): rows for _, rows in found}
        at = {shape: number for number, shape in enumerate(shapes)}
        shaped = [(rule, rows, at[_templates(rows)]) for rule, rows in found]
        index.applying[key] = _Applying(shaped, [*shapes.values()])
    return index.applying[key]


def _templates(rows: Sequence[Metric]) -> frozenset[Dimensions]:
    return frozenset([row.dimensions for row in rows])


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
