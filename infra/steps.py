"""What is deployed and what is wanted -> the stacks to deploy one after another. Pure.

Three rules of AWS make one update of each too few. An operation on a stack may touch 2,500 resources over all its
nested stacks. An alarm that moves between stacks must have left the one before the other makes it, since its name is
taken until then; while deletions come last in every update. And no alarm may go that a composite speaks of.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from infra.stacks import MOST_RESOURCES, NESTED, PLACEHOLDER, Template, is_over, template
from monitors import quotas

Json = Any
_Key = tuple[str, str]
_Resources = dict[_Key, Json]
"""By stack and logical id."""

WAVE = quotas.NESTED_OPERATION_RESOURCES // MOST_RESOURCES
"""So many nested stacks may change in one operation, however full they are."""


class Step(NamedTuple):
    """A stack to deploy; to delete, if it has no template."""

    stack: str
    template: Template | None


def steps(deployed: Mapping[str, Json], wanted: Mapping[str, Template]) -> tuple[Step, ...]:
    """From the templates deployed to those wanted, both by the name of their stack; nested ones are left out.

    Stopped between two steps, one goes on by asking again with what is deployed then. Where nothing changes, every
    stack is deployed as it is.
    """
    now, then = _resources(deployed), _resources(wanted)
    changed = [key for key in then if now.get(key) != then[key]]
    gone = [key for key in now if key not in then]
    nested = {key for key, one in (now | then).items() if one["Type"] == NESTED}
    touched = {key for key in nested if _properties(now.get(key)) != _properties(then.get(key))}
    stacks = {stack for stack, _ in (*changed, *gone)} | (deployed.keys() - wanted.keys())
    if not stacks:
        return tuple(Step(*one) for one in wanted.items())
    if len(stacks) == 1 and (not nested or (not gone and len(touched) <= WAVE)):
        return tuple(Step(stack, wanted.get(stack)) for stack in stacks)
    # What is over others goes first and comes back last.
    over = {key for key in nested if is_over(key[1])}
    leaving = [key for key in gone if key not in over]
    falling = [key for key in now if key in over and (leaving or key in touched)]
    missing = [key for key in then if key in changed or key in falling]
    states = [now]
    for keys in (falling, leaving):
        for wave in _waves(keys, touched):
            states.append({key: one for key, one in states[-1].items() if key not in wave})
    for keys in ([key for key in missing if key not in over], [key for key in missing if key in over]):
        for wave in _waves(keys, touched | {*falling}):
            states.append(states[-1] | {key: then[key] for key in wave})
    return tuple(_deployments(states[1:] or states, deployed, wanted))


def _properties(one: Json | None) -> Json:
    """What CloudFormation updates a resource for: what it waits for is no part of it."""
    return one and one["Properties"]


def _waves(keys: Sequence[_Key], touched: set[_Key]) -> Iterator[set[_Key]]:
    """WAVE nested stacks that are touched at a time; whatever is not one of them goes with the first."""
    own = [key for key in keys if key in touched]
    plain = [key for key in keys if key not in touched]
    for start in range(0, max(len(own), 1 if plain else 0), WAVE):
        yield {*(plain if start == 0 else ()), *own[start : start + WAVE]}


def _deployments(
    states: Sequence[_Resources], deployed: Mapping[str, Json], wanted: Mapping[str, Template]
) -> Iterator[Step]:
    """The stacks that differ from one state to the next."""
    current: dict[str, Json] = dict(deployed)
    for state in states:
        for stack in sorted(current.keys() | wanted.keys()):
            own = {name: one for (home, name), one in state.items() if home == stack}
            if not own and stack not in wanted:
                del current[stack]
                yield Step(stack, None)
            elif (own or stack in current or state is states[-1]) and current.get(stack) != (made := template(own)):
                current[stack] = made
                yield Step(stack, made)


def _resources(templates: Mapping[str, Json]) -> _Resources:
    return {
        (stack, name): one
        for stack, found in templates.items()
        for name, one in found.get("Resources", {}).items()
        if name not in PLACEHOLDER
    }
