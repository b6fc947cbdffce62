"""Lambda's answers -> functions, the account they share, and what feeds and follows them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from monitors import names
from monitors.fleet import evidence
from monitors.fleet.answers import Answers, Found, Json, by_parent, items, links, resource
from monitors.fleet.arns import resource_arn, service_of
from monitors.model import Fact, Link, Resource

# Event sources whose lag shows as IteratorAge (Lambda, Types of metrics); DocumentDB's clusters have rds ARNs.
_STREAMS = {"kinesis", "dynamodb", "rds"}
# In the ARN of the layer that publishes Lambda Insights (CloudWatch, Lambda Insights extension versions).
_INSIGHTS = ":layer:LambdaInsightsExtension"
# Member of an event source mapping's MetricsConfig -> the fact that lists the mappings that publish those metrics,
# whose dimension is EventSourceMappingUUID (Lambda, Types of metrics: event source mapping metrics).
_MAPPING_METRICS = {
    "EventCount": "event_count_mappings",
    "ErrorCount": "error_count_mappings",
    "KafkaMetrics": "kafka_metrics_mappings",
}


_PER_FUNCTION = (
    "GetFunctionConcurrency",
    "ListFunctionEventInvokeConfigs",
    "ListAliases",
    "ListFunctionUrlConfigs",
    "ListProvisionedConcurrencyConfigs",
)


def functions(answers: Answers) -> Found:
    """Every function with its facts, as of its unpublished version, and the account's own row."""
    resources: list[Resource] = [_account(answers)]
    found: list[Link] = []
    mappings = _mappings(answers)
    per_function = {call: by_parent(answers, f"lambda:{call}", "FunctionName") for call in _PER_FUNCTION}
    for function in items(answers, "lambda:ListFunctions"):
        name, arn = function["FunctionName"], function["FunctionArn"]
        known = {call: of.get(name, []) for call, of in per_function.items()}
        sources = mappings.get(arn, [])
        settings = _settings(known) if any(known.values()) else _NOTHING_SET
        facts = _configuration(function) | settings | _event_sources(sources)
        facts |= _asynchronous(function, known["ListFunctionEventInvokeConfigs"])
        resources.append(resource(answers, service="lambda", name=name, arn=arn, facts=facts))
        found += _links(function, known["ListFunctionEventInvokeConfigs"], sources)
    return Found(tuple(resources), tuple(found))


def _account(answers: Answers) -> Resource:
    limits = items(answers, "lambda:GetAccountSettings")
    return resource(
        answers,
        service="account",
        name=f"{answers.account}/{answers.region}",
        arn=f"account:{answers.account}/{answers.region}",
        facts={
            "concurrency_limit": limits[0].get("ConcurrentExecutions") if limits else None,
            "parameter_calls": _used(answers, "CallCount"),
            "parameter_throttles": _used(answers, "ThrottleCount"),
        },
    )


def _used(answers: Answers, metric: str) -> tuple[str, ...] | None:
    """The operations of Parameter Store of which AWS publishes this usage metric."""
    found = [
        {pair["Name"]: pair["Value"] for pair in one.get("Dimensions", ())}
        for one in items(answers, evidence.METRICS)
        if (one.get("Namespace"), one.get("MetricName")) == ("AWS/Usage", metric)
    ]
    names = {one.get("Resource", "") for one in found if (one.get("Service"), one.get("Type")) == ("SSM", "API")}
    return tuple(sorted(name for name in names if "Parameter" in name)) or None


def _configuration(function: Json) -> dict[str, Fact | None]:
    """What ListFunctions says of a function; AWS's own defaults where it is silent."""
    logging = function.get("LoggingConfig", {})
    return {
        "timeout_ms": function.get("Timeout", 3) * 1000,
        "memory_mb": function.get("MemorySize", 128),
        "architecture": next(iter(function.get("Architectures", ())), "x86_64"),
        "runtime": function.get("Runtime"),
        "package_type": function.get("PackageType", "Zip"),
        "tracing": function.get("TracingConfig", {}).get("Mode", "PassThrough"),
        "log_group": logging.get("LogGroup") or names.log_group(function["FunctionName"]),
        "log_format": logging.get("LogFormat", "Text"),
        "snap_start": function.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions",
        "storage_mb": function.get("EphemeralStorage", {}).get("Size", 512),
        "subnets": tuple(sorted(function.get("VpcConfig", {}).get("SubnetIds", ()))),
        "layers": tuple(layer["Arn"] for layer in function.get("Layers", ()) if "Arn" in layer),
        "is_edge": bool(function.get("MasterArn")),
        "insights": any(_INSIGHTS in layer.get("Arn", "") for layer in function.get("Layers", ())) or None,
        "durable": bool(function.get("DurableConfig")) or None,
        "modified": _utc(str(function.get("LastModified", ""))),
    }


def _utc(text: str) -> str | None:
    """`2026-11-28T11:00:00.123+0100` -> `2026-11-28T10:00:00Z`; None for what is no time."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        return None


def _settings(known: Mapping[str, list[Json]]) -> dict[str, Fact | None]:
    reserved = [answer.get("ReservedConcurrentExecutions") for answer in known["GetFunctionConcurrency"]]
    provisioned = {
        _qualifier(config): config.get("RequestedProvisionedConcurrentExecutions", 0)
        for config in known["ListProvisionedConcurrencyConfigs"]
    }
    urls = known["ListFunctionUrlConfigs"]
    return {
        "reserved_concurrency": next(iter(reserved), None),
        "has_url": bool(urls),
        # NONE where any of them is open to all: it sorts behind AWS_IAM
        "url_auth": max((url["AuthType"] for url in urls if "AuthType" in url), default=None),
        "provisioned": bool(provisioned),
        "provisioned_qualifiers": tuple(sorted(provisioned)),
        "provisioned_concurrency": tuple(sorted(f"{name}={count}" for name, count in provisioned.items())) or None,
        **_aliases(known["ListAliases"]),
    }


def _aliases(aliases: list[Json]) -> dict[str, Fact | None]:
    """The aliases, those that send a part of their traffic to a second version, and `alias:version` for each such pair.

    Lambda publishes metrics by alias and version (Resource, ExecutedVersion) of such aliases only.
    """
    weights = {alias["Name"]: alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}) for alias in aliases}
    primary = {alias["Name"]: alias.get("FunctionVersion", "") for alias in aliases}
    weighted = {name: {primary[name], *others} - {""} for name, others in weights.items() if others}
    routes = (f"{name}:{version}" for name, versions in weighted.items() for version in versions)
    return {
        "aliases": tuple(sorted(weights)),
        "weighted_aliases": tuple(sorted(weighted)) or None,
        "weighted_routes": tuple(sorted(routes)) or None,
    }


_NOTHING_SET = _settings({call: [] for call in _PER_FUNCTION})


def _event_sources(mappings: list[Json]) -> dict[str, Fact | None]:
    arns = sorted({mapping["EventSourceArn"] for mapping in mappings if mapping.get("EventSourceArn")})
    services = {service_of(arn) for arn in arns}
    return {
        "event_sources": tuple(arns),
        "is_stream_consumer": bool(services & _STREAMS),
        "is_documentdb_consumer": "rds" in services,
        "is_sqs_consumer": "sqs" in services,
        **_measured(mappings),
    }


def _measured(mappings: list[Json]) -> dict[str, Fact | None]:
    """The UUIDs of mappings that publish metrics of their own: those told to, and those with provisioned pollers."""
    known = [mapping for mapping in mappings if mapping.get("UUID")]
    found = {
        fact: {mapping["UUID"] for mapping in known if group in mapping.get("MetricsConfig", {}).get("Metrics", ())}
        for group, fact in _MAPPING_METRICS.items()
    }
    found["provisioned_mappings"] = {mapping["UUID"] for mapping in known if mapping.get("ProvisionedPollerConfig")}
    return {fact: tuple(sorted(uuids)) or None for fact, uuids in found.items()}


def _asynchronous(function: Json, configs: list[Json]) -> dict[str, Fact | None]:
    """A dead-letter target or an event-invoke config means nothing but to asynchronous invocations.

    Where versions and aliases are configured each on its own, the facts are the first destination and the least age
    and retries.
    """
    dead_letter = function.get("DeadLetterConfig", {}).get("TargetArn") or None
    if not configs:
        return {"dead_letter": dead_letter, "is_async": bool(dead_letter)}
    return {
        "dead_letter": dead_letter,
        "on_failure": _least(_destination(config, "OnFailure") for config in configs),
        "on_success": _least(_destination(config, "OnSuccess") for config in configs),
        "async_max_age_s": _least(config.get("MaximumEventAgeInSeconds") for config in configs),
        "async_retries": _least(config.get("MaximumRetryAttempts") for config in configs),
        "is_async": True,
    }


def _least(values: Iterable[Json]) -> Json:
    """The least of what is known; None if nothing is."""
    return min((value for value in values if value is not None), default=None)


def _links(function: Json, configs: list[Json], mappings: list[Json]) -> list[Link]:
    arn = function["FunctionArn"]
    failed = [_destination(one, "OnFailure") for one in (*configs, *mappings)]
    found = links(arn, [function.get("DeadLetterConfig", {}).get("TargetArn"), *failed], "dead_letter")
    found += links(arn, [_destination(config, "OnSuccess") for config in configs], "delivers")
    for mapping in mappings:
        found += links(mapping["EventSourceArn"], [arn], "reads") if mapping.get("EventSourceArn") else []
    return found


def _mappings(answers: Answers) -> Mapping[str, list[Json]]:
    """Event source mappings by the function that they feed, through whichever version or alias."""
    grouped: dict[str, list[Json]] = {}
    for mapping in items(answers, "lambda:ListEventSourceMappings"):
        if mapping.get("State") != "Deleting":
            grouped.setdefault(resource_arn(mapping.get("FunctionArn", "")), []).append(mapping)
    return grouped


def _destination(config: Json, outcome: str) -> str | None:
    arn: str | None = config.get("DestinationConfig", {}).get(outcome, {}).get("Destination")
    return arn or None


def _qualifier(config: Json) -> str:
    """The version or alias at the end of a qualified function ARN."""
    return str(config["FunctionArn"]).removeprefix(f"{resource_arn(config['FunctionArn'])}:")
