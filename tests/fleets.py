"""Resources for tests: as the survey would have found them."""

from dataclasses import replace

from monitors.model import Fact, Fleet, Resource

ACCOUNT, REGION = "123456789012", "eu-west-1"


def resource(
    service: str, name: str, *, application: str = "", tags: dict[str, str] | None = None, **facts: Fact
) -> Resource:
    return Resource(
        service=service,
        name=name,
        id=f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}",
        account=ACCOUNT,
        region=REGION,
        application=application,
        facts=facts,
        tags=tags or {},
    )


def function(name: str, *, application: str = "", tags: dict[str, str] | None = None, **facts: Fact) -> Resource:
    own: dict[str, Fact] = {"timeout_ms": 30_000, "memory_mb": 256, "log_group": f"/aws/lambda/{name}"}
    return replace(resource("lambda", name, application=application, tags=tags), facts={**own, **facts})


def log_group(name: str, **facts: Fact) -> Resource:
    own: dict[str, Fact] = {"log_class": "STANDARD", "metric_filters": 0, "subscription_filters": ()}
    return replace(resource("logs", name), facts={**own, **facts})


def fleet(*resources: Resource) -> Fleet:
    return Fleet(resources=resources)


def functions(count: int, *, application: str = "shop") -> Fleet:
    """So many functions with their log groups."""
    names = [f"{application}-{number}" for number in range(count)]
    return fleet(
        *(function(name, application=application) for name in names),
        *(log_group(f"/aws/lambda/{name}") for name in names),
    )
