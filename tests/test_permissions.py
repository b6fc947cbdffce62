"""The IAM action that each call of a survey needs, as the Service Authorization Reference has it."""

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.aws.session import client, explaining
from monitors.errors import AwsError
from monitors.fleet.calls import CALLS
from tests.aws import Aws

# Service prefix -> call -> action, by hand from the pages "Actions, resources, and condition keys for ..." of: AWS
# Lambda, Amazon SQS, SNS, DynamoDB, API Gateway Management (HTTP methods, for both generations), Kinesis Data Streams,
# Data Firehose, EventBridge, EventBridge Scheduler and Pipes, Step Functions, S3 (whose actions are older than its
# operations' names), CloudWatch, CloudWatch Logs, Resource Group Tagging API, ElastiCache, AppSync, CloudFront, Cognito
# User Pools, KMS, CodeBuild, CodePipeline, CodeDeploy.
ACTIONS = {
    "apigateway:GetAuthorizers": "apigateway:GET",
    "apigateway:GetResources": "apigateway:GET",
    "apigateway:GetRestApis": "apigateway:GET",
    "apigateway:GetStages": "apigateway:GET",
    "apigatewayv2:GetApis": "apigateway:GET",
    "apigatewayv2:GetAuthorizers": "apigateway:GET",
    "apigatewayv2:GetIntegrations": "apigateway:GET",
    "apigatewayv2:GetStages": "apigateway:GET",
    "appsync:ListDataSources": "appsync:ListDataSources",
    "appsync:ListGraphqlApis": "appsync:ListGraphqlApis",
    "cloudfront:ListDistributions": "cloudfront:ListDistributions",
    "cloudwatch:DescribeAlarms": "cloudwatch:DescribeAlarms",
    "cloudwatch:ListDashboards": "cloudwatch:ListDashboards",
    "cloudwatch:ListMetrics": "cloudwatch:ListMetrics",
    "codebuild:ListProjects": "codebuild:ListProjects",
    "codedeploy:BatchGetDeploymentGroups": "codedeploy:BatchGetDeploymentGroups",
    "codedeploy:ListApplications": "codedeploy:ListApplications",
    "codedeploy:ListDeploymentGroups": "codedeploy:ListDeploymentGroups",
    "codepipeline:GetPipeline": "codepipeline:GetPipeline",
    "codepipeline:ListPipelines": "codepipeline:ListPipelines",
    "cognito-idp:DescribeUserPool": "cognito-idp:DescribeUserPool",
    "cognito-idp:ListUserPoolClients": "cognito-idp:ListUserPoolClients",
    "cognito-idp:ListUserPools": "cognito-idp:ListUserPools",
    "dynamodb:DescribeTable": "dynamodb:DescribeTable",
    "dynamodb:ListTables": "dynamodb:ListTables",
    "elasticache:DescribeCacheClusters": "elasticache:DescribeCacheClusters",
    "elasticache:DescribeReplicationGroups": "elasticache:DescribeReplicationGroups",
    "events:ListEventBuses": "events:ListEventBuses",
    "events:ListRules": "events:ListRules",
    "events:ListTargetsByRule": "events:ListTargetsByRule",
    "firehose:DescribeDeliveryStream": "firehose:DescribeDeliveryStream",
    "firehose:ListDeliveryStreams": "firehose:ListDeliveryStreams",
    "kinesis:DescribeStreamSummary": "kinesis:DescribeStreamSummary",
    "kinesis:ListStreamConsumers": "kinesis:ListStreamConsumers",
    "kinesis:ListStreams": "kinesis:ListStreams",
    "kms:DescribeKey": "kms:DescribeKey",
    "kms:ListKeys": "kms:ListKeys",
    "lambda:GetAccountSettings": "lambda:GetAccountSettings",
    "lambda:GetFunctionConcurrency": "lambda:GetFunctionConcurrency",
    "lambda:ListAliases": "lambda:ListAliases",
    "lambda:ListEventSourceMappings": "lambda:ListEventSourceMappings",
    "lambda:ListFunctionEventInvokeConfigs": "lambda:ListFunctionEventInvokeConfigs",
    "lambda:ListFunctionUrlConfigs": "lambda:ListFunctionUrlConfigs",
    "lambda:ListFunctions": "lambda:ListFunctions",
    "lambda:ListProvisionedConcurrencyConfigs": "lambda:ListProvisionedConcurrencyConfigs",
    "logs:DescribeLogGroups": "logs:DescribeLogGroups",
    "logs:DescribeMetricFilters": "logs:DescribeMetricFilters",
    "logs:DescribeSubscriptionFilters": "logs:DescribeSubscriptionFilters",
    "pipes:DescribePipe": "pipes:DescribePipe",
    "pipes:ListPipes": "pipes:ListPipes",
    "resourcegroupstaggingapi:GetResources": "tag:GetResources",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "scheduler:ListScheduleGroups": "scheduler:ListScheduleGroups",
    "scheduler:ListSchedules": "scheduler:ListSchedules",
    "scheduler:ListTagsForResource": "scheduler:ListTagsForResource",
    "sns:GetSubscriptionAttributes": "sns:GetSubscriptionAttributes",
    "sns:GetTopicAttributes": "sns:GetTopicAttributes",
    "sns:ListSubscriptions": "sns:ListSubscriptions",
    "sns:ListTopics": "sns:ListTopics",
    "sqs:GetQueueAttributes": "sqs:GetQueueAttributes",
    "sqs:ListQueues": "sqs:ListQueues",
    "stepfunctions:DescribeStateMachine": "states:DescribeStateMachine",
    "stepfunctions:ListStateMachines": "states:ListStateMachines",
}


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    return Aws({}).session


@pytest.mark.parametrize("call", [row.id for row in CALLS])
def test_a_call_that_is_denied_names_the_action_to_allow(session: boto3.Session, call: str):
    assert call in ACTIONS, "look it up in the Service Authorization Reference, and add it here"
    service, _, operation = call.partition(":")
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
    with pytest.raises(AwsError) as raised, explaining(client(session, service), operation):
        raise denied
    assert str(raised.value).endswith(f" Allow {ACTIONS[call]}.")


def test_no_action_is_listed_for_a_call_that_is_not_made():
    assert set(ACTIONS) == {row.id for row in CALLS}
