"""A fake AWS at the far end of the wire: the SDK signs, sends, parses and retries as ever, and nothing leaves here."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import create_loader
from botocore.model import OperationModel
from botocore.validate import ParamValidator

ACCOUNT, REGION = "123456789012", "eu-west-1"
LOADER = create_loader()
"""Shared, since reading botocore's models is most of what a test here takes."""

Reply = Callable[[Mapping[str, Any], str], Any]
"""(parameters, Region) -> the answer; (error code, message) with status 400, or with the third, another; an error of
the network."""


def meta(service: str, *, region: str = REGION, endpoint_url: str = "") -> Any:
    """What a fake client says of itself."""
    core = botocore.session.Session()
    core.register_component("data_loader", LOADER)
    return SimpleNamespace(
        region_name=region,
        endpoint_url=endpoint_url,
        service_model=core.get_service_model(service),
        events=HierarchicalEmitter(),
    )


def function(name: str, region: str = REGION) -> dict[str, Any]:
    return {"FunctionName": name, "FunctionArn": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"}


def identity(_parameters: Any, _region: str) -> dict[str, str]:
    return {"UserId": "u", "Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/u"}


class Aws:
    """One account's AWS: answers each attempt of each call, held against botocore's models, and remembers it."""

    def __init__(self, replies: Mapping[str, Reply | Any]) -> None:
        self.replies = {"sts:GetCallerIdentity": identity, **replies}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.refuses: Callable[[str, dict[str, Any]], Any] = lambda _call, _parameters: None
        """(call, parameters) -> a reply to give in place of the proper one, or None."""
        self.current = threading.local()
        core = botocore.session.Session()
        core.register_component("data_loader", LOADER)
        self.session = boto3.Session(
            aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION, botocore_session=core
        )
        events = self.session.events
        events.register("before-parameter-build.*.*", self.remember)
        events.register("before-send.*.*", self.send)
        events.register("before-parse.*.*", self.parsed)

    def remember(self, params: dict[str, Any], model: OperationModel, context: dict[str, Any], **_: Any) -> None:
        self.current.parameters, self.current.model = dict(params), model
        self.current.region = context["client_region"]

    def send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        model: OperationModel = self.current.model
        call, parameters = f"{model.service_model.service_name}:{model.name}", self.current.parameters
        self.asked.append((call, self.current.region, parameters))
        said = self.refuses(call, parameters) or self.reply(call, parameters)
        if isinstance(said, Exception):
            raise said
        status = 200
        if isinstance(said, tuple):
            code, message, *other = said
            status = other[0] if other else 400
            said = {"Error": {"Code": code, "Message": message}}
        elif said:
            report = ParamValidator().validate(said, model.output_shape)
            assert not report.has_errors(), report.generate_report()
        self.current.said = said
        return AWSResponse(request.url, status, {}, _Raw(_nothing(model, status)))

    def reply(self, call: str, parameters: Mapping[str, Any]) -> Any:
        reply = self.replies.get(call, {})
        return reply(parameters, self.current.region) if callable(reply) else reply

    def parsed(self, customized_response_dict: dict[str, Any], **_: Any) -> None:
        customized_response_dict.update(self.current.said)

    def count(self, call: str) -> int:
        return Counter(asked[0] for asked in self.asked)[call]


class _Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self) -> Iterator[bytes]:
        yield self.body


def _nothing(model: OperationModel, status: int) -> bytes:
    """A body without content, as the service's protocol has it."""
    protocol = model.service_model.resolved_protocol
    if protocol.endswith("json"):
        return b"{}"
    if protocol == "query" and status == 200:
        return f"<R><{model.name}Result/><ResponseMetadata/></R>".encode()
    return b"<R><Error/></R>" if status != 200 else b"<R/>"
