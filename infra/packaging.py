"""SAM template and its folder -> the template with its code in S3, and the zips to put there.

Does for functions what `aws cloudformation package` does.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.templates.parsing import parse
from infra.zips import zip_folder
from monitors.errors import InputError


def package_template(template_text: str, folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The template with each local CodeUri as {Bucket, Key}, and {key: zip} for what must lie there.

    `folder` is what the CodeUri are relative to. Bucket is `{"Ref": "CodeBucket"}`, a parameter added here.
    Keys are hashes of the content, so that the same code deploys as no change. Raises InputError for
    what is no template, or a folder that is not there.
    """
    template = parse(template_text, "template")
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


def _functions_with_local_code(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical_id, resource in template["Resources"].items():
        match resource:
            case {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": str(code)} as properties}:
                if not code.startswith("s3://"):
                    yield logical_id, properties


def _key(data: bytes) -> str:
    return f"code/{hashlib.sha256(data).hexdigest()[:32]}.zip"
