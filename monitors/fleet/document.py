"""Fleet <-> the JSON document that every later command can read in an account's stead."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from monitors.errors import InputError
from monitors.fleet.joined import in_order
from monitors.model import Fact, Fleet, Link, Resource, Tally

VERSION = 1
_TOLD = 10  # problems named in one message; the rest are counted

_TEXTS = ("service", "name", "id", "region", "account", "application", "condition")
_NEEDED = ("service", "name", "id")


def to_json(fleet: Fleet) -> dict[str, Any]:
    """The Fleet as plain JSON types, in a stable order: equal Fleets give equal documents."""
    ordered = in_order(fleet)
    return {
        "version": VERSION,
        "resources": [_entry(one) for one in ordered.resources],
        "links": [{"source": link.source, "target": link.target, "kind": link.kind} for link in ordered.links],
        "incomplete": list(ordered.incomplete),
        "notes": list(ordered.notes),
        "tally": [{"kind": one.kind, "seen": one.seen, "understood": one.understood} for one in ordered.tally],
    }


def from_json(document: Any) -> Fleet:
    """The Fleet that a document of `to_json` holds; InputError with all that is wrong and where."""
    if not isinstance(document, dict) or document.get("version") != VERSION:
        found = document.get("version") if isinstance(document, dict) else type(document).__name__
        raise InputError(f"not a Fleet: expected an object with version {VERSION}, found {found!r}")
    problems: list[str] = []
    resources = [
        _resource(entry, f"resources[{n}]", problems) for n, entry in enumerate(_list(document, "resources", problems))
    ]
    links = [_link(entry, f"links[{n}]", problems) for n, entry in enumerate(_list(document, "links", problems))]
    tally = [_tally(entry, f"tally[{n}]", problems) for n, entry in enumerate(_list(document, "tally", problems))]
    incomplete, notes = (_texts(document.get(key), key, problems) for key in ("incomplete", "notes"))
    problems += _unknown(document, ("version", "resources", "links", "incomplete", "notes", "tally"), "the Fleet")
    problems += _twice([one.id for one in resources])
    if problems:
        more = f"\n... and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        raise InputError("not a Fleet:\n" + "\n".join(problems[:_TOLD]) + more)
    return in_order(
        Fleet(resources=tuple(resources), links=tuple(links), incomplete=incomplete, notes=notes, tally=tuple(tally))
    )


def _entry(one: Resource) -> dict[str, Any]:
    return {
        **{key: getattr(one, key) for key in _TEXTS},
        "facts": {
            name: list(value) if isinstance(value, tuple) else value for name, value in sorted(one.facts.items())
        },
        "tags": dict(sorted(one.tags.items())),
    }


def _resource(entry: Any, where: str, problems: list[str]) -> Resource:
    entry = _object(entry, where, problems)
    problems += _unknown(entry, (*_TEXTS, "facts", "tags"), where)
    texts = {key: _text(entry.get(key), f"{where}.{key}", problems) for key in _TEXTS}
    problems += [f"{where}.{key}: must not be empty" for key in _NEEDED if entry.get(key) == ""]
    facts = _object(entry.get("facts"), f"{where}.facts", problems)
    tags = _object(entry.get("tags"), f"{where}.tags", problems)
    return Resource(
        **texts,
        facts={name: _fact(value, f"{where}.facts.{name}", problems) for name, value in facts.items()},
        tags={name: _text(value, f"{where}.tags.{name}", problems) for name, value in tags.items()},
    )


def _link(entry: Any, where: str, problems: list[str]) -> Link:
    entry = _object(entry, where, problems)
    keys = ("source", "target", "kind")
    problems += _unknown(entry, keys, where)
    return Link(*(_text(entry.get(key), f"{where}.{key}", problems) for key in keys))


def _tally(entry: Any, where: str, problems: list[str]) -> Tally:
    entry = _object(entry, where, problems)
    problems += _unknown(entry, ("kind", "seen", "understood"), where)
    counts = [entry.get(key) for key in ("seen", "understood")]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        problems.append(f"{where}: expected how many were seen and understood, found {_shown(counts)}")
        counts = [0, 0]
    return Tally(_text(entry.get("kind"), f"{where}.kind", problems), *counts)


def _fact(value: Any, where: str, problems: list[str]) -> Fact:
    if isinstance(value, list):
        return _texts(value, where, problems)
    if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    problems.append(f"{where}: expected text, a number, true, false or a list of texts, found {_shown(value)}")
    return ""


def _list(document: Mapping[str, Any], key: str, problems: list[str]) -> list[Any]:
    value = document.get(key)
    if isinstance(value, list):
        return value
    problems.append(f"{key}: expected a list, found {_shown(value)}")
    return []


def _texts(value: Any, where: str, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list):
        problems.append(f"{where}: expected a list of texts, found {_shown(value)}")
        return ()
    return tuple(_text(item, f"{where}[{n}]", problems) for n, item in enumerate(value))


def _object(value: Any, where: str, problems: list[str]) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    problems.append(f"{where}: expected an object, found {_shown(value)}")
    return {}


def _text(value: Any, where: str, problems: list[str]) -> str:
    if isinstance(value, str):
        return value
    problems.append(f"{where}: expected text, found {_shown(value)}")
    return ""


def _unknown(entry: Mapping[str, Any], keys: tuple[str, ...], where: str) -> list[str]:
    return [f"{where}: unknown key {_shown(key)}" for key in entry if key not in keys]


def _twice(ids: list[str]) -> list[str]:
    repeated = sorted(id_ for id_, times in Counter(ids).items() if id_ and times > 1)
    return [f"resources: the id {_shown(id_)} is there more than once" for id_ in repeated]


def _shown(value: Any) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
