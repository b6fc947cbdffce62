"""A role assumed through STS, by what goes over the wire."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from infra.aws.role import role_session
from infra.aws.session import Identity, identity
from monitors.errors import AwsError

ROLE = "arn:aws:iam::210987654321:role/audit"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class Sts:
    """STS on the wire: gives credentials that are good until `expires`, and says whose they are."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.signed: list[str] = []
        self.refusal = ""
        self.lasts = timedelta(hours=1)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        asked = parse_qs(request.body if isinstance(request.body, str) else request.body.decode())
        self.asked.append(asked)
        self.signed.append(request.headers["Authorization"].decode())
        if self.refusal:
            error = f"<Error><Code>AccessDenied</Code><Message>{self.refusal}</Message></Error>"
            return self.answer(request, 403, f"<ErrorResponse xmlns='{NAMESPACE}'>{error}</ErrorResponse>")
        (action,) = asked["Action"]
        said = self.credentials() if action == "AssumeRole" else self.identity()
        body = f"<R xmlns='{NAMESPACE}'><{action}Result>{said}</{action}Result><ResponseMetadata/></R>"
        return self.answer(request, 200, body)

    def credentials(self) -> str:
        expires = (datetime.now(UTC) + self.lasts).isoformat()
        count = sum(asked["Action"] == ["AssumeRole"] for asked in self.asked)
        return (
            f"<Credentials><AccessKeyId>ASIA{count}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{expires}</Expiration></Credentials>"
        )

    def identity(self) -> str:
        arn = "arn:aws:sts::210987654321:assumed-role/audit/lookout"
        return f"<Arn>{arn}</Arn><UserId>u</UserId><Account>210987654321</Account>"

    def answer(self, request: AWSPreparedRequest, status: int, body: str) -> AWSResponse:
        class Raw:
            def stream(self) -> Iterator[bytes]:
                yield body.encode()

        return AWSResponse(request.url, status, {}, Raw())


@pytest.fixture(autouse=True)
def sts(monkeypatch: pytest.MonkeyPatch) -> Sts:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    fake = Sts()
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", lambda _self, request: fake.send(request))
    return fake


def keys(sts: Sts) -> list[str]:
    """Whose access key signed each request."""
    return [header.partition("Credential=")[2].partition("/")[0] for header in sts.signed]


@pytest.mark.parametrize("external_id", ["", "x-1"])
def test_a_role_is_assumed_by_name_and_asks_in_its_own_right(sts: Sts, external_id: str):
    made = role_session(ROLE, external_id=external_id)
    assert identity(made) == Identity(account="210987654321", partition="aws")
    assumed: dict[str, Any] = {key: value[0] for key, value in sts.asked[0].items()}
    assert assumed.pop("ExternalId", "") == external_id
    assert assumed == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "lookout",
    }
    assert keys(sts) == ["AKIAOWN", "ASIA1"]


def test_credentials_about_to_expire_are_had_anew(sts: Sts):
    sts.lasts = timedelta(seconds=30)
    made = role_session(ROLE)
    identity(made)
    identity(made)
    assert keys(sts)[-1] == f"ASIA{len(sts.asked) - 2}" != "ASIA1"


def test_a_role_that_may_not_be_assumed_is_named_with_the_permission(sts: Sts):
    sts.refusal = f"User: u is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    with pytest.raises(AwsError) as raised:
        role_session(ROLE, region="eu-north-1")
    assert str(raised.value) == (
        f"sts:AssumeRole of {ROLE} in eu-north-1: AccessDenied: {sts.refusal}. Allow sts:AssumeRole."
    )


def test_without_credentials_of_its_own_nobody_assumes_a_role(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(AwsError, match=f"sts:AssumeRole of {ROLE} in eu-west-1: Unable to locate credentials"):
        role_session(ROLE)
