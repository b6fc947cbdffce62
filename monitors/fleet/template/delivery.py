"""CodeBuild, CodePipeline and CodeDeploy resources in a template -> what their APIs will answer. Pure."""

from monitors.fleet.answers import own_arn
from monitors.fleet.template.identities import Identities
from monitors.fleet.template.nodes import Node
from monitors.fleet.template.said import Declared, Said, Saying, Under, some, tagged


def project(one: Declared) -> Saying:
    """AWS::CodeBuild::Project."""
    yield Said("codebuild:ListProjects", one.name)
    yield from tagged(one)


def pipeline(one: Declared) -> Saying:
    """AWS::CodePipeline::Pipeline."""
    own = one.properties
    stages = [{"actions": [_action(each) for each in stage.many("Actions")]} for stage in own.many("Stages")]
    yield Said("codepipeline:ListPipelines", some({"name": one.name, "pipelineType": own.text("PipelineType")}))
    yield Said("codepipeline:GetPipeline", {"stages": stages}, {"name": one.name})
    yield from tagged(one)


def deployment_group(one: Declared) -> Saying:
    """AWS::CodeDeploy::DeploymentGroup. Its application says what it deploys to."""
    own = one.properties
    application = own.text("ApplicationName")
    name = own.text("DeploymentGroupName") or f"${{{one.id}}}"
    alarms = own.group("AlarmConfiguration")
    known = {
        "applicationName": application,
        "deploymentGroupName": name,
        "computePlatform": _platform(one.names, application),
        "alarmConfiguration": {
            "enabled": alarms.true("Enabled"),
            "alarms": [{"name": each.text("Name")} for each in alarms.many("Alarms")],
        },
        "autoRollbackConfiguration": {"enabled": own.group("AutoRollbackConfiguration").true("Enabled")},
        "triggerConfigurations": [
            {"triggerTargetArn": each.text("TriggerTargetArn")} for each in own.many("TriggerConfigurations")
        ],
    }
    yield Under(own_arn(one.answers, "codedeploy", f"deploymentgroup:{application}/{name}"))
    yield Said("codedeploy:ListDeploymentGroups", {"applicationName": application, "deploymentGroups": [name]})
    yield Said("codedeploy:BatchGetDeploymentGroups", known, {"applicationName": application})


def _platform(names: Identities, application: str) -> str:
    """Lambda, ECS or Server: which CodeDeploy takes where neither the template nor the application says."""
    declared = names.called("AWS::CodeDeploy::Application", application)
    return (names.property(declared, "ComputePlatform") if declared else "") or "Server"


def _action(own: Node) -> dict[str, object]:
    configuration = own.group("Configuration")
    action = {
        "actionTypeId": {"provider": own.group("ActionTypeId").text("Provider")},
        "configuration": {name: configuration.text(name) for name in configuration.value},
        "region": own.text("Region"),
    }
    return some(action)
