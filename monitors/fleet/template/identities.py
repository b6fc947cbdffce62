"""What the resources of a template will be called: names, ARNs, and what Ref and Fn::GetAtt give. Pure.

A name that the template leaves to CloudFormation is `${LogicalId}`, or `${LogicalId.QueueName}` where Ref gives
something else; ARNs are built around it, so that every way to point at a resource comes to the same text.
What Ref returns is in each type's page of the CloudFormation Template Reference.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import NamedTuple

from monitors.fleet.arns import resource_arn
from monitors.fleet.template.intrinsics import NO_VALUE, Json, Scope, resolve


class Kind(NamedTuple):
    """How resources of a type are named."""

    type: str
    name: str = ""
    """The property that names it; empty where AWS always chooses."""
    arn: str = ""
    """Its ARN around `{name}`, after `arn:<partition>:`."""
    ref: str = "name"
    """What Ref gives: name, arn or something else (other)."""
    attribute: str = ""
    """The attribute that gives the name, where Ref does not."""
    attributes: tuple[tuple[str, str], ...] = ()
    """(attribute, its text around {name}, {arn}), besides Arn and the above."""


_HERE = "{region}:{account}"

KINDS = (
    Kind("AWS::Lambda::Function", "FunctionName", f"lambda:{_HERE}:function:{{name}}"),
    Kind("AWS::SQS::Queue", "QueueName", f"sqs:{_HERE}:{{name}}", "other", "QueueName"),
    Kind("AWS::SNS::Topic", "TopicName", f"sns:{_HERE}:{{name}}", "arn", "TopicName", (("TopicArn", "{arn}"),)),
    Kind(
        "AWS::DynamoDB::Table",
        "TableName",
        f"dynamodb:{_HERE}:table/{{name}}",
        attributes=(("StreamArn", "{arn}/stream/${{{id}.StreamArn}}"),),
    ),
    Kind(
        "AWS::DynamoDB::GlobalTable",
        "TableName",
        f"dynamodb:{_HERE}:table/{{name}}",
        attributes=(("StreamArn", "{arn}/stream/${{{id}.StreamArn}}"),),
    ),
    Kind("AWS::Kinesis::Stream", "Name", f"kinesis:{_HERE}:stream/{{name}}"),
    Kind("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName", f"firehose:{_HERE}:deliverystream/{{name}}"),
    Kind("AWS::S3::Bucket", "BucketName", "s3:::{name}"),
    Kind("AWS::Logs::LogGroup", "LogGroupName", f"logs:{_HERE}:log-group:{{name}}"),
    Kind("AWS::Events::EventBus", "Name", f"events:{_HERE}:event-bus/{{name}}", attributes=(("Name", "{name}"),)),
    Kind("AWS::Scheduler::ScheduleGroup", "Name", f"scheduler:{_HERE}:schedule-group/{{name}}"),
    Kind(
        "AWS::StepFunctions::StateMachine",
        "StateMachineName",
        f"states:{_HERE}:stateMachine:{{name}}",
        "arn",
        "Name",
    ),
    Kind("AWS::Pipes::Pipe", "Name", f"pipes:{_HERE}:pipe/{{name}}"),
    Kind(
        "AWS::Cognito::UserPool", arn=f"cognito-idp:{_HERE}:userpool/{{name}}", attributes=(("UserPoolId", "{name}"),)
    ),
    Kind("AWS::KMS::Key", arn=f"kms:{_HERE}:key/{{name}}", attributes=(("KeyId", "{name}"),)),
    Kind("AWS::AppSync::GraphQLApi", "", f"appsync:{_HERE}:apis/{{name}}", "arn", "ApiId"),
    Kind(
        "AWS::CloudFront::Distribution", arn="cloudfront::{account}:distribution/{name}", attributes=(("Id", "{name}"),)
    ),
    Kind("AWS::CloudWatch::Alarm", "AlarmName", f"cloudwatch:{_HERE}:alarm:{{name}}"),
    Kind("AWS::CloudWatch::CompositeAlarm", "AlarmName", f"cloudwatch:{_HERE}:alarm:{{name}}"),
    Kind("AWS::CloudWatch::Dashboard", "DashboardName", "cloudwatch::{account}:dashboard/{name}"),
    Kind("AWS::CodeBuild::Project", "Name", f"codebuild:{_HERE}:project/{{name}}"),
    Kind("AWS::CodePipeline::Pipeline", "Name", f"codepipeline:{_HERE}:{{name}}"),
    Kind("AWS::CodeDeploy::Application", "ApplicationName", f"codedeploy:{_HERE}:application:{{name}}"),
    Kind("AWS::ElastiCache::CacheCluster", "ClusterName", f"elasticache:{_HERE}:cluster:{{name}}"),
    Kind("AWS::ElastiCache::ReplicationGroup", "ReplicationGroupId", f"elasticache:{_HERE}:replicationgroup:{{name}}"),
    Kind("AWS::ApiGateway::RestApi", attributes=(("RestApiId", "{name}"),)),
    Kind("AWS::ApiGatewayV2::Api", attributes=(("ApiId", "{name}"),)),
)
_KINDS = {kind.type: kind for kind in KINDS}

# Resources whose Ref is built on another's.
_ALIAS, _VERSION, _RULE = "AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::Events::Rule"


class Identities:
    """The names in one template, each worked out when it is first asked for."""

    def __init__(self, resources: Mapping[str, Json], scope: Scope, outputs: Mapping[str, Mapping[str, str]]) -> None:
        self._resources = resources
        self._scope = scope
        self._outputs = outputs
        self._open: set[str] = set()
        self.name = cache(self._name)
        self.arn = cache(self._arn)
        self.called = cache(self._called)

    def attribute(self, logical_id: str, attribute: str) -> str | None:
        """What Ref (empty attribute) or Fn::GetAtt gives; None if there is no such resource."""
        if logical_id not in self._resources:
            return None
        token = f"${{{logical_id}.{attribute}}}" if attribute else f"${{{logical_id}}}"
        if logical_id in self._open:  # its name refers to itself
            return token
        self._open.add(logical_id)
        try:
            return self._attribute(logical_id, attribute, token)
        finally:
            self._open.discard(logical_id)

    def _attribute(self, logical_id: str, attribute: str, token: str) -> str:
        type_ = self.type(logical_id)
        if type_ in (_ALIAS, _VERSION, _RULE):
            return self._built(logical_id, attribute, token)
        kind = _KINDS.get(type_)
        if kind is None:
            return self._outputs.get(logical_id, {}).get(attribute.removeprefix("Outputs."), token)
        if not attribute:
            return {"name": self.name, "arn": self.arn}.get(kind.ref, lambda _: token)(logical_id)
        if attribute == "Arn" and kind.arn:
            return self.arn(logical_id) + (":*" if type_ == "AWS::Logs::LogGroup" else "")
        if attribute == kind.attribute:
            return self.name(logical_id)
        texts = dict(kind.attributes)
        if attribute not in texts:
            return token
        return texts[attribute].format(name=self.name(logical_id), arn=self.arn(logical_id), id=logical_id)

    def declares(self, reference: str) -> bool:
        """Whether a Ref's text is that of a resource of this template."""
        return reference[2:-1] in self._resources

    def type(self, logical_id: str) -> str:
        return str(self._resources[logical_id].get("Type", ""))

    def property(self, logical_id: str, name: str) -> str:
        """A property's text; empty if it is not there, or no text."""
        properties = self._resources[logical_id].get("Properties")
        value = resolve(properties.get(name), self._scope) if isinstance(properties, dict) else None
        return "" if value is None or value is NO_VALUE or isinstance(value, dict | list) else str(value)

    def _name(self, logical_id: str) -> str:
        kind = _KINDS.get(self.type(logical_id), Kind(""))
        given = self.property(logical_id, kind.name) if kind.name else ""
        return given or f"${{{logical_id}{'.' if kind.attribute else ''}{kind.attribute}}}"

    def _called(self, type_: str, name: str) -> str:
        """The logical id of the resource of a type that has a name; empty if there is none here."""
        return next((each for each in self._resources if self.type(each) == type_ and self.name(each) == name), "")

    def _arn(self, logical_id: str) -> str:
        kind = _KINDS[self.type(logical_id)]
        return self.here(kind.arn.replace("{name}", self.name(logical_id)))

    def here(self, rest: str) -> str:
        """An ARN of this account and Region."""
        region, account, partition = self._place
        return f"arn:{partition}:{rest}".replace("{region}", region).replace("{account}", account)

    @cached_property
    def _place(self) -> tuple[str, ...]:
        """Region, account and partition."""
        names = ("AWS::Region", "AWS::AccountId", "AWS::Partition")
        return tuple(str(resolve({"Ref": name}, self._scope)) for name in names)

    def _built(self, logical_id: str, attribute: str, token: str) -> str:
        if self.type(logical_id) == _RULE:
            name = self.property(logical_id, "Name") or f"${{{logical_id}}}"
            return self.rule_arn(logical_id) if attribute == "Arn" else token if attribute else name
        function = self.function_arn(self.property(logical_id, "FunctionName"))
        if self.type(logical_id) == _ALIAS:
            name = self.property(logical_id, "Name")
            return f"{function}:{name}" if attribute in ("", "AliasArn") else token
        version = f"${{{logical_id}.Version}}"
        return (
            version
            if attribute == "Version"
            else f"{function}:{version}"
            if attribute in ("", "FunctionArn")
            else token
        )

    def function_arn(self, function: str) -> str:
        """A function's ARN, of its name, ARN or partial ARN, without a version or alias."""
        if function.startswith("arn:"):
            return resource_arn(function)
        return self.here(f"lambda:{_HERE}:function:{function.rpartition('function:')[2]}")

    def rule_arn(self, logical_id: str) -> str:
        """A rule's ARN: its bus stands in it, unless that is the default one."""
        bus = self.property(logical_id, "EventBusName").rpartition("event-bus/")[2]
        name = self.property(logical_id, "Name") or f"${{{logical_id}}}"
        return self.here(f"events:{_HERE}:rule/{f'{bus}/' if bus not in ('', 'default') else ''}{name}")
