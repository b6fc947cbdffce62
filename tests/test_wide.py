"""One alarm for the whole fleet: what it asks of Metrics Insights, where there can be none, and what follows."""

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from cfnlint.api import lint  # type: ignore[import-untyped] # cfn-lint says nothing of its types

from dashboards.body import bodies
from infra.local import alarms, cloudwatch, insights
from infra.local.metrics import MetricStore
from infra.resources import alarm as as_resource
from infra.stacks import templates
from monitors import quotas
from monitors.cost import cost
from monitors.coverage import coverage
from monitors.model import Alarm, Fleet, Plan, Severity
from monitors.names import parse_alarm_name
from monitors.plan import plan, to_learn
from monitors.settings import Match, Override, Settings
from tests.fleets import fleet, function, functions, resource
from tests.test_settings import mistakes

WIDE = Override(fleet=True)


def made(where: Fleet, *rules: str, **more: object) -> Plan:
    return plan(where, Settings(rules=dict.fromkeys(rules, WIDE), **more))  # type: ignore[arg-type] # fields of Settings


def of(found: Plan, rule: str) -> list[Alarm]:
    return [one for one in found.alarms if one.rule == rule]


def why_not(found: Plan) -> list[str]:
    return [note.title for note in found.notes if note.kind == "not_wide"]


def test_one_alarm_asks_for_every_function() -> None:
    """The query as "Query components and syntax" has it: exact dimensions, a series for each function, worst first."""
    (alarm,) = of(made(functions(3), "lambda.throttles"), "lambda.throttles")
    assert alarm.name == "lookout/lambda.throttles/*"
    (query,) = alarm.queries
    assert query.expression == (
        'SELECT SUM("Throttles") FROM SCHEMA("AWS/Lambda", "FunctionName") GROUP BY "FunctionName" '
        "ORDER BY SUM() DESC LIMIT 500"
    )
    plain = of(plan(functions(1), Settings()), "lambda.throttles")[0]
    for field in ("comparison", "threshold", "datapoints", "periods", "missing", "severity"):
        assert getattr(alarm, field) == getattr(plain, field)
    assert parse_alarm_name(alarm.name) == ("lambda.throttles", "*")


def test_everything_else_stays_as_it_was() -> None:
    before, after = plan(functions(3), Settings()), made(functions(3), "lambda.throttles")
    assert [one for one in after.alarms if not one.covers] == [
        one for one in before.alarms if one.rule != "lambda.throttles"
    ]


def test_it_covers_them_and_costs_by_the_metric() -> None:
    found = made(fleet(*(function(f"f{n}") for n in range(40))), "lambda.throttles")
    assert coverage(found).findings == ()
    assert all("lookout/lambda.throttles/*" in one.alarms for one in coverage(found).resources)
    lines = {line.kind: line for line in cost(found).lines}
    assert (lines["metrics of fleet alarms"].quantity, lines["metrics of fleet alarms"].usd) == (40, 4.0)
    assert [one.what for one in cost(found).services] == ["lambda"]


def test_it_pages_by_itself_as_no_function_s_health_can() -> None:
    found = made(functions(3), "lambda.throttles")
    assert not [one for one in found.composites if "lookout/lambda.throttles/*" in one.children]
    assert of(found, "lambda.throttles")[0].severity is Severity.PAGE


def test_metrics_under_other_dimensions_have_an_alarm_of_their_own() -> None:
    """Rules on custom buses have two dimensions; a query takes exactly one set of them."""
    here, there = resource("events_rule", "a", bus="default"), resource("events_rule", "b", bus="orders")
    found = of(made(fleet(here, there), "events_rule.failed"), "events_rule.failed")
    assert sorted(one.name for one in found) == [
        "lookout/events_rule.failed/*/EventBusName/RuleName",
        "lookout/events_rule.failed/*/RuleName",
    ]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("lambda.errors", "takes metric math"),
        ("lambda.duration", "knows no p95"),
        ("account.concurrency", "there is one already"),
    ],
)
def test_what_metrics_insights_cannot_do_keeps_its_own_alarms(rule: str, reason: str) -> None:
    where = fleet(function("a"), resource("account", "123456789012", concurrency_limit=1_000))
    found = made(where, rule)
    assert [one.covers for one in of(found, rule)] == [()]
    (said,) = why_not(found)
    assert said.startswith(f"{rule}: an alarm for each resource")
    assert reason in said


def test_one_level_must_fit_all() -> None:
    where = fleet(function("a", reserved_concurrency=100), function("b", reserved_concurrency=50))
    assert "they differ (45 to 90)" in why_not(made(where, "lambda.concurrency"))[0]
    match = (Match(name="shop-1", rules={"lambda.throttles": Override(severity=Severity.TICKET)}),)
    assert "M of N or severities" in why_not(made(functions(2), "lambda.throttles", match=match))[0]


@pytest.mark.parametrize(
    "match",
    [Match(name="shop-1", mute=True), Match(name="shop-1", rules={"lambda.throttles": Override(enabled=False)})],
)
def test_a_query_cannot_leave_anybody_out(match: Match) -> None:
    found = made(functions(3), "lambda.throttles", match=(match,))
    assert len(of(found, "lambda.throttles")) == 2
    assert "turned off for 1 resources" in why_not(found)[0]


def test_limits_of_metrics_insights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "INSIGHTS_METRICS", 3)
    assert "these are 4" in why_not(made(functions(4), "lambda.throttles"))[0]
    assert not why_not(made(functions(3), "lambda.throttles"))
    monkeypatch.setattr(quotas, "INSIGHTS_ALARMS", 1)
    assert ["at most" in one for one in why_not(made(functions(2), "lambda.throttles", "lambda.recursion"))] == [True]


def test_nothing_of_it_is_learned() -> None:
    class Learned:
        high, low, basis = 40.0, 2.0, "two weeks"

    where, settings = functions(2), Settings(rules={"lambda.throttles": WIDE})
    assert "lambda.throttles" not in {one.rule.id for one in to_learn(where, settings)}
    found = plan(where, settings, learned={("lambda.throttles", one.id): Learned() for one in where.resources})
    assert [one.evidence for one in of(found, "lambda.throttles")] == [{"high": 0, "high_from": "the rule's own"}]


def test_only_for_a_rule_as_a_whole() -> None:
    text = (
        '[[match]]\nname = "a"\n[match.rules."lambda.throttles"]\nfleet = true\n[rules."lambda.health"]\nfleet = true\n'
    )
    assert [one.partition(": ")[0] for one in mistakes(text)] == ["lookout.toml:4", "lookout.toml:6"]


def test_cloudwatch_and_cloudformation_take_it() -> None:
    found = made(functions(2), "lambda.throttles")
    (alarm,) = of(found, "lambda.throttles")
    ((_, declared),) = as_resource(alarm, "arn:aws:sns:eu-west-1:123456789012:page").items()
    assert declared["Properties"]["Metrics"][0]["Period"] == 60
    shape = get_session().get_service_model("cloudwatch").operation_model("PutMetricAlarm").input_shape
    assert not ParamValidator().validate(declared["Properties"], shape).has_errors()
    assert [str(one) for text in templates(found).values() for one in lint(text)] == []


def test_the_fleets_dashboard_shows_each_function() -> None:
    body = bodies(made(functions(2), "lambda.throttles"))["lookout-fleet-eu-west-1"]
    rows = [row for one in body["widgets"] for row in one["properties"].get("metrics", ()) if "expression" in row[-1]]
    assert any(row[-1]["expression"].startswith('SELECT SUM("Throttles")') for row in rows)


# --- in the embedded account -------------------------------------------------------------------------

NOW = 1_795_500_000


@pytest.mark.parametrize(
    ("throttled", "state"), [({"a": 0.0, "b": 3.0}, "ALARM"), ({"a": 0.0, "b": 0.0}, "OK"), ({}, "INSUFFICIENT_DATA")]
)
def test_it_is_on_while_one_function_is_beyond_the_level(
    monkeypatch: pytest.MonkeyPatch, throttled: dict[str, float], state: str
) -> None:
    """ "Create an alarm on a Metrics Insights query": ALARM if any contributor is; no series, INSUFFICIENT_DATA."""
    monkeypatch.setattr(cloudwatch, "STORE", MetricStore())
    changed: list[str] = []
    monkeypatch.setattr(alarms, "_change", lambda _alarm, state, **_: changed.append(state))
    (alarm,) = of(made(functions(2), "lambda.throttles"), "lambda.throttles")
    ((_, declared),) = as_resource(alarm, "").items()
    for name, value in throttled.items():
        for minute in range(1, 8):
            cloudwatch.put(
                "AWS/Lambda", "Throttles", {"FunctionName": name}, [value], unit="Count", at_s=NOW - 60 * minute
            )
    alarms._evaluate({**declared["Properties"], "StateValue": "INSUFFICIENT_DATA" if throttled else "OK"}, NOW)
    assert insights.finds(alarm.queries[0].expression)
    assert changed == [state]
