"""The table of what is read from a template: one row a resource type."""

from collections.abc import Mapping
from types import MappingProxyType

from monitors.fleet.template import (
    delivery,
    edge,
    identity,
    lambdas,
    messaging,
    pipes,
    routing,
    storage,
    watching,
)
from monitors.fleet.template.said import Reader

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "AWS::ApiGateway::Authorizer": routing.rest_authorizer,
        "AWS::ApiGateway::Deployment": routing.rest_stage,
        "AWS::ApiGateway::Method": routing.rest_method,
        "AWS::ApiGateway::RestApi": routing.rest_api,
        "AWS::ApiGateway::Stage": routing.rest_stage,
        "AWS::ApiGatewayV2::Api": routing.http_api,
        "AWS::ApiGatewayV2::Authorizer": routing.http_authorizer,
        "AWS::ApiGatewayV2::Integration": routing.http_integration,
        "AWS::ApiGatewayV2::Stage": routing.http_stage,
        "AWS::AppSync::DataSource": edge.data_source,
        "AWS::AppSync::GraphQLApi": edge.graphql_api,
        "AWS::CloudFront::Distribution": edge.distribution,
        "AWS::CloudWatch::Alarm": watching.alarm,
        "AWS::CloudWatch::CompositeAlarm": watching.composite,
        "AWS::CloudWatch::Dashboard": watching.dashboard,
        "AWS::CodeBuild::Project": delivery.project,
        "AWS::CodeDeploy::DeploymentGroup": delivery.deployment_group,
        "AWS::CodePipeline::Pipeline": delivery.pipeline,
        "AWS::Cognito::UserPool": identity.user_pool,
        "AWS::Cognito::UserPoolClient": identity.user_pool_client,
        "AWS::DynamoDB::GlobalTable": storage.global_table,
        "AWS::DynamoDB::Table": storage.table,
        "AWS::ElastiCache::CacheCluster": storage.cache,
        "AWS::ElastiCache::ReplicationGroup": storage.replication_group,
        "AWS::Events::Rule": routing.rule,
        "AWS::KMS::Key": identity.key,
        "AWS::Kinesis::Stream": messaging.stream,
        "AWS::Kinesis::StreamConsumer": messaging.stream_consumer,
        "AWS::KinesisFirehose::DeliveryStream": messaging.delivery_stream,
        "AWS::Lambda::Alias": lambdas.alias,
        "AWS::Lambda::EventInvokeConfig": lambdas.event_invoke_config,
        "AWS::Lambda::EventSourceMapping": lambdas.event_source_mapping,
        "AWS::Lambda::Function": lambdas.function,
        "AWS::Lambda::Url": lambdas.url,
        "AWS::Lambda::Version": lambdas.version,
        "AWS::Logs::LogGroup": storage.log_group,
        "AWS::Logs::MetricFilter": storage.metric_filter,
        "AWS::Logs::SubscriptionFilter": storage.subscription_filter,
        "AWS::Pipes::Pipe": pipes.pipe,
        "AWS::S3::Bucket": storage.bucket,
        "AWS::SNS::Subscription": messaging.subscription,
        "AWS::SNS::Topic": messaging.topic,
        "AWS::SQS::Queue": messaging.queue,
        "AWS::Scheduler::Schedule": routing.schedule,
        "AWS::Scheduler::ScheduleGroup": routing.schedule_group,
        "AWS::StepFunctions::StateMachine": routing.state_machine,
    }
)
