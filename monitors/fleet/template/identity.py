"""Cognito and KMS resources in a template -> what their APIs will answer. Pure."""

from monitors.fleet.template.said import Declared, Open, Said, Saying, some, tagged


def user_pool(one: Declared) -> Saying:
    """AWS::Cognito::UserPool."""
    own = one.properties
    config = own.group("LambdaConfig")
    triggers = {
        name: {"LambdaArn": config.group(name).text("LambdaArn")} if isinstance(value, dict) else config.text(name)
        for name, value in config.value.items()
    }
    tags = own.group("UserPoolTags")
    described = {
        "Id": one.name,
        "Name": own.text("UserPoolName"),
        "Arn": one.arn,
        "LambdaConfig": triggers,
        "UserPoolTags": {name: tags.text(name) for name in tags.value},
    }
    yield Said("cognito-idp:ListUserPools", {"Id": one.name})
    yield Said("cognito-idp:DescribeUserPool", some(described), {"Id": one.name})
    yield from tagged(one)


def user_pool_client(one: Declared) -> Saying:
    """AWS::Cognito::UserPoolClient."""
    pool = one.properties.text("UserPoolId")
    yield Said("cognito-idp:ListUserPoolClients", {"ClientId": f"${{{one.id}}}"}, {"Id": pool})


def key(one: Declared) -> Saying:
    """AWS::KMS::Key. Whether imported material expires is settled when it is imported, after the deployment."""
    own = one.properties
    enabled = own.text("Enabled").lower() != "false"
    item = {"KeyId": one.name, "Arn": one.arn, "Origin": own.text("Origin"), "Enabled": enabled}
    yield Said("kms:DescribeKey", item, {"KeyId": one.name})
    yield Open(one.arn, "expires", f"${{{one.id}.ExpirationModel}}")
    yield from tagged(one)
