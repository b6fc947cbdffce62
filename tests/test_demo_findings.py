"""What was planted against what was found: each kind of fault shows in one place, and nowhere else."""

from dataclasses import replace

import pytest

from infra.local.history.plants import Planted, planted
from lookout.demo.findings import LATE_S, LOOKS, SOON_S, Evidence, compare
from monitors.catalog.tables import CATALOG
from monitors.evaluate import Episode
from monitors.model import State
from monitors.names import alarm_name
from monitors.rightsize.report import Action
from monitors.traces.report import Change
from tests import dashboard_samples as samples

START = 1_763_388_000  # Mon 17 Nov 2025 14:00 UTC
HOUR = 3600
NO_CHANGES = replace(samples.latency(), changes=())
NO_ADVICE = replace(samples.memory(), advice=())


def fault(kind: str, resource: str = "shop-pay", *, hours: float = 1) -> Planted:
    return Planted(kind, resource, "it fails", START, START + hours * HOUR)


def episode(after_s: float, *, minutes: int = 10, ended: State = State.OK) -> Episode:
    start = int(START + after_s)
    return Episode(start=start, end=start + 60 * minutes, ended=ended)


def alarmed(kind: str, name: str, *episodes: Episode, hours: float = 1) -> str:
    evidence = Evidence({name: episodes}, NO_CHANGES, NO_ADVICE)
    (row,) = compare([fault(kind, hours=hours)], evidence)
    assert row.verdict == ("found" if row.found else "missed")
    return row.found


ERRORS = alarm_name("lambda.errors", "shop-pay")


def test_every_kind_that_is_planted_has_its_place() -> None:
    assert {one.kind for one in planted(end_s=START)} == LOOKS.keys()


def test_alarms_looked_for_are_rules_of_the_catalog() -> None:
    """A rule that were renamed would never be found again."""
    known = {rule.id for rule in CATALOG.rules}
    assert {"lambda.errors", "lambda.failures", "lambda.duration", "lambda.timeouts", "sqs.dead_letters"} <= known


def test_an_alarm_in_time_is_found_and_told() -> None:
    told = alarmed("incident", ERRORS, episode(300, minutes=70))
    assert told == "alarm lambda.errors from Mon 17 Nov 14:05 on, for 70 min"


@pytest.mark.parametrize(
    ("after_s", "hours", "in_time"),
    [
        (-1, 1, False),
        (0, 1, True),
        (HOUR + LATE_S, 1, True),
        (HOUR + LATE_S + 1, 1, False),
        (SOON_S, 72, True),
        (SOON_S + 1, 72, False),
    ],
)
def test_an_alarm_counts_soon_after_the_fault_began(after_s: float, hours: float, in_time: bool) -> None:
    assert bool(alarmed("incident", ERRORS, episode(after_s), hours=hours)) is in_time


@pytest.mark.parametrize(
    "name",
    [
        alarm_name("lambda.traffic", "shop-pay"),  # fewer calls are not failures
        alarm_name("sqs.age", "shop-pay"),  # a queue of the same name
        alarm_name("lambda.errors", "shop-payroll"),
        "shop-pay",
    ],
)
def test_an_alarm_on_something_else_is_not_about_it(name: str) -> None:
    assert alarmed("incident", name, episode(300)) == ""


def test_each_rule_tells_of_its_first_episode_in_order_of_time() -> None:
    evidence = Evidence(
        {
            ERRORS: (episode(-7200), episode(600), episode(1200)),
            alarm_name("lambda.failures", "shop-pay"): (episode(300),),
        },
        NO_CHANGES,
        NO_ADVICE,
    )
    (row,) = compare([fault("incident")], evidence)
    assert row.found == (
        "alarm lambda.failures from Mon 17 Nov 14:05 on, for 10 min, "
        "alarm lambda.errors from Mon 17 Nov 14:10 on, for 10 min"
    )


LETTERS = alarm_name("sqs.dead_letters", "shop-pay")


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (episode(600, ended=State.ALARM), True),
        (episode(-9 * HOUR, ended=State.ALARM), True),  # one letter lay there already
        (episode(600, minutes=2000), False),  # somebody looked after all
        (episode(SOON_S + 1, ended=State.ALARM), False),  # today's, which will be emptied tomorrow
    ],
)
def test_dead_letters_that_nobody_looks_at_keep_their_alarm_on(one: Episode, found: bool) -> None:
    assert bool(alarmed("dead_letters", LETTERS, one, hours=60)) is found


def changed(kind: str, **more: object) -> str:
    given: dict[str, object] = {"function": "shop-pay", "measure": "p95_ms", "before": 80.0, "after": 1020.4}
    change = Change(**{**given, "low": 1.0, "high": 2.0, "blamed": "", **more})  # type: ignore[arg-type] # by name
    (row,) = compare([fault(kind)], Evidence({}, replace(NO_CHANGES, changes=(change,)), NO_ADVICE))
    return row.found


def test_a_change_for_the_worse_is_found_with_its_cause() -> None:
    assert changed("regression", blamed="dependency +61 ms") == (
        "latency report: p95 80 ms -> 1,020 ms, by dependency +61 ms"
    )
    assert changed("cold_starts", measure="cold_share", before=0.01, after=0.125) == (
        "latency report: cold share 1.0% -> 12.5%"
    )


@pytest.mark.parametrize(
    "other", [{"function": "shop-orders"}, {"measure": "fault_share"}, {"before": 1020.4, "after": 80.0}]
)
def test_a_change_of_another_kind_or_for_the_better_is_not(other: dict[str, object]) -> None:
    assert changed("regression", **other) == ""


@pytest.mark.parametrize(
    ("kind", "action", "flags", "told"),
    [
        ("leak", Action.KEEP, ("growth", "leak"), "memory report: leak, 297 of 512 MB used"),
        ("leak", Action.KEEP, ("growth",), ""),
        ("killed", Action.RAISE, ("clipped", "killed"), "memory report: killed, clipped, 297 of 512 MB used"),
        ("under_provisioned", Action.RAISE, (), "memory report: CPU-bound, 512 -> 1024 MB"),
        ("under_provisioned", Action.LOWER, (), ""),
        ("over_provisioned", Action.LOWER, (), "memory report: CPU-bound, 512 -> 1024 MB"),
        ("over_provisioned", Action.KEEP, (), ""),
    ],
)
def test_memory_advice(kind: str, action: Action, flags: tuple[str, ...], told: str) -> None:
    advice = replace(
        samples.advice("shop-pay", action=action, memory_mb=512, advised_mb=1024), flags=flags, used_mb=297, kind="CPU"
    )
    others = replace(advice, function="shop-other")
    for given, expected in (((others, advice), told), ((others,), "")):
        evidence = Evidence({}, NO_CHANGES, replace(NO_ADVICE, advice=given))
        assert compare([fault(kind)], evidence)[0].found == expected


def test_nothing_found_is_missed_in_every_row() -> None:
    faults = planted(end_s=START)
    rows = compare(faults, Evidence({}, NO_CHANGES, NO_ADVICE))
    assert len(rows) == len(faults)
    assert {row.verdict for row in rows} == {"missed"}
    assert all(row.fault.startswith(f"{one.resource}: {one.what} (") for row, one in zip(rows, faults, strict=True))
