"""A plan's records -> CloudFormation resources: one function a kind. Pure.

Shapes: AWS CloudFormation Template Reference, AWS::CloudWatch::*, AWS::Logs::*, AWS::Lambda::Permission.
"""

import json
from typing import Any, NamedTuple

from monitors import names
from monitors.describe import describe
from monitors.logroutes import selection
from monitors.model import EVERY_GROUP, Alarm, CompositeAlarm, MetricFilter, Query, Subscription

Json = Any
Resources = dict[str, Json]

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
"""What `Statistic` may say; anything else, such as p95, is an `ExtendedStatistic`."""
SUPPRESSOR_S = 60
PERMISSION = "SubscriberPermission"


def alarm(one: Alarm, topic: str) -> Resources:
    """The metric alarm, telling the topic when it goes off and when it is over; nobody if the topic is empty."""
    return _resource(
        one.name,
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": one.name,
            "AlarmDescription": describe(one.description),
            "ComparisonOperator": str(one.comparison),
            "Threshold": one.threshold,
            "EvaluationPeriods": one.periods,
            "DatapointsToAlarm": one.datapoints,
            "TreatMissingData": str(one.missing),
            **_judged(one.queries),
            **_actions(topic),
        },
    )


def composite(one: CompositeAlarm, topic: str) -> Resources:
    """The composite alarm; it depends on its children, since CloudWatch refuses rules about alarms not yet there."""
    return _resource(
        one.name,
        "AWS::CloudWatch::CompositeAlarm",
        {
            "AlarmName": one.name,
            "AlarmDescription": describe(one.description),
            "AlarmRule": one.expression,
            **_suppressed(one.suppressor),
            **_actions(topic),
        },
        after=[names.logical_id(name) for name in (*one.children, one.suppressor) if name],
    )


def metric_filter(one: MetricFilter) -> Resources:
    """The definition, run by CloudWatch Logs."""
    definition = one.definition
    transformation: Json = {
        "MetricName": definition.name,
        "MetricNamespace": one.namespace,
        "MetricValue": definition.value,
        "Unit": definition.unit,
    }
    if definition.default is not None:
        transformation["DefaultValue"] = definition.default
    if definition.dimensions:
        transformation["Dimensions"] = [{"Key": key, "Value": value} for key, value in definition.dimensions]
    return _resource(
        f"{one.log_group}:{one.name}",
        "AWS::Logs::MetricFilter",
        {
            "FilterName": one.name,
            "FilterPattern": definition.pattern,
            "LogGroupName": one.log_group,
            "MetricTransformations": [transformation],
        },
    )


class Target(NamedTuple):
    """Whom log lines are sent to."""

    arn: str
    role_arn: str = ""
    """The role that CloudWatch Logs takes to do so; empty for a function, which permits it by itself."""


def subscription(one: Subscription, target: Target) -> Resources:
    """The log group's lines to the target, once CloudWatch Logs may send them; or those of all, by one policy."""
    after = [] if target.role_arn else [PERMISSION]
    if one.log_group == EVERY_GROUP:
        document = {"DestinationArn": target.arn, "FilterPattern": one.pattern}
        return _resource(
            f"{one.name}:policy",
            "AWS::Logs::AccountPolicy",
            {
                "PolicyName": one.name,
                "PolicyType": "SUBSCRIPTION_FILTER_POLICY",
                "PolicyDocument": json.dumps(document, sort_keys=True),
                "Scope": "ALL",
                "SelectionCriteria": selection(one),
            },
            after=after,
        )
    return _resource(
        f"{one.log_group}:{one.name}:subscription",
        "AWS::Logs::SubscriptionFilter",
        {
            "FilterName": one.name,
            "FilterPattern": one.pattern,
            "LogGroupName": one.log_group,
            "DestinationArn": target.arn,
            **({"RoleArn": target.role_arn} if target.role_arn else {}),
        },
        after=after,
    )


def permission(subscriber_arn: str) -> Resources:
    """CloudWatch Logs may call the subscriber, for any log group of this account and Region."""
    return {
        PERMISSION: {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": subscriber_arn,
                "Principal": "logs.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
                "SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*"},
            },
        }
    }


def dashboard(name: str, body: str) -> Resources:
    """The dashboard with this body."""
    return _resource(
        f"{name}:dashboard",
        "AWS::CloudWatch::Dashboard",
        {"DashboardName": name, "DashboardBody": body},
    )


def _resource(name: str, kind: str, properties: Json, *, after: list[str] | None = None) -> Resources:
    depends = {"DependsOn": sorted(after)} if after else {}
    return {names.logical_id(name): {"Type": kind, "Properties": properties, **depends}}


def _actions(topic: str) -> Json:
    return {"AlarmActions": [topic], "OKActions": [topic]} if topic else {}


def _suppressed(by: str) -> Json:
    """Both waits are required beside a suppressor; AWS suggests a minute for each."""
    periods = {"ActionsSuppressorWaitPeriod": SUPPRESSOR_S, "ActionsSuppressorExtensionPeriod": SUPPRESSOR_S}
    return {"ActionsSuppressor": by, **periods} if by else {}


def _judged(queries: tuple[Query, ...]) -> Json:
    if len(queries) > 1 or queries[0].expression:
        return {"Metrics": [_query(one) for one in queries]}
    one = queries[0]
    how = "Statistic" if one.statistic in STATISTICS else "ExtendedStatistic"
    return {**_metric(one), "Period": one.period_s, how: one.statistic}


def _query(one: Query) -> Json:
    said = {"Id": one.id, "Label": one.label or one.id, "ReturnData": one.returned}
    if one.expression:
        period = {"Period": one.period_s} if one.expression.startswith("SELECT") else {}
        return {**said, "Expression": one.expression, **period}
    return {**said, "MetricStat": {"Metric": _metric(one), "Period": one.period_s, "Stat": one.statistic}}


def _metric(one: Query) -> Json:
    dimensions = [{"Name": name, "Value": value} for name, value in one.dimensions]
    return {"Namespace": one.namespace, "MetricName": one.metric, **({"Dimensions": dimensions} if dimensions else {})}
