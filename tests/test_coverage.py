"""Nothing without an alarm or a reason; no alarm that can never fire."""

from dataclasses import replace

import pytest

from monitors.catalog.tables import CATALOG
from monitors.coverage import Coverage, coverage, dead_alarms
from monitors.model import Alarm, Comparison, Description, Fleet, Missing, Query, Severity
from monitors.plan import plan
from monitors.settings import Override, Settings
from tests.fleets import fleet, function, log_group, resource

DEFAULT = Settings()
FLEET = fleet(
    function("orders", is_async=True, is_stream_consumer=False),
    log_group("/aws/lambda/orders"),
    resource("sqs", "jobs", is_dead_letter_queue=False, retention_s=345_600),
    resource("dynamodb", "carts", billing="on_demand", indexes=("by-user",)),
    resource("events_rule", "nightly", bus="orders"),
    resource("s3", "uploads"),
)


def found(made: Fleet, settings: Settings = DEFAULT) -> Coverage:
    return coverage(plan(made, settings))


def foreign(namespace: str, metric: str, **dimensions: str) -> Alarm:
    """Somebody's own alarm, as it is deployed."""
    query = Query(
        id="m1", namespace=namespace, metric=metric, dimensions=tuple(dimensions.items()), statistic="Sum", period_s=60
    )
    return Alarm(
        name="theirs",
        rule="",
        resource="",
        description=Description(),
        severity=Severity.PAGE,
        queries=(query,),
        comparison=Comparison.ABOVE,
        threshold=0,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
    )


def test_every_resource_has_an_alarm_or_a_reason() -> None:
    rows = {one.resource.rpartition(":")[2]: one for one in found(FLEET).resources}
    assert all(one.ok for one in rows.values())
    assert "lookout/lambda.errors/orders" in rows["orders"].alarms
    assert rows["/aws/lambda/orders"].reason.startswith("it carries the lines of other resources")
    assert rows["uploads"].reason.startswith("without request metrics")
    assert found(FLEET).findings == ()


def test_a_kind_that_the_catalog_does_not_know_is_uncovered() -> None:
    (finding,) = found(fleet(resource("gamelift", "build"))).findings
    assert (finding.kind, finding.resource) == ("uncovered", resource("gamelift", "build").id)


def test_turning_every_rule_off_is_a_reason() -> None:
    off = {rule.id: Override(enabled=False) for rule in CATALOG.rules if rule.service == "sqs"}
    made = found(fleet(resource("sqs", "jobs", retention_s=60)), Settings(rules=off))
    assert made.findings == ()
    assert "turned off by" in made.resources[0].reason


def test_every_planned_alarm_can_fire() -> None:
    made = plan(FLEET, Settings(rules={rule.id: Override(enabled=True, high=1) for rule in CATALOG.rules}))
    assert len(made.alarms) > 30
    assert dead_alarms(made.fleet, made.alarms) == ()


@pytest.mark.parametrize(
    ("alarm", "reason"),
    [
        (
            foreign("AWS/DynamoDB", "WriteThrottleEvents", TableName="carts", GlobalSecondaryIndex="by-user"),
            "not TableName+GlobalSecondaryIndex",
        ),
        (foreign("AWS/DynamoDB", "UserErrors", TableName="carts"), "has the dimensions none, not TableName"),
        (foreign("AWS/Lambda", "IteratorAge", FunctionName="orders"), "exists only for what has is_stream_consumer"),
        (foreign("AWS/Events", "FailedInvocations", RuleName="nightly"), "exists only for what bus equal default"),
        (foreign("AWS/Lambda", "Errors", FunctionName="gone"), "nothing in the fleet has FunctionName gone"),
        (foreign("AWS/Lambda", "Erorrs", FunctionName="orders"), "AWS/Lambda has no metric Erorrs"),
        (
            foreign("AWS/S3", "5xxErrors", BucketName="uploads", FilterId="EntireBucket"),
            "nothing in the fleet has BucketName uploads, FilterId EntireBucket",
        ),
        (foreign("Lookout/Lambda", "Timeouts", FunctionName="orders"), "exists only for what has subscribed"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.queries[0].metric,
)
def test_an_alarm_that_can_never_fire_is_found(alarm: Alarm, reason: str) -> None:
    (finding,) = dead_alarms(FLEET, [alarm])
    assert finding.kind == "dead_alarm"
    assert reason in finding.title


@pytest.mark.parametrize(
    "alarm",
    [
        foreign("AWS/Lambda", "Errors", FunctionName="orders"),
        foreign("AWS/Lambda", "Errors", FunctionName="orders", Resource="orders:7"),
        foreign("AWS/DynamoDB", "WriteThrottleEvents", GlobalSecondaryIndexName="by-user", TableName="carts"),
        foreign("AWS/DynamoDB", "SystemErrors", TableName="carts", Operation="GetItem"),
        foreign("AWS/Events", "FailedInvocations", RuleName="nightly", EventBusName="orders"),
        foreign("AWS/EC2", "CPUUtilization", InstanceId="i-1"),
    ],
    ids=lambda alarm: "+".join(name for name, _ in alarm.queries[0].dimensions),
)
def test_an_alarm_that_can_fire_or_cannot_be_judged_is_left_alone(alarm: Alarm) -> None:
    assert dead_alarms(FLEET, [alarm]) == ()


def test_every_metric_of_a_formula_is_looked_at() -> None:
    alarm = foreign("AWS/Lambda", "Errors", FunctionName="orders")
    other = replace(alarm.queries[0], id="m2", metric="IteratorAge", returned=False)
    (finding,) = dead_alarms(
        FLEET, [replace(alarm, queries=(*alarm.queries, other, Query(id="e1", expression="m1/m2")))]
    )
    assert finding.evidence["metric"] == "IteratorAge"
