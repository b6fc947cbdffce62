"""SAM -> CloudFormation, by AWS's own aws-sam-translator."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from monitors.errors import InputError

Json = Any

SAM = "AWS::Serverless-2016-10-31"
_ELSEWHERE = "s3://bucket/key"
"""Stands for files of this machine: the translator wants them packaged, and what is in them changes nothing here."""
_CODE = {
    "AWS::Serverless::Function": ("CodeUri",),
    "AWS::Serverless::LayerVersion": ("ContentUri",),
    "AWS::Serverless::Api": ("DefinitionUri",),
    "AWS::Serverless::HttpApi": ("DefinitionUri",),
    "AWS::Serverless::StateMachine": ("DefinitionUri",),
    "AWS::Serverless::GraphQLApi": ("SchemaUri",),
}
_INLINE = {
    "AWS::Serverless::Api": "DefinitionBody",
    "AWS::Serverless::HttpApi": "DefinitionBody",
    "AWS::Serverless::StateMachine": "Definition",
}
_TOLD = 5


def transforms(template: Mapping[str, Json]) -> list[str]:
    """The names of the template's macros, in order."""
    named = template.get("Transform")
    each = named if isinstance(named, list) else [named]
    names = [one.get("Name") if isinstance(one, dict) else one for one in each]
    return [name for name in names if isinstance(name, str)]


def expanded(
    template: Mapping[str, Json], parameters: Mapping[str, Json], *, file: str, read: Callable[[str], Json | None]
) -> dict[str, Json]:
    """The template with its SAM resources as what CloudFormation makes of them.

    `read` gives the definition of an API or state machine in a local file; None if there is none to read.
    InputError with the translator's own words for what it refuses, or where the translator is not installed.
    """
    try:
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator
    except ImportError as error:
        raise InputError(
            f"{file} is a SAM template, and aws-sam-translator is not there to expand it: "
            "pip install 'lambda-lookout[templates]'"
        ) from error
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    document = _packaged(json.loads(json.dumps(template)), read)  # a copy, and a quicker one than deepcopy's
    # What needs the Region is not to take it from this machine's settings.
    translator = Translator(None, Parser(), boto_session=SimpleNamespace(region_name="${AWS::Region}"))
    try:
        found = translator.translate(document, dict(parameters), get_managed_policy_map=dict)
    except InvalidDocumentException as error:
        causes = [" ".join(str(cause.message).split()) for cause in error.causes]
        more = f"\n  and {len(causes) - _TOLD} more" if len(causes) > _TOLD else ""
        told = "".join(f"\n  {one}" for one in causes[:_TOLD]) + more + _hint(template, parameters)
        raise InputError(f"{file}: SAM refuses it:{told}") from error
    except Exception as error:  # the translator meets odd shapes with errors of every kind
        raise InputError(f"{file}: SAM cannot be expanded: {type(error).__name__}: {error}"[:500]) from error
    plain: dict[str, Json] = json.loads(json.dumps(found, default=str))
    return plain


def _packaged(template: dict[str, Json], read: Callable[[str], Json | None]) -> dict[str, Json]:
    """The template as `sam package` would leave it, with its definitions of APIs and state machines put in.

    An application of the Serverless Application Repository is a nested stack; the translator would ask where it is.
    """
    for resource in template["Resources"].values():
        if isinstance(resource, dict) and resource.get("Type") == "AWS::Serverless::Application":
            resource |= {"Type": "AWS::CloudFormation::Stack", "Properties": _application(resource.get("Properties"))}
    for kind, properties in _serverless(template):
        for name in _CODE[kind]:
            value = properties.get(name)
            if isinstance(value, str) and not value.startswith("s3://"):
                properties[name] = _ELSEWHERE
                if kind in _INLINE and (found := read(value)):
                    del properties[name]
                    properties[_INLINE[kind]] = found
        if kind == "AWS::Serverless::Function" and not properties.keys() & {"CodeUri", "InlineCode", "ImageUri"}:
            image = properties.get("PackageType") == "Image"
            properties |= {"ImageUri": "1.dkr.ecr.x.amazonaws.com/x:1"} if image else {"CodeUri": _ELSEWHERE}
    return template


def _application(properties: Json) -> dict[str, Json]:
    own = properties if isinstance(properties, dict) else {}
    location = own.get("Location")
    url = location if isinstance(location, str) else "https://serverlessrepo/"
    return {"TemplateURL": url, "Parameters": own.get("Parameters") or {}}


def _hint(template: Mapping[str, Json], parameters: Mapping[str, Json]) -> str:
    """Which parameters have no value: SAM must know some of them to expand a template."""
    declared = template.get("Parameters")
    open_ = [
        name
        for name, one in (declared if isinstance(declared, dict) else {}).items()
        if name not in parameters and isinstance(one, dict) and "Default" not in one
    ]
    return f"\n  Perhaps it needs a value that --parameters can give: {', '.join(open_)}" if open_ else ""


def _serverless(template: Mapping[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    sections = template.get("Globals")
    for properties in sections.values() if isinstance(sections, dict) else ():
        if isinstance(properties, dict) and isinstance(properties.get("CodeUri"), str):
            del properties["CodeUri"]
    for resource in template["Resources"].values():
        if isinstance(resource, dict) and str(resource.get("Type")) in _CODE:
            properties = resource.setdefault("Properties", {})
            if isinstance(properties, dict):
                yield resource["Type"], properties
