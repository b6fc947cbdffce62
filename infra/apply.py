"""Templates -> stacks, through S3 where CloudFormation wants it, in as many steps as it takes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from infra.aws import bucket as buckets
from infra.aws.session import client
from infra.aws.stacks import Deployment, Progress, delete, deploy, deployed_template, stack_names
from infra.stacks import NESTED, Template, dump
from infra.steps import steps
from monitors import names, quotas

Json = Any
POLL_S = 2.0


def apply(
    session: boto3.Session,
    templates: Mapping[str, str],
    *,
    bucket: str,
    tags: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
    pause_s: float = POLL_S,
) -> None:
    """Deploy what `infra.stacks.templates` made, and wait. Stopped, it goes on where it was when run again.

    AwsError if a call fails, or a stack does, with the reason of the resource that failed.
    """
    deployed = {
        name: deployed_template(session, name, progress=progress, pause_s=pause_s)
        for name in stack_names(session)
        if names.is_alarm_stack(name)
    }
    present = {_url(one) for found in deployed.values() for one in found.get("Resources", {}).values()}
    urls: dict[str, str] = {}
    for name, text in templates.items():
        if not names.is_alarm_stack(name):
            key = _key(name, text)
            urls[f"{name}.json"] = _address(session, bucket, key)
            if urls[f"{name}.json"] not in present:
                progress(f"{name}: to s3://{bucket}/{key}")
                buckets.upload(session, bucket, text.encode(), key=key)
    parents = {name: json.loads(text) for name, text in templates.items() if names.is_alarm_stack(name)}
    rounds = steps(deployed, {name: packaged(one, urls) for name, one in parents.items()})
    for number, (stack, made) in enumerate(rounds, start=1):
        if len(rounds) > 1:
            progress(f"{stack}: step {number} of {len(rounds)}")
        if made is None:
            delete(session, stack, progress=progress, pause_s=pause_s)
        else:
            deploy_stack(
                session,
                name=stack,
                template=dump(made),
                bucket=bucket,
                tags=tags or {},
                progress=progress,
                pause_s=pause_s,
            )


def deploy_stack(
    session: boto3.Session,
    *,
    name: str,
    template: str,
    bucket: str,
    parameters: Mapping[str, str] | None = None,
    capabilities: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
    pause_s: float = POLL_S,
) -> dict[str, str]:
    """Create or update one stack from a template's text, and wait; its outputs by name.

    A template too long for the request goes through the bucket. AwsError as for `apply`.
    """
    if len(template.encode()) <= quotas.TEMPLATE_BODY_BYTES:
        source = {"TemplateBody": template}
    else:
        key = buckets.upload(session, bucket, template.encode(), key=_key(name, template))
        source = {"TemplateURL": _address(session, bucket, key)}
    wanted = Deployment(
        name=name, template=source, parameters=parameters or {}, capabilities=capabilities, tags=tags or {}
    )
    return deploy(session, wanted, progress=progress, pause_s=pause_s)


def packaged(parent: Template, urls: Mapping[str, str]) -> Template:
    """The parent with the addresses of its nested templates in place of their files."""
    return {
        **parent,
        "Resources": {
            key: {**one, "Properties": {**one["Properties"], "TemplateURL": urls[_url(one)]}} if _url(one) else one
            for key, one in parent["Resources"].items()
        },
    }


def _url(resource: Json) -> str:
    """Where a nested stack's template is; empty for any other resource."""
    return str(resource["Properties"]["TemplateURL"]) if resource["Type"] == NESTED else ""


def _key(name: str, template: str) -> str:
    """By content, so that a template that has not changed has not changed its address either."""
    return f"templates/{name}-{hashlib.sha256(template.encode()).hexdigest()[:16]}.json"


def _address(session: boto3.Session, bucket: str, key: str) -> str:
    """The object's address in the form CloudFormation takes, at whatever endpoint S3 is."""
    return f"{client(session, 's3').meta.endpoint_url}/{bucket}/{key}"
