"""What callers meet first: distributions, GraphQL APIs, user pools; and the keys that can expire."""

from typing import Any

from monitors.fleet.calls import CALLS
from monitors.model import Link
from tests.answers import ACCOUNT, Item, arn, fleet, function, function_arn, functions, one, said

ORIGINS = {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "example.com"}]}
DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E2QWRUHAPOMQZL"


def behaviour(*, functions: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> dict[str, Item]:
    return {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "https-only",
        "LambdaFunctionAssociations": {
            "Quantity": len(functions),
            "Items": [{"LambdaFunctionARN": each, "EventType": "viewer-request"} for each in functions],
        },
        "FunctionAssociations": {
            "Quantity": len(own),
            "Items": [
                {"FunctionARN": f"arn:aws:cloudfront::{ACCOUNT}:function/{each}", "EventType": "viewer-response"}
                for each in own
            ],
        },
    }


def distribution(default: Item, *others: Item) -> dict[str, Any]:
    """A whole DistributionSummary: nearly all of its members are required."""
    return {
        "Id": "E2QWRUHAPOMQZL",
        "ARN": DISTRIBUTION,
        "Status": "Deployed",
        "LastModifiedTime": "2026-01-01",
        "DomainName": "d111111abcdef8.cloudfront.net",
        "Aliases": {"Quantity": 1, "Items": ["www.example.com"]},
        "Origins": ORIGINS,
        "DefaultCacheBehavior": default,
        "CacheBehaviors": {"Quantity": len(others), "Items": [{"PathPattern": "/x", **each} for each in others]},
        "CustomErrorResponses": {"Quantity": 0},
        "Comment": "",
        "PriceClass": "PriceClass_100",
        "Enabled": True,
        "ViewerCertificate": {},
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "Staging": False,
    }


def distributions(*listed: Item) -> Any:
    page = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(listed), "Items": list(listed)}
    return said("cloudfront:ListDistributions", page)


def test_a_distribution_runs_versions_of_functions_at_the_edge():
    at_edge, plain = (f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}" for name in ("rewrite", "plain"))
    listed = distribution(
        behaviour(functions=(f"{at_edge}:3",), own=("redirect",)), behaviour(functions=(f"{at_edge}:2",)), behaviour()
    )
    found = fleet(
        said(
            "lambda:ListFunctions",
            {"FunctionName": "rewrite", "FunctionArn": at_edge},
            {"FunctionName": "plain", "FunctionArn": plain},
        ),
        distributions(listed),
        region="us-east-1",
    )
    known = one(found, "cloudfront", "E2QWRUHAPOMQZL")
    assert known.id == DISTRIBUTION
    assert known.facts == {
        "domain": "d111111abcdef8.cloudfront.net",
        "aliases": ("www.example.com",),
        "enabled": True,
        "edge_functions": (f"{at_edge}:2", f"{at_edge}:3"),
        "cloudfront_functions": ("redirect",),
    }
    assert found.links == (Link(DISTRIBUTION, at_edge, "invokes"),)
    assert one(found, "lambda", "rewrite").facts["is_edge"] is True
    assert one(found, "lambda", "plain").facts["is_edge"] is False
    assert one(found, "lambda", "rewrite").facts["is_async"] is False


def test_an_account_without_distributions_answers_without_items():
    page = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 0}
    assert not [one for one in fleet(said("cloudfront:ListDistributions", page)).resources if one.service != "account"]


def test_what_has_no_region_is_asked_for_in_one():
    (row,) = [row for row in CALLS if row.id == "cloudfront:ListDistributions"]
    assert row.when({"Region": "us-east-1"}, {})
    assert not row.when({"Region": "eu-west-1"}, {})


def test_a_graphql_api_calls_the_functions_behind_its_fields_and_its_door():
    api = {
        "apiId": "abc",
        "name": "shop",
        "arn": arn("appsync", "apis/abc"),
        "xrayEnabled": True,
        "logConfig": {"fieldLogLevel": "ERROR", "cloudWatchLogsRoleArn": "arn:aws:iam::123456789012:role/logs"},
        "lambdaAuthorizerConfig": {"authorizerUri": f"{function_arn('door')}:live"},
        "additionalAuthenticationProviders": [
            {"lambdaAuthorizerConfig": {"authorizerUri": function_arn("side-door")}},
            {"authenticationType": "AWS_IAM"},
        ],
        "tags": {"application": "shop"},
    }
    table = {"tableName": "orders", "awsRegion": "eu-west-1"}
    found = fleet(
        said("appsync:ListGraphqlApis", api, {"apiId": "bare"}),
        said(
            "appsync:ListDataSources",
            {"name": "f", "type": "AWS_LAMBDA", "lambdaConfig": {"lambdaFunctionArn": function_arn("f")}},
            {"name": "t", "type": "AMAZON_DYNAMODB", "dynamodbConfig": table},
            parent=api,
        ),
        said("logs:DescribeLogGroups", {"logGroupName": "/aws/appsync/apis/abc"}),
    )
    known = one(found, "appsync", "abc")
    assert known.facts == {
        "api_name": "shop",
        "tracing": True,
        "log_group": "/aws/appsync/apis/abc",
        "log_class": "STANDARD",
    }
    assert one(found, "logs", "/aws/appsync/apis/abc").application == known.application == "shop"
    assert set(found.links) == {Link(known.id, function_arn(name), "invokes") for name in ("f", "door", "side-door")}
    assert one(found, "appsync", "bare").id == arn("appsync", "apis/bare")
    assert one(found, "appsync", "bare").facts == {"tracing": False}


POOL = {"Id": "eu-west-1_AbCdEf123", "Name": "customers"}


def test_a_user_pool_invokes_its_triggers():
    described = {
        "Id": POOL["Id"],
        "Arn": arn("cognito-idp", f"userpool/{POOL['Id']}"),
        "LambdaConfig": {
            "PreSignUp": function_arn("check"),
            "PostConfirmation": f"{function_arn('check')}:live",
            "CustomEmailSender": {"LambdaVersion": "V1_0", "LambdaArn": function_arn("mail")},
            "PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": function_arn("token")},
            "KMSKeyID": arn("kms", "key/1"),
        },
        "UserPoolTags": {"application": "shop"},
    }
    found = fleet(
        functions("check"),
        said("cognito-idp:ListUserPools", POOL),
        said("cognito-idp:DescribeUserPool", described, parent=POOL),
        said("cognito-idp:ListUserPoolClients", {"ClientId": "web"}, {"ClientId": "app"}, parent=POOL),
    )
    known = one(found, "cognito", POOL["Id"])
    assert known.facts == {"pool_name": "customers", "clients": ("app", "web")}
    assert known.application == "shop"
    assert set(found.links) == {Link(known.id, function_arn(name), "invokes") for name in ("check", "mail", "token")}
    assert one(found, "lambda", "check").facts["is_async"] is False  # Lambda, "Using Lambda with Cognito": it waits


def test_a_user_pool_is_found_where_it_may_not_be_described():
    listed = {**POOL, "LambdaConfig": {"PreSignUp": function_arn("check")}}
    found = fleet(said("cognito-idp:ListUserPools", listed))
    assert one(found, "cognito", POOL["Id"]).id == arn("cognito-idp", f"userpool/{POOL['Id']}")
    assert [link.target for link in found.links] == [function_arn("check")]


def test_only_keys_with_imported_material_are_resources():
    """KMS, DescribeKey: Origin is AWS_KMS where KMS made the material, and EXTERNAL where it was imported."""
    imported = {"KeyId": "1", "Arn": arn("kms", "key/1"), "Origin": "EXTERNAL", "Enabled": True}
    found = fleet(
        said(
            "kms:DescribeKey",
            {**imported, "ExpirationModel": "KEY_MATERIAL_EXPIRES"},
            {**imported, "KeyId": "2", "Arn": arn("kms", "key/2"), "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"},
            {"KeyId": "3", "Origin": "AWS_KMS", "KeyManager": "AWS"},
        )
    )
    assert one(found, "kms", "1").facts == {"enabled": True, "expires": True}
    assert one(found, "kms", "2").facts == {"enabled": True, "expires": False}
    assert [key.name for key in found.resources if key.service == "kms"] == ["1", "2"]


def test_nothing_is_needed_but_what_names_a_thing():
    bare = distribution(behaviour()) | {"DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "x"}}
    found = fleet(distributions(bare), said("lambda:ListFunctions", function("f")))
    assert one(found, "cloudfront", "E2QWRUHAPOMQZL").facts["edge_functions"] == ()
    assert one(found, "lambda", "f").facts["is_edge"] is False
