"""Plans as CloudFormation: what AWS takes, within its limits, at any size."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped] # cfn-lint says nothing of its types
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.body import dump as dump_body
from infra.stacks import MOST_BYTES, MOST_RESOURCES, NESTED, dump, templates
from monitors import quotas
from monitors.buckets import buckets
from monitors.describe import describe
from monitors.errors import InputError
from monitors.logroutes import PLATFORM_LINES
from monitors.model import Fleet, MetricDefinition, Plan
from monitors.names import ALARM_STACK, is_alarm_stack
from monitors.plan import plan
from monitors.settings import Settings
from tests.fleets import fleet, function, functions, log_group, resource

PAGE = "arn:aws:sns:eu-west-1:123456789012:page"
TICKET = "arn:aws:sns:eu-west-1:123456789012:ticket"
SUBSCRIBER = "arn:aws:lambda:eu-west-1:123456789012:function:lookout-logs"
METRICS = (
    MetricDefinition(
        name="Orders", pattern='{ $.event = "order" }', value="$.total", dimensions=(("Currency", "$.currency"),)
    ),
    MetricDefinition(name="Refunds", pattern="refund", default=0),
)
BODY = {"widgets": [{"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": "# Fleet"}}]}


class Levels:
    high, low, basis = 500.0, 20.0, "two weeks"


def rendered(made: Plan, **more: Any) -> dict[str, Any]:
    return parsed(templates(made, page_topic=PAGE, ticket_topic=TICKET, subscriber_arn=SUBSCRIBER, **more))


def parsed(made: Mapping[str, str]) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in made.items()}


def resources(made: Mapping[str, Any]) -> dict[str, Any]:
    """Every resource by its logical id, over all templates."""
    return {key: one for template in made.values() for key, one in template["Resources"].items()}


def named(made: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The properties of the alarm, filter or dashboard of this name."""
    keys = ("AlarmName", "FilterName", "DashboardName")
    (found,) = [
        one["Properties"] for one in resources(made).values() if name in map(one.get("Properties", {}).get, keys)
    ]
    return dict(found)


def small() -> Plan:
    one = function("shop-a", application="shop", is_async=True)
    where = fleet(
        one,
        log_group("/aws/lambda/shop-a"),
        function("shop-b", application="shop"),
        resource("sqs", "dead", application="shop", is_dead_letter_queue=True, retention_s=345_600),
        resource("dynamodb", "carts", application="shop", billing="provisioned", indexes=("by-user",)),
        resource("events_rule", "nightly", bus="orders"),
    )
    return plan(where, Settings(metrics=METRICS), learned={("lambda.traffic", one.id): Levels()})


def test_cfn_lint_has_nothing_to_say() -> None:
    made = rendered(small(), dashboards={"lookout-fleet": dump_body(BODY)})
    assert list(made) == [ALARM_STACK]
    assert [str(one) for one in lint(dump(made[ALARM_STACK]))] == []


def test_a_plan_of_nothing_is_still_a_template() -> None:
    made = rendered(plan(fleet(), Settings()))
    assert [str(one) for one in lint(dump(made[ALARM_STACK]))] == []
    assert len(made[ALARM_STACK]["Resources"]) == 1


def test_an_alarm_on_one_metric() -> None:
    assert named(rendered(small()), "lookout/sqs.dead_letters/dead") == {
        "AlarmName": "lookout/sqs.dead_letters/dead",
        "AlarmDescription": describe(next(one.description for one in small().alarms if one.rule == "sqs.dead_letters")),
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": "dead"}],
        "Statistic": "Maximum",
        "Period": 60,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "DatapointsToAlarm": 1,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [PAGE],
        "OKActions": [PAGE],
    }


def test_an_alarm_on_a_formula_returns_one_line() -> None:
    metrics = named(rendered(small()), "lookout/lambda.traffic/shop-a")["Metrics"]
    assert [(one["Id"], one["ReturnData"]) for one in metrics] == [("m1", False), ("outside", True)]
    assert metrics[0]["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "FunctionName", "Value": "shop-a"}]
    assert metrics[1]["Expression"] == "IF(m1>500 OR m1<20,1,0)"


def test_a_percentile_is_an_extended_statistic() -> None:
    duration = named(rendered(small()), "lookout/lambda.duration/shop-a")
    assert duration["ExtendedStatistic"] == "p95"
    assert "Statistic" not in duration


def test_people_hear_once() -> None:
    """The function's health pages for its alarms; the application's is a ticket beside it; tickets stand alone."""
    made = rendered(small())
    assert named(made, "lookout/lambda.health/shop-a")["AlarmActions"] == [PAGE]
    assert "AlarmActions" not in named(made, "lookout/lambda.errors/shop-a")
    assert "OKActions" not in named(made, "lookout/lambda.errors/shop-a")
    assert named(made, "lookout/app.health/shop")["AlarmActions"] == [TICKET]
    assert named(made, "lookout/lambda.failures/shop-a")["AlarmActions"] == [TICKET]
    assert named(made, "lookout/sqs.dead_letters/dead")["AlarmActions"] == [PAGE]


def test_nobody_is_called_where_there_is_no_topic() -> None:
    made = parsed(templates(small(), ticket_topic=TICKET))
    assert "AlarmActions" not in named(made, "lookout/lambda.health/shop-a")
    assert named(made, "lookout/lambda.failures/shop-a")["AlarmActions"] == [TICKET]


def test_composites_wait_for_their_children() -> None:
    made = rendered(small())[ALARM_STACK]["Resources"]
    ids = {one["Properties"].get("AlarmName"): key for key, one in made.items()}
    health = made[ids["lookout/app.health/shop"]]
    assert ids["lookout/lambda.health/shop-a"] in health["DependsOn"]
    assert set(health["DependsOn"]) <= set(made)


def test_metric_filters() -> None:
    orders = named(rendered(small()), "lookout/Orders")
    assert orders["MetricTransformations"] == [
        {
            "MetricName": "Orders",
            "MetricNamespace": "Lookout/Custom",
            "MetricValue": "$.total",
            "Unit": "Count",
            "Dimensions": [{"Key": "Currency", "Value": "$.currency"}],
        }
    ]
    (refunds,) = named(rendered(small()), "lookout/Refunds")["MetricTransformations"]
    assert refunds["DefaultValue"] == 0


def test_the_archive_is_fed_through_a_role_and_needs_no_permission() -> None:
    stream, role = "arn:aws:firehose:eu-west-1:1:deliverystream/lookout-archive", "arn:aws:iam::1:role/feed"
    made = plan(fleet(function("a"), log_group("/aws/lambda/a")), Settings(archive=True))
    rendered = templates(made, archive_arn=stream, archive_role_arn=role)
    resources = json.loads(rendered["lookout-alarms"])["Resources"].values()
    (one,) = [each for each in resources if each["Type"] == "AWS::Logs::SubscriptionFilter"]
    assert one["Properties"] == {
        "FilterName": "lookout-archive",
        "FilterPattern": PLATFORM_LINES,
        "LogGroupName": "/aws/lambda/a",
        "DestinationArn": stream,
        "RoleArn": role,
    }
    assert "DependsOn" not in one
    assert not [each for each in resources if each["Type"] == "AWS::Lambda::Permission"]


def test_subscriptions_need_a_subscriber_who_may_be_called() -> None:
    made = rendered(small())[ALARM_STACK]["Resources"]
    (subscription,) = [one for one in made.values() if one["Type"] == "AWS::Logs::SubscriptionFilter"]
    assert subscription["Properties"]["DestinationArn"] == SUBSCRIBER
    (permission,) = subscription["DependsOn"]
    assert made[permission]["Type"] == "AWS::Lambda::Permission"
    kinds = {one["Type"] for one in resources(parsed(templates(small(), page_topic=PAGE))).values()}
    assert not kinds & {"AWS::Logs::SubscriptionFilter", "AWS::Lambda::Permission"}


def test_a_policy_of_the_account() -> None:
    where = fleet(function("a"), log_group("/aws/lambda/a"), log_group('/od"d'))
    made = rendered(plan(where, Settings(subscribe="account")))
    (policy,) = [one for one in resources(made).values() if one["Type"] == "AWS::Logs::AccountPolicy"]
    said = policy["Properties"]
    assert json.loads(said["PolicyDocument"])["DestinationArn"] == SUBSCRIBER
    assert (said["PolicyType"], said["Scope"]) == ("SUBSCRIPTION_FILTER_POLICY", "ALL")
    assert said["SelectionCriteria"] == r'LogGroupName NOT IN ["/od\"d"]'
    assert policy["DependsOn"] == ["SubscriberPermission"]
    assert [str(one) for one in lint(json.dumps(made[ALARM_STACK]))] == []


def test_dashboards() -> None:
    assert (
        json.loads(
            named(rendered(small(), dashboards={"lookout-fleet": dump_body(BODY)}), "lookout-fleet")["DashboardBody"]
        )
        == BODY
    )


def test_the_same_plan_is_the_same_text() -> None:
    assert [*templates(small()).items()] == [*templates(small()).items()]


def test_a_stack_is_for_one_place() -> None:
    elsewhere = replace(function("b"), region="us-east-1")
    with pytest.raises(InputError, match="by_place"):
        templates(plan(fleet(function("a"), elsewhere), Settings()))


# --- many ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many() -> Plan:
    return plan(functions(300), Settings(metrics=METRICS))


def test_a_big_plan_is_split_within_the_limits_and_loses_nothing(many: Plan) -> None:
    made = rendered(many, dashboards={"lookout-fleet": dump_body(BODY)})
    parent = made[ALARM_STACK]["Resources"]
    assert {one["Type"] for one in parent.values()} == {NESTED, "AWS::Lambda::Permission"}
    assert {one["Properties"]["TemplateURL"] for one in parent.values() if one["Type"] == NESTED} == {
        f"{name}.json" for name in made if name != ALARM_STACK
    }
    for template in made.values():
        assert 0 < len(template["Resources"]) <= MOST_RESOURCES < quotas.STACK_RESOURCES
        assert len(dump(template).encode()) <= MOST_BYTES < quotas.TEMPLATE_BYTES
    names = [name for one in resources(made).values() if (name := one["Properties"].get("AlarmName"))]
    assert sorted(names) == sorted([*(one.name for one in many.alarms), *(one.name for one in many.composites)])
    filters = [one for one in resources(made).values() if one["Type"] == "AWS::Logs::MetricFilter"]
    assert len(filters) == len(many.metric_filters) == 600


def test_split_templates_are_clean_for_cfn_lint(many: Plan) -> None:
    made = rendered(many)
    for kind in ("part", "health"):
        name = next(name for name in made if kind in name)
        assert [str(one) for one in lint(dump(made[name]))] == []
    # A nested template's file is for `aws cloudformation package`, and of that cfn-lint reminds us.
    assert {one.rule.id for one in lint(dump(made[ALARM_STACK]))} == {"W3002"}


def test_what_is_over_several_stacks_comes_after_them(many: Plan) -> None:
    made = rendered(many)
    parent = made[ALARM_STACK]["Resources"]
    parts = {name for name in parent if name.startswith("Part")}
    assert set(parent["Health"]["DependsOn"]) == parts
    for template in made.values():
        for one in template["Resources"].values():
            assert set(one.get("DependsOn", ())) <= set(template["Resources"])


def test_one_function_more_changes_two_templates(many: Plan) -> None:
    before = rendered(many)
    grown = Fleet(
        resources=(*many.fleet.resources, function("shop-new", application="shop"), log_group("/aws/lambda/shop-new"))
    )
    after = rendered(plan(grown, Settings(metrics=METRICS)))
    assert before.keys() == after.keys()
    changed = [name for name in before if before[name] != after[name]]
    assert len(changed) == 2  # the stack its alarms land in, and that of the application's health


def test_all_of_a_function_lies_in_one_stack(many: Plan) -> None:
    made = rendered(many)
    homes = {name for name, template in made.items() if "part" in name and '/shop-7"' in dump(template)}
    assert len(homes) == 1


def test_what_a_parent_cannot_hold_goes_to_further_parents(monkeypatch: pytest.MonkeyPatch, many: Plan) -> None:
    monkeypatch.setattr("infra.stacks.MOST_RESOURCES", 24)
    made = rendered(many)
    parents = {name: one["Resources"] for name, one in made.items() if is_alarm_stack(name)}
    assert len(parents) > 2
    assert all(len(one["Resources"]) <= 24 for one in made.values())
    nested = [
        one["Properties"]["TemplateURL"] for own in parents.values() for one in own.values() if one["Type"] == NESTED
    ]
    assert sorted(nested) == sorted(f"{name}.json" for name in made if name not in parents)
    assert {one["Type"] for name, one in parents[ALARM_STACK].items() if not name.startswith("Health")} == {
        "AWS::Lambda::Permission"
    }
    assert all(name.startswith("Part") for stack, own in parents.items() if stack != ALARM_STACK for name in own)


def test_health_of_more_applications_than_a_parent_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.stacks.MOST_RESOURCES", 4)
    one_each = [replace(one, application=f"shop-{number // 2}") for number, one in enumerate(functions(120).resources)]
    made = plan(Fleet(resources=tuple(one_each)), Settings())
    with pytest.raises(InputError, match=r"rule app\.health off"):
        rendered(made)


# --- buckets ---------------------------------------------------------------------------------------

KEYS = st.lists(st.text(max_size=8), max_size=80, unique=True)


@settings(max_examples=60)
@given(KEYS, st.integers(1, 20))
def test_buckets_hold_every_key_once_and_are_small_enough(keys: list[str], most: int) -> None:
    found = buckets(keys, lambda own: len(own) <= most)
    assert sorted(key for own in found.values() for key in own) == sorted(keys)
    assert all(0 < len(own) <= most for own in found.values())


@settings(max_examples=60)
@given(KEYS, st.text(max_size=8), st.integers(2, 20))
def test_one_more_key_touches_one_bucket(keys: list[str], more: str, most: int) -> None:
    before = buckets(keys, lambda own: len(own) <= most)
    after = buckets([*keys, more], lambda own: len(own) <= most)
    touched = [bits for bits, own in before.items() if after.get(bits) != own]
    assert len(touched) <= 1
    fresh = [bits for bits, own in after.items() if before.get(bits) != own]
    assert all(bits.startswith(touched[0]) for bits in fresh) if touched else len(fresh) <= 1
