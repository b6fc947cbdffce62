"""Fleets of any size, for benchmarks: as records, and as a CloudFormation template."""

from dataclasses import replace
from typing import Any

from monitors.model import Fact, Fleet, Link, Resource

ACCOUNT, REGION = "123456789012", "eu-west-1"
APPLICATION = 25
"""Functions in one application."""


def fleet_of(functions: int) -> Fleet:
    """So many functions with their log groups, each with a queue, HTTP API, stream or table; 25 in an application."""
    resources: list[Resource] = []
    links: list[Link] = []
    for n in range(functions):
        name, application = f"shop-{n}", f"shop-{n // APPLICATION}"
        function, sources = _function(name, application), _sources(n, name, application)
        resources += [function, _resource("logs", f"/aws/lambda/{name}", application, log_class="STANDARD"), *sources]
        links += [Link(source.id, function.id, "reads") for source in sources]
    return Fleet(resources=tuple(resources), links=tuple(links))


def cloudformation(functions: int) -> dict[str, Any]:
    """A template of so many functions, each with a role, a log group, and a queue with its dead-letter queue."""
    resources: dict[str, Any] = {}
    for n in range(functions):
        resources |= {
            f"Role{n}": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}},
            f"Logs{n}": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": f"/aws/lambda/shop-{n}", "RetentionInDays": 30},
            },
            f"Fn{n}": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": f"shop-{n}",
                    "Role": {"Fn::GetAtt": [f"Role{n}", "Arn"]},
                    "Runtime": "python3.13",
                    "Handler": "app.handler",
                    "MemorySize": 256,
                    "Timeout": 10,
                    "Environment": {"Variables": {"QUEUE": {"Ref": f"Queue{n}"}}},
                },
            },
            f"Mapping{n}": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": f"Fn{n}"},
                    "EventSourceArn": {"Fn::GetAtt": [f"Queue{n}", "Arn"]},
                },
            },
            **queues(n),
        }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def queues(n: int) -> dict[str, Any]:
    """The queue of function `n`, and the queue for what it fails on."""
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": [f"Dead{n}", "Arn"]}, "maxReceiveCount": 3}
    return {
        f"Queue{n}": {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": redrive, "VisibilityTimeout": 60}},
        f"Dead{n}": {"Type": "AWS::SQS::Queue"},
    }


def with_one_more(fleet: Fleet) -> Fleet:
    """The fleet, and one function more in one of its applications."""
    return replace(fleet, resources=(*fleet.resources, _function("shop-new", "shop-0")))


def _function(name: str, application: str) -> Resource:
    return _resource("lambda", name, application, timeout_ms=30_000, memory_mb=256, log_group=f"/aws/lambda/{name}")


def _sources(n: int, name: str, application: str) -> list[Resource]:
    match n % 4:
        case 0:
            dead = _resource("sqs", f"{name}-dlq", application, is_dead_letter_queue=True, retention_s=1_209_600)
            return [_resource("sqs", name, application, is_dead_letter_queue=False, retention_s=345_600), dead]
        case 1:
            return [_resource("apigateway_http", f"{n}/$default", application, api_id=str(n), stage="$default")]
        case 2:
            return [_resource("kinesis", name, application, on_demand=True)]
        case _:
            return [_resource("dynamodb", name, application, billing="on_demand")]


def _resource(service: str, name: str, application: str, **facts: Fact) -> Resource:
    return Resource(
        service=service,
        name=name,
        id=f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}",
        region=REGION,
        account=ACCOUNT,
        application=application,
        facts=facts,
    )
