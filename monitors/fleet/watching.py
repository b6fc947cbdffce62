"""CloudWatch's answers -> the alarms and dashboards that are there already, whoever made them."""

from monitors import names
from monitors.describe import parse_description
from monitors.fleet.answers import Answers, Found, Json, items, links, own_arn, resource
from monitors.fleet.arns import service_of
from monitors.model import Link, Resource

# How an alarm's action reaches what it is for; others, such as scaling policies, are no resources of the Fleet.
_ACTIONS = {"lambda": "invokes", "sns": "notifies"}


def alarms(answers: Answers) -> Found:
    """Every metric and composite alarm: what it looks at, and whom it calls. Its state is of the moment: left out."""
    resources: list[Resource] = []
    found: list[Link] = []
    for page in items(answers, "cloudwatch:DescribeAlarms"):
        for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
            name = alarm["AlarmName"]
            arn = alarm.get("AlarmArn") or own_arn(answers, "cloudwatch", f"alarm:{name}")
            resources.append(resource(answers, service="alarm", name=name, arn=arn, facts=_facts(alarm)))
            for action in alarm.get("AlarmActions", ()):
                kind = _ACTIONS.get(service_of(action))
                found += links(arn, [action], kind) if kind else []
    return Found(tuple(resources), tuple(found))


def dashboards(answers: Answers) -> Found:
    """Every dashboard. They have no Region, and every Region lists them all."""
    return Found(
        tuple(
            resource(
                answers,
                service="dashboard",
                name=board["DashboardName"],
                arn=board.get("DashboardArn")
                or f"arn:{answers.partition}:cloudwatch::{answers.account}:dashboard/{board['DashboardName']}",
                facts={},
            )
            for board in items(answers, "cloudwatch:ListDashboards")
        )
    )


def _facts(alarm: Json) -> Json:
    """What it judges (metric and dimensions `Name=Value`, the metrics in its math, or a rule over alarms), and how.

    Of an alarm of ours the levels and the severity too, as its description says them.
    """
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    return {
        "enabled": alarm.get("ActionsEnabled", True),
        "actions": len(alarm.get("AlarmActions", ())),
        "namespace": alarm.get("Namespace"),
        "metric": alarm.get("MetricName"),
        "dimensions": _dimensions(alarm) if "MetricName" in alarm else None,
        "math": tuple(sorted({_told(metric) for metric in metrics})) or None,
        "rule": alarm.get("AlarmRule"),
        "comparison": alarm.get("ComparisonOperator"),
        "threshold": alarm.get("Threshold"),
        "periods": alarm.get("EvaluationPeriods"),
        "datapoints": alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods"),
        **(_described(alarm.get("AlarmDescription", "")) if names.parse_alarm_name(alarm["AlarmName"]) else {}),
    }


def _described(text: str) -> Json:
    said = parse_description(text)
    return {"high": said.high, "low": said.low, "severity": str(said.severity)}


def _dimensions(metric: Json) -> tuple[str, ...]:
    return tuple(sorted(f"{one['Name']}={one['Value']}" for one in metric.get("Dimensions", ())))


def _told(metric: Json) -> str:
    """`AWS/Lambda Errors FunctionName=shop`"""
    return " ".join((metric.get("Namespace", ""), metric.get("MetricName", ""), *_dimensions(metric)))
