"""A plan against the alarms that its fleet has already."""

from dataclasses import replace
from typing import Any

from infra import resources
from monitors.changes import Change, Changes, changes
from monitors.model import Fleet, Plan
from monitors.plan import plan
from monitors.settings import Override, Settings
from tests.answers import arn, said
from tests.answers import fleet as answered
from tests.fleets import fleet, function

SHOP = fleet(function("shop-pay", application="shop", reserved_concurrency=100))
OTHERS = {"AlarmName": "theirs", "AlarmArn": arn("cloudwatch", "alarm:theirs"), "MetricName": "X", "Namespace": "Y"}


def deployed(made: Plan, *others: dict[str, Any]) -> Fleet:
    """The fleet with the plan's alarms there, as CloudWatch describes what was put."""
    described: dict[str, list[dict[str, Any]]] = {
        "AWS::CloudWatch::Alarm": [*others],
        "AWS::CloudWatch::CompositeAlarm": [],
    }
    put = [resources.alarm(one, "") for one in made.alarms] + [resources.composite(one, "") for one in made.composites]
    for (one,) in (found.values() for found in put):
        name = one["Properties"]["AlarmName"]
        described[one["Type"]].append({"AlarmArn": arn("cloudwatch", f"alarm:{name}"), **one["Properties"]})
    page = {
        "MetricAlarms": described["AWS::CloudWatch::Alarm"],
        "CompositeAlarms": described["AWS::CloudWatch::CompositeAlarm"],
    }
    found = answered(said("cloudwatch:DescribeAlarms", page))
    return replace(SHOP, resources=(*SHOP.resources, *(one for one in found.resources if one.service == "alarm")))


def test_all_is_new_where_nothing_is_deployed() -> None:
    made = plan(SHOP, Settings())
    names = sorted([*(one.name for one in made.alarms), *(one.name for one in made.composites)])
    assert changes(made) == Changes(added=tuple(names), changed=(), removed=(), foreign=())


def test_what_is_deployed_already_is_no_change() -> None:
    there = deployed(plan(SHOP, Settings()), OTHERS)
    assert changes(plan(there, Settings())) == Changes(added=(), changed=(), removed=(), foreign=("theirs",))


def test_levels_are_told_as_they_were_and_will_be() -> None:
    there = deployed(plan(SHOP, Settings()))
    after = Settings(
        rules={
            "lambda.duration": Override(high=1234.5, periods=7),
            "lambda.concurrency": Override(enabled=False),
            "lambda.health": Override(enabled=False),
        }
    )
    found = changes(plan(there, after))
    duration = "lookout/lambda.duration/shop-pay"
    assert [one for one in found.changed if one.alarm == duration] == [
        Change(duration, "high", 24_000, 1234.5),  # 0.8 of a timeout of 30 s
        Change(duration, "periods", 5, 7),
    ]
    assert {one.alarm for one in found.changed} == {duration}
    assert found.removed == ("lookout/lambda.concurrency/shop-pay", "lookout/lambda.health/shop-pay")
    assert found.added == ("lookout/app.health/shop",)  # over the function's own alarms, now that it has no health
