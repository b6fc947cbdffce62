"""Log batches -> the rows that Athena reads: each measurement and each error once, whatever else comes."""

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped] # cfn-lint says nothing of its types
from hypothesis import given
from hypothesis import strategies as st

from infra import deploy
from infra.templates.parsing import parse
from monitors.archive import COLUMNS, LONGEST, Origin, row
from monitors.names import ARCHIVE, ARCHIVE_METRICS
from subscribers import archive_handler
from subscribers.redaction import redacted

AT_MS = 1_795_860_000_123  # 2026-11-28T10:00:00.123Z
ID = "8f507cfc-1a2b-4c3d-9e8f-0123456789ab"
ORIGIN = Origin("123456789012", "/aws/lambda/orders", "2026/11/28/[7]" + "0" * 32, "orders")
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 46.84 ms\tBilled Duration: 47 ms\tMemory Size: 128 MB\tMax Memory Used: 96 MB\t"
    "Init Duration: 127.02 ms\t\nXRAY TraceId: 1-5d83c0ad-b8eb33a0b1de97d804fac890\tSegmentId: 31255c3b19bd3637\t"
    "Sampled: true"
)
ERROR = (
    f"[ERROR]\t2026-11-28T10:00:00.123Z\t{ID}\tpassword=hunter2\nTraceback (most recent call last):\n"
    '  File "/var/task/app.py", line 12, in handler\nKeyError: 1\n'
)
TEMPLATE = parse(deploy.template(ARCHIVE), "template")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def read(message: str, at_ms: int = AT_MS) -> dict[str, Any] | None:
    return row(ORIGIN, "e1", at_ms, message, redacted=redacted)


COMMON = {
    "logged_at": "2026-11-28 10:00:00.123",
    "account": "123456789012",
    "function_name": "orders",
    "version": "7",
    "log_group": "/aws/lambda/orders",
    "log_stream": "2026/11/28/[7]" + "0" * 32,
    "event_id": "e1",
    "request_id": ID,
}


def test_a_measurement() -> None:
    assert read(REPORT) == COMMON | {
        "kind": "report",
        "duration_ms": 46.84,
        "billed_ms": 47,
        "memory_mb": 128,
        "max_memory_mb": 96,
        "init_ms": 127.02,
        "status": "success",
        "trace_id": "1-5d83c0ad-b8eb33a0b1de97d804fac890",
    }


def test_an_error_without_its_secrets() -> None:
    found = read(ERROR)
    assert found
    assert "hunter2" not in found.pop("message")
    assert found == COMMON | {
        "kind": "error",
        "level": "ERROR",
        "error_type": "KeyError",
        "stack_head": 'File "/var/task/app.py", line 12, in handler',
    }


@pytest.mark.parametrize(
    "line",
    [f"START RequestId: {ID} Version: 7", f"END RequestId: {ID}", "[INFO] paid", '{"level": "INFO"}', "hello", ""],
)
def test_what_measures_nothing_has_no_row(line: str) -> None:
    assert read(line) is None


@given(
    st.text() | st.sampled_from([REPORT, ERROR, "[ERROR] "]).flatmap(lambda line: st.text().map(line.__add__)),
    st.integers(),
)
def test_whatever_comes_a_row_fits_the_table(line: str, at_ms: int) -> None:
    found = read(line, at_ms)
    kinds = {"string": str, "timestamp": str, "double": int | float, "int": int}
    for name, value in (found or {}).items():
        assert isinstance(value, kinds[COLUMNS[name]])
    assert len((found or {}).get("message", "")) <= LONGEST


# --- what Firehose calls -----------------------------------------------------------------------------


def packed(log_events: Any, **more: Any) -> str:
    content = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": ORIGIN.log_group,
        "logStream": ORIGIN.log_stream,
        "subscriptionFilters": ["lookout-archive"],
        "logEvents": log_events,
    }
    return base64.b64encode(gzip.compress(json.dumps(content | more).encode())).decode()


def events(*messages: str) -> list[dict[str, Any]]:
    return [{"id": f"{at:056}", "timestamp": AT_MS, "message": message} for at, message in enumerate(messages)]


def answers(*data: str) -> list[dict[str, str]]:
    records = [{"recordId": f"r{at}", "approximateArrivalTimestamp": AT_MS, "data": one} for at, one in enumerate(data)]
    found: list[dict[str, str]] = archive_handler.handler({"records": records}, None)["records"]
    return found


def rows(answer: dict[str, str]) -> list[Any]:
    return [json.loads(line) for line in base64.b64decode(answer["data"]).decode().splitlines()]


def counted(out: str) -> dict[str, int]:
    (record,) = map(json.loads, out.splitlines())
    assert record["_aws"]["CloudWatchMetrics"][0]["Namespace"] == ARCHIVE_METRICS
    return {name: record[name] for name in archive_handler.COUNTS}


def test_each_record_is_answered_and_all_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    control = packed(events("CWL CONTROL MESSAGE: x"), messageType="CONTROL_MESSAGE", logGroup="", logStream="")
    own = packed(events(REPORT), logGroup="/aws/lambda/lookout-archive")
    found = answers(packed([*events(REPORT, "hello", ERROR), None]), control, own, "no base64", packed(events("hello")))
    assert [(one["recordId"], one["result"]) for one in found] == [
        ("r0", "Ok"),
        ("r1", "Dropped"),
        ("r2", "Dropped"),
        ("r3", "ProcessingFailed"),
        ("r4", "Dropped"),
    ]
    assert [one["kind"] for one in rows(found[0])] == ["report", "error"]
    captured = capsys.readouterr()
    assert counted(captured.out) == {
        "RecordsIn": 5,
        "RecordsFailed": 1,
        "EventsIn": 7,
        "EventsFailed": 1,
        "EventsSkipped": 4,
        "RowsOut": 2,
    }
    assert captured.err.startswith("record r3: log batch: ")


def test_an_answer_stays_below_what_lambda_may_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = packed(events(REPORT))
    size = len(answers(one)[0]["data"])
    monkeypatch.setattr(archive_handler, "MOST_BYTES", 2 * size)
    assert [found["result"] for found in answers(one, one, one)] == ["Ok", "Ok", "ProcessingFailed"]
    assert "record r2: its 1 rows are more than Lambda may answer at once" in capsys.readouterr().err


# --- the stack ---------------------------------------------------------------------------------------


def test_cfn_lint_has_nothing_to_say() -> None:
    assert [str(found) for found in lint(deploy.template(ARCHIVE))] == []


def test_the_table_has_the_rows_columns() -> None:
    columns: Sequence[Any] = RESOURCES["Records"]["Properties"]["TableInput"]["StorageDescriptor"]["Columns"]
    assert {one["Name"]: one["Type"] for one in columns} == COLUMNS


def test_roles_may_do_no_more_than_they_must() -> None:
    for role in (one["Properties"] for one in RESOURCES.values() if one["Type"] == "AWS::IAM::Role"):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"], "who else may take it?"
        for policy in role["Policies"]:
            for each in policy["PolicyDocument"]["Statement"]:
                assert each["Resource"] != "*"
                assert not [action for action in each["Action"] if "*" in action]


def test_what_is_stored_is_encrypted_private_and_does_not_stay_for_ever() -> None:
    bucket = RESOURCES["Archive"]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]
    prefixes = {rule["Prefix"] for rule in bucket["LifecycleConfiguration"]["Rules"] if rule["ExpirationInDays"]}
    destination = RESOURCES["Stream"]["Properties"]["ExtendedS3DestinationConfiguration"]
    kept = (destination["Prefix"], destination["ErrorOutputPrefix"], "results/")
    assert {prefix.partition("/")[0] + "/" for prefix in kept} == prefixes
