"""CloudFront and AppSync resources in a template -> what their APIs will answer. Pure."""

from typing import Any

from monitors.fleet.template.nodes import Node
from monitors.fleet.template.said import Declared, Said, Saying, some, tagged, tags

Json = Any


def distribution(one: Declared) -> Saying:
    """AWS::CloudFront::Distribution."""
    own = one.properties.group("DistributionConfig")
    behaviours = [_behaviour(each) for each in own.many("CacheBehaviors")]
    item = {
        "Id": one.name,
        "ARN": one.arn,
        "DomainName": f"${{{one.id}.DomainName}}",
        "Aliases": {"Items": own.texts("Aliases")},
        "Enabled": own.true("Enabled"),
        "DefaultCacheBehavior": _behaviour(own.group("DefaultCacheBehavior")),
        "CacheBehaviors": {"Items": behaviours},
    }
    yield Said("cloudfront:ListDistributions", {"Items": [item]})
    yield from tagged(one)


def graphql_api(one: Declared) -> Saying:
    """AWS::AppSync::GraphQLApi."""
    own = one.properties
    item = {
        "apiId": one.name,
        "arn": one.arn,
        "name": own.text("Name"),
        "xrayEnabled": own.true("XrayEnabled"),
        "logConfig": own.group("LogConfig").value,
        "tags": {tag["Key"]: tag["Value"] for tag in tags(own)},
        **_authorizer(own),
        "additionalAuthenticationProviders": [
            found for each in own.many("AdditionalAuthenticationProviders") if (found := _authorizer(each))
        ],
    }
    yield Said("appsync:ListGraphqlApis", some(item))
    yield from tagged(one)


def data_source(one: Declared) -> Saying:
    """AWS::AppSync::DataSource."""
    own = one.properties
    function = own.group("LambdaConfig").text("LambdaFunctionArn")
    item = {"name": own.text("Name"), "lambdaConfig": some({"lambdaFunctionArn": function})}
    yield Said("appsync:ListDataSources", some(item), {"apiId": own.text("ApiId")})


def _behaviour(own: Node) -> dict[str, Json]:
    members = (("LambdaFunctionAssociations", "LambdaFunctionARN"), ("FunctionAssociations", "FunctionARN"))
    return {
        member: {"Items": [{key: arn} for each in own.many(member) if (arn := each.text(key))]}
        for member, key in members
    }


def _authorizer(own: Node) -> dict[str, Json]:
    uri = own.group("LambdaAuthorizerConfig").text("AuthorizerUri")
    return {"lambdaAuthorizerConfig": {"authorizerUri": uri}} if uri else {}
