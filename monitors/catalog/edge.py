"""Rows: CloudFront distributions, GraphQL APIs, Cognito user pools: what callers meet before any function.

Metrics: "Monitor CloudFront metrics with Amazon CloudWatch" (CloudFront Developer Guide; all in us-east-1), "Using
CloudWatch to monitor and log GraphQL API data" (AppSync Developer Guide), "Monitoring quotas and usage in CloudWatch"
(Cognito Developer Guide). Levels: "Recommended alarms" (Amazon CloudWatch User Guide) or as the reason says.
"""

from functools import partial

from monitors.catalog.rows import ANY, Fixed, Learned, Rule, Service, has, published
from monitors.catalog.shapes import never, throttled, unusual
from monitors.model import Severity

_GLOBAL = {"DistributionId": "{name}", "Region": "Global"}
_CLIENTS = {"UserPool": "{name}", "UserPoolClient": "{clients}"}

SERVICES = (
    Service(id="cloudfront", title="CloudFront distribution"),
    Service(id="appsync", title="GraphQL API"),
    Service(
        id="cognito",
        title="Cognito user pool",
        uncovered="without app clients a user pool publishes nothing",
    ),
)

_distribution = partial(published, "cloudfront", namespace="AWS/CloudFront", dimensions=_GLOBAL)
_function = partial(
    published,
    "cloudfront",
    namespace="AWS/CloudFront",
    dimensions={**_GLOBAL, "FunctionName": "{cloudfront_functions}"},
    when=(has("cloudfront_functions"),),
)
_edge = partial(_distribution, when=(has("edge_functions"),))
_graph = partial(published, "appsync", namespace="AWS/AppSync", dimensions={"GraphQLAPIId": "{name}"})
_pool = partial(published, "cognito", namespace="AWS/Cognito", dimensions=_CLIENTS, when=(has("clients"),))
_federated = partial(
    published,
    "cognito",
    namespace="AWS/Cognito",
    dimensions={**_CLIENTS, "IdentityProvider": ANY},
    when=(has("clients"),),
)

METRICS = (
    *_distribution("Requests", statistic="Sum", unit="None"),
    *_distribution("BytesDownloaded BytesUploaded", statistic="Sum", unit="None"),
    *_distribution("4xxErrorRate 5xxErrorRate TotalErrorRate", statistic="Average", unit="Percent"),
    *_function(
        "FunctionInvocations FunctionValidationErrors FunctionExecutionErrors FunctionThrottles",
        statistic="Sum",
        unit="None",
    ),
    *_function("FunctionComputeUtilization", statistic="Average", unit="Percent"),
    *_edge("LambdaExecutionError LambdaValidationError LambdaLimitExceededErrors", statistic="Sum", unit="None"),
    *_graph("4XXError 5XXError", statistic="Sum"),
    *_graph("Latency", statistic="p90", unit="Milliseconds"),
    *_pool("SignUpThrottles SignInThrottles TokenRefreshThrottles", statistic="Sum"),
    *_pool("SignUpSuccesses SignInSuccesses TokenRefreshSuccesses", statistic="Average"),
    *_federated("FederationThrottles", statistic="Sum"),
    *_federated("FederationSuccesses", statistic="Average"),
)

RULES = (
    Rule(
        id="cloudfront.5xx",
        title="Server errors",
        metrics=("5xxErrorRate",),
        unit="% of requests failed",
        high=Learned(default=Fixed(5)),
        datapoints=5,
        periods=5,
        severity=Severity.PAGE,
        reason="Viewers get server errors: the origin fails or times out, or a function at the edge does.",
    ),
    Rule(
        id="cloudfront.4xx",
        title="Client errors",
        metrics=("4xxErrorRate",),
        unit="% of requests refused",
        high=Learned(),
        datapoints=15,
        periods=15,
        severity=Severity.TICKET,
        reason="More requests than usual are refused: pages that are gone, signatures that expired, or someone probes.",
    ),
    never(
        "cloudfront.function_errors",
        "FunctionExecutionErrors",
        title="CloudFront function failed",
        reason="The code of a CloudFront function failed while it ran, and viewers got an error instead.",
    ),
    never(
        "cloudfront.function_invalid",
        "FunctionValidationErrors",
        title="CloudFront function answered nonsense",
        reason="A CloudFront function gave back what CloudFront cannot use, such as a request without its Host header.",
    ),
    throttled(
        "cloudfront.function_throttles",
        "FunctionThrottles",
        title="CloudFront function throttled",
        reason="CloudFront stops the function minute after minute: it computes too long for what it is allowed.",
    ),
    never(
        "cloudfront.edge_errors",
        "LambdaExecutionError",
        title="Lambda@Edge function failed",
        reason="A function at the edge failed, and viewers got an error instead. Its own metrics and logs are in the "
        "Region nearest to them, under the name us-east-1.<function>.",
    ),
    never(
        "cloudfront.edge_invalid",
        "LambdaValidationError",
        title="Lambda@Edge function answered nonsense",
        reason="A function at the edge gave back what CloudFront cannot use, such as a header it may not set.",
    ),
    throttled(
        "cloudfront.edge_throttles",
        "LambdaLimitExceededErrors",
        title="Lambda@Edge function throttled",
        reason="Functions at the edge are refused minute after minute: concurrency or request rate is used up in the "
        "viewers' Region.",
    ),
    unusual(
        "appsync.5xx",
        "5XXError",
        title="Server errors",
        unit="requests failed in 5 minutes",
        default=Fixed(3),
        severity=Severity.PAGE,
        reason="Callers get server errors: a resolver or its data source fails. AppSync counts no requests to set them "
        "against.",
    ),
    unusual(
        "appsync.4xx",
        "4XXError",
        title="Client errors",
        unit="requests refused in 5 minutes",
        reason="More requests than usual are refused: a client changed, tokens expired, or someone probes.",
    ),
    unusual(
        "appsync.latency",
        "Latency",
        title="Latency, 90th percentile",
        unit="ms",
        reason="Callers wait longer than they used to, resolvers and data sources included.",
    ),
    *(
        throttled(
            f"cognito.{what}_throttles",
            metric,
            title=f"{words} throttled",
            reason=f"Cognito refuses {people} minute after minute: the account's quota of requests is used up.",
        )
        for what, metric, words, people in (
            ("sign_in", "SignInThrottles", "Sign-in", "people who sign in"),
            ("sign_up", "SignUpThrottles", "Sign-up", "people who sign up"),
            ("token_refresh", "TokenRefreshThrottles", "Token refresh", "clients that refresh their tokens"),
        )
    ),
)
