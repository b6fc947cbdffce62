"""CloudFormation's calls: change sets, waiting, events. A stack that fails is an AwsError with the reason."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import boto3
from botocore.client import BaseClient

from infra.aws.session import call, client, error_code, pages
from monitors.errors import AwsError, InputError

Json = Any
Progress = Callable[[str], None]

GONE = "DELETE_COMPLETE"
"""The status of a stack that is not there."""
_EMPTY = ("REVIEW_IN_PROGRESS", GONE)
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_READY = (*_EMPTY, *_GOOD, "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")
"""From these an operation can start, if ROLLBACK_COMPLETE (a creation undone) is deleted first."""
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
_STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A stack and what it is to be."""

    name: str
    template: Mapping[str, str]
    """{"TemplateBody": text} or {"TemplateURL": address}."""
    parameters: Mapping[str, str]
    capabilities: Sequence[str]
    tags: Mapping[str, str]


def deploy(session: boto3.Session, wanted: Deployment, *, progress: Progress, pause_s: float = 2) -> dict[str, str]:
    """Make the stack what it is to be, and wait; its outputs by name. Nothing to change is a success too.

    Safe to run again after a stop: an operation under way is waited for, and what is left of a creation that failed is
    removed first. `progress` is told every event in a line. AwsError with the reason of the resource that failed.
    """
    cloudformation = client(session, "cloudformation")
    status = _settled(cloudformation, wanted.name, progress, pause_s)
    if status == "ROLLBACK_COMPLETE":
        progress(f"{wanted.name}: its creation had failed; removing what is left of it")
        status = delete(session, wanted.name, progress=progress, pause_s=pause_s)
    change_set = _change_set(cloudformation, wanted, "CREATE" if status in _EMPTY else "UPDATE", pause_s)
    if change_set:
        stack, last = _identity(cloudformation, wanted.name)
        call(cloudformation, "ExecuteChangeSet", {"ChangeSetName": change_set}, target=wanted.name)
        status = _watched(cloudformation, stack, last, progress, pause_s)
        if status not in _GOOD:
            raise AwsError(f"The stack {wanted.name} is {status}: {_failure(cloudformation, stack)}")
    found = call(cloudformation, "DescribeStacks", {"StackName": wanted.name}, target=wanted.name)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}


def delete(session: boto3.Session, name: str, *, progress: Progress, pause_s: float = 2) -> str:
    """Delete the stack and wait; its status then, GONE. AwsError if it is still there."""
    cloudformation = client(session, "cloudformation")
    if _settled(cloudformation, name, progress, pause_s, ready=()) == GONE:
        return GONE
    stack, last = _identity(cloudformation, name)
    call(cloudformation, "DeleteStack", {"StackName": stack}, target=name)
    status = _watched(cloudformation, stack, last, progress, pause_s)
    if status != GONE:
        raise AwsError(f"The stack {name} is {status}: {_failure(cloudformation, stack)}")
    return status


def deployed_template(session: boto3.Session, name: str, *, progress: Progress, pause_s: float = 2) -> dict[str, Json]:
    """The template that the stack has, once no operation is under way; empty if nothing is deployed.

    InputError for one in YAML, which is none that lookout made from a plan.
    """
    cloudformation = client(session, "cloudformation")
    if _settled(cloudformation, name, progress, pause_s) in (*_EMPTY, "ROLLBACK_COMPLETE"):
        return {}
    body = call(cloudformation, "GetTemplate", {"StackName": name}, target=name)["TemplateBody"]
    try:
        found = json.loads(body) if isinstance(body, str) else body
    except ValueError as error:
        raise InputError(f"The stack {name} was not made by lookout: choose another name, or delete it.") from error
    return dict(found)


def stack_names(session: boto3.Session) -> list[str]:
    """The names of all stacks that are there, in order; nested ones left out."""
    found = pages(client(session, "cloudformation"), "DescribeStacks")
    return sorted(one["StackName"] for page in found for one in page["Stacks"] if "ParentId" not in one)


def _settled(
    cloudformation: BaseClient, name: str, progress: Progress, pause_s: float, ready: Sequence[str] = _READY
) -> str:
    """The stack's status once no operation is under way; AwsError if it is none of `ready`, where any are given."""
    waiting = False
    while (status := _status(cloudformation, name)) not in _EMPTY and status.endswith("_IN_PROGRESS"):
        if not waiting:
            progress(f"{name}: waiting for the operation under way ({status})")
        waiting = True
        time.sleep(pause_s)
    if ready and status not in ready:
        way = "continue its rollback" if status == "UPDATE_ROLLBACK_FAILED" else "delete it"
        raise AwsError(f"The stack {name} is {status} and takes no update: {way} in the CloudFormation console first.")
    return status


def _status(cloudformation: BaseClient, name: str) -> str:
    try:
        found = call(cloudformation, "DescribeStacks", {"StackName": name}, target=name)
    except AwsError as error:
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            return GONE
        raise
    return str(found["Stacks"][0]["StackStatus"])


def _identity(cloudformation: BaseClient, name: str) -> tuple[str, str]:
    """The stack's own id, which outlives its deletion, and the id of its newest event."""
    stack = call(cloudformation, "DescribeStacks", {"StackName": name}, target=name)["Stacks"][0]["StackId"]
    return stack, next((event["EventId"] for event in _events(cloudformation, stack)), "")


def _change_set(cloudformation: BaseClient, wanted: Deployment, kind: str, pause_s: float) -> str:
    """The id of a change set ready to run; empty if there is nothing to change."""
    asked = {
        "StackName": wanted.name,
        "ChangeSetName": "lookout-" + hashlib.sha256(repr(asdict(wanted)).encode()).hexdigest()[:32],
        "ChangeSetType": kind,
        **wanted.template,
        "Parameters": [{"ParameterKey": key, "ParameterValue": one} for key, one in wanted.parameters.items()],
        "Capabilities": [*wanted.capabilities],
        "Tags": [{"Key": key, "Value": one} for key, one in wanted.tags.items()],
    }
    try:
        made = call(cloudformation, "CreateChangeSet", asked, target=wanted.name)
    except AwsError as error:
        if error_code(error) != "AlreadyExistsException":
            raise
        old = {"StackName": wanted.name, "ChangeSetName": asked["ChangeSetName"]}
        call(cloudformation, "DeleteChangeSet", old, target=wanted.name)  # of a run that was stopped
        made = call(cloudformation, "CreateChangeSet", asked, target=wanted.name)
    change_set = str(made["Id"])
    while True:
        found = call(cloudformation, "DescribeChangeSet", {"ChangeSetName": change_set}, target=wanted.name)
        if found["Status"] == "CREATE_COMPLETE":
            return change_set
        if found["Status"] == "FAILED":
            call(cloudformation, "DeleteChangeSet", {"ChangeSetName": change_set}, target=wanted.name)
            reason = str(found.get("StatusReason", ""))
            if any(words in reason for words in _NOTHING_TO_DO):
                return ""
            raise AwsError(f"CloudFormation refuses the template of {wanted.name}: {reason}")
        time.sleep(pause_s)


def _watched(cloudformation: BaseClient, stack: str, last: str, progress: Progress, pause_s: float) -> str:
    """The status that the operation on the stack ends with. Tells every event after `last`."""
    while True:
        fresh: list[Json] = []
        with suppress(AwsError):  # a deleted stack's events may be gone before we look
            for event in _events(cloudformation, stack):
                if event["EventId"] == last:
                    break
                fresh.append(event)
        for event in reversed(fresh):
            last = event["EventId"]
            progress(_line(event))
            if event["PhysicalResourceId"] == stack and not event["ResourceStatus"].endswith("_IN_PROGRESS"):
                return str(event["ResourceStatus"])
        if not fresh and _status(cloudformation, stack) == GONE:
            return GONE
        time.sleep(pause_s)


def _events(cloudformation: BaseClient, stack: str) -> Iterator[Json]:
    """The stack's events, newest first."""
    for page in pages(cloudformation, "DescribeStackEvents", {"StackName": stack}, target=stack):
        yield from page["StackEvents"]


def _failure(cloudformation: BaseClient, stack: str) -> str:
    """Why the latest operation failed: the first failure's own reason, out of a nested stack if it lies there."""
    failed: list[Json] = []
    for event in _events(cloudformation, stack):
        status, own = event["ResourceStatus"], event["PhysicalResourceId"] == stack
        if own and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"):
            break
        if status.endswith("_FAILED") and not own and "cancelled" not in event.get("ResourceStatusReason", "").lower():
            failed.append(event)
    if not failed:
        return "CloudFormation gives no reason"
    first = failed[-1]
    inside = first.get("PhysicalResourceId", "")
    if first["ResourceType"] == _STACK and inside.startswith("arn:"):
        return _failure(cloudformation, inside)
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {first.get('ResourceStatusReason', 'no reason')}"


def _line(event: Json) -> str:
    physical, reason = event.get("PhysicalResourceId", ""), event.get("ResourceStatusReason", "")
    what = event["LogicalResourceId"] if not physical or physical.startswith("arn:") else physical
    return f"{event['StackName']}: {what} {event['ResourceStatus']}{f': {reason}' if reason else ''}"
