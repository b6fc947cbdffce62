"""The SDK's own settings -> boto3 session, clients, calls. What botocore raises -> AwsError with the way out.

Which account, Region and endpoint is asked is for AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and kin to say.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import boto3
import botocore.session
from botocore import xform_name
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.loaders import Loader, create_loader
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from infra.aws.pace import THROTTLED, keep_pace
from monitors.errors import AwsError

Json = Any

WORKERS = 8
"""Calls under way at once; every client keeps as many connections."""
ATTEMPTS = 10
_SOON = 2
_WORDS_LIMIT = 600

# IAM's prefix where it is not the service's signing name, IAM's action where it is not the operation's name
# (Service Authorization Reference).
_IAM_PREFIX = {"monitoring": "cloudwatch", "tagging": "tag"}
_IAM_ACTION = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjectsV2": "s3:ListBucket",
}
_DENIED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)")

# What to do, by the first pattern found in AWS's error code or in the name of botocore's own error.
_NO_REGION = "Set AWS_REGION, or a region in the profile that AWS_PROFILE names."
_WAYS_OUT = (
    (r"AccessDenied|AuthorizationError|NotAuthorized|UnauthorizedOperation", "Allow {action}."),
    (
        r"ExpiredToken|InvalidClientTokenId|UnrecognizedClient|InvalidAccessKeyId|Signature|AuthFailure",
        "Renew the credentials, and check that the account has enabled {region}.",
    ),
    (THROTTLED.pattern, "AWS limits the rate: run it again later."),
    (r"Unknown(Operation|Action)|InvalidAction|NotImplemented", "This endpoint lacks the operation."),
    (r"NoRegion", _NO_REGION),
    (
        r"Credential|SSO|Token|Login",
        "Set AWS_PROFILE, or sign in (aws sso login), or export AWS_ACCESS_KEY_ID and its secret.",
    ),
    (
        r"Endpoint|Connect|Timeout|SSL|Proxy|Region|ResponseParser|ValueError",
        "Check AWS_ENDPOINT_URL, the Region's spelling and the network.",
    ),
)


class Identity(NamedTuple):
    """Whose credentials these are."""

    account: str
    partition: str
    """aws, aws-cn, aws-us-gov, ..."""


def session(*, profile: str = "", region: str = "") -> boto3.Session:
    """A boto3 session by the SDK's own settings, or for the profile and Region given.

    AWS_REGION is read here, since boto3 itself reads only AWS_DEFAULT_REGION. AwsError if the profile or
    Region is missing.
    """
    try:
        found = boto3.Session(
            botocore_session=core_session(profile), region_name=region or os.environ.get("AWS_REGION") or None
        )
        named = found.region_name
    except BotoCoreError as error:
        raise AwsError(f"{error}. `aws configure list-profiles` lists what there is.") from error
    if not named:
        raise AwsError(f"No Region to ask. {_NO_REGION}")
    return found


def core_session(profile: str = "") -> botocore.session.Session:
    """What a boto3 session stands on; all share the services' models, and read times quickly."""
    core = botocore.session.Session(profile=profile or None)
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    return core


def _moment(value: Json) -> datetime:
    """A time in an answer, in UTC. botocore itself takes each to this machine's time zone, and ten times as long."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    moment: datetime = parse_timestamp(value)
    return moment.astimezone(UTC)


@cache
def _loader(path: str | None) -> Loader:
    """One for all sessions: each would keep the services' models, some 35 MB, for itself."""
    return create_loader(path)


def client(session: boto3.Session, service: str, *, region: str = "", attempts: int = ATTEMPTS) -> BaseClient:
    """A client that keeps the pace AWS allows, and names itself `lookout/<version>`; threads may share it.

    AwsError if the SDK's settings make none: a bad Region or endpoint, unreadable credentials.
    """
    config = Config(
        connect_timeout=10,
        max_pool_connections=WORKERS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        user_agent_extra=f"lookout/{_version()}",
    )
    try:
        made = session.client(service, region_name=region or None, config=config)
    except (BotoCoreError, ValueError) as error:
        place = region or str(session.region_name)
        raise AwsError(f"No client for {service} in {place}: {_explained(error, region=place)}") from error
    keep_pace(made, attempts=attempts)
    return made


def identity(
    session: boto3.Session, *, region: str = "", watch: Callable[[BaseClient], object] | None = None
) -> Identity:
    """The account asked, from sts:GetCallerIdentity, which needs no permission.

    Gives up soon unless throttled, so that a mistyped endpoint or Region is known at once. `watch` is shown the
    client that asks. AwsError if the credentials don't work there.
    """
    asking = client(session, "sts", region=region, attempts=_SOON)
    if watch:
        watch(asking)
    for left in reversed(range(ATTEMPTS // _SOON)):
        try:
            answer = call(asking, "GetCallerIdentity")
            break
        except AwsError as error:
            if not left or not THROTTLED.search(error_code(error)):
                raise
    return Identity(account=answer["Account"], partition=answer["Arn"].split(":")[1])


def call(
    client: BaseClient, operation: str, parameters: Mapping[str, Json] | None = None, *, target: str = ""
) -> dict[str, Json]:
    """The answer of one call, without its metadata. `operation` as AWS spells it.

    AwsError, naming `target`, if it fails.
    """
    with explaining(client, operation, target=target):
        answer: dict[str, Json] = getattr(client, xform_name(operation))(**(parameters or {}))
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def pages(
    client: BaseClient,
    operation: str,
    parameters: Mapping[str, Json] | None = None,
    *,
    target: str = "",
    size: int | None = None,
) -> Iterator[dict[str, Json]]:
    """Every page of a call's answer; a single one where botocore knows no way to page."""
    if not client.can_paginate(xform_name(operation)):
        yield call(client, operation, parameters, target=target)
        return
    paginator = client.get_paginator(xform_name(operation))
    answers = iter(paginator.paginate(**(parameters or {}), PaginationConfig={"PageSize": size}))
    while True:
        with explaining(client, operation, target=target):
            page: dict[str, Json] | None = next(answers, None)
        if page is None:
            return
        yield page


@contextmanager
def explaining(client: BaseClient, operation: str, *, target: str = "") -> Iterator[None]:
    """Turns whatever botocore raises inside into an AwsError: the call, its target, AWS's words, the way out.

    The botocore error stays at hand as `__cause__`. A parameter botocore refuses is a bug of ours: it passes.
    """
    try:
        yield
    except ParamValidationError:
        raise
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        region, model = client.meta.region_name, client.meta.service_model
        asked = f"{model.service_name}:{operation}{f' of {target}' if target else ''} in {region}"
        words = _explained(error, action=_iam_action(model, operation, str(error)), region=region)
        raise AwsError(f"{asked}: {words}") from error


def error_code(error: AwsError) -> str:
    """AWS's code of the error beneath, such as `AccessDenied`; the name of botocore's own error if no answer came."""
    return _code(error.__cause__)


def _iam_action(model: ServiceModel, operation: str, words: str) -> str:
    """The permission that a call needs: the one AWS names, or else what is known of the operation."""
    if denied := _DENIED_ACTION.search(words):
        return denied[1]
    prefix = _IAM_PREFIX.get(model.signing_name, model.signing_name)
    if prefix == "apigateway":  # its actions are HTTP methods
        return f"apigateway:{model.operation_model(operation).http['method']}"
    return _IAM_ACTION.get(f"{prefix}:{operation}", f"{prefix}:{operation}")


def _explained(error: Exception, *, region: str, action: str = "") -> str:
    """AWS's words, or botocore's, and the way out if one is known."""
    code, words = _code(error), str(error)
    if isinstance(error, ClientError):
        words = f"{code}: {error.response.get('Error', {}).get('Message') or 'no message'}"
    words = " ".join(words.split())[:_WORDS_LIMIT]
    known = (text.format(action=action, region=region) for pattern, text in _WAYS_OUT if re.search(pattern, code))
    return f"{words if words.endswith(('.', '!', '?')) else f'{words}.'} {next(known, '')}".strip()


def _code(error: BaseException | None) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "Unknown")
    return type(error).__name__


def _version() -> str:
    try:
        return version("lambda-lookout")
    except PackageNotFoundError:
        return "dev"  # run from a checkout, or from a Lambda package without metadata
