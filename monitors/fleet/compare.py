"""Two Fleets -> what has come, gone and changed between them."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitors.model import Fact, Fleet, Link, Resource

_MEASURED = {"stored_bytes"}
"""Facts that change by themselves, though nobody changes anything."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing about a resource that is other than it was; None where there is, or was, nothing."""

    id: str
    service: str
    name: str
    what: str
    """A fact, `tag <name>`, `application` or `condition`."""
    before: Fact | None
    after: Fact | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Differences:
    """In the Fleets' own order: by resource, and by name within one. False if there are none."""

    added: tuple[Resource, ...] = ()
    removed: tuple[Resource, ...] = ()
    changed: tuple[Change, ...] = ()
    linked: tuple[Link, ...] = ()
    unlinked: tuple[Link, ...] = ()

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.changed, self.linked, self.unlinked))


def compare(old: Fleet, new: Fleet) -> Differences:
    """What is different in the new Fleet. A resource is the same one if its id is.

    What only measures, such as the size of a log group, is no difference.
    """
    before, after = ({one.id: one for one in fleet.resources} for fleet in (old, new))
    old_links, new_links = set(old.links), set(new.links)
    return Differences(
        added=tuple(one for one in new.resources if one.id not in before),
        removed=tuple(one for one in old.resources if one.id not in after),
        changed=tuple(
            Change(one.id, one.service, one.name, what, was.get(what), now.get(what))
            for one in new.resources
            if one.id in before
            for was, now in ((_told(before[one.id]), _told(one)),)
            for what in sorted(was.keys() | now.keys())
            if was.get(what) != now.get(what)
        ),
        linked=tuple(link for link in new.links if link not in old_links),
        unlinked=tuple(link for link in old.links if link not in new_links),
    )


def _told(one: Resource) -> Mapping[str, Fact]:
    """All that is known of a resource, by what it is called here."""
    facts = {name: value for name, value in one.facts.items() if name not in _MEASURED}
    tags = {f"tag {name}": value for name, value in one.tags.items()}
    own = {"application": one.application, "condition": one.condition}
    return {**facts, **tags, **{name: value for name, value in own.items() if value}}
