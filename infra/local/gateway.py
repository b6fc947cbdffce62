"""What API Gateway publishes about each request: of HTTP APIs by id, of REST APIs by name."""

import re
from collections.abc import Iterator, Mapping

from ministack.services import apigateway, apigateway_v1

from infra.local import cloudwatch, queries
from infra.local.metrics import Scope

HOST = re.compile(r"([a-z0-9]+)\.execute-api\.")
PATH = re.compile(r"/_aws/execute-api/([a-z0-9]+)/([^/]+)")
ERRORS = {"ApiId": ("4xx", "5xx"), "ApiName": ("4XXError", "5XXError")}


def called(host: str, path: str) -> tuple[str, str] | None:
    """(API id, stage) that a request goes to, by host name or by the emulator's own path; None if to no API."""
    if found := PATH.match(path):
        return found[1], found[2]
    by_host = HOST.match(host)
    return (by_host[1], "$default") if by_host else None


def measure(api_id: str, stage: str, *, status: int, begun_s: float, ended_s: float) -> None:
    """Keep one request's count, errors and latency, under the API's own account and Region."""
    for scope, dimension, value in _owners(api_id):
        client_errors, server_errors = ERRORS[dimension]
        latency_ms = (ended_s - begun_s) * 1000
        for name, amount, unit in (
            ("Count", 1.0, "Count"),
            (client_errors, float(400 <= status < 500), "Count"),
            (server_errors, float(status >= 500), "Count"),
            ("Latency", latency_ms, "Milliseconds"),
            ("IntegrationLatency", latency_ms, "Milliseconds"),
        ):
            key = queries.key("AWS/ApiGateway", name, {dimension: value, "Stage": stage})
            cloudwatch.STORE.add(scope, key, at_s=begun_s, values=[amount], unit=unit)


def _owners(api_id: str) -> Iterator[tuple[Scope, str, str]]:
    stores: tuple[tuple[str, Mapping[tuple[str, str, str], dict[str, str]]], ...] = (
        ("ApiId", apigateway._apis._data),
        ("ApiName", apigateway_v1._rest_apis._data),
    )
    for dimension, apis in stores:
        for (account, region, known), api in list(apis.items()):
            if known == api_id:
                yield (account, region), dimension, api_id if dimension == "ApiId" else api["name"]
