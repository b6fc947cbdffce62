"""Answers of EventBridge, Scheduler, Step Functions and API Gateway -> what calls functions, and which."""

import re
from collections.abc import Mapping

from monitors.fleet.answers import Answers, Found, Json, by_parent, items, links, own_arn, resource
from monitors.fleet.arns import FUNCTION, FUNCTION_NAME, service_of
from monitors.model import Link, Resource

# How a target is fed, by its service; anything else is delivered to.
_KINDS = {
    "codebuild": "invokes",
    "codepipeline": "invokes",
    "lambda": "invokes",
    "sns": "notifies",
    "sqs": "notifies",
    "states": "invokes",
}
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
# A Lambda task may name its function alone, with or without a version or alias (Step Functions, Invoke Lambda).
_NAMED_FUNCTION = re.compile(rf'"FunctionName"\s*:\s*"({FUNCTION_NAME})(?::[^"]*)?"')


def rules(answers: Answers) -> Found:
    """Every EventBridge rule that is not some AWS service's own, with its targets and their dead-letter queues."""
    resources: list[Resource] = []
    found: list[Link] = []
    targets = by_parent(answers, "events:ListTargetsByRule", "Arn")
    for rule in items(answers, "events:ListRules"):
        if rule.get("ManagedBy"):
            continue
        facts = {
            "bus": rule.get("EventBusName", "default"),
            "enabled": rule.get("State") != "DISABLED",
            "schedule": rule.get("ScheduleExpression"),
        }
        name, arn = rule["Name"], rule["Arn"]
        resources.append(resource(answers, service="events_rule", name=name, arn=arn, facts=facts))
        for target in targets.get(arn, []):
            found += fed(arn, target["Arn"])
            found += links(arn, [target.get("DeadLetterConfig", {}).get("Arn")], "dead_letter")
    return Found(tuple(resources), tuple(found))


def schedule_groups(answers: Answers) -> Found:
    """Every schedule group, but for the default one that AWS puts in each Region while it holds no schedule."""
    schedules = items(answers, "scheduler:ListSchedules")
    tags = by_parent(answers, "scheduler:ListTagsForResource", "Arn")
    resources: list[Resource] = []
    found: list[Link] = []
    for group in items(answers, "scheduler:ListScheduleGroups"):
        name, arn = group["Name"], group["Arn"]
        targets = [
            schedule.get("Target", {}).get("Arn", "") for schedule in schedules if schedule.get("GroupName") == name
        ]
        if name == "default" and not targets:
            continue
        own = {tag["Key"]: tag["Value"] for tag in tags.get(arn, [])}
        facts = {"schedules": len(targets)}
        resources.append(resource(answers, service="scheduler_group", name=name, arn=arn, facts=facts, tags=own))
        for target in targets:
            found += fed(arn, target)
    return Found(tuple(resources), tuple(found))


def state_machines(answers: Answers) -> Found:
    """Every state machine, and the functions that its definition names."""
    definitions = by_parent(answers, "stepfunctions:DescribeStateMachine", "stateMachineArn")
    resources: list[Resource] = []
    found: list[Link] = []
    for machine in items(answers, "stepfunctions:ListStateMachines"):
        name, arn = machine["name"], machine["stateMachineArn"]
        facts = {"arn": arn, "express": machine.get("type") == "EXPRESS"}
        resources.append(resource(answers, service="states", name=name, arn=arn, facts=facts))
        definition = "".join(known.get("definition", "") for known in definitions.get(arn, []))
        named = (own_arn(answers, "lambda", f"function:{function}") for function in _NAMED_FUNCTION.findall(definition))
        found += links(arn, [*re.findall(FUNCTION, definition), *named], "invokes")
    return Found(tuple(resources), tuple(found))


def http_apis(answers: Answers) -> Found:
    """Every stage of every HTTP API (`apigateway_http`) and WebSocket API (`apigateway_websocket`).

    Links to what answers and authorizes its requests.
    """
    resources: list[Resource] = []
    found: list[Link] = []
    stages = by_parent(answers, "apigatewayv2:GetStages", "ApiId")
    integrations = by_parent(answers, "apigatewayv2:GetIntegrations", "ApiId")
    authorizers = by_parent(answers, "apigatewayv2:GetAuthorizers", "ApiId")
    for api in items(answers, "apigatewayv2:GetApis"):
        identity, protocol = api["ApiId"], api.get("ProtocolType", "HTTP")
        uris = [
            *(integration.get("IntegrationUri", "") for integration in integrations.get(identity, [])),
            *(authorizer.get("AuthorizerUri", "") for authorizer in authorizers.get(identity, [])),
        ]
        for stage in stages.get(identity, []):
            name = stage.get("StageName") or ""
            arn = stage_arn(answers, f"apis/{identity}/stages/{name}")
            facts = {"api_id": identity, "api_name": api.get("Name", ""), "stage": name, "protocol": protocol}
            resources.append(
                resource(
                    answers,
                    service=f"apigateway_{protocol.lower()}",
                    name=f"{identity}/{name}",
                    arn=arn,
                    facts=facts,
                    tags={**api.get("Tags", {}), **stage.get("Tags", {})},
                )
            )
            found += _integrated(arn, uris, stage.get("StageVariables", {}))
    return Found(tuple(resources), tuple(found))


def rest_apis(answers: Answers) -> Found:
    """Every stage of every REST API."""
    resources: list[Resource] = []
    found: list[Link] = []
    stages = by_parent(answers, "apigateway:GetStages", "id")
    paths = by_parent(answers, "apigateway:GetResources", "id")
    authorizers = by_parent(answers, "apigateway:GetAuthorizers", "id")
    for api in items(answers, "apigateway:GetRestApis"):
        uris = [uri for path in paths.get(api["id"], []) for uri in _method_uris(path)]
        uris += [authorizer.get("authorizerUri", "") for authorizer in authorizers.get(api["id"], [])]
        for stage in stages.get(api["id"], []):
            name = stage.get("stageName") or ""
            arn = stage_arn(answers, f"restapis/{api['id']}/stages/{name}")
            resources.append(
                resource(
                    answers,
                    service="apigateway_rest",
                    name=f"{api.get('name', '')}/{name}",
                    arn=arn,
                    facts={"api_id": api["id"], "api_name": api.get("name", ""), "stage": name},
                    tags={**api.get("tags", {}), **stage.get("tags", {})},
                )
            )
            found += _integrated(arn, uris, stage.get("variables", {}))
    return Found(tuple(resources), tuple(found))


def fed(source: str, target: str) -> list[Link]:
    """No link for Scheduler's universal targets: they name an API, not a resource."""
    service = service_of(target)
    return links(source, [target], _KINDS.get(service, "delivers")) if service not in ("", "scheduler") else []


def _integrated(stage: str, uris: list[str], variables: Mapping[str, str]) -> list[Link]:
    """Links to the functions in URIs of integrations and authorizers, with the stage's own variables put in."""
    resolved = [_STAGE_VARIABLE.sub(lambda name: variables.get(name[1], name[0]), uri) for uri in uris]
    functions = [
        match[0] for uri in resolved if not _STAGE_VARIABLE.search(uri) and (match := re.search(FUNCTION, uri))
    ]
    return links(stage, functions, "invokes")


def _method_uris(path: Json) -> list[str]:
    methods = path.get("resourceMethods", {}).values()
    return [uri for method in methods if (uri := method.get("methodIntegration", {}).get("uri"))]


def stage_arn(answers: Answers, path: str) -> str:
    """The ARN of a stage, or anything else in API Gateway, by its path."""
    return f"arn:{answers.partition}:apigateway:{answers.region}::/{path}"
