"""What watches already: alarms, dashboards, metric filters; and that none of it asks to be watched."""

from monitors.coverage import coverage
from monitors.model import Link, MetricDefinition
from monitors.plan import plan
from monitors.settings import Settings
from tests.answers import ACCOUNT, Item, arn, fleet, function, function_arn, functions, one, said


def alarms(*metric: Item, composite: tuple[Item, ...] = ()):
    return said("cloudwatch:DescribeAlarms", {"MetricAlarms": list(metric), "CompositeAlarms": list(composite)})


def alarm(name: str, **more: Item) -> dict[str, Item]:
    return {"AlarmName": name, "AlarmArn": arn("cloudwatch", f"alarm:{name}"), "ActionsEnabled": True, **more}


PLAIN = alarm(
    "shop errors",
    AlarmActions=[arn("sns", "on-call"), function_arn("heal"), "arn:aws:automate:eu-west-1:ec2:stop"],
    Namespace="AWS/Lambda",
    MetricName="Errors",
    Dimensions=[{"Name": "Resource", "Value": "shop:live"}, {"Name": "FunctionName", "Value": "shop"}],
    ComparisonOperator="GreaterThanThreshold",
    Threshold=5.0,
    EvaluationPeriods=3,
    AlarmDescription="high: 7",
    StateValue="ALARM",
    StateReason="because",
)


def test_an_alarm_says_what_it_looks_at_and_whom_it_calls():
    found = fleet(functions("heal"), alarms(PLAIN))
    known = one(found, "alarm", "shop errors")
    assert known.id == arn("cloudwatch", "alarm:shop errors")
    assert known.facts == {
        "enabled": True,
        "actions": 3,
        "namespace": "AWS/Lambda",
        "metric": "Errors",
        "dimensions": ("FunctionName=shop", "Resource=shop:live"),
        "comparison": "GreaterThanThreshold",
        "threshold": 5.0,
        "periods": 3,
        "datapoints": 3,
    }
    assert set(found.links) == {
        Link(known.id, arn("sns", "on-call"), "notifies"),
        Link(known.id, function_arn("heal"), "invokes"),
    }


def test_an_alarm_invokes_its_function_asynchronously():
    """CloudWatch, "Invoke a Lambda function from an alarm": alarms guarantee an asynchronous invocation."""
    assert one(fleet(functions("heal"), alarms(PLAIN)), "lambda", "heal").facts["is_async"] is True


def test_alarms_on_math_and_on_other_alarms():
    stat = {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}
    share = alarm("share", Metrics=[{"Id": "m1", "MetricStat": stat}, {"Id": "e", "Expression": "m1/2"}])
    whole = alarm("whole", AlarmRule='ALARM("share")', ActionsEnabled=False)
    found = fleet(alarms(share, composite=(whole,)))
    assert one(found, "alarm", "share").facts == {"enabled": True, "actions": 0, "math": ("AWS/Lambda Errors",)}
    assert one(found, "alarm", "whole").facts == {"enabled": False, "actions": 0, "rule": 'ALARM("share")'}


def test_a_dashboard_seen_from_anywhere_is_the_same_one():
    board = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/shop"
    found = fleet(said("cloudwatch:ListDashboards", {"DashboardName": "shop", "DashboardArn": board}))
    unnamed = fleet(said("cloudwatch:ListDashboards", {"DashboardName": "shop"}), region="us-east-1")
    assert one(found, "dashboard", "shop").id == one(unnamed, "dashboard", "shop").id == board


def test_whom_alarms_call_is_no_part_of_what_they_watch():
    tags = {"ResourceARN": PLAIN["AlarmArn"], "Tags": [{"Key": "application", "Value": "shop"}]}
    topic = {"TopicArn": arn("sns", "on-call")}
    found = fleet(alarms(PLAIN), said("sns:ListTopics", topic), said("resourcegroupstaggingapi:GetResources", tags))
    assert one(found, "alarm", "shop errors").application == "shop"
    assert one(found, "sns", "on-call").application == ""


def test_nothing_found_by_a_survey_is_uncovered_without_a_reason():
    found = fleet(
        alarms(PLAIN, composite=(alarm("whole", AlarmRule="TRUE"),)),
        said("cloudwatch:ListDashboards", {"DashboardName": "shop"}),
        said("pipes:ListPipes", {"Name": "p", "Arn": arn("pipes", "pipe/p")}),
        said("codebuild:ListProjects", "build"),
        said("codepipeline:ListPipelines", {"name": "release"}),
        said("codedeploy:ListDeploymentGroups", {"applicationName": "a", "deploymentGroups": ["g"]}, parent="a"),
        said("cognito-idp:ListUserPools", {"Id": "eu-west-1_A"}),
        said("appsync:ListGraphqlApis", {"apiId": "abc"}),
        said("kms:DescribeKey", {"KeyId": "1", "Origin": "EXTERNAL"}),
        said("elasticache:DescribeCacheClusters", {"CacheClusterId": "c", "Engine": "valkey"}),
        said("elasticache:DescribeReplicationGroups", {"ReplicationGroupId": "g"}),
    )
    judged = coverage(plan(found, Settings()))
    assert judged.findings == ()
    services = {one.id: one.service for one in found.resources}
    assert {services[covered.resource] for covered in judged.resources if covered.alarms} == {
        *("pipes", "codebuild", "codepipeline", "appsync", "elasticache"),
    }
    assert {services[covered.resource] for covered in judged.resources if covered.reason} == {
        *("account", "codedeploy", "cognito", "kms", "elasticache_group"),
    }
    assert {one.service for one in found.resources} - {services[covered.resource] for covered in judged.resources} == {
        *("alarm", "dashboard"),  # they watch
    }


GROUP = {"logGroupName": "/aws/lambda/f", "metricFilterCount": 2}


def filters(*names: str):
    return said(
        "logs:DescribeMetricFilters", *({"filterName": name, "logGroupName": "/aws/lambda/f"} for name in names)
    )


def test_metric_filters_are_known_by_name_if_all_of_them_were_told():
    listed = said("logs:DescribeLogGroups", GROUP, {"logGroupName": "/other"})
    all_told, some_told = fleet(listed, filters("lookout/A", "errors")), fleet(listed, filters("errors"))
    assert one(all_told, "logs", "/aws/lambda/f").facts["metric_filter_names"] == ("errors", "lookout/A")
    assert "metric_filter_names" not in one(some_told, "logs", "/aws/lambda/f").facts
    assert one(some_told, "logs", "/other").facts["metric_filter_names"] == ()


def test_filters_of_our_own_take_no_room_from_us_when_planned_again():
    """CloudWatch Logs quotas: 100 metric filters a log group. Here 99 are others' and one is our own."""
    group = said("logs:DescribeLogGroups", {**GROUP, "metricFilterCount": 100})
    others = [f"theirs-{number}" for number in range(99)]
    settings = Settings(metrics=(MetricDefinition(name="Orders", pattern="order"),))
    known = plan(
        fleet(said("lambda:ListFunctions", function("f")), group, filters("lookout/Orders", *others)), settings
    )
    counted = plan(fleet(said("lambda:ListFunctions", function("f")), group), settings)
    assert [made.name for made in known.metric_filters] == ["lookout/Orders"]
    assert counted.metric_filters == ()
