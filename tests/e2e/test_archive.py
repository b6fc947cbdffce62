"""The archive's stack in the embedded account: what a function logs is a row that Athena finds.

The account delivers each record at once, where AWS gathers 64 MB or five minutes; its Athena is DuckDB over the same
Parquet files.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra import deploy
from infra.apply import apply
from infra.aws.bucket import code_bucket
from infra.aws.session import client, session
from infra.aws.survey import survey
from infra.local.account import ACCOUNT_ID, local_account
from infra.stacks import templates
from infra.templates.parsing import parse
from lookout.demo.environment import only
from monitors.names import ARCHIVE
from monitors.plan import plan
from monitors.settings import Settings
from tests.e2e.conftest import eventually

pytestmark = pytest.mark.e2e

CODE = """
def handler(event, context):
    if event:
        raise KeyError("password=hunter2")
"""


@pytest.fixture
def own() -> Iterator[boto3.Session]:
    with local_account() as account, only(account.environment()):
        yield session()


def make(own: boto3.Session, name: str) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", CODE)
    client(own, "logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
    client(own, "lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=f"arn:aws:iam::{ACCOUNT_ID}:role/test",
        Code={"ZipFile": code.getvalue()},
    )
    client(own, "lambda").get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def state(athena: Any, execution: str) -> Any:
    return athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]


def asked(own: boto3.Session, query: str) -> list[list[Any]]:
    """The answer's rows, without the head; none while there is nothing to read yet."""
    athena = client(own, "athena")
    execution = athena.start_query_execution(
        QueryString=query, QueryExecutionContext={"Database": "lookout"}, WorkGroup="lookout"
    )["QueryExecutionId"]
    assert eventually(lambda: state(athena, execution)["State"] not in ("QUEUED", "RUNNING"))
    assert state(athena, execution)["State"] == "SUCCEEDED", state(athena, execution)
    found = athena.get_query_results(QueryExecutionId=execution)["ResultSet"]["Rows"]
    return [[one.get("VarCharValue") for one in row["Data"]] for row in found[1:]]


def test_what_a_function_logs_is_a_row_that_athena_finds(own: boto3.Session) -> None:
    outputs = deploy.deploy(own, architecture="x86_64", parameters={}, layer=False, archive=True, pause_s=0.05)
    make(own, "orders")
    made = plan(survey(own), Settings(archive=True))
    assert [(one.log_group, one.archived) for one in made.subscriptions] == [
        ("/aws/lambda/orders", True),
        ("/aws/lambda/orders", False),
    ]
    rendered = templates(
        made,
        subscriber_arn=outputs["SubscriberArn"],
        archive_arn=outputs["ArchiveStreamArn"],
        archive_role_arn=outputs["ArchiveRoleArn"],
    )
    apply(own, rendered, bucket=code_bucket(own), pause_s=0.05)
    for event in ({}, {}, {"fail": True}):
        client(own, "lambda").invoke(FunctionName="orders", Payload=json.dumps(event))

    def kinds() -> dict[str, int]:
        return {kind: int(count) for kind, count in asked(own, "SELECT kind, count(*) FROM records GROUP BY kind")}

    assert eventually(lambda: kinds() == {"report": 3, "error": 1}, seconds=30), kinds()
    ((function, error, place, message),) = asked(
        own, "SELECT function_name, error_type, stack_head, message FROM records WHERE kind = 'error'"
    )
    assert (function, error) == ("orders", "KeyError")
    assert "line 4, in handler" in place
    assert "hunter2" not in message
    answers = {name: asked(own, query) for name, query in saved_queries().items()}
    assert [row[:2] for row in answers["CostByFunction"]] == [["orders", "3"]]
    assert [row[0] for row in answers["MemoryByFunction"]] == ["orders"]
    assert [row[:2] + row[3:4] for row in answers["ErrorsByType"]] == [["orders", "KeyError", "1"]]


def saved_queries() -> dict[str, str]:
    """The queries that come with the archive; the three functions that DuckDB calls otherwise, in its words."""
    words = {"date_format(": "strftime(", "approx_percentile(": "approx_quantile(", "arbitrary(": "any_value("}
    found = {}
    for name, one in parse(deploy.template(ARCHIVE), "template")["Resources"].items():
        if one["Type"] == "AWS::Athena::NamedQuery":
            found[name] = one["Properties"]["QueryString"]
            for trino, duckdb in words.items():
                found[name] = found[name].replace(trino, duckdb)
    return found
