"""What API Gateway publishes about each request of an HTTP API."""

from ministack.services import apigateway

from infra.local import cloudwatch, queries


def measure(api_id: str, *, status: int, begun_s: float, ended_s: float) -> None:
    """Keep one request's Count, 4xx, 5xx and Latency under the API's own account, Region and default stage."""
    for account, region, known in list(apigateway._apis._data):
        if known == api_id:
            key_of = {"ApiId": api_id, "Stage": "$default"}
            latency_ms = (ended_s - begun_s) * 1000
            for name, value, unit in (
                ("Count", 1.0, "Count"),
                ("4xx", float(400 <= status < 500), "Count"),
                ("5xx", float(status >= 500), "Count"),
                ("Latency", latency_ms, "Milliseconds"),
                ("IntegrationLatency", latency_ms, "Milliseconds"),
            ):
                key = queries.key("AWS/ApiGateway", name, key_of)
                cloudwatch.STORE.add((account, region), key, at_s=begun_s, samples=[(value, 1.0)], unit=unit)
