"""The bill, by arithmetic written down. Prices: Amazon CloudWatch pricing, us-east-1."""

from dataclasses import replace

import pytest

from monitors import quotas
from monitors.cost import Cost, cost, price
from monitors.model import MetricDefinition, Query
from monitors.plan import plan
from monitors.settings import Settings
from tests.fleets import fleet, function, functions, log_group, resource

DEFAULT = Settings()


def line(found: Cost, kind: str) -> tuple[int, float, float]:
    (one,) = [one for one in found.lines if one.kind == kind]
    return one.quantity, one.list_usd, one.usd


def test_an_alarm_costs_by_the_metric() -> None:
    made = plan(fleet(resource("sqs", "dead", is_dead_letter_queue=True, retention_s=60)), DEFAULT)
    assert len(made.alarms) == 2
    assert line(cost(made), "alarm metrics") == (2, 0.20, 0.0)  # 2 x $0.10; ten are free


def test_a_ratio_is_two_metrics_and_two_sides_are_one() -> None:
    made = plan(fleet(function("a")), DEFAULT)
    alarms = {one.rule: replace(made, alarms=(one,), composites=()) for one in made.alarms}
    assert line(cost(alarms["lambda.errors"]), "alarm metrics")[:2] == (2, 0.20)

    class Levels:
        high, low, basis = 100.0, 5.0, "two weeks"

    made = plan(fleet(function("a")), DEFAULT, learned={("lambda.traffic", function("a").id): Levels()})
    traffic = replace(made, alarms=tuple(one for one in made.alarms if one.rule == "lambda.traffic"), composites=())
    assert line(cost(traffic), "alarm metrics")[:2] == (1, 0.10)


def test_the_free_tier_is_shown() -> None:
    made = plan(functions(10), DEFAULT)
    quantity, listed, paid = line(cost(made), "alarm metrics")
    assert listed == pytest.approx(0.10 * quantity)
    assert paid == pytest.approx(0.10 * (quantity - 10))
    assert line(cost(made), "composite alarms") == (11, 5.50, 5.50)  # one a function, one for the application


def test_high_resolution_costs_three_times_as_much() -> None:
    made = plan(fleet(resource("sqs", "dead", is_dead_letter_queue=True)), DEFAULT)
    fast = replace(made.alarms[0], queries=(Query(id="m1", namespace="AWS/SQS", metric="M", period_s=10),))
    assert line(cost(replace(made, alarms=(fast,))), "high-resolution alarm metrics") == (1, 0.30, 0.30)


def test_dashboards_are_free_only_while_they_are_few_and_small() -> None:
    made = plan(fleet(), DEFAULT)
    assert line(cost(made, dashboard_metrics=(10, 50)), "dashboards") == (2, 6.0, 0.0)
    assert line(cost(made, dashboard_metrics=(10, 51, 400)), "dashboards") == (3, 9.0, 6.0)
    assert line(cost(made, dashboard_metrics=(1, 1, 1, 1)), "dashboards") == (4, 12.0, 3.0)


def test_custom_metrics_are_those_of_the_subscriber_and_of_the_users() -> None:
    metrics = (MetricDefinition(name="Orders", pattern=""), MetricDefinition(name="Refunds", pattern="refund"))
    made = plan(fleet(function("a"), log_group("/aws/lambda/a"), function("b")), Settings(metrics=metrics))
    # Function a: Timeouts, OutOfMemory, ColdStarts, LogErrors, Duration, BilledDuration, EstimatedCost, InitDuration,
    # MemoryUsedPercent, MaxMemoryUsed. Function b has no log group yet. And the user's two.
    assert line(cost(made), "custom metrics") == (12, 3.60, 0.60)  # ten are free


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (0, 0),
        (10_000, 3_000),  # 10,000 x $0.30
        (10_001, 3_000.10),  # the next at $0.10
        (250_000, 27_000),  # + 240,000 x $0.10
        (1_000_000, 64_500),  # + 750,000 x $0.05
        (1_100_000, 66_500),  # + 100,000 x $0.02
    ],
)
def test_custom_metrics_get_cheaper_in_tiers(pieces: int, expected: float) -> None:
    assert price(pieces, quotas.CUSTOM_METRIC) == pytest.approx(expected)


def test_free_pieces_are_the_first_and_dearest() -> None:
    assert price(10_001, quotas.CUSTOM_METRIC, free=10) == pytest.approx(9_990 * 0.30 + 0.10)
    assert price(5, quotas.CUSTOM_METRIC, free=10) == 0


def test_the_sum_is_that_of_the_lines() -> None:
    found = cost(plan(functions(3), DEFAULT), dashboard_metrics=(60,))
    assert found.list_usd == pytest.approx(sum(one.list_usd for one in found.lines))
    assert found.usd == pytest.approx(sum(one.usd for one in found.lines))
    assert 0 < found.usd < found.list_usd


def test_the_bill_by_what_is_watched() -> None:
    made = plan(functions(2), DEFAULT)
    found = cost(made)
    shares = {one.what: (one.alarms, one.usd) for one in found.services}
    metrics = sum(bool(query.metric) for alarm in made.alarms for query in alarm.queries)
    assert shares == {
        # each function's health alarm is $0.50
        "lambda": (len(made.alarms) + 2, pytest.approx(0.10 * metrics + 2 * 0.50)),
        "application": (1, 0.50),
    }
    kinds = sum(line.list_usd for line in found.lines if "alarm" in line.kind)
    assert sum(one.usd for one in found.services) == pytest.approx(kinds)


def test_what_to_turn_off_first_costs_most_of_what_can_be_done_without() -> None:
    made = plan(functions(4), DEFAULT)
    health, whole, ticket = cost(made).cuts
    assert (health.what, health.alarms, health.usd) == ("lambda.health", 4, 2.0)
    assert (whole.what, whole.alarms, whole.usd) == ("app.health", 1, 0.5)
    alarms = [alarm for alarm in made.alarms if alarm.rule == ticket.what]
    assert ticket.alarms == len(alarms) == 4
    assert {str(alarm.severity) for alarm in alarms} == {"ticket"}
    assert ticket.usd == pytest.approx(0.10 * sum(bool(query.metric) for alarm in alarms for query in alarm.queries))


def test_what_is_deployed_has_its_price_too() -> None:
    there = fleet(
        resource("alarm", "lookout/lambda.failures/a", metric="Errors"),
        resource("alarm", "lookout/lambda.errors/a", math=("AWS/Lambda Errors", "AWS/Lambda Invocations")),
        resource("alarm", "lookout/lambda.health/a", rule='ALARM("x")'),
        resource("alarm", "somebody else's", metric="Errors"),
    )
    assert cost(plan(there, DEFAULT)).deployed_list_usd == pytest.approx(0.10 + 0.20 + 0.50)
