"""SAM template and its folder -> the template with its code in S3, and the zips to put there.

Does for functions what `aws cloudformation package` does. Templates are read by aws-sam-translator's own YAML
reader, so this needs the `local` extra.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse
from yaml import YAMLError  # type: ignore[import-untyped] # PyYAML carries no types

from infra.zips import zip_folder
from monitors.errors import InputError


def package_template(template_text: str, folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The template with each local CodeUri as {Bucket, Key}, and {key: zip} for what must lie there.

    `folder` is what the CodeUri are relative to. Bucket is `{"Ref": "CodeBucket"}`, a parameter added here.
    Keys are hashes of the content, so that the same code deploys as no change. Raises InputError for a
    template that is not YAML or a folder that is not there.
    """
    template = load_template(template_text)
    packed: dict[str, bytes] = {}
    for logical_id, properties in _functions_with_local_code(template):
        code = properties["CodeUri"]
        if not (folder / code).is_dir():
            raise InputError(f"{logical_id}: CodeUri {code!r} is no folder in {folder}")
        if code not in packed:
            packed[code] = zip_folder(folder / code)
        properties["CodeUri"] = {"Bucket": {"Ref": "CodeBucket"}, "Key": _key(packed[code])}
    template["Parameters"] = {**(template.get("Parameters") or {}), "CodeBucket": {"Type": "String"}}
    return template, {_key(data): data for data in packed.values()}


def load_template(text: str) -> dict[str, Any]:
    """The template as plain JSON values, `!Ref x` as `{"Ref": "x"}`; a date without quotes becomes its text.

    Raises InputError for anything that is not YAML or JSON with Resources.
    """
    try:
        template = json.loads(json.dumps(yaml_parse(text), default=str))
    except (YAMLError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"not a CloudFormation template: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise InputError("not a CloudFormation template: it has no Resources")
    return template


def _functions_with_local_code(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, resource in template["Resources"].items():
        match resource:
            case {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": str(code)} as properties}:
                if not code.startswith("s3://"):
                    yield logical_id, properties


def _key(data: bytes) -> str:
    return f"code/{hashlib.sha256(data).hexdigest()[:32]}.zip"
