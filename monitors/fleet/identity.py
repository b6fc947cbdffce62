"""Answers of Cognito and KMS -> user pools with their triggers, and keys whose material is the user's own."""

from collections.abc import Iterator

from monitors.fleet.answers import Answers, Found, Json, by_parent, items, links, own_arn, resource, told
from monitors.fleet.arns import service_of
from monitors.model import Link, Resource


def user_pools(answers: Answers) -> Found:
    """Every Cognito user pool, by its id, with the ids of its app clients and the functions that its triggers name."""
    described = told(answers, "cognito-idp:DescribeUserPool", "Id")
    clients = by_parent(answers, "cognito-idp:ListUserPoolClients", "Id")
    resources: list[Resource] = []
    found: list[Link] = []
    for pool in items(answers, "cognito-idp:ListUserPools"):
        name = pool["Id"]
        known = {**pool, **described.get(name, {})}
        arn = known.get("Arn") or own_arn(answers, "cognito-idp", f"userpool/{name}")
        facts = {
            "pool_name": known.get("Name"),
            "clients": tuple(sorted(client["ClientId"] for client in clients.get(name, []))),
        }
        tags = known.get("UserPoolTags")
        resources.append(resource(answers, service="cognito", name=name, arn=arn, facts=facts, tags=tags))
        found += links(arn, sorted(set(_triggers(known.get("LambdaConfig", {})))), "invokes")
    return Found(tuple(resources), tuple(found))


def keys(answers: Answers) -> Found:
    """The KMS keys with imported material, which alone can expire. All others are left out, AWS's own foremost."""
    resources: list[Resource] = []
    for key in items(answers, "kms:DescribeKey"):
        if key.get("Origin") != "EXTERNAL":
            continue
        name = key["KeyId"]
        facts = {
            "enabled": key.get("Enabled", True),
            "expires": key.get("ExpirationModel") == "KEY_MATERIAL_EXPIRES",
        }
        arn = key.get("Arn") or own_arn(answers, "kms", f"key/{name}")
        resources.append(resource(answers, service="kms", name=name, arn=arn, facts=facts))
    return Found(tuple(resources))


def _triggers(config: Json) -> Iterator[str]:
    """The functions in a LambdaConfig, most of them as plain ARNs; the key that it may hold too is none."""
    for trigger in config.values():
        arn = trigger.get("LambdaArn", "") if isinstance(trigger, dict) else trigger
        if service_of(arn) == "lambda":
            yield arn
