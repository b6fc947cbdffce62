"""What becomes of a fleet: which alarms, at which levels, and why not."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.body import bodies
from monitors import metricmath, quotas
from monitors.catalog.rows import Catalog, Fixed, Rule, Service, published
from monitors.catalog.tables import CATALOG
from monitors.cost import cost
from monitors.coverage import coverage
from monitors.evaluate import replay, states
from monitors.logroutes import PLATFORM_LINES
from monitors.model import Alarm, Comparison, MetricDefinition, Missing, Plan, Series, Severity, State
from monitors.names import parse_alarm_name
from monitors.plan import by_place, plan, to_learn
from monitors.settings import Match, Override, Settings
from tests.fleets import fleet, function, functions, log_group, resource

DEFAULT = Settings()


@dataclass(frozen=True)
class Levels:
    high: float | None = None
    low: float | None = None
    basis: str = "two weeks"


def only(made: Plan, rule: str) -> Alarm:
    (found,) = [one for one in made.alarms if one.rule == rule]
    return found


def rules(made: Plan) -> set[str]:
    return {one.rule for one in made.alarms}


def notes(made: Plan, kind: str) -> list[str]:
    return [one.title for one in made.notes if one.kind == kind]


def judged(alarm: Alarm, **values: float | None) -> float | None:
    """What CloudWatch would compare for one datapoint of each metric."""
    series = {
        name: Series(label=name, period_s=alarm.queries[0].period_s, start=0, values=(one,))
        for name, one in values.items()
    }
    return metricmath.returned(alarm.queries, series).values[0]


# --- which rules apply -----------------------------------------------------------------------------


def test_iterator_age_only_where_a_stream_is_read() -> None:
    made = plan(fleet(function("a", is_stream_consumer=True), function("b", is_sqs_consumer=True)), DEFAULT)
    assert [one.name for one in made.alarms if one.rule == "lambda.iterator_age"] == ["lookout/lambda.iterator_age/a"]


def test_a_rule_on_a_custom_bus_has_two_dimensions() -> None:
    made = plan(
        fleet(resource("events_rule", "nightly", bus="default"), resource("events_rule", "nightly", bus="orders")),
        DEFAULT,
    )
    found = {one.name: one.queries[0].dimensions for one in made.alarms if one.rule == "events_rule.failed"}
    assert found == {
        "lookout/events_rule.failed/default/nightly": (("RuleName", "nightly"),),
        "lookout/events_rule.failed/orders/nightly": (("EventBusName", "orders"), ("RuleName", "nightly")),
    }


def test_each_index_has_its_own_alarms() -> None:
    made = plan(fleet(resource("dynamodb", "orders", billing="on_demand", indexes=("by-day", "by-user"))), DEFAULT)
    found = {
        one.name: dict(one.queries[0].dimensions) for one in made.alarms if one.rule == "dynamodb.index_write_throttles"
    }
    assert found == {
        "lookout/dynamodb.index_write_throttles/orders/by-day": {
            "TableName": "orders",
            "GlobalSecondaryIndexName": "by-day",
        },
        "lookout/dynamodb.index_write_throttles/orders/by-user": {
            "TableName": "orders",
            "GlobalSecondaryIndexName": "by-user",
        },
    }
    assert not rules(made) & {"dynamodb.read_capacity", "dynamodb.write_capacity"}  # nothing is provisioned


def test_request_metrics_only_where_a_filter_makes_them() -> None:
    made = plan(fleet(resource("s3", "a", request_metrics_filters=("all",)), resource("s3", "b")), DEFAULT)
    assert only(made, "s3.5xx").queries[0].dimensions == (("BucketName", "a"), ("FilterId", "all"))


def test_dead_letter_queues_have_other_rules_than_work_queues() -> None:
    made = plan(
        fleet(
            resource("sqs", "orders", is_dead_letter_queue=False, retention_s=345_600),
            resource("sqs", "orders-dead", is_dead_letter_queue=True, retention_s=1_209_600),
        ),
        DEFAULT,
    )
    found = {one.rule: parse_alarm_name(one.name) for one in made.alarms}
    assert found["sqs.age"] == ("sqs.age", "orders")
    assert found["sqs.dead_letters"] == ("sqs.dead_letters", "orders-dead")
    assert only(made, "sqs.dead_letter_age").threshold == pytest.approx(0.8 * 1_209_600)  # four fifths of 14 days


def test_events_dropped_wake_somebody_only_where_nothing_keeps_them() -> None:
    made = plan(
        fleet(function("a", is_async=True), function("b", is_async=True, dead_letter="arn:aws:sqs:::dead")), DEFAULT
    )
    assert [one.name for one in made.alarms if one.rule == "lambda.async_dropped"] == ["lookout/lambda.async_dropped/a"]


def test_log_metrics_only_where_the_subscriber_reads_the_log_group() -> None:
    made = plan(fleet(function("a"), log_group("/aws/lambda/a"), function("b")), DEFAULT)
    assert [one.name for one in made.alarms if one.rule == "lambda.memory"] == ["lookout/lambda.memory/a"]


# --- levels ----------------------------------------------------------------------------------------


def test_a_share_of_the_functions_own_limits() -> None:
    made = plan(fleet(function("a", timeout_ms=30_000, reserved_concurrency=50)), DEFAULT)
    assert only(made, "lambda.duration").threshold == 24_000  # 0.8 x 30 s
    assert only(made, "lambda.concurrency").threshold == 45  # 0.9 x 50


def test_functions_alike_but_for_a_limit_have_each_its_own_level() -> None:
    limits: dict[str, int | str] = {"a": 10_000, "b": 20_000, "c": 10_000, "d": 1, "e": True, "f": "${Timeout}"}
    made = plan(fleet(*(function(name, timeout_ms=limit) for name, limit in limits.items())), DEFAULT)
    found = {one.name: one.threshold for one in made.alarms if one.rule == "lambda.duration"}
    told = [one for one in notes(made, "no_level") if "timeout_ms is" in one and one.startswith("lambda.duration ")]
    levels = {"a": 8_000, "b": 16_000, "c": 8_000, "d": 0.8}  # 0.8 of each; True equals 1, and is no time
    assert found == {f"lookout/lambda.duration/{name}": level for name, level in levels.items()}
    assert [one.partition(": ")[0] for one in told] == ["lambda.duration of e", "lambda.duration of f"]


def test_a_canary_is_watched_by_each_version_that_its_alias_sends_to() -> None:
    """Lambda Developer Guide, "Types of metrics": with a weighted alias, ExecutedVersion beside Resource."""
    one = function("shop", aliases=("live",), weighted_aliases=("live",), weighted_routes=("live:7", "live:8"))
    found = [alarm for alarm in plan(fleet(one), DEFAULT).alarms if alarm.rule == "lambda.version_errors"]
    assert [alarm.name for alarm in found] == [
        "lookout/lambda.version_errors/shop/live:7",
        "lookout/lambda.version_errors/shop/live:8",
    ]
    assert {query.dimensions for query in found[1].queries if query.metric} == {
        (("FunctionName", "shop"), ("Resource", "shop:live"), ("ExecutedVersion", "8"))
    }


def test_small_reservations_are_meant_to_be_used_up() -> None:
    assert "lambda.concurrency" not in rules(plan(fleet(function("a", reserved_concurrency=1)), DEFAULT))


def test_a_rule_without_a_level_is_a_note_and_no_alarm() -> None:
    made = plan(fleet(function("a")), DEFAULT)
    assert "lambda.traffic" not in rules(made)
    assert "lambda.traffic of a: nothing learned yet" in notes(made, "no_level")


def test_an_unknown_limit_is_never_guessed() -> None:
    made = plan(fleet(resource("lambda", "a")), DEFAULT)
    assert "lambda.duration" not in rules(made)
    assert any("timeout_ms is not known" in note for note in notes(made, "no_level"))


def test_learned_levels_take_the_place_of_the_rules_own() -> None:
    where = function("a")
    made = plan(fleet(where), DEFAULT, learned={("lambda.failures", where.id): Levels(high=4)})
    alarm = only(made, "lambda.failures")
    assert (alarm.comparison, alarm.threshold) == (Comparison.ABOVE, 4)
    assert alarm.evidence == {"high": 4, "high_from": "learned: two weeks"}


def test_no_level_is_learned_beyond_what_can_happen() -> None:
    where = function("a", timeout_ms=10_000)
    made = plan(fleet(where), DEFAULT, learned={("lambda.duration", where.id): Levels(high=12_000)})
    assert only(made, "lambda.duration").threshold == 9_500  # 0.95 x 10 s: at the timeout it is cut off


@pytest.mark.parametrize(
    ("learned", "retention_s", "level"), [(0, 345_600, 300), (299, 345_600, 300), (301, 345_600, 301), (0, 300, 240)]
)
def test_a_quiet_history_makes_no_alarm_of_a_trifle(learned: float, retention_s: int, level: float) -> None:
    """An always empty queue: its oldest message may wait five minutes; of 300 s of retention 240 are the most."""
    queue = resource("sqs", "work", is_dead_letter_queue=False, retention_s=retention_s)
    made = plan(fleet(queue), DEFAULT, learned={("sqs.age", queue.id): Levels(high=learned)})
    assert only(made, "sqs.age").threshold == level


def test_both_sides_are_one_alarm_on_one_metric() -> None:
    where = function("a")
    made = plan(fleet(where), DEFAULT, learned={("lambda.traffic", where.id): Levels(high=500, low=20)})
    alarm = only(made, "lambda.traffic")
    assert len([query for query in alarm.queries if query.metric]) == 1
    assert (alarm.comparison, alarm.threshold) == (Comparison.AT_LEAST, 1)
    assert [judged(alarm, m1=value) for value in (19.0, 20.0, 500.0, 501.0)] == [1, 0, 0, 1]
    said = alarm.description
    assert (said.high, said.low, said.unit) == (500, 20, "invocations in 5 minutes")


def test_silence_is_less_than_usual_once_there_is_a_low_level() -> None:
    where = function("a")
    low = only(plan(fleet(where), DEFAULT, learned={("lambda.traffic", where.id): Levels(low=20)}), "lambda.traffic")
    assert (low.missing, low.comparison) == (Missing.BREACHING, Comparison.BELOW)
    silent = states((None,) * 5, datapoints=low.datapoints, periods=low.periods, missing=low.missing)
    assert silent[-1] is State.ALARM
    high = only(plan(fleet(where), DEFAULT, learned={("lambda.traffic", where.id): Levels(high=20)}), "lambda.traffic")
    assert (high.missing, high.comparison) == (Missing.NOT_BREACHING, Comparison.ABOVE)


def test_nothing_can_fall_below_zero() -> None:
    where = function("a")
    made = plan(fleet(where), DEFAULT, learned={("lambda.traffic", where.id): Levels(low=0)})
    assert "lambda.traffic" not in rules(made)
    assert len([note for note in notes(made, "no_level") if note.startswith("lambda.traffic")]) == 1


def test_levels_are_plain_decimals_in_metric_math() -> None:
    where = function("a")
    made = plan(fleet(where), DEFAULT, learned={("lambda.traffic", where.id): Levels(high=2e16, low=1e-5)})
    assert only(made, "lambda.traffic").queries[-1].expression == "IF(m1>20000000000000000 OR m1<0.00001,1,0)"


@pytest.mark.parametrize(
    ("errors", "invocations", "expected"),
    [(2, 2, 0), (3, 3, 100), (3, 100, 3), (10, 100, 10), (0, 0, None)],
)
def test_an_error_rate_needs_three_errors(errors: float, invocations: float, expected: float | None) -> None:
    alarm = only(plan(fleet(function("a")), DEFAULT), "lambda.errors")
    assert judged(alarm, m1=errors, m2=invocations) in ((expected,) if expected is not None else (0, None))


def test_a_dead_letter_rings_at_the_first_message() -> None:
    made = plan(fleet(resource("sqs", "dead", is_dead_letter_queue=True)), DEFAULT)
    alarm = only(made, "sqs.dead_letters")
    visible = Series(label="", period_s=60, start=0, values=(None, 0, 0, 1, 1, 0))
    assert [(one.start, one.end) for one in replay(alarm, visible, evaluation_range=1)] == [(240, 360)]


def test_the_parts_of_a_resource_share_their_learned_levels() -> None:
    where = resource("s3", "a", request_metrics_filters=("all", "images"))
    made = plan(fleet(where), DEFAULT, learned={("s3.latency", where.id): Levels(high=10)})
    assert {one.name: one.threshold for one in made.alarms if one.rule == "s3.latency"} == {
        "lookout/s3.latency/a/all": 10,
        "lookout/s3.latency/a/images": 10,
    }


def test_what_the_settings_say_is_not_learned() -> None:
    where = fleet(function("a"))
    settings = Settings(rules={"lambda.failures": Override(high=3), "lambda.traffic": Override(high=9)})
    open_rules = {one.rule.id for one in to_learn(where, settings)}
    assert "lambda.failures" not in open_rules
    assert {"lambda.traffic", "lambda.duration"} <= open_rules  # traffic's low side is still open


# --- settings --------------------------------------------------------------------------------------


def test_settings_cascade_from_rule_to_match_in_order() -> None:
    settings = Settings(
        rules={"lambda.errors": Override(high=10, severity=Severity.TICKET)},
        match=(
            Match(name="shop-*", rules={"lambda.errors": Override(high=20)}),
            Match(tags={"team": "pay*"}, rules={"lambda.errors": Override(high=30, periods=5)}),
        ),
    )
    made = plan(fleet(function("other"), function("shop-a"), function("shop-b", tags={"team": "payments"})), settings)
    found = {one.name.rpartition("/")[2]: one for one in made.alarms if one.rule == "lambda.errors"}
    assert {name: one.threshold for name, one in found.items()} == {"other": 10, "shop-a": 20, "shop-b": 30}
    assert {one.severity for one in found.values()} == {Severity.TICKET}
    assert (found["shop-b"].datapoints, found["shop-b"].periods) == (2, 5)
    assert found["other"].evidence["high_from"] == 'rules."lambda.errors"'


def test_m_and_n_follow_each_other() -> None:
    one = only(plan(fleet(function("a")), Settings(rules={"lambda.errors": Override(datapoints=4)})), "lambda.errors")
    assert (one.datapoints, one.periods) == (4, 4)
    one = only(plan(fleet(function("a")), Settings(rules={"lambda.errors": Override(periods=1)})), "lambda.errors")
    assert (one.datapoints, one.periods) == (1, 1)


def test_a_rule_can_be_turned_off_and_one_that_costs_more_than_it_gives_turned_on() -> None:
    settings = Settings(rules={"lambda.errors": Override(enabled=False), "logs.emf_errors": Override(enabled=True)})
    where = fleet(function("a"), log_group("/aws/lambda/a"))
    assert "logs.emf_errors" not in rules(plan(where, DEFAULT))
    made = plan(where, settings)
    assert "lambda.errors" not in rules(made)
    assert "logs.emf_errors" in rules(made)
    assert notes(made, "turned_off") == ['lambda.errors of a: turned off by rules."lambda.errors"']


def test_all_rules_are_on_if_asked_for_but_for_those_turned_off() -> None:
    where = fleet(function("a", is_async=True))
    optional = {"lambda.async_received", "lambda.concurrent", "lambda.extensions", "lambda.signature_errors"}
    learned = {(rule, where.resources[0].id): Levels(high=9, low=1) for rule in optional}
    assert not optional & rules(plan(where, DEFAULT, learned=learned))
    assert optional < rules(plan(where, Settings(all_rules=True), learned=learned))
    but_one = Settings(all_rules=True, rules={"lambda.extensions": Override(enabled=False)})
    assert optional - rules(plan(where, but_one, learned=learned)) == {"lambda.extensions"}


def test_every_metric_of_a_function_has_a_rule() -> None:
    """What is published under FunctionName alone. Shares of memory and of provisioned concurrency say what sizes do;
    Lambda's own durations have the alarms.
    """
    judged = {one for rule in CATALOG.rules if rule.service == "lambda" for one in rule.metrics}
    own = {
        row.id
        for row in CATALOG.metrics
        if row.service == "lambda" and [name for name, _ in row.dimensions] == ["FunctionName"]
    }
    durable = {one for one in own if one.startswith(("Durable", "Approximate"))}
    assert own - judged - durable == {"MaxMemoryUsed", "LoggedDuration", "ProvisionedConcurrentExecutions"}


def test_what_is_muted_has_no_alarm_and_a_reason() -> None:
    settings = Settings(match=(Match(name="old-*", mute=True),))
    made = plan(fleet(function("old-a"), function("b", tags={"lookout:mute": "true"})), settings)
    assert made.alarms == ()
    assert len(notes(made, "muted")) == 2
    assert all(one.reason for one in coverage(made).resources)


@pytest.mark.parametrize(
    ("said", "wakes"), [("false", False), (" False ", False), ("true", True), ("", True), ("no", True)]
)
def test_the_owner_s_tag_keeps_everybody_asleep(said: str, wakes: bool) -> None:
    tags = {"lookout:page": said, "lookout:slo": "99.9"}
    made = plan(fleet(function("a", tags=tags)), DEFAULT)
    pages = {one.rule for one in (*made.alarms, *made.composites) if one.severity is Severity.PAGE}
    assert bool(pages) is wakes
    assert {"lambda.errors", "lambda.slo_page_1h"} <= rules(made)
    assert {one.description.severity for one in made.alarms if one.rule == "lambda.errors"} == {
        Severity.PAGE if wakes else Severity.TICKET
    }


def test_patterns_that_fit_nothing_are_told() -> None:
    settings = Settings(
        match=(Match(name="shpo-*"),), metrics=(MetricDefinition(name="Orders", pattern="", log_groups="/aws/ecs/*"),)
    )
    assert len(notes(plan(fleet(function("shop-a")), settings), "match_nothing")) == 2


def test_severity_and_runbook_are_in_the_description() -> None:
    alarm = only(plan(fleet(function("a")), Settings(runbooks="https://wiki.example.com/lookout")), "lambda.errors")
    said = alarm.description
    assert (said.severity, said.runbook) == (Severity.PAGE, "https://wiki.example.com/lookout#lambda.errors")
    assert said.log_group == "/aws/lambda/a"


@pytest.mark.parametrize(
    ("tags", "told"), [({"Team": "checkout"}, "checkout"), ({"team": "a", "owner": "b"}, "b"), ({}, "")]
)
def test_alarms_say_who_looks_after_what_they_watch(tags: dict[str, str], told: str) -> None:
    made = plan(fleet(function("a", tags=tags)), DEFAULT)
    assert {one.description.owner for one in (*made.alarms, *made.composites)} == {told}


# --- names -----------------------------------------------------------------------------------------


@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=20, unique=True))
def test_alarm_names_never_collide(names: list[str]) -> None:
    made = plan(fleet(*(resource("sns", name) for name in names)), DEFAULT)
    found = [one.name for one in made.alarms]
    assert len(found) == len(set(found)) == 2 * len(names)  # sns.failed and sns.redrive_failed
    assert all(len(name) <= quotas.ALARM_NAME_CHARACTERS for name in found)


def test_two_resources_with_the_same_metric_share_an_alarm() -> None:
    """Two REST APIs may have one name; API Gateway then adds up their metrics under it."""
    one = resource("apigateway_rest", "shop/live", api_id="1", api_name="shop", stage="live")
    made = plan(fleet(one, replace(one, id="arn:other")), DEFAULT)
    assert made.alarms == plan(fleet(one), DEFAULT).alarms
    assert len(notes(made, "watched_together")) == len(made.alarms)
    assert coverage(made).findings == ()


def test_two_plans_in_one_process_do_not_know_of_each_other() -> None:
    where = fleet(function("a", is_async=True), log_group("/aws/lambda/a"))
    before = plan(where, DEFAULT)
    plan(where, Settings(rules={"lambda.errors": Override(high=99, enabled=True)}, runbooks="elsewhere"))
    assert plan(where, DEFAULT) == before


def test_a_row_that_has_changed_keeps_nothing_of_what_it_was() -> None:
    where, (rule,) = fleet(resource("pipes", "orders")), PIPES.rules
    higher = replace(PIPES, rules=(replace(rule, high=Fixed(7)),))
    made = [only(plan(where, DEFAULT, catalog=one), "pipes.failed") for one in (PIPES, higher, PIPES)]
    assert [(one.threshold, one.evidence["high"], one.description.high) for one in made] == [
        (level, level, level) for level in (0, 7, 0)
    ]


def test_a_plan_is_for_one_place() -> None:
    here, there = function("a"), resource("lambda", "a")
    elsewhere = type(there)(service="lambda", name="a", id="arn:other", account="123456789012", region="us-east-1")
    found = by_place(fleet(here, elsewhere))
    assert {place: [one.id for one in own.resources] for place, own in found.items()} == {
        ("123456789012", "eu-west-1"): [here.id],
        ("123456789012", "us-east-1"): ["arn:other"],
    }


# --- health ----------------------------------------------------------------------------------------


def test_a_function_has_one_health_alarm_over_what_wakes_somebody() -> None:
    made = plan(fleet(function("a", application="shop")), DEFAULT)
    (health,) = made.composites
    assert (health.name, health.severity) == ("lookout/lambda.health/a", Severity.PAGE)
    assert set(health.children) == {one.name for one in made.alarms if one.severity is Severity.PAGE}
    assert health.expression == " OR ".join(f'ALARM("{name}")' for name in sorted(health.children))


def test_an_application_has_one_that_shows_but_does_not_wake() -> None:
    made = plan(
        fleet(
            function("a", application="shop"),
            function("b", application="shop"),
            resource("sqs", "dead", application="shop", is_dead_letter_queue=True),
            function("c", application="other"),
        ),
        DEFAULT,
    )
    (health,) = [one for one in made.composites if one.rule == "app.health"]
    assert (health.name, health.severity) == ("lookout/app.health/shop", Severity.TICKET)
    assert health.children == (
        "lookout/lambda.health/a",
        "lookout/lambda.health/b",
        "lookout/sqs.dead_letters/dead",
    )


def test_health_follows_the_settings() -> None:
    where = fleet(function("a"), function("b"))
    settings = Settings(
        rules={"lambda.health": Override(severity=Severity.TICKET)},
        match=(Match(name="b", rules={"lambda.health": Override(enabled=False)}),),
    )
    assert [(one.name, one.severity) for one in plan(where, settings).composites] == [
        ("lookout/lambda.health/a", Severity.TICKET)
    ]


def test_a_name_that_an_alarm_rule_cannot_say_stays_out_of_it() -> None:
    where = fleet(
        *(
            resource("apigateway_http", f"{name}/live", application='"shop"', api_id=name, stage="live")
            for name in ('a"b', "c", "d")
        )
    )
    (health,) = plan(where, DEFAULT).composites
    assert len(health.children) == 2


@pytest.mark.parametrize("count", [3, 120, 700])
def test_health_of_a_big_application_stays_within_the_limits(count: int) -> None:
    made = plan(functions(count, application="a-rather-long-name-for-an-application"), DEFAULT)
    apps = [one for one in made.composites if one.rule == "app.health"]
    assert all(len(one.children) <= quotas.COMPOSITE_CHILDREN for one in apps)
    assert all(len(one.expression) <= quotas.COMPOSITE_RULE_CHARACTERS for one in apps)
    parts = {one.name for one in apps[:-1]}
    leaves = [child for one in apps for child in one.children if child not in parts]
    assert sorted(leaves) == sorted(one.name for one in made.composites if one.rule == "lambda.health")
    assert not parts or set(apps[-1].children) == parts


# --- logs ------------------------------------------------------------------------------------------

ORDERS = MetricDefinition(
    name="Orders", pattern='{ $.event = "order" }', value="$.total", log_groups="/aws/lambda/shop-*"
)


def test_platform_lines_of_every_function_go_to_the_subscriber() -> None:
    made = plan(
        fleet(function("a"), log_group("/aws/lambda/a"), function("b", log_group="/shared"), log_group("/shared")),
        DEFAULT,
    )
    assert {one.log_group for one in made.subscriptions} == {"/aws/lambda/a", "/shared"}
    assert {one.pattern for one in made.subscriptions} == {
        '?REPORT ?"platform.report" ?ERROR ?"Task timed out" ?"Runtime exited"'
    }


def test_the_toolkits_own_functions_are_not_subscribed_to() -> None:
    made = plan(fleet(function("lookout-logs"), log_group("/aws/lambda/lookout-logs")), DEFAULT)
    assert made.subscriptions == ()
    assert "lambda.errors" in rules(made)


@pytest.mark.parametrize(
    ("facts", "subscribed"),
    [
        ({"subscription_filters": ()}, True),
        ({"subscription_filters": ("datadog",)}, True),
        ({"subscription_filters": ("datadog", "lookout")}, True),
        ({"subscription_filters": ("datadog", "splunk")}, False),
        ({"log_class": "INFREQUENT_ACCESS"}, False),
    ],
)
def test_others_subscriptions_are_never_displaced(facts: dict[str, str | tuple[str, ...]], subscribed: bool) -> None:
    made = plan(fleet(function("a"), log_group("/aws/lambda/a", **facts)), DEFAULT)
    assert bool(made.subscriptions) is subscribed
    assert bool(notes(made, "not_subscribed")) is not subscribed
    assert ("lambda.memory" in rules(made)) is subscribed


def test_a_log_group_that_is_not_there_is_told() -> None:
    (note,) = notes(plan(fleet(function("a")), DEFAULT), "not_subscribed")
    assert "does not exist yet" in note


def test_without_the_subscriber_there_are_no_log_metrics() -> None:
    made = plan(fleet(function("a"), log_group("/aws/lambda/a")), DEFAULT, subscriber=False)
    assert made.subscriptions == ()
    assert "lambda.memory" not in rules(made)
    assert notes(made, "not_subscribed") == ["a: the log subscriber is not deployed"]


def test_a_definition_runs_natively_on_the_log_groups_it_names() -> None:
    where = fleet(log_group("/aws/lambda/shop-a"), log_group("/aws/lambda/shop-b"), log_group("/aws/lambda/other"))
    made = plan(where, Settings(metrics=(ORDERS,)))
    assert [(one.name, one.log_group, one.namespace) for one in made.metric_filters] == [
        ("lookout/Orders", "/aws/lambda/shop-a", "Lookout/Custom"),
        ("lookout/Orders", "/aws/lambda/shop-b", "Lookout/Custom"),
    ]
    assert made.subscriptions == ()


# --- the archive -----------------------------------------------------------------------------------

ARCHIVED = Settings(archive=True)


@pytest.mark.parametrize(
    ("theirs", "made", "why"),
    [
        ((), [True, False], ""),
        (("datadog",), [False], "others and the log subscriber have taken the 2 subscriptions of /aws/lambda/a"),
        (("datadog", "splunk"), [], "others have taken the 2 subscriptions of /aws/lambda/a"),
        (("lookout-archive", "lookout"), [True, False], ""),
    ],
)
def test_the_archive_takes_the_second_subscription_where_nobody_has_it(
    theirs: tuple[str, ...], made: list[bool], why: str
) -> None:
    found = plan(fleet(function("a"), log_group("/aws/lambda/a", subscription_filters=theirs)), ARCHIVED)
    assert [one.archived for one in found.subscriptions] == made
    assert [note.removeprefix("a: ") for note in notes(found, "not_archived")] == ([why] if why else [])
    assert {one.pattern for one in found.subscriptions} <= {PLATFORM_LINES}


def test_with_a_policy_of_the_account_the_archive_needs_one_subscription_only() -> None:
    where = fleet(function("a"), log_group("/aws/lambda/a", subscription_filters=("datadog",)))
    found = plan(where, Settings(archive=True, subscribe="account")).subscriptions
    assert [(one.log_group, one.archived) for one in found] == [("/aws/lambda/a", True), ("*", False)]


def test_what_is_not_archived() -> None:
    own = fleet(function("lookout-archive"), log_group("/aws/lambda/lookout-archive"))
    assert plan(own, ARCHIVED).subscriptions == ()
    where = fleet(function("a"), log_group("/aws/lambda/a"))
    assert [one.archived for one in plan(where, DEFAULT).subscriptions] == [False]
    found = plan(where, ARCHIVED, archive=False)
    assert [one.archived for one in found.subscriptions] == [False]
    assert notes(found, "not_archived") == ["a: the archive is not deployed: lookout deploy --archive"]


# --- one policy for the account --------------------------------------------------------------------

POLICY = Settings(subscribe="account")


def test_one_policy_takes_the_place_of_subscriptions() -> None:
    """It leaves out what carries no platform lines, what takes no subscription, and the toolkit's own."""
    where = fleet(
        *(function("a"), log_group("/aws/lambda/a")),
        *(function("late"), log_group("/aws/apigateway/access")),
        *(function("old"), log_group("/aws/lambda/old", log_class="INFREQUENT_ACCESS")),
        *(function("lookout-log-subscriber"), log_group("/aws/lambda/lookout-log-subscriber")),
    )
    made = plan(where, POLICY)
    (policy,) = made.subscriptions
    assert (policy.log_group, policy.pattern) == ("*", PLATFORM_LINES)
    assert policy.left_out == (
        "/aws/apigateway/access",
        "/aws/lambda/lookout-log-subscriber",
        "/aws/lambda/old",
    )
    read = {one.name for one in made.fleet.resources if one.facts.get("subscribed") and one.service == "lambda"}
    assert read == {"a", "late"}, "the policy also holds for a log group that is not there yet"
    assert "lookout/lambda.memory/late" in {one.name for one in made.alarms}


def test_a_group_that_others_have_filled_is_read_through_the_policy() -> None:
    where = fleet(function("a"), log_group("/aws/lambda/a", subscription_filters=("theirs", "theirs too")))
    assert "lookout/lambda.memory/a" not in {one.name for one in plan(where, DEFAULT).alarms}
    assert "lookout/lambda.memory/a" in {one.name for one in plan(where, POLICY).alarms}


def test_a_group_whose_every_line_is_wanted_keeps_a_subscription_of_its_own() -> None:
    six = tuple(MetricDefinition(name=f"M{n}", pattern=f"%x{n}%") for n in range(6))  # a log group takes five
    where = fleet(function("a"), log_group("/aws/lambda/a"), function("b"), log_group("/aws/lambda/b"))
    settings = Settings(subscribe="account", metrics=tuple(replace(one, log_groups="/aws/lambda/a") for one in six))
    own, policy = plan(where, settings).subscriptions
    assert (own.log_group, own.pattern) == ("/aws/lambda/a", "")
    assert policy.left_out == ("/aws/lambda/a",)


def test_more_names_than_a_policy_leaves_out_make_subscriptions_again() -> None:
    others = [log_group(f"/a-rather-long-name-of-a-log-group/{number:06}") for number in range(700)]
    made = plan(fleet(function("a"), log_group("/aws/lambda/a"), *others), POLICY)
    assert [one.log_group for one in made.subscriptions] == ["/aws/lambda/a"]
    assert "25,000 bytes" in notes(made, "no_policy")[0]


def test_no_policy_without_a_subscriber() -> None:
    assert plan(functions(1), POLICY, subscriber=False).subscriptions == ()


def test_a_definition_may_be_about_log_groups_by_their_tags() -> None:
    shop, other = (replace(log_group(f"/{name}"), tags={"team": name}) for name in ("shop", "other"))
    settings = Settings(
        metrics=(MetricDefinition(name="Orders", pattern="order", log_groups="*", tags={"team": "sh*"}),)
    )
    made = plan(fleet(shop, other), settings)
    assert [one.log_group for one in made.metric_filters] == ["/shop"]
    (told,) = notes(plan(fleet(other), settings), "match_nothing")
    assert told == "metric Orders: no log group is named * and tagged team = sh*"


def test_two_definitions_of_one_metric_are_two_filters() -> None:
    made = plan(fleet(log_group("/aws/lambda/shop-a")), Settings(metrics=(ORDERS, ORDERS)))
    assert [one.name for one in made.metric_filters] == ["lookout/Orders", "lookout/Orders/2"]


def test_what_a_log_group_has_no_room_for_goes_to_the_subscriber_with_every_line() -> None:
    where = fleet(function("shop-a"), log_group("/aws/lambda/shop-a", metric_filters=99))
    made = plan(where, Settings(metrics=(ORDERS, MetricDefinition(name="Refunds", pattern="refund"))))
    assert [one.definition.name for one in made.metric_filters] == ["Orders"]
    assert [(one.name, one.log_groups) for one in made.subscriber_metrics] == [("Refunds", "/aws/lambda/shop-a")]
    assert [one.pattern for one in made.subscriptions] == [""]
    assert len(notes(made, "run_by_subscriber")) == 1


def test_at_most_five_patterns_with_regex_on_a_log_group() -> None:
    definitions = tuple(MetricDefinition(name=f"M{number}", pattern=f"%a{number}+%") for number in range(7))
    made = plan(fleet(log_group("/aws/lambda/a")), Settings(metrics=definitions))
    assert len(made.metric_filters) == quotas.REGEX_PATTERNS_PER_GROUP == 5
    assert [one.name for one in made.subscriber_metrics] == ["M5", "M6"]


# --- adding a service takes rows only --------------------------------------------------------------

PIPES = Catalog(
    services=(Service(id="pipes", title="EventBridge pipe"),),
    metrics=published(
        "pipes",
        "ExecutionFailed",
        namespace="AWS/EventBridge/Pipes",
        dimensions={"PipeName": "{name}"},
        statistic="Sum",
    ),
    rules=(
        Rule(
            id="pipes.failed",
            title="Failed executions",
            metrics=("ExecutionFailed",),
            unit="executions a minute",
            high=Fixed(0),
            datapoints=1,
            periods=1,
            severity=Severity.PAGE,
            reason="The pipe fails.",
        ),
    ),
)


def test_a_new_service_takes_rows_only() -> None:
    where, bare = fleet(resource("pipes", "orders")), Catalog(services=(), metrics=(), rules=())
    assert [one.kind for one in coverage(plan(where, DEFAULT, catalog=bare), catalog=bare).findings] == ["uncovered"]
    made = plan(where, DEFAULT, catalog=PIPES)
    assert [one.name for one in made.alarms] == ["lookout/pipes.failed/orders"]
    assert coverage(made, catalog=PIPES).findings == ()
    assert cost(made, catalog=PIPES).list_usd == 0.10
    graphs = [one["properties"] for body in bodies(made).values() for one in body["widgets"] if one["type"] == "metric"]
    assert [one["title"] for one in graphs if one.get("annotations")] == ["Failed executions"]
