"""EventBridge Pipes in a template -> what their API will answer. Pure."""

from monitors.fleet.template.nodes import Node
from monitors.fleet.template.said import Declared, Said, Saying, some, tagged


def pipe(one: Declared) -> Saying:
    """AWS::Pipes::Pipe."""
    own = one.properties
    listed = {
        "Name": one.name,
        "Arn": one.arn,
        "Source": own.text("Source"),
        "Enrichment": own.text("Enrichment"),
        "Target": own.text("Target"),
        "DesiredState": own.text("DesiredState"),
    }
    sources = own.group("SourceParameters")
    invocation = own.group("TargetParameters").group("LambdaFunctionParameters").text("InvocationType")
    described = {
        "SourceParameters": some({name: _dead_letter(sources, name) for name in sources.value}),
        "TargetParameters": some({"LambdaFunctionParameters": some({"InvocationType": invocation})}),
    }
    yield Said("pipes:ListPipes", some(listed))
    yield Said("pipes:DescribePipe", some(described), {"Name": one.name})
    yield from tagged(one)


def _dead_letter(sources: Node, name: str) -> object:
    """Only of the sources proper: the filters stand beside them."""
    if not isinstance(sources.get(name), dict):
        return None
    return some({"DeadLetterConfig": some({"Arn": sources.group(name).group("DeadLetterConfig").text("Arn")})})
