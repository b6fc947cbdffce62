"""Answers of EventBridge Pipes -> pipes, what they read, ask on the way and feed."""

from monitors.fleet.answers import Answers, Found, Json, items, links, resource, told
from monitors.fleet.arns import service_of
from monitors.fleet.routing import fed
from monitors.model import Link, Resource


def pipes(answers: Answers) -> Found:
    """Every pipe, between its source, its enrichment and its target, and its dead-letter target."""
    described = told(answers, "pipes:DescribePipe", "Name")
    resources: list[Resource] = []
    found: list[Link] = []
    for pipe in items(answers, "pipes:ListPipes"):
        name, arn = pipe["Name"], pipe["Arn"]
        known = described.get(name, {})
        dead_letter = _dead_letter(known)
        facts = {
            "source": pipe.get("Source"),
            "enrichment": pipe.get("Enrichment") or None,
            "target": pipe.get("Target"),
            "enabled": pipe.get("DesiredState") != "STOPPED",
            "dead_letter": dead_letter,
        }
        resources.append(resource(answers, service="pipes", name=name, arn=arn, facts=facts, tags=known.get("Tags")))
        source = pipe.get("Source", "")
        found += links(source, [arn], "reads") if service_of(source) else []  # brokers outside AWS have no ARN
        found += fed(arn, pipe.get("Enrichment", ""))
        found += _target(arn, pipe.get("Target", ""), known.get("TargetParameters", {}))
        found += links(arn, [dead_letter], "dead_letter")
    return Found(tuple(resources), tuple(found))


def _target(pipe: str, target: str, parameters: Json) -> list[Link]:
    """A pipe waits for the function that it invokes unless it is told to fire and forget; then it notifies it."""
    if parameters.get("LambdaFunctionParameters", {}).get("InvocationType") == "FIRE_AND_FORGET":
        return links(pipe, [target], "notifies")
    return fed(pipe, target)


def _dead_letter(pipe: Json) -> str | None:
    """Where records go that the target failed at; only streams as sources have it (PipeSourceParameters)."""
    sources = [source for source in pipe.get("SourceParameters", {}).values() if isinstance(source, dict)]
    arns = (source.get("DeadLetterConfig", {}).get("Arn") for source in sources)
    return next((arn for arn in arns if arn), None)
