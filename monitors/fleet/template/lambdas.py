"""Lambda's resources in a template -> what ListFunctions and its kin will answer. Pure."""

from monitors.fleet.template.nodes import Node
from monitors.fleet.template.said import Declared, Said, Saying, left_open, some, tagged

_OPEN_FACTS = {
    "timeout_ms": ("Timeout", "1000*"),
    "memory_mb": ("MemorySize", ""),
    "reserved_concurrency": ("ReservedConcurrentExecutions", ""),
}


def function(one: Declared) -> Saying:
    """AWS::Lambda::Function."""
    own = one.properties
    item = some(
        {
            "Runtime": own.text("Runtime"),
            "Timeout": own.whole("Timeout"),
            "MemorySize": own.whole("MemorySize"),
            "Architectures": own.texts("Architectures"),
            "PackageType": own.text("PackageType"),
            "DeadLetterConfig": own.texts_of("DeadLetterConfig", "TargetArn"),
            "TracingConfig": own.texts_of("TracingConfig", "Mode"),
            "LoggingConfig": own.texts_of("LoggingConfig", "LogGroup", "LogFormat"),
            "SnapStart": own.texts_of("SnapStart", "ApplyOn"),
            "VpcConfig": some({"SubnetIds": own.group("VpcConfig").texts("SubnetIds")}),
            "Layers": [{"Arn": arn} for arn in own.texts("Layers")],
            "DurableConfig": own.group("DurableConfig").value,
            "EphemeralStorage": some({"Size": own.group("EphemeralStorage").whole("Size")}),
        }
    )
    yield Said("lambda:ListFunctions", {"FunctionName": one.name, "FunctionArn": one.arn, **item})
    if (reserved := own.whole("ReservedConcurrentExecutions")) is not None:
        yield _of(one.name, "GetFunctionConcurrency", {"ReservedConcurrentExecutions": reserved})
    yield from left_open(one, _OPEN_FACTS)
    yield from tagged(one)


def event_source_mapping(one: Declared) -> Saying:
    """AWS::Lambda::EventSourceMapping."""
    own = one.properties
    source = own.text("EventSourceArn")
    if source and not source.startswith("arn:"):
        own.note("EventSourceArn", "an ARN was expected, to tell streams from queues")
    item = {
        "UUID": f"${{{one.id}}}",
        "EventSourceArn": source,
        "FunctionArn": one.names.function_arn(own.text("FunctionName")),
        "DestinationConfig": _destinations(own),
        "MetricsConfig": some({"Metrics": own.group("MetricsConfig").texts("Metrics")}),
        "State": "Disabled" if own.text("Enabled").lower() == "false" else "Enabled",
    }
    yield Said("lambda:ListEventSourceMappings", some(item))


def alias(one: Declared) -> Saying:
    """AWS::Lambda::Alias."""
    own = one.properties
    name, function_arn = own.text("Name"), one.names.function_arn(own.text("FunctionName"))
    weights = {
        each.text("FunctionVersion"): float(each.text("FunctionWeight") or 0)
        for each in own.group("RoutingConfig").many("AdditionalVersionWeights")
        if _number(each.text("FunctionWeight"))
    }
    item = {
        "Name": name,
        "AliasArn": f"{function_arn}:{name}",
        "FunctionVersion": own.text("FunctionVersion"),
        "RoutingConfig": some({"AdditionalVersionWeights": weights}),
    }
    yield _of(_function_name(function_arn), "ListAliases", some(item))
    yield from _provisioned(own, function_arn, name)


def version(one: Declared) -> Saying:
    """AWS::Lambda::Version: of interest for its provisioned concurrency alone."""
    own = one.properties
    yield from _provisioned(own, one.names.function_arn(own.text("FunctionName")), f"${{{one.id}.Version}}")


def event_invoke_config(one: Declared) -> Saying:
    """AWS::Lambda::EventInvokeConfig."""
    own = one.properties
    arn = one.names.function_arn(own.text("FunctionName"))
    qualifier = own.text("Qualifier") or "$LATEST"
    item = {
        "FunctionArn": f"{arn}:{qualifier}",
        "MaximumRetryAttempts": own.whole("MaximumRetryAttempts"),
        "MaximumEventAgeInSeconds": own.whole("MaximumEventAgeInSeconds"),
        "DestinationConfig": _destinations(own),
    }
    yield _of(_function_name(arn), "ListFunctionEventInvokeConfigs", some(item))


def url(one: Declared) -> Saying:
    """AWS::Lambda::Url."""
    own = one.properties
    arn = one.names.function_arn(own.text("TargetFunctionArn"))
    item = {"FunctionArn": arn, "FunctionUrl": f"${{{one.id}.FunctionUrl}}", "AuthType": own.text("AuthType")}
    yield _of(_function_name(arn), "ListFunctionUrlConfigs", some(item))


def _provisioned(own: Node, function_arn: str, qualifier: str) -> Saying:
    if own.get("ProvisionedConcurrencyConfig"):
        wanted = own.group("ProvisionedConcurrencyConfig").whole("ProvisionedConcurrentExecutions")
        item = some({"RequestedProvisionedConcurrentExecutions": wanted})
        item["FunctionArn"] = f"{function_arn}:{qualifier}"
        yield _of(_function_name(function_arn), "ListProvisionedConcurrencyConfigs", item)


def _destinations(own: Node) -> dict[str, dict[str, str]]:
    config = own.group("DestinationConfig")
    return some({key: config.texts_of(key, "Destination") for key in ("OnSuccess", "OnFailure")})


def _of(function_name: str, call: str, item: dict[str, object]) -> Said:
    return Said(f"lambda:{call}", item, {"FunctionName": function_name})


def _function_name(arn: str) -> str:
    return arn.partition(":function:")[2]


def _number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
