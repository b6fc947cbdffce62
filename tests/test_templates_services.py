"""What a template says of the services around functions: resource by resource, and what feeds what."""

from pathlib import Path

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped] # cfn-lint says no types

from monitors.fleet.template.identities import KINDS, Kind
from monitors.fleet.template.types import READERS
from monitors.model import Fleet
from tests.test_templates_reading import HERE, fleet, links

TEMPLATE = """
Resources:
  Fn: {Type: AWS::Lambda::Function, Properties: {FunctionName: fn}}
  Edge: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Fn}}
  Events: {Type: AWS::Kinesis::Stream, Properties: {Name: events, ShardCount: 2, RetentionPeriodHours: 48}}
  Reader: {Type: AWS::Kinesis::StreamConsumer, Properties: {ConsumerName: reader, StreamARN: !GetAtt Events.Arn}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Flow: {Type: AWS::StepFunctions::StateMachine, Properties: {StateMachineName: flow, DefinitionString: "{}"}}
  Pipe:
    Type: AWS::Pipes::Pipe
    Properties:
      Name: pipe
      Source: !GetAtt Events.Arn
      SourceParameters:
        KinesisStreamParameters: {StartingPosition: LATEST, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}
        FilterCriteria: {Filters: [{Pattern: "{}"}]}
      Enrichment: !GetAtt Fn.Arn
      Target: !GetAtt Flow.Arn
      TargetParameters: {StepFunctionStateMachineParameters: {InvocationType: FIRE_AND_FORGET}}
      DesiredState: STOPPED
  Pool:
    Type: AWS::Cognito::UserPool
    Properties: {UserPoolName: people, LambdaConfig: {PreSignUp: !GetAtt Fn.Arn}, UserPoolTags: {team: id}}
  Client: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref Pool}}
  Key: {Type: AWS::KMS::Key, Properties: {Origin: EXTERNAL}}
  Plain: {Type: AWS::KMS::Key, Properties: {}}
  Api:
    Type: AWS::AppSync::GraphQLApi
    Properties:
      Name: graph
      AuthenticationType: AWS_LAMBDA
      XrayEnabled: true
      LogConfig: {FieldLogLevel: ERROR}
      LambdaAuthorizerConfig: {AuthorizerUri: !GetAtt Fn.Arn}
  Source:
    Type: AWS::AppSync::DataSource
    Properties:
      ApiId: !GetAtt Api.ApiId
      Name: fn
      Type: AWS_LAMBDA
      LambdaConfig: {LambdaFunctionArn: !GetAtt Fn.Arn}
  Site:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        Aliases: [www.example.com]
        DefaultCacheBehavior:
          LambdaFunctionAssociations: [{EventType: viewer-request, LambdaFunctionARN: !Ref Edge}]
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /shop}
  Filter: {Type: AWS::Logs::MetricFilter, Properties: {LogGroupName: !Ref Group, FilterName: errors}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: errors
      Namespace: AWS/Lambda
      MetricName: Errors
      Dimensions: [{Name: FunctionName, Value: !Ref Fn}]
      AlarmActions: [!Ref Topic]
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: oncall}}
  Both: {Type: AWS::CloudWatch::CompositeAlarm, Properties: {AlarmName: both, AlarmRule: !Sub 'ALARM("${Alarm}")'}}
  Board: {Type: AWS::CloudWatch::Dashboard, Properties: {DashboardName: board, DashboardBody: "{}"}}
  Build: {Type: AWS::CodeBuild::Project, Properties: {Name: build}}
  App: {Type: AWS::CodeDeploy::Application, Properties: {ComputePlatform: Lambda}}
  Deploy:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: !Ref App
      AlarmConfiguration: {Enabled: true, Alarms: [{Name: !Ref Alarm}]}
      AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_STOP_ON_ALARM]}
  Release:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: release
      PipelineType: V2
      Stages:
        - Name: Build
          Actions:
            - ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
              Configuration: {ProjectName: !Ref Build}
            - ActionTypeId: {Category: Invoke, Owner: AWS, Provider: Lambda, Version: "1"}
              Configuration: {FunctionName: !Ref Fn}
  Cache:
    Type: AWS::ElastiCache::CacheCluster
    Properties: {ClusterName: cache, Engine: memcached, CacheNodeType: cache.t4g.micro, NumCacheNodes: 2}
  Replicas:
    Type: AWS::ElastiCache::ReplicationGroup
    Properties: {ReplicationGroupId: rep, Engine: valkey, NumCacheClusters: 2, MultiAZEnabled: true}
  Shards:
    Type: AWS::ElastiCache::ReplicationGroup
    Properties: {ReplicationGroupId: sharded, Engine: valkey, NumNodeGroups: 2, ReplicasPerNodeGroup: 1}
"""

AUTHORIZED = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, Handler: a.b, CodeUri: .}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      Name: shop
      StageName: prod
      Auth: {DefaultAuthorizer: Who, Authorizers: {Who: {FunctionArn: !GetAtt Who.Arn}}}
  Who: {Type: AWS::Serverless::Function, Properties: {FunctionName: who}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: fn
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /, Method: get}}}
  Chat: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: chat, ProtocolType: WEBSOCKET}}
  Live: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Chat, StageName: live}}
  Token:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Chat
      AuthorizerUri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Who.Arn}/invocations"
"""


def test_authorizers_are_invoked_too(tmp_path: Path) -> None:
    """SAM makes a second stage, called `Stage`, for an API without an OpenApiVersion."""
    found = fleet(tmp_path, AUTHORIZED)
    assert links(found) == {
        *((stage, name, "invokes") for stage in ("shop/prod", "shop/Stage") for name in ("fn", "who")),
        ("${Chat}/live", "who", "invokes"),
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return fleet(tmp_path_factory.mktemp("services"), TEMPLATE)


def facts(found: Fleet, service: str, name: str) -> dict[str, object]:
    (one,) = [one for one in found.resources if (one.service, one.name) == (service, name)]
    return dict(one.facts)


def named(found: Fleet, service: str) -> list[str]:
    return [one.name for one in found.resources if one.service == service]


def test_each_is_found_with_its_facts(found: Fleet) -> None:
    assert (found.incomplete, found.notes) == ((), ())
    assert facts(found, "kinesis", "events") == {
        "on_demand": False,
        "retention_s": 48 * 3600,
        "shards": 2,
        "consumers": ("reader",),
    }
    pipe = facts(found, "pipes", "pipe")
    assert (pipe["enabled"], pipe["dead_letter"]) == (False, f"arn:aws:sqs:{HERE}:dead")
    assert facts(found, "cognito", "${Pool}") == {"pool_name": "people", "clients": ("${Client}",)}
    assert named(found, "kms") == ["${Key}"]
    assert facts(found, "kms", "${Key}") == {"enabled": True, "expires": "${Key.ExpirationModel}"}
    graph = facts(found, "appsync", "${Api.ApiId}")
    assert graph == {"api_name": "graph", "tracing": True, "log_group": "/aws/appsync/apis/${Api.ApiId}"}
    site = facts(found, "cloudfront", "${Site}")
    assert (site["aliases"], site["enabled"], site["domain"]) == (("www.example.com",), True, "${Site.DomainName}")
    assert site["edge_functions"] == (f"arn:aws:lambda:{HERE}:function:fn:${{Edge.Version}}",)
    group = facts(found, "logs", "/shop")
    assert (group["metric_filters"], group["metric_filter_names"]) == (1, ("errors",))
    alarm = facts(found, "alarm", "errors")
    assert (alarm["metric"], alarm["dimensions"], alarm["actions"]) == ("Errors", ("FunctionName=fn",), 1)
    assert facts(found, "alarm", "both")["rule"] == 'ALARM("errors")'
    assert named(found, "dashboard") == ["board"]
    assert facts(found, "codedeploy", "${App}/${Deploy}") == {
        "application_name": "${App}",
        "platform": "Lambda",
        "alarms": ("errors",),
        "rolls_back": True,
    }
    assert facts(found, "codepipeline", "release") == {"type": "V2"}
    assert facts(found, "elasticache", "cache")["nodes"] == ("0001", "0002")
    assert facts(found, "elasticache", "rep-002") == {
        "engine": "valkey",
        "nodes": ("0001",),
        "replication_group": "rep",
    }
    assert facts(found, "elasticache_group", "rep") == {
        "clusters": ("rep-001", "rep-002"),
        "automatic_failover": False,
        "multi_az": True,
    }
    assert facts(found, "elasticache_group", "sharded")["clusters"] == (
        *("sharded-0001-001", "sharded-0001-002"),
        *("sharded-0002-001", "sharded-0002-002"),
    )


def test_each_is_linked_to_what_it_reads_and_runs(found: Fleet) -> None:
    assert links(found) == {
        ("events", "pipe", "reads"),
        ("pipe", "fn", "invokes"),
        ("pipe", "flow", "invokes"),
        ("pipe", "dead", "dead_letter"),
        ("${Pool}", "fn", "invokes"),
        ("${Api.ApiId}", "fn", "invokes"),
        ("${Site}", "fn", "invokes"),
        ("errors", "oncall", "notifies"),
        ("release", "build", "invokes"),
        ("release", "fn", "invokes"),
    }
    function = facts(found, "lambda", "fn")
    assert (function["is_async"], function["is_edge"]) == (True, True)  # CodePipeline doesn't wait; CloudFront


def schema(type_: str) -> dict[str, object]:
    found: dict[str, object] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    return found


@pytest.mark.parametrize("type_", sorted(READERS))
def test_every_type_that_is_read_is_one_of_cloudformation_s(type_: str) -> None:
    assert schema(type_)["typeName"] == type_


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_names_and_attributes_are_those_of_cloudformation_s_schema(kind: Kind) -> None:
    known = schema(kind.type)
    properties, read_only = known["properties"], known.get("readOnlyProperties", [])
    assert isinstance(properties, dict)
    assert isinstance(read_only, list)
    assert not kind.name or kind.name in properties
    given = {name.rpartition("/")[2] for name in read_only} | properties.keys()
    wanted = {kind.attribute, *(name for name, _ in kind.attributes)} - {""}
    assert wanted <= given
