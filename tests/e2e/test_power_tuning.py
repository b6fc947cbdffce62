"""A function of the embedded account, invoked at several memory sizes, and put back.

Memory brings no CPU there, so that all sizes take the same time.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.account import LocalAccount
from lookout import cli
from lookout.demo.environment import only
from tests.e2e.conftest import Client
from tests.test_cli_reports import report_line

pytestmark = pytest.mark.e2e

BUSY = """
import time

def handler(event, context):
    if event.get("fail"):
        raise ValueError("no such order")
    time.sleep(0.02)
    return context.memory_limit_in_mb
"""


@pytest.fixture
def name(
    account: LocalAccount, client: Client, function: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """A function with a published version of the user's and two weeks of logs."""
    made = function(f"tuned-{time.time_ns()}", BUSY, MemorySize=512)
    client("lambda").publish_version(FunctionName=made, Description="release 1")
    group, start_ms = f"/aws/lambda/{made}", int((time.time() - 13 * 86_400) * 1000)
    client("logs").create_log_group(logGroupName=group)
    for stream in range(25):
        client("logs").create_log_stream(logGroupName=group, logStreamName=f"2026/11/01/[$LATEST]{stream}")
        events = [
            {"timestamp": start_ms + n * 12 * 3_600_000, "message": report_line(n, ms=20, memory_mb=512)}
            for n in range(25)
        ]
        client("logs").put_log_events(
            logGroupName=group, logStreamName=f"2026/11/01/[$LATEST]{stream}", logEvents=events
        )
    monkeypatch.chdir(tmp_path)
    with only(account.environment()):
        yield made
    client("lambda").delete_function(FunctionName=made)


def reports(client: Client, group: str) -> list[dict[str, Any]]:
    pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern='"REPORT"')
    return [event for page in pages for event in page["events"]]


def state(client: Client, name: str) -> tuple[int, list[str]]:
    """The memory size, and the descriptions of the versions."""
    lambda_ = client("lambda")
    versions = lambda_.list_versions_by_function(FunctionName=name)["Versions"]
    size = lambda_.get_function_configuration(FunctionName=name)["MemorySize"]
    return size, [one["Description"] for one in versions if one["Version"] != "$LATEST"]


def test_a_function_is_measured_and_put_back(client: Client, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """60 MB used in 25 sandboxes are safe from 88 MB on: a half and a quarter of 512 MB are, and the double."""
    before = len(reports(client, f"/aws/lambda/{name}"))
    status = cli.main(["rightsize", "--power-tuning", name, "--yes", "--json"])
    told = capsys.readouterr()
    assert status in (0, 1), told.err
    (advice,) = [one for one in json.loads(told.out)["advice"] if one["function"] == name]
    assert advice["confidence"] == "A"
    assert any("by Power Tuning at 128, 256, 1024 MB" in reason for reason in advice["reasons"]), advice["reasons"]
    assert advice["invocations"] == before, "its own invocations are not requests"
    assert len(reports(client, f"/aws/lambda/{name}")) == before + 4 * 11
    assert state(client, name) == (512, ["release 1"])


def test_a_function_that_fails_is_put_back(client: Client, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("fail.json").write_text('{"fail": true}')
    status = cli.main(["rightsize", "--power-tuning", name, "--payload", "fail.json", "--yes"])
    assert status == 2
    assert "failed: ValueError: no such order at 512 MB" in " ".join(capsys.readouterr().err.split())
    assert state(client, name) == (512, ["release 1"])
