"""Rows: API Gateway: HTTP, REST and WebSocket APIs, by stage.

Metrics: "Monitor HTTP API metrics", "Monitor WebSocket API execution with CloudWatch metrics" and "Amazon API Gateway
dimensions and metrics" (Amazon API Gateway Developer Guide). Levels: "Recommended alarms" (Amazon CloudWatch User
Guide): 5 % errors, 2.5 s latency, 2 s for integrations.
"""

from functools import partial

from monitors.catalog.rows import ANY, Fixed, Learned, Metric, Rule, Service, published
from monitors.catalog.shapes import share, traffic
from monitors.model import Severity

SERVICES = (
    Service(id="apigateway_http", title="HTTP API"),
    Service(id="apigateway_rest", title="REST API"),
    Service(id="apigateway_websocket", title="WebSocket API"),
)

_HTTP = {"ApiId": "{api_id}", "Stage": "{stage}"}
_REST = {"ApiName": "{api_name}", "Stage": "{stage}"}

_websocket = partial(published, "apigateway_websocket", namespace="AWS/ApiGateway", dimensions=_HTTP)


def _metrics(service: str, *, counts: str, stage: dict[str, str]) -> tuple[Metric, ...]:
    emitted = partial(published, service, namespace="AWS/ApiGateway")
    api = dict([next(iter(stage.items()))])
    route = {**stage, "Resource": ANY, "Method": ANY}
    return tuple(
        row
        for prefix, dimensions in (("", stage), ("api/", api), ("route/", route))
        for row in (
            *emitted(counts, dimensions=dimensions, statistic="Sum", prefix=prefix),
            *emitted(
                "Latency IntegrationLatency",
                dimensions=dimensions,
                statistic="p90",
                unit="Milliseconds",
                prefix=prefix,
            ),
        )
    )


METRICS = (
    *_metrics("apigateway_http", counts="Count 4xx 5xx DataProcessed", stage=_HTTP),
    *_metrics("apigateway_rest", counts="Count 4XXError 5XXError CacheHitCount CacheMissCount", stage=_REST),
    *_websocket("ConnectCount MessageCount IntegrationError ClientError ExecutionError", statistic="Sum"),
    *_websocket("IntegrationLatency", statistic="p90", unit="Milliseconds"),
)


def _rules(service: str, *, errors_5xx: str, errors_4xx: str) -> tuple[Rule, ...]:
    return (
        share(
            f"{service}.5xx",
            errors_5xx,
            "Count",
            title="Server errors",
            unit="% of requests failed",
            severity=Severity.PAGE,
            reason="Callers get server errors: the integration fails, times out, refuses, or answers nonsense.",
        ),
        share(
            f"{service}.4xx",
            errors_4xx,
            "Count",
            title="Client errors",
            unit="% of requests refused",
            high=Learned(default=Fixed(5)),
            severity=Severity.TICKET,
            reason="Many requests are refused: a client changed, credentials expired, throttling, or someone probes.",
        ),
        Rule(
            id=f"{service}.latency",
            title="Latency, 90th percentile",
            metrics=("Latency",),
            unit="ms",
            high=Learned(default=Fixed(2_500)),
            datapoints=5,
            periods=5,
            severity=Severity.TICKET,
            reason="Callers wait. Compare IntegrationLatency: the rest is the gateway's own, authorizers included.",
        ),
        traffic(
            f"{service}.traffic",
            "Count",
            title="Requests",
            unit="requests in 5 minutes",
            reason="Far fewer requests than usual: DNS, certificate, or the client is down. Far more: a flood.",
        ),
    )


RULES = (
    *_rules("apigateway_http", errors_5xx="5xx", errors_4xx="4xx"),
    *_rules("apigateway_rest", errors_5xx="5XXError", errors_4xx="4XXError"),
    share(
        "apigateway_websocket.errors",
        "ExecutionError",
        "MessageCount",
        title="Execution errors",
        unit="% of messages failed",
        severity=Severity.PAGE,
        reason="Messages fail in the API or its integration.",
    ),
    share(
        "apigateway_websocket.client_errors",
        "ClientError",
        "MessageCount",
        title="Client errors",
        unit="% of messages refused",
        high=Learned(default=Fixed(5)),
        severity=Severity.TICKET,
        reason="Many messages are refused before they reach an integration: a client changed, or its credentials "
        "expired.",
    ),
    Rule(
        id="apigateway_websocket.latency",
        title="Integration latency, 90th percentile",
        metrics=("IntegrationLatency",),
        unit="ms",
        high=Learned(default=Fixed(2_000)),
        datapoints=5,
        periods=5,
        severity=Severity.TICKET,
        reason="Clients wait for answers to their messages.",
    ),
    traffic(
        "apigateway_websocket.traffic",
        "MessageCount",
        title="Messages",
        unit="messages in 5 minutes",
        reason="Far fewer messages than usual: clients cannot connect. Far more: a flood.",
    ),
)
