"""A CloudFormation and an S3 in memory: change sets, events, failure and rollback, as infra.aws.stacks meets them."""

import json
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from tests.aws import meta

Json = Any
NESTED = "AWS::CloudFormation::Stack"
IDS = count(1)


class CloudFormation:
    """A resource whose Properties say {"Fail": reason} cannot be made; Outputs are literals."""

    def __init__(self, s3: "S3") -> None:
        self.meta = meta("cloudformation")
        self.s3 = s3
        self.stacks: dict[str, dict[str, Json]] = {}
        self.change_sets: dict[str, dict[str, Json]] = {}
        self.busy: list[str] = []
        """Statuses that the next answers of DescribeStacks show before the real one."""
        self.updates: list[Json] = []
        """The templates executed, in order."""

    def can_paginate(self, _operation: str) -> bool:
        return False

    def describe_stacks(self, *, StackName: str = "") -> Json:  # noqa: N803
        if not StackName:
            return {"Stacks": [one for one in self.stacks.values() if one["StackStatus"] != "DELETE_COMPLETE"]}
        found = self._find(StackName)
        status = self.busy.pop(0) if self.busy else found["StackStatus"]
        return {"Stacks": [{**found, "StackStatus": status}]}

    def describe_stack_events(self, *, StackName: str) -> Json:  # noqa: N803
        return {"StackEvents": self._find(StackName)["events"][::-1]}

    def get_template(self, *, StackName: str) -> Json:  # noqa: N803
        return {"TemplateBody": self._find(StackName)["template"]}

    def create_change_set(self, **asked: Json) -> Json:
        name, kind = asked["StackName"], asked["ChangeSetType"]
        if kind == "UPDATE":
            self._find(name)
        change_set = f"{name}/{asked['ChangeSetName']}"
        if change_set in self.change_sets:
            raise error("AlreadyExistsException", "ChangeSet already exists", "CreateChangeSet")
        body = asked.get("TemplateBody") or self.s3.text(asked["TemplateURL"])
        old = self.stacks.setdefault(name, stack(name))
        same = old["asked"] == (json.loads(body), asked["Parameters"])
        self.change_sets[change_set] = {"stack": name, "asked": (json.loads(body), asked["Parameters"])} | (
            {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}
            if same
            else {"Status": "CREATE_COMPLETE"}
        )
        return {"Id": change_set}

    def describe_change_set(self, *, ChangeSetName: str) -> Json:  # noqa: N803
        return self.change_sets[ChangeSetName]

    def delete_change_set(self, *, ChangeSetName: str, StackName: str = "") -> Json:  # noqa: N803
        del self.change_sets[f"{StackName}/{ChangeSetName}" if StackName else ChangeSetName]
        return {}

    def execute_change_set(self, *, ChangeSetName: str) -> Json:  # noqa: N803
        found = self.change_sets.pop(ChangeSetName)
        one = self.stacks[found["stack"]]
        kind = "CREATE" if one["StackStatus"] == "REVIEW_IN_PROGRESS" else "UPDATE"
        self.updates.append(found["asked"][0])
        if self._made(one, found["asked"][0], kind):
            one["asked"], one["template"] = found["asked"], found["asked"][0]
            outputs = found["asked"][0].get("Outputs", {})
            one["Outputs"] = [{"OutputKey": key, "OutputValue": each["Value"]} for key, each in outputs.items()]
        return {}

    def delete_stack(self, *, StackName: str) -> Json:  # noqa: N803
        one = self._find(StackName)
        event(one, one["StackName"], one["StackId"], "DELETE_COMPLETE")
        one["StackStatus"] = "DELETE_COMPLETE"
        del self.stacks[one["StackName"]]
        self.stacks[one["StackId"]] = one
        return {}

    def _made(self, one: dict[str, Json], template: Json, kind: str) -> bool:
        event(one, one["StackName"], one["StackId"], f"{kind}_IN_PROGRESS", "User Initiated")
        good = True
        for name, resource in template["Resources"].items():
            reason, physical = resource.get("Properties", {}).get("Fail", ""), name.lower()
            if resource["Type"] == NESTED:
                inner = self.stacks.setdefault(name, stack(name) | {"ParentId": one["StackId"]})
                physical = inner["StackId"]
                nested = json.loads(self.s3.text(resource["Properties"]["TemplateURL"]))
                if not self._made(inner, nested, kind):
                    reason = f"Embedded stack {physical} was not successfully created"
            good = good and not reason
            event(one, name, physical, f"{kind}_{'FAILED' if reason else 'COMPLETE'}", reason, resource["Type"])
        end = f"{kind}_COMPLETE" if good else "ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
        event(one, one["StackName"], one["StackId"], end)
        one["StackStatus"] = end
        return good

    def _find(self, name: str) -> dict[str, Json]:
        for one in self.stacks.values():
            if one["StackId"] == name or (one["StackName"] == name and one["StackStatus"] != "DELETE_COMPLETE"):
                return one
        raise error("ValidationError", f"Stack with id {name} does not exist", "DescribeStacks")


class S3:
    def __init__(self) -> None:
        self.meta = meta("s3", endpoint_url="https://s3.eu-west-1.amazonaws.com")
        self.objects: dict[str, bytes] = {}
        self.puts: list[str] = []

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> Json:  # noqa: N803
        self.objects[f"{Bucket}/{Key}"] = Body
        self.puts.append(Key)
        return {}

    def text(self, url: str) -> str:
        return self.objects[url.removeprefix(f"{self.meta.endpoint_url}/")].decode()


class Session:
    region_name = "eu-west-1"

    def __init__(self) -> None:
        self.s3 = S3()
        self.cloudformation = CloudFormation(self.s3)

    def client(self, service: str, **_settings: Json) -> Json:
        return getattr(self, service)


def stack(name: str) -> dict[str, Json]:
    return {
        "StackName": name,
        "StackId": f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/{next(IDS)}",
        "StackStatus": "REVIEW_IN_PROGRESS",
        "events": [],
        "asked": None,
        "template": {},
    }


def event(one: dict[str, Json], name: str, physical: str, status: str, reason: str = "", kind: str = NESTED) -> None:
    one["events"].append(
        {
            "EventId": f"{one['StackId']}-{len(one['events'])}",
            "StackName": one["StackName"],
            "LogicalResourceId": name,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "ResourceStatus": status,
            **({"ResourceStatusReason": reason} if reason else {}),
        }
    )


def error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
