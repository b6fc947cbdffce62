"""The table of what is read from a template: one row a resource type."""

from collections.abc import Mapping
from types import MappingProxyType

from monitors.fleet.template import lambdas, messaging, routing, storage
from monitors.fleet.template.said import Reader

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "AWS::ApiGateway::Deployment": routing.rest_stage,
        "AWS::ApiGateway::Method": routing.rest_method,
        "AWS::ApiGateway::RestApi": routing.rest_api,
        "AWS::ApiGateway::Stage": routing.rest_stage,
        "AWS::ApiGatewayV2::Api": routing.http_api,
        "AWS::ApiGatewayV2::Integration": routing.http_integration,
        "AWS::ApiGatewayV2::Stage": routing.http_stage,
        "AWS::DynamoDB::GlobalTable": storage.global_table,
        "AWS::DynamoDB::Table": storage.table,
        "AWS::Events::Rule": routing.rule,
        "AWS::Kinesis::Stream": messaging.stream,
        "AWS::KinesisFirehose::DeliveryStream": messaging.delivery_stream,
        "AWS::Lambda::Alias": lambdas.alias,
        "AWS::Lambda::EventInvokeConfig": lambdas.event_invoke_config,
        "AWS::Lambda::EventSourceMapping": lambdas.event_source_mapping,
        "AWS::Lambda::Function": lambdas.function,
        "AWS::Lambda::Url": lambdas.url,
        "AWS::Lambda::Version": lambdas.version,
        "AWS::Logs::LogGroup": storage.log_group,
        "AWS::Logs::SubscriptionFilter": storage.subscription_filter,
        "AWS::S3::Bucket": storage.bucket,
        "AWS::SNS::Subscription": messaging.subscription,
        "AWS::SNS::Topic": messaging.topic,
        "AWS::SQS::Queue": messaging.queue,
        "AWS::Scheduler::Schedule": routing.schedule,
        "AWS::Scheduler::ScheduleGroup": routing.schedule_group,
        "AWS::StepFunctions::StateMachine": routing.state_machine,
    }
)
