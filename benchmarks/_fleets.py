"""Fleets of any size: functions with their log groups, each with a source (queue, HTTP API, stream, table)."""

from dataclasses import replace

from monitors.model import Fact, Fleet, Link, Resource

ACCOUNT, REGION = "123456789012", "eu-west-1"
APPLICATION = 25
"""Functions in one application."""


def fleet_of(functions: int) -> Fleet:
    """So many functions and their sources, 25 functions in an application."""
    resources: list[Resource] = []
    links: list[Link] = []
    for n in range(functions):
        name, application = f"shop-{n}", f"shop-{n // APPLICATION}"
        function, sources = _function(name, application), _sources(n, name, application)
        resources += [function, _resource("logs", f"/aws/lambda/{name}", application, log_class="STANDARD"), *sources]
        links += [Link(source.id, function.id, "reads") for source in sources]
    return Fleet(resources=tuple(resources), links=tuple(links))


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
