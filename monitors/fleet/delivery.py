"""Answers of CodeBuild, CodePipeline and CodeDeploy -> projects, pipelines and deployment groups, and what they run."""

from collections.abc import Iterator
from dataclasses import replace

from monitors.fleet.answers import Answers, Found, Json, items, links, own_arn, resource, told
from monitors.fleet.arns import service_of
from monitors.model import Link, Resource

# Provider of a pipeline's action -> the service of what it runs, and its ARN's end, made of the action's configuration
# (CodePipeline, "Action structure reference").
_ACTIONS = {
    "CodeBuild": ("codebuild", ("project/", "ProjectName")),
    "CodeDeploy": ("codedeploy", ("deploymentgroup:", "ApplicationName", "/", "DeploymentGroupName")),
    "Lambda": ("lambda", ("function:", "FunctionName")),
}


def projects(answers: Answers) -> Found:
    """Every CodeBuild project."""
    return Found(
        tuple(
            resource(
                answers,
                service="codebuild",
                name=name,
                arn=own_arn(answers, "codebuild", f"project/{name}"),
                facts={},
            )
            for name in items(answers, "codebuild:ListProjects")
        )
    )


def pipelines(answers: Answers) -> Found:
    """Every pipeline, and the projects, deployment groups, functions and state machines that its actions run."""
    described = told(answers, "codepipeline:GetPipeline", "name")
    resources: list[Resource] = []
    found: list[Link] = []
    for pipeline in items(answers, "codepipeline:ListPipelines"):
        name = pipeline["name"]
        arn = own_arn(answers, "codepipeline", name)
        facts = {"type": pipeline.get("pipelineType")}
        resources.append(resource(answers, service="codepipeline", name=name, arn=arn, facts=facts))
        stages = described.get(name, {}).get("stages", ())
        actions = [action for stage in stages for action in stage.get("actions", ())]
        found += links(arn, [target for action in actions for target in _run(answers, action)], "invokes")
    return Found(tuple(resources), tuple(found))


def deployment_groups(answers: Answers) -> Found:
    """Every CodeDeploy deployment group, `application/group`, and the topics that its triggers notify.

    It publishes no metrics of its own, but stops and rolls back by alarms.
    """
    described = {
        (group.get("applicationName"), group.get("deploymentGroupName")): group
        for group in items(answers, "codedeploy:BatchGetDeploymentGroups")
    }
    resources: list[Resource] = []
    found: list[Link] = []
    for listed in items(answers, "codedeploy:ListDeploymentGroups"):
        for group in listed.get("deploymentGroups", ()):
            name = f"{listed['applicationName']}/{group}"
            arn = own_arn(answers, "codedeploy", f"deploymentgroup:{name}")
            known = described.get((listed["applicationName"], group), {})
            facts = {"application_name": listed["applicationName"], **(_group_facts(known) if known else {})}
            resources.append(resource(answers, service="codedeploy", name=name, arn=arn, facts=facts))
            topics = [trigger.get("triggerTargetArn") for trigger in known.get("triggerConfigurations", ())]
            found += links(arn, topics, "notifies")
    return Found(tuple(resources), tuple(found))


def _run(answers: Answers, action: Json) -> Iterator[str]:
    """The ARN of what an action runs, in the action's own Region; none for what is no resource of the Fleet."""
    configuration = action.get("configuration", {})
    provider = action["actionTypeId"]["provider"]
    if service_of(configuration.get("StateMachineArn", "")):
        yield configuration["StateMachineArn"]
    elif provider in _ACTIONS:
        service, parts = _ACTIONS[provider]
        rest = [part if part.endswith((":", "/")) else configuration.get(part) for part in parts]
        there = replace(answers, region=action.get("region") or answers.region)
        if all(rest):
            yield own_arn(there, service, "".join(rest))


def _group_facts(group: Json) -> Json:
    alarms = group.get("alarmConfiguration", {})
    return {
        "platform": group.get("computePlatform", "Server"),
        "alarms": tuple(sorted(alarm["name"] for alarm in alarms.get("alarms", ()) if alarms.get("enabled"))),
        "rolls_back": bool(group.get("autoRollbackConfiguration", {}).get("enabled")),
    }
