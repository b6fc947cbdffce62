"""What a run found -> the records of its front page."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dashboards import pages
from infra.local.history.plants import planted
from lookout.demo.findings import Evidence, compare
from lookout.demo.page import Found, front_page
from monitors.cost import cost
from monitors.coverage import coverage
from monitors.describe import describe
from monitors.evaluate import Episode
from monitors.model import Plan, Series, State
from monitors.names import alarm_name
from monitors.plan import plan
from monitors.settings import Settings
from tests import dashboard_samples as samples
from tests.fleets import fleet, function, log_group, resource

NOW = samples.NOW


def series(*values: float | None) -> Series:
    return Series(label="x", period_s=3600, start=NOW - 3600 * len(values), values=values)


def made() -> Plan:
    where = fleet(
        function("shop-payments", runtime="python3.13", architecture="arm64"),
        function("shop-new"),
        log_group("/aws/lambda/shop-payments"),
        resource("sqs", "shop-dlq", is_dead_letter_queue=True),
    )
    return plan(where, Settings())


def record(state: State, reason: str = "Threshold Crossed") -> dict[str, Any]:
    changed = datetime.fromtimestamp(NOW - 60, UTC)
    return {"StateValue": str(state), "StateUpdatedTimestamp": changed, "StateReason": reason}


def found(**more: Any) -> Found:
    wanted = more.pop("plan", None) or made()
    names = [alarm.name for alarm in wanted.alarms] + [composite.name for composite in wanted.composites]
    advice = replace(samples.memory().advice[0], function="shop-payments", used_mb=192, memory_mb=256)
    latency = replace(samples.latency().functions[0], function="shop-payments")
    evidence = Evidence(
        episodes={},
        latency=replace(samples.latency(), functions=(latency,)),
        memory=replace(samples.memory(), advice=(advice,)),
    )
    faults = planted(end_s=NOW)
    given: dict[str, Any] = {
        "set_off": (),
        "generated_s": NOW,
        "steps": samples.summary().steps,
        "plan": wanted,
        "cost": cost(wanted),
        "coverage": coverage(wanted),
        "alarms": {name: record(State.OK) for name in names},
        "notices": samples.summary().notices,
        "evidence": evidence,
        "faults": faults,
        "planted": compare(faults, evidence),
        "errors": {"shop-payments": series(1, None, 4), "shop-new": series(None, None, None)},
        "invocations": {"shop-payments": series(10, None, 30), "shop-new": series(1, 2, None)},
        "links": samples.summary().links,
    }
    return Found(**(given | more))


def test_each_function_has_a_row_with_what_is_known_of_it() -> None:
    rows = {row.function: row for row in front_page(found()).functions}
    assert rows.keys() == {"shop-payments", "shop-new"}
    paying, new = rows["shop-payments"], rows["shop-new"]
    assert (paying.errors, paying.memory_used, paying.state) == (5, 0.75, State.OK)
    assert paying.p95_ms == samples.latency().functions[0].response.p95_ms
    assert paying.facts == "python3.13, 256 MB, arm64"
    assert (new.errors, new.memory_used, new.p95_ms) == (0, None, None)
    assert paying.alarms == sum(alarm.name.endswith("/shop-payments") for alarm in made().alarms)


def test_a_function_is_in_the_worst_state_of_its_alarms() -> None:
    whole = found()
    own = [alarm.name for alarm in whole.plan.alarms if alarm.name.endswith("/shop-payments")]
    for states, worst in (
        ({own[0]: State.ALARM}, State.ALARM),
        (dict.fromkeys(own, State.INSUFFICIENT_DATA) | {own[1]: State.OK}, State.OK),
        (dict.fromkeys(own, State.INSUFFICIENT_DATA), State.INSUFFICIENT_DATA),
    ):
        records = {**whole.alarms, **{name: record(state) for name, state in states.items()}}
        rows = front_page(replace(whole, alarms=records)).functions
        assert {row.function: row.state for row in rows}["shop-payments"] is worst


def test_alarms_are_told_by_rule_and_resource_with_their_level() -> None:
    rows = {row.name: row for row in front_page(found()).alarms}
    throttled = rows[alarm_name("lambda.throttles", "shop-payments")]
    assert (throttled.rule, throttled.resource, throttled.since_s) == ("lambda.throttles", "shop-payments", NOW - 60)
    (planned,) = (alarm for alarm in made().alarms if alarm.name == throttled.name)
    assert throttled.level == f"above {planned.threshold:g}, {planned.datapoints} of {planned.periods}"
    composite = rows[alarm_name("lambda.health", "shop-payments")]
    assert composite.level == "any of its alarms that page"
    assert list(rows) == sorted(rows)


def test_alarms_are_told_in_the_words_of_their_rules_and_by_whom_they_were_set_off() -> None:
    whole = found()
    (letters,) = (alarm for alarm in whole.plan.alarms if alarm.rule == "sqs.dead_letters")
    told = {**record(State.ALARM), "AlarmDescription": describe(letters.description)}
    (row,) = front_page(replace(whole, alarms={letters.name: told}, set_off=[letters.name])).alarms
    assert (row.title, row.note) == ("Dead letters", "Set off by this run's traffic.")
    assert (letters.description.title, letters.description.reason) == ("Dead letters", row.meaning)
    (row,) = front_page(replace(whole, alarms={letters.name: record(State.ALARM)})).alarms
    assert (row.title, row.meaning, row.note) == ("sqs.dead_letters", "", "")


def test_an_alarm_without_data_has_no_time_since_when() -> None:
    whole = found()
    name = next(iter(whole.alarms))
    rows = front_page(replace(whole, alarms={name: record(State.INSUFFICIENT_DATA)})).alarms
    assert [row.since_s for row in rows] == [None]


def test_coverage_and_cost_add_up() -> None:
    whole = found()
    page = front_page(whole)
    assert (page.coverage.functions, page.coverage.functions_covered) == (2, 2)
    assert page.coverage.resources == len(whole.coverage.resources)
    assert page.coverage.resources_covered + page.coverage.stated <= page.coverage.resources
    assert sum(row.usd_month for row in page.costs) == whole.cost.usd


def test_charts_show_all_traffic_and_the_errors_of_the_incident() -> None:
    episode = Episode(start=NOW - 7200, end=NOW - 3600, ended=State.OK)
    whole = found()
    errors = alarm_name("lambda.errors", "shop-payments")
    evidence = replace(whole.evidence, episodes={errors: [episode]})
    traffic, failed = front_page(replace(whole, evidence=evidence)).charts
    assert traffic.title == "Invocations an hour, all functions"
    # 10 + 1, 0 + 2, 30 + 0: a gap counts as nothing.
    assert [one["v"] for one in traffic.spec["data"]["values"]] == [[11, 2, 30]]
    assert failed.title == "Errors an hour, shop-payments"


def test_without_functions_there_is_still_a_page() -> None:
    nothing = plan(fleet(), Settings())
    whole = found(plan=nothing, errors={}, invocations={}, alarms={}, notices=(), planted=(), faults=())
    summary = front_page(whole)
    assert (summary.functions, summary.coverage.functions) == ((), 0)
    assert "lookout: the sample fleet" in pages.index_page(summary)


def test_the_page_can_be_drawn() -> None:
    html = pages.index_page(front_page(found()))
    assert "shop-payments" in html
