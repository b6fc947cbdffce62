"""CloudWatch's alarms and dashboards in a template -> what its API will answer. Pure."""

from monitors.fleet.template.nodes import Node
from monitors.fleet.template.said import Declared, Said, Saying, some, tagged


def alarm(one: Declared) -> Saying:
    """AWS::CloudWatch::Alarm."""
    item = {
        **_named(one),
        **_metric(one.properties),
        "Metrics": [
            {"MetricStat": {"Metric": _metric(each.group("MetricStat").group("Metric"))}}
            for each in one.properties.many("Metrics")
            if each.get("MetricStat")
        ],
        "ComparisonOperator": one.properties.text("ComparisonOperator"),
        "Threshold": _number(one.properties, "Threshold"),
        "EvaluationPeriods": one.properties.whole("EvaluationPeriods"),
        "DatapointsToAlarm": one.properties.whole("DatapointsToAlarm"),
    }
    yield Said("cloudwatch:DescribeAlarms", {"MetricAlarms": [some(item)]})
    yield from tagged(one)


def composite(one: Declared) -> Saying:
    """AWS::CloudWatch::CompositeAlarm."""
    item = {**_named(one), "AlarmRule": one.properties.text("AlarmRule")}
    yield Said("cloudwatch:DescribeAlarms", {"CompositeAlarms": [item]})
    yield from tagged(one)


def dashboard(one: Declared) -> Saying:
    """AWS::CloudWatch::Dashboard."""
    yield Said("cloudwatch:ListDashboards", {"DashboardName": one.name, "DashboardArn": one.arn})
    yield from tagged(one)


def _named(one: Declared) -> dict[str, object]:
    return {
        "AlarmName": one.name,
        "AlarmArn": one.arn,
        "ActionsEnabled": one.properties.text("ActionsEnabled").lower() != "false",
        "AlarmActions": one.properties.texts("AlarmActions"),
        "AlarmDescription": one.properties.text("AlarmDescription"),
    }


def _metric(own: Node) -> dict[str, object]:
    dimensions = [{key: each.text(key) for key in ("Name", "Value")} for each in own.many("Dimensions")]
    return some({"Namespace": own.text("Namespace"), "MetricName": own.text("MetricName"), "Dimensions": dimensions})


def _number(own: Node, key: str) -> float | None:
    try:
        return float(own.text(key))
    except ValueError:
        return None
