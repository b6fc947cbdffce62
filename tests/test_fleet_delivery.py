"""How code gets there: CodeBuild, CodePipeline, CodeDeploy."""

from monitors.fleet.calls import CALLS
from monitors.model import Link
from tests.answers import ACCOUNT, Item, arn, fleet, function_arn, functions, one, said

MACHINE = arn("states", "stateMachine:migrate")


def action(provider: str, *, region: str = "", **configuration: str) -> dict[str, Item]:
    kind = {"category": "Invoke", "owner": "AWS", "provider": provider, "version": "1"}
    return {
        "name": provider,
        "actionTypeId": kind,
        "configuration": configuration,
        **({"region": region} if region else {}),
    }


def test_projects_are_known_by_their_names():
    found = fleet(said("codebuild:ListProjects", "build"))
    assert one(found, "codebuild", "build").id == arn("codebuild", "project/build")


def test_a_pipeline_runs_what_its_actions_name():
    """CodePipeline, "Action structure reference": which member of a configuration names what is run."""
    listed = {"name": "release", "version": 1, "pipelineType": "V2"}
    described = {
        "name": "release",
        "roleArn": "arn:aws:iam::123456789012:role/r",
        "stages": [
            {"name": "Build", "actions": [action("S3", S3Bucket="b"), action("CodeBuild", ProjectName="build")]},
            {
                "name": "Deploy",
                "actions": [
                    action("CodeDeploy", ApplicationName="shop", DeploymentGroupName="live"),
                    action("Lambda", FunctionName="smoke"),
                    action("Lambda", region="us-east-1", FunctionName="smoke"),
                    action("StepFunctions", StateMachineArn=MACHINE),
                    action("CodeBuild"),
                ],
            },
        ],
    }
    found = fleet(
        functions("smoke"),
        said("codepipeline:ListPipelines", listed, {"name": "secret"}),
        said("codepipeline:GetPipeline", described, parent=listed),
    )
    pipeline = one(found, "codepipeline", "release")
    assert pipeline.id == arn("codepipeline", "release")
    assert pipeline.facts == {"type": "V2"}
    assert set(found.links) == {
        Link(pipeline.id, target, "invokes")
        for target in (
            arn("codebuild", "project/build"),
            arn("codedeploy", "deploymentgroup:shop/live"),
            function_arn("smoke"),
            f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:smoke",
            MACHINE,
        )
    }
    assert one(found, "lambda", "smoke").facts["is_async"] is True
    assert one(found, "codepipeline", "secret").facts == {}


def test_a_rule_starts_a_pipeline_or_a_build():
    rule = {"Name": "pushed", "Arn": arn("events", "rule/pushed"), "EventBusName": "default"}
    targets = (arn("codepipeline", "release"), arn("codebuild", "project/build"))
    found = fleet(
        said("events:ListRules", rule),
        said("events:ListTargetsByRule", *({"Id": each, "Arn": each} for each in targets), parent=rule),
    )
    assert set(found.links) == {Link(rule["Arn"], target, "invokes") for target in targets}


def test_deployment_groups_by_application_and_platform():
    listed = {"applicationName": "shop", "deploymentGroups": ["live", "beta"]}
    live = {
        "applicationName": "shop",
        "deploymentGroupName": "live",
        "computePlatform": "Lambda",
        "alarmConfiguration": {"enabled": True, "alarms": [{"name": "errors"}, {"name": "aborts"}]},
        "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
        "triggerConfigurations": [{"triggerName": "t", "triggerTargetArn": arn("sns", "deployed")}],
    }
    found = fleet(
        said("codedeploy:ListDeploymentGroups", listed, {"applicationName": "empty"}, parent="shop"),
        said("codedeploy:BatchGetDeploymentGroups", live, parent=listed),
    )
    group = one(found, "codedeploy", "shop/live")
    assert group.id == arn("codedeploy", "deploymentgroup:shop/live")
    assert group.facts == {
        "application_name": "shop",
        "platform": "Lambda",
        "alarms": ("aborts", "errors"),
        "rolls_back": True,
    }
    assert one(found, "codedeploy", "shop/beta").facts == {"application_name": "shop"}
    assert found.links == (Link(group.id, arn("sns", "deployed"), "notifies"),)


def test_alarms_that_a_deployment_group_is_told_to_ignore_are_none_of_its():
    listed = {"applicationName": "shop", "deploymentGroups": ["live"]}
    ignoring = {
        "applicationName": "shop",
        "deploymentGroupName": "live",
        "alarmConfiguration": {"enabled": False, "alarms": [{"name": "errors"}]},
    }
    found = fleet(
        said("codedeploy:ListDeploymentGroups", listed, parent="shop"),
        said("codedeploy:BatchGetDeploymentGroups", ignoring, parent=listed),
    )
    facts = one(found, "codedeploy", "shop/live").facts
    assert (facts["alarms"], facts["rolls_back"], facts["platform"]) == ((), False, "Server")


def test_deployment_groups_are_described_where_there_are_some():
    (row,) = [row for row in CALLS if row.id == "codedeploy:BatchGetDeploymentGroups"]
    assert row.when({"applicationName": "shop", "deploymentGroups": ["live"]}, {})
    assert not row.when({"applicationName": "shop", "deploymentGroups": []}, {})
