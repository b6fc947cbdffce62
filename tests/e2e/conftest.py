"""One embedded account for all end-to-end tests of a run, and AWS clients that talk to it and to nothing else."""

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from infra.local.account import ACCOUNT_ID, REGION, LocalAccount, local_account

Client = Callable[[str], Any]


@pytest.fixture(scope="session")
def account() -> Iterator[LocalAccount]:
    with local_account() as running:
        yield running


@pytest.fixture(scope="session")
def client(account: LocalAccount) -> Client:
    session = boto3.Session(aws_access_key_id=ACCOUNT_ID, aws_secret_access_key="test", region_name=REGION)
    return lambda service: session.client(service, endpoint_url=account.endpoint)


@pytest.fixture
def function(client: Client) -> Callable[..., str]:
    """Deploys a Python function from its source; its name."""

    def deploy(name: str, source: str, **settings: Any) -> str:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", source)
        client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="app.handler",
            Role=f"arn:aws:iam::{ACCOUNT_ID}:role/test",
            Code={"ZipFile": code.getvalue()},
            **settings,
        )
        client("lambda").get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return name

    return deploy


def eventually(look: Callable[[], Any], *, seconds: float = 10.0) -> Any:
    """The first true answer of `look`, tried again and again; its last answer when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
