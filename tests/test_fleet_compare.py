"""Two Fleets compared."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitors.fleet import compare
from monitors.fleet.compare import Change, Differences
from monitors.model import Link, Resource
from tests.fleets import fleet, function, log_group, resource

PAY, SHIP = function("shop-pay", memory_mb=128), function("shop-ship")
QUEUE = resource("sqs", "shop-orders")
FEEDS = Link(QUEUE.id, SHIP.id, "reads")
OLD = replace(fleet(PAY, SHIP, QUEUE), links=(FEEDS,))


def test_the_same_is_no_difference() -> None:
    assert not compare(OLD, OLD)
    assert compare(OLD, OLD) == Differences()


def test_what_came_and_went_and_what_is_other_than_it_was() -> None:
    bigger = replace(PAY, facts={**PAY.facts, "memory_mb": 256, "has_url": True}, tags={"team": "money"})
    label = function("shop-label")
    fed = Link(QUEUE.id, label.id, "reads")
    found = compare(OLD, replace(fleet(bigger, label, QUEUE), links=(fed,)))
    assert (found.added, found.removed) == ((label,), (SHIP,))
    assert (found.linked, found.unlinked) == ((fed,), (FEEDS,))
    assert found.changed == (
        Change(PAY.id, "lambda", "shop-pay", "has_url", PAY.facts.get("has_url"), True),
        Change(PAY.id, "lambda", "shop-pay", "memory_mb", 128, 256),
        Change(PAY.id, "lambda", "shop-pay", "tag team", None, "money"),
    )


def test_what_grows_by_itself_is_no_difference() -> None:
    group = log_group("/shop")
    before, after = (fleet(replace(group, facts={**group.facts, "stored_bytes": size})) for size in (1, 2))
    assert not compare(before, after)


RESOURCES = (PAY, replace(PAY, application="other"), SHIP, QUEUE, log_group("/shop"))
SOME = st.lists(st.sampled_from(RESOURCES), unique_by=lambda one: one.id)


@given(SOME, SOME)
def test_turned_around_what_came_is_what_went(some: list[Resource], others: list[Resource]) -> None:
    old, new = fleet(*some), fleet(*others)
    there, back = compare(old, new), compare(new, old)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert {(one.id, one.what, one.before, one.after) for one in there.changed} == {
        (one.id, one.what, one.after, one.before) for one in back.changed
    }
