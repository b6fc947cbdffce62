"""EventBridge, Scheduler, Step Functions and API Gateway in a template -> what their APIs will answer. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from monitors.fleet.answers import own_arn
from monitors.fleet.routing import stage_arn
from monitors.fleet.template.nodes import Node
from monitors.fleet.template.said import Declared, Said, Saying, Under, some, tagged, tags

Json = Any

_OPENAPI = {"x-amazon-apigateway-integration": "uri", "x-amazon-apigateway-authorizer": "authorizerUri"}
"""API Gateway's extensions to OpenAPI that name a function, and where they do."""


def rule(one: Declared) -> Saying:
    """AWS::Events::Rule, with its targets."""
    own = one.properties
    arn = one.names.rule_arn(one.id)
    item = {
        "Name": own.text("Name") or f"${{{one.id}}}",
        "Arn": arn,
        "EventBusName": own.text("EventBusName").rpartition("event-bus/")[2] or "default",
        "State": own.text("State"),
        "ScheduleExpression": own.text("ScheduleExpression"),
    }
    yield Under(arn)
    yield Said("events:ListRules", some(item))
    for target in own.many("Targets"):
        dead_letter = target.group("DeadLetterConfig").text("Arn")
        fed = some({"Arn": target.text("Arn"), "DeadLetterConfig": some({"Arn": dead_letter})})
        yield Said("events:ListTargetsByRule", {"Arn": "", **fed}, {"Arn": arn})


def schedule_group(one: Declared) -> Saying:
    """AWS::Scheduler::ScheduleGroup."""
    yield Said("scheduler:ListScheduleGroups", {"Name": one.name, "Arn": one.arn})
    yield from tagged(one)


def schedule(one: Declared) -> Saying:
    """AWS::Scheduler::Schedule; without a group of its own it is in the default one."""
    own = one.properties
    group = own.text("GroupName") or "default"
    if group == "default":
        arn = own_arn(one.answers, "scheduler", "schedule-group/default")
        yield Said("scheduler:ListScheduleGroups", {"Name": group, "Arn": arn})
    target = some({"Arn": own.group("Target").text("Arn")})
    yield Said("scheduler:ListSchedules", {"GroupName": group, "Target": target})


def state_machine(one: Declared) -> Saying:
    """AWS::StepFunctions::StateMachine."""
    own = one.properties
    listed = {"name": one.name, "stateMachineArn": one.arn, "type": own.text("StateMachineType") or "STANDARD"}
    yield Said("stepfunctions:ListStateMachines", listed)
    yield Said("stepfunctions:DescribeStateMachine", {"definition": _definition(own)}, listed)
    yield from tagged(one)


def rest_api(one: Declared) -> Saying:
    """AWS::ApiGateway::RestApi: its name, and what its OpenAPI body integrates."""
    own = one.properties
    name = own.text("Name") or own.group("Body").group("info").text("title")
    yield Said("apigateway:GetRestApis", {"id": one.name, "name": name, "tags": _as_object(own)})
    if own.get("BodyS3Location"):
        own.note("BodyS3Location", "the body itself was expected")
    for uri in _uris(own.get("Body")):
        yield _method(one.name, uri)


def rest_method(one: Declared) -> Saying:
    """AWS::ApiGateway::Method."""
    uri = one.properties.group("Integration").text("Uri")
    yield _method(one.properties.text("RestApiId"), uri)


def rest_authorizer(one: Declared) -> Saying:
    """AWS::ApiGateway::Authorizer."""
    item = {"authorizerUri": one.properties.text("AuthorizerUri")}
    yield Said("apigateway:GetAuthorizers", item, {"id": one.properties.text("RestApiId")})


def rest_stage(one: Declared) -> Saying:
    """AWS::ApiGateway::Stage, and AWS::ApiGateway::Deployment where it names a stage to make."""
    own = one.properties
    api, name = own.text("RestApiId"), own.text("StageName")
    if not name:
        return
    if not one.names.declares(api):
        own.note("RestApiId", "an API of this template was expected")
    yield Under(stage_arn(one.answers, f"restapis/{api}/stages/{name}"))
    stage = {"stageName": name, "variables": _texts(own.group("Variables")), "tags": _as_object(own)}
    yield Said("apigateway:GetStages", some(stage), {"id": api})


def http_api(one: Declared) -> Saying:
    """AWS::ApiGatewayV2::Api; one with a Target brings its integration and `$default` stage along."""
    own = one.properties
    body = own.group("Body")
    api = {
        "ApiId": one.name,
        "Name": own.text("Name") or body.group("info").text("title"),
        "ProtocolType": own.text("ProtocolType") or "HTTP",
        "Tags": _as_object(own),
    }
    yield Said("apigatewayv2:GetApis", api)
    if own.get("BodyS3Location"):
        own.note("BodyS3Location", "the body itself was expected")
    target = own.text("Target")
    for uri in [*_uris(body.value), *([target] if target else [])]:
        yield Said("apigatewayv2:GetIntegrations", {"IntegrationUri": uri}, {"ApiId": one.name})
    if target:
        yield Under(stage_arn(one.answers, f"apis/{one.name}/stages/$default"))
        yield Said("apigatewayv2:GetStages", {"StageName": "$default"}, {"ApiId": one.name})


def http_integration(one: Declared) -> Saying:
    """AWS::ApiGatewayV2::Integration."""
    own = one.properties
    item = {"IntegrationUri": own.text("IntegrationUri")}
    yield Said("apigatewayv2:GetIntegrations", item, {"ApiId": own.text("ApiId")})


def http_authorizer(one: Declared) -> Saying:
    """AWS::ApiGatewayV2::Authorizer."""
    item = {"AuthorizerUri": one.properties.text("AuthorizerUri")}
    yield Said("apigatewayv2:GetAuthorizers", item, {"ApiId": one.properties.text("ApiId")})


def http_stage(one: Declared) -> Saying:
    """AWS::ApiGatewayV2::Stage."""
    own = one.properties
    api, name = own.text("ApiId"), own.text("StageName")
    if not one.names.declares(api):
        own.note("ApiId", "an API of this template was expected")
    yield Under(stage_arn(one.answers, f"apis/{api}/stages/{name}"))
    stage = {"StageName": name, "StageVariables": _texts(own.group("StageVariables")), "Tags": _as_object(own)}
    yield Said("apigatewayv2:GetStages", some(stage), {"ApiId": api})


def _definition(own: Node) -> str:
    """The definition's text, its substitutions made."""
    if own.get("DefinitionS3Location"):
        own.note("DefinitionS3Location", "the definition itself was expected")
    definition = own.get("Definition")
    text = json.dumps(definition) if isinstance(definition, dict) else own.text("DefinitionString")
    substitutions = own.group("DefinitionSubstitutions")
    for key in substitutions.value:
        text = text.replace(f"${{{key}}}", substitutions.text(key))
    return text


def _method(api: str, uri: str) -> Said:
    methods = {"ANY": {"methodIntegration": {"uri": uri}}} if uri else {}
    return Said("apigateway:GetResources", {"resourceMethods": methods}, {"id": api})


def _uris(body: Json) -> Iterator[str]:
    """Every URI of an integration or authorizer in an OpenAPI document."""
    if isinstance(body, list):
        for item in body:
            yield from _uris(item)
    if isinstance(body, dict):
        for extension, member in _OPENAPI.items():
            said = body.get(extension)
            if isinstance(said, dict) and isinstance(said.get(member), str):
                yield said[member]
        for item in body.values():
            yield from _uris(item)


def _as_object(own: Node) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags(own)}


def _texts(node: Node) -> dict[str, str]:
    return {key: node.text(key) for key in node.value}
