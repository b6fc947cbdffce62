"""Fleet + settings -> the fleet with its error budgets, as facts. Pure and total."""

import math
from dataclasses import replace

from monitors.catalog.objectives import BUDGET
from monitors.catalog.rows import Catalog
from monitors.model import Finding, Fleet, Resource
from monitors.settings import SLO_TAG, Settings, fits


def with_objectives(fleet: Fleet, settings: Settings, catalog: Catalog) -> tuple[Fleet, list[Finding]]:
    """The fleet, and a note for each tag that says no objective. A resource's own tag goes before the settings."""
    if not any(SLO_TAG in one.tags for one in fleet.resources) and all(match.slo is None for match in settings.match):
        return fleet, []
    services = {health.service for health in catalog.healths if health.pairs}
    resources: list[Resource] = []
    notes: list[Finding] = []
    for one in fleet.resources:
        objective = next((match.slo for match in reversed(settings.match) if match.slo and fits(match, one)), None)
        if said := one.tags.get(SLO_TAG):
            objective = _percent(said)
            if objective is None:
                title = f"{one.name}: its tag {SLO_TAG} is no objective in %, such as 99.9: {said}"
                notes.append(Finding(kind="no_objective", resource=one.id, title=title))
        if objective is None or one.service not in services:
            resources.append(one)
        else:
            resources.append(replace(one, facts={**one.facts, BUDGET: round(100 - objective, 6)}))
    return replace(fleet, resources=tuple(resources)), notes


def _percent(text: str) -> float | None:
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 < value < 100 else None
