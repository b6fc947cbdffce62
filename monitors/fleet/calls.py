"""The table of what to ask AWS: one row per call. Data only; infra/aws/survey.py makes the calls.

A list call where one gives the fact; a call per resource only where none does, and then, of what there are many,
only where something else bears `evidence` that the call will tell something.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

from monitors.fleet import evidence
from monitors.fleet.answers import Answer, Json
from monitors.fleet.evidence import Evidence

Gate = Callable[[Json, Mapping[str, Sequence[Answer]]], bool]


def _always(_parent: Json, _found: Mapping[str, Sequence[Answer]]) -> bool:
    return True


def _reserves(_function: Json, found: Mapping[str, Sequence[Answer]]) -> bool:
    """Some function of the account reserves concurrency, or it is not known that none does."""
    limits = [answer.item for answer in found.get("lambda:GetAccountSettings", ())]
    return not any(limit.get("UnreservedConcurrentExecutions") == limit.get("ConcurrentExecutions") for limit in limits)


def _confirmed(subscription: Json, _found: Mapping[str, Sequence[Answer]]) -> bool:
    """SNS lists `PendingConfirmation` or `Deleted` where the ARN would stand."""
    return str(subscription.get("SubscriptionArn", "")).startswith("arn:")


def _subscribable(group: Json, _found: Mapping[str, Sequence[Answer]]) -> bool:
    """Only log groups of the Standard class have subscription filters (CloudWatch Logs, Log classes)."""
    return bool(group.get("logGroupClass", "STANDARD") == "STANDARD")


def _unmanaged(rule: Json, _found: Mapping[str, Sequence[Answer]]) -> bool:
    """Rules that an AWS service made for itself are that service's affair."""
    return not rule.get("ManagedBy")


def _global(place: Json, _found: Mapping[str, Sequence[Answer]]) -> bool:
    """Services without Regions are asked once: their metrics, and Lambda@Edge's functions, are in us-east-1."""
    return bool(place["Region"] == "us-east-1")


def _consumed(stream: Json, _found: Mapping[str, Sequence[Answer]]) -> bool:
    """The stream has consumers of its own (enhanced fan-out), or it is not known that it has none."""
    return bool(stream.get("ConsumerCount", 1))


def _deployed(application: Json, _found: Mapping[str, Sequence[Answer]]) -> bool:
    """Some deployment group is listed for the application: BatchGetDeploymentGroups refuses to look for none."""
    return bool(application.get("deploymentGroups"))


@dataclass(frozen=True, slots=True)
class Call:
    """One row: an operation, where in its answer the items are, and what it is asked for."""

    id: str
    """`<boto3 service>:<operation>`"""
    items: str = ""
    """The member of the answer that holds the item or items; the answer itself where empty."""
    _: KW_ONLY
    each: str = ""
    """Asked once for each item of this earlier call; once a Region where empty."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Parameter -> the parent's key that holds its value; the parent itself where empty. A Region's own call
    has a parent too: `{"Region": <name>}`."""
    constants: Mapping[str, Json] = field(default_factory=dict)
    page_size: int | None = None
    """Where the service's own is small, or where it pages only when asked to (ListQueues, ListBuckets)."""
    token: tuple[str, str] | None = None
    """(parameter, member) to page by, for operations that botocore has no paginator for."""
    when: Gate = _always
    """Whether to ask at all, by the parent and what is found so far in the Region."""
    after: tuple[str, ...] = ()
    """Earlier calls besides `each` that `when` goes by."""
    variants: Sequence[Mapping[str, Json]] = ({},)
    """More parameters: a Region's own call is made once with each of these, and they are part of its parent."""
    spares: bool = False
    """Made only to spare others: not at all where everything is to be asked."""
    evidence: Evidence | None = None
    """Which parents to ask about, where there are many of them and not everything is to be asked."""


_FUNCTIONS, _FUNCTION = evidence.FUNCTIONS, {"FunctionName": "FunctionName"}
_APIS, _API = "apigatewayv2:GetApis", {"ApiId": "ApiId"}
_REST_APIS, _REST_API = "apigateway:GetRestApis", {"restApiId": "id"}
_BUCKETS, _BUCKET = "s3:ListBuckets", {"Bucket": "Name"}
_POOLS, _POOL = "cognito-idp:ListUserPools", {"UserPoolId": "Id"}

# Types that the Resource Groups Tagging API is known to take: one it doesn't support fails the whole call.
_TAGGED = (
    "apigateway",
    "cloudfront:distribution",
    "cloudwatch:alarm",
    "codebuild:project",
    "codepipeline",
    "dynamodb:table",
    "elasticache:cluster",
    "events",
    "firehose",
    "kinesis:stream",
    "kms:key",
    "lambda:function",
    "logs:log-group",
    "s3",
    "sns",
    "sqs",
    "states",
)

CALLS: tuple[Call, ...] = (
    Call(_FUNCTIONS, "Functions"),
    Call("lambda:ListEventSourceMappings", "EventSourceMappings"),
    Call("lambda:GetAccountSettings", "AccountLimit"),
    Call(
        evidence.METRICS,
        "Metrics",
        variants=evidence.LISTED,
        when=evidence.has_many,
        after=(evidence.FUNCTIONS, evidence.LOG_GROUPS),
        spares=True,
    ),
    Call(
        "lambda:GetFunctionConcurrency",
        each=_FUNCTIONS,
        arguments=_FUNCTION,
        when=_reserves,
        evidence=evidence.RESERVED,
    ),
    Call(
        "lambda:ListFunctionEventInvokeConfigs",
        "FunctionEventInvokeConfigs",
        each=_FUNCTIONS,
        arguments=_FUNCTION,
        evidence=evidence.EVENT_INVOKE,
    ),
    Call("lambda:ListAliases", "Aliases", each=_FUNCTIONS, arguments=_FUNCTION, evidence=evidence.ALIASES),
    Call(
        "lambda:ListFunctionUrlConfigs",
        "FunctionUrlConfigs",
        each=_FUNCTIONS,
        arguments=_FUNCTION,
        evidence=evidence.URLS,
    ),
    Call(
        "lambda:ListProvisionedConcurrencyConfigs",
        "ProvisionedConcurrencyConfigs",
        each=_FUNCTIONS,
        arguments=_FUNCTION,
        evidence=evidence.PROVISIONED,
    ),
    Call("sqs:ListQueues", "QueueUrls", page_size=1000),
    Call(
        "sqs:GetQueueAttributes",
        "Attributes",
        each="sqs:ListQueues",
        arguments={"QueueUrl": ""},
        constants={"AttributeNames": ["All"]},
    ),
    Call("sns:ListTopics", "Topics"),
    Call("sns:GetTopicAttributes", "Attributes", each="sns:ListTopics", arguments={"TopicArn": "TopicArn"}),
    Call("sns:ListSubscriptions", "Subscriptions"),
    Call(
        "sns:GetSubscriptionAttributes",
        "Attributes",
        each="sns:ListSubscriptions",
        arguments={"SubscriptionArn": "SubscriptionArn"},
        when=_confirmed,
    ),
    Call("dynamodb:ListTables", "TableNames"),
    Call("dynamodb:DescribeTable", "Table", each="dynamodb:ListTables", arguments={"TableName": ""}),
    Call(_APIS, "Items"),
    Call("apigatewayv2:GetStages", "Items", each=_APIS, arguments=_API),
    Call("apigatewayv2:GetIntegrations", "Items", each=_APIS, arguments=_API),
    Call("apigatewayv2:GetAuthorizers", "Items", each=_APIS, arguments=_API),
    Call(_REST_APIS, "items", page_size=500),
    Call("apigateway:GetStages", "item", each=_REST_APIS, arguments=_REST_API),
    Call("apigateway:GetAuthorizers", "items", each=_REST_APIS, arguments=_REST_API, page_size=500),
    Call(
        "apigateway:GetResources",
        "items",
        each=_REST_APIS,
        arguments=_REST_API,
        constants={"embed": ["methods"]},
        page_size=500,
    ),
    Call("kinesis:ListStreams", "StreamNames"),
    Call(
        "kinesis:DescribeStreamSummary",
        "StreamDescriptionSummary",
        each="kinesis:ListStreams",
        arguments={"StreamName": ""},
    ),
    Call(
        "kinesis:ListStreamConsumers",
        "Consumers",
        each="kinesis:DescribeStreamSummary",
        arguments={"StreamARN": "StreamARN"},
        when=_consumed,
    ),
    # 10,000 is the most one answer holds and twice the quota of streams in a Region, so one page is all.
    Call("firehose:ListDeliveryStreams", "DeliveryStreamNames", constants={"Limit": 10_000}),
    Call(
        "firehose:DescribeDeliveryStream",
        "DeliveryStreamDescription",
        each="firehose:ListDeliveryStreams",
        arguments={"DeliveryStreamName": ""},
    ),
    Call("events:ListEventBuses", "EventBuses", token=("NextToken", "NextToken")),
    Call("events:ListRules", "Rules", each="events:ListEventBuses", arguments={"EventBusName": "Name"}),
    Call(
        "events:ListTargetsByRule",
        "Targets",
        each="events:ListRules",
        arguments={"Rule": "Name", "EventBusName": "EventBusName"},
        when=_unmanaged,
    ),
    Call("scheduler:ListScheduleGroups", "ScheduleGroups"),
    Call(
        "scheduler:ListTagsForResource",
        "Tags",
        each="scheduler:ListScheduleGroups",
        arguments={"ResourceArn": "Arn"},
    ),
    Call("scheduler:ListSchedules", "Schedules", page_size=100),
    Call("pipes:ListPipes", "Pipes", page_size=100),
    Call("pipes:DescribePipe", each="pipes:ListPipes", arguments={"Name": "Name"}),
    Call("stepfunctions:ListStateMachines", "stateMachines"),
    Call(
        "stepfunctions:DescribeStateMachine",
        each="stepfunctions:ListStateMachines",
        arguments={"stateMachineArn": "stateMachineArn"},
    ),
    Call(_BUCKETS, "Buckets", arguments={"BucketRegion": "Region"}, page_size=1000),
    Call("s3:GetBucketNotificationConfiguration", each=_BUCKETS, arguments=_BUCKET),
    Call(
        "s3:ListBucketMetricsConfigurations",
        "MetricsConfigurationList",
        each=_BUCKETS,
        arguments=_BUCKET,
        token=("ContinuationToken", "NextContinuationToken"),
    ),
    Call("elasticache:DescribeCacheClusters", "CacheClusters", constants={"ShowCacheNodeInfo": True}),
    Call("elasticache:DescribeReplicationGroups", "ReplicationGroups"),
    Call("appsync:ListGraphqlApis", "graphqlApis", page_size=25),
    Call("appsync:ListDataSources", "dataSources", each="appsync:ListGraphqlApis", arguments={"apiId": "apiId"}),
    Call("cloudfront:ListDistributions", "DistributionList", when=_global),
    Call(_POOLS, "UserPools", constants={"MaxResults": 60}),
    Call("cognito-idp:DescribeUserPool", "UserPool", each=_POOLS, arguments=_POOL),
    Call("cognito-idp:ListUserPoolClients", "UserPoolClients", each=_POOLS, arguments=_POOL, page_size=60),
    Call("kms:ListKeys", "Keys", page_size=1000),
    Call("kms:DescribeKey", "KeyMetadata", each="kms:ListKeys", arguments={"KeyId": "KeyId"}),
    Call("codebuild:ListProjects", "projects"),
    Call("codepipeline:ListPipelines", "pipelines"),
    Call("codepipeline:GetPipeline", "pipeline", each="codepipeline:ListPipelines", arguments={"name": "name"}),
    Call("codedeploy:ListApplications", "applications"),
    Call(
        "codedeploy:ListDeploymentGroups",
        each="codedeploy:ListApplications",
        arguments={"applicationName": ""},
    ),
    Call(
        "codedeploy:BatchGetDeploymentGroups",
        "deploymentGroupsInfo",
        each="codedeploy:ListDeploymentGroups",
        arguments={"applicationName": "applicationName", "deploymentGroupNames": "deploymentGroups"},
        when=_deployed,
    ),
    # Without AlarmTypes composite alarms are left out.
    Call(
        "cloudwatch:DescribeAlarms",
        constants={"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
        page_size=100,
    ),
    Call("cloudwatch:ListDashboards", "DashboardEntries"),
    Call("logs:DescribeMetricFilters", "metricFilters"),
    Call(evidence.LOG_GROUPS, "logGroups"),
    Call(
        "logs:DescribeSubscriptionFilters",
        "subscriptionFilters",
        each=evidence.LOG_GROUPS,
        arguments={"logGroupName": "logGroupName"},
        when=_subscribable,
        evidence=evidence.SUBSCRIPTIONS,
    ),
    Call(
        "resourcegroupstaggingapi:GetResources",
        "ResourceTagMappingList",
        constants={"ResourceTypeFilters": list(_TAGGED)},
        page_size=100,
    ),
)


def waves(calls: tuple[Call, ...] = CALLS) -> list[list[Call]]:
    """The rows in the order they can be made: those of a wave need nothing but the waves before.

    Rows with evidence come last, since any answer may bear it.
    """
    remaining, known, ordered = list(calls), {""}, []
    while remaining:
        ready = [call for call in remaining if known.issuperset((call.each, *call.after))]
        wave = [call for call in ready if not call.evidence] or ready
        ordered.append(wave)
        known |= {call.id for call in wave}
        remaining = [call for call in remaining if call not in wave]
    return ordered
