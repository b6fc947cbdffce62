"""Fn::ForEach of the AWS::LanguageExtensions transform -> what it stands for. Pure."""

from collections.abc import Mapping
from typing import Any

from monitors.fleet.template.intrinsics import DEEPEST, NO_VALUE, Scope, resolve
from monitors.fleet.template.nodes import Note, Path

Json = Any

_LOOP = "Fn::ForEach::"
MOST_ROUNDS = 10_000
"""Of all loops of a template together: loops in loops multiply, and no stack holds more than 500 resources."""


class Unrolling:
    """One template's loops being unrolled: what was noted, and how many rounds are left."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.notes: list[Note] = []
        self.rounds = MOST_ROUNDS

    def unrolled(self, value: Json, path: Path = ()) -> Json:
        """The value with every loop in it unrolled; one that cannot be is left out, and noted."""
        if len(path) > DEEPEST:
            raise RecursionError
        if isinstance(value, list):
            return [self.unrolled(item, (*path, number)) for number, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        found: dict[str, Json] = {}
        for key, item in value.items():
            if isinstance(key, str) and key.startswith(_LOOP):
                found |= self._rounds(key, item, (*path, key))
            else:
                found[key] = self.unrolled(item, (*path, key))
        return found

    def _rounds(self, key: str, loop: Json, path: Path) -> dict[str, Json]:
        match loop:
            case [str(variable), collection, dict(body)] if (items := self._items(collection, path)) is not None:
                self.rounds -= len(items)
                if self.rounds < 0:
                    self._pass_over(key, path, f"more than {MOST_ROUNDS} rounds")
                    return {}
                found: dict[str, Json] = {}
                for item in items:
                    found |= self.unrolled(_filled(body, {variable: str(item)}), path)
                return found
            case [str(), _, dict()]:
                self._pass_over(key, path, "what it loops over is known only when deployed: give it with --parameters")
            case _:
                self._pass_over(key, path, "a name, a list and an object were expected")
        return {}

    def _items(self, collection: Json, path: Path) -> list[Json] | None:
        """What to loop over; a parameter's default where nothing else is known, since else nothing would be seen."""
        value = resolve(collection, self.scope)
        if isinstance(value, list):
            return value
        name = collection.get("Ref") if isinstance(collection, dict) else None
        declared = self.scope.declared.get(name, {}) if isinstance(name, str) else {}
        default = declared.get("Default") if isinstance(declared, dict) else None
        if value is NO_VALUE or not isinstance(default, str):
            return None
        self.notes.append(Note(path, f"{path[-1]} loops over the default of {name}, as no other value was given"))
        return [part.strip() for part in default.split(",")]

    def _pass_over(self, key: str, path: Path, why: str) -> None:
        self.notes.append(Note(path, f"{key} is not seen: {why}", missing=True))


def _filled(value: Json, variables: Mapping[str, str]) -> Json:
    """The value with the loop's variable put in: `${Name}` and `&{Name}` in any text, keys too, and Ref."""
    if isinstance(value, str):
        for name, item in variables.items():
            plain = "".join(filter(str.isalnum, item))
            value = value.replace(f"${{{name}}}", item).replace(f"&{{{name}}}", plain)
        return value
    if isinstance(value, list):
        return [_filled(item, variables) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"} and isinstance(value["Ref"], str) and value["Ref"] in variables:
        return variables[value["Ref"]]
    return {_filled(key, variables): _filled(item, variables) for key, item in value.items()}
