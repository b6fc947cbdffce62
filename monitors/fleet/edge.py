"""Answers of CloudFront and AppSync -> distributions and GraphQL APIs, and the functions that they call."""

from collections.abc import Iterator

from monitors.fleet.answers import Answers, Found, Json, by_parent, items, links, own_arn, resource
from monitors.fleet.arns import name_of
from monitors.model import Link, Resource


def distributions(answers: Answers) -> Found:
    """Every CloudFront distribution, with what runs in it: Lambda@Edge versions and CloudFront Functions.

    A Lambda@Edge function's metrics are in the Regions where its replicas run, with `us-east-1.<name>` as their
    FunctionName (CloudFront, "Metrics for edge functions").
    """
    resources: list[Resource] = []
    found: list[Link] = []
    for page in items(answers, "cloudfront:ListDistributions"):
        for distribution in page.get("Items", ()):
            name, arn = distribution["Id"], distribution["ARN"]
            functions = sorted(set(_associated(distribution, "LambdaFunctionAssociations", "LambdaFunctionARN")))
            own = set(_associated(distribution, "FunctionAssociations", "FunctionARN"))
            facts = {
                "domain": distribution.get("DomainName"),
                "aliases": tuple(sorted(distribution.get("Aliases", {}).get("Items", ()))),
                "enabled": distribution.get("Enabled", True),
                "edge_functions": tuple(functions),
                "cloudfront_functions": tuple(sorted(name_of(function) for function in own)),
            }
            resources.append(resource(answers, service="cloudfront", name=name, arn=arn, facts=facts))
            found += links(arn, functions, "invokes")
    return Found(tuple(resources), tuple(found))


def graphql_apis(answers: Answers) -> Found:
    """Every AppSync GraphQL API, with the functions that resolve its fields and authorize its callers."""
    sources = by_parent(answers, "appsync:ListDataSources", "apiId")
    resources: list[Resource] = []
    found: list[Link] = []
    for api in items(answers, "appsync:ListGraphqlApis"):
        name = api["apiId"]
        arn = api.get("arn") or own_arn(answers, "appsync", f"apis/{name}")
        facts = {
            "api_name": api.get("name"),
            "tracing": bool(api.get("xrayEnabled")),
            # AppSync makes the log group, under this name alone (AppSync, "Monitoring and logging").
            "log_group": f"/aws/appsync/apis/{name}" if api.get("logConfig") else None,
        }
        resources.append(resource(answers, service="appsync", name=name, arn=arn, facts=facts, tags=api.get("tags")))
        resolvers = [source.get("lambdaConfig", {}).get("lambdaFunctionArn") for source in sources.get(name, [])]
        found += links(arn, [*resolvers, *_authorizers(api)], "invokes")
    return Found(tuple(resources), tuple(found))


def _associated(distribution: Json, member: str, key: str) -> Iterator[str]:
    """The functions that any of the distribution's cache behaviours names under the member."""
    behaviours = [
        distribution.get("DefaultCacheBehavior", {}),
        *distribution.get("CacheBehaviors", {}).get("Items", ()),
    ]
    for behaviour in behaviours:
        for association in behaviour.get(member, {}).get("Items", ()):
            yield association[key]


def _authorizers(api: Json) -> list[str | None]:
    providers = [api, *api.get("additionalAuthenticationProviders", ())]
    return [provider.get("lambdaAuthorizerConfig", {}).get("authorizerUri") for provider in providers]
