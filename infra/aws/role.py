"""An IAM role -> a session in it, whose credentials renew themselves for as long as it is used."""

import boto3
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError

from infra.aws.session import client, core_session, explaining, session

SESSION_NAME = "lookout"
"""By which CloudTrail knows who acted in the role."""


def role_session(role: str, *, external_id: str = "", region: str = "") -> boto3.Session:
    """A session in a role, assumed with the SDK's own credentials, and again before what STS gave expires.

    AwsError if the role cannot be assumed.
    """
    own = session(region=region)
    source = core_session()
    source.set_config_variable("region", own.region_name)
    named = {"RoleSessionName": SESSION_NAME, **({"ExternalId": external_id} if external_id else {})}
    with explaining(client(own, "sts"), "AssumeRole", target=role):
        if (credentials := source.get_credentials()) is None:
            raise NoCredentialsError
        fetcher = AssumeRoleCredentialFetcher(source.create_client, credentials, role, extra_args=named)
        assumed = DeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")
        assumed.get_frozen_credentials()  # now, so that a role which cannot be assumed is known as such
    core = core_session()
    core.register_component("credential_provider", CredentialResolver([_Assumed(assumed)]))
    return boto3.Session(botocore_session=core, region_name=own.region_name)


class _Assumed(CredentialProvider):  # type: ignore[misc] # botocore is untyped
    """The way in which botocore takes credentials that renew themselves."""

    METHOD = CANONICAL_NAME = "assume-role"

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._credentials
