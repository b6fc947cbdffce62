"""What is deployed and what is wanted -> the parents to deploy one after another. Pure.

Two rules of CloudFormation make one update too few. An operation on a stack may touch 2,500 resources over all its
nested stacks. And an alarm that moves between stacks must have left the one before the other makes it, since its name
is taken until then; while deletions come last in every update.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.resources import Resources
from infra.stacks import MOST_RESOURCES, NESTED, Template, template
from monitors import quotas

Json = Any

WAVE = quotas.NESTED_OPERATION_RESOURCES // MOST_RESOURCES
"""So many nested stacks may change in one operation, however full they are."""


def steps(deployed: Mapping[str, Json], wanted: Template) -> tuple[Template, ...]:
    """The parents to deploy, the wanted one last. `deployed` is the present one, empty if there is none.

    Stopped between two of them, one goes on by asking again with what is deployed then.
    """
    now: Resources = dict(deployed.get("Resources", {}))
    then: Resources = wanted["Resources"]
    changed = [name for name in then if now.get(name) != then[name]]
    gone = [name for name in now if name not in then]
    nested = _nested(now) | _nested(then)
    if not nested or (len(nested & {*changed}) <= WAVE and not gone):
        return (wanted,)
    # What is over others goes first and comes back last: its alarms must not speak of any that is not there.
    over = [name for name in _nested(now) if _after(now[name]) & nested & {*gone, *changed}]
    left = {name: one for name, one in now.items() if name not in gone and name not in over}
    missing = [name for name in then if left.get(name) != then[name]]
    early = [name for name in missing if not _after(then[name]) & nested]
    late = [name for name in missing if name not in early]
    found = [
        *(_without(now, [*over, *gone])),
        *(_with(left, then, early)),
        *(_with(left | {name: then[name] for name in early}, then, late)),
    ]
    return (*found[:-1], wanted) if missing else (*found, wanted)


def _without(now: Resources, names: Sequence[str]) -> Iterator[Template]:
    """Parents that lack more and more of the names."""
    for wave in _waves(now, names):
        now = {name: one for name, one in now.items() if name not in wave}
        yield template(now)


def _with(now: Resources, then: Resources, names: Sequence[str]) -> Iterator[Template]:
    """Parents that have more and more of the names as they are to be."""
    for wave in _waves(then, names):
        now = now | {name: then[name] for name in wave}
        yield template(now)


def _waves(resources: Resources, names: Sequence[str]) -> Iterator[Sequence[str]]:
    """WAVE nested stacks at a time; whatever is not a nested stack goes with the first."""
    nested = [name for name in names if name in _nested(resources)]
    plain = [name for name in names if name not in _nested(resources)]
    for start in range(0, max(len(nested), 1 if plain else 0), WAVE):
        yield [*(plain if start == 0 else ()), *nested[start : start + WAVE]]


def _nested(resources: Resources) -> set[str]:
    return {name for name, one in resources.items() if one["Type"] == NESTED}


def _after(resource: Json) -> set[str]:
    return {*resource.get("DependsOn", ())}
