"""The weekly memory report reads the one before it back from its bucket."""

import io
import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from infra import deploy
from infra.aws import earlier
from infra.templates.parsing import parse
from monitors.rightsize.report import Action
from subscribers import reports_handler
from tests import dashboard_samples as samples
from tests.test_reports import END, Fake, refused, session
from tests.test_reports import delivered as delivered  # a fixture

DAY = "2026-11-24"  # of END


def kept(function: str = "shop-search") -> bytes:
    """A report that advised to lower one function."""
    advice = samples.advice(function, action=Action.LOWER, memory_mb=4096, advised_mb=3008)
    return json.dumps(asdict(replace(samples.memory(), advice=(advice,)))).encode()


def bucket(objects: dict[str, bytes]) -> Any:
    s3 = Fake(
        "s3",
        list_objects_v2=lambda asked: [{"Contents": [{"Key": k} for k in objects if k.startswith(asked["Prefix"])]}],
        get_object=lambda asked: {"Body": io.BytesIO(objects[asked["Key"]])},
    )
    return session(s3=s3)


def test_the_newest_report_of_an_earlier_day_is_read() -> None:
    objects = {
        "2026-11-10/memory.json": kept("old"),
        "2026-11-17/memory.json": kept("newer"),
        "2026-11-18/latency.json": b"{}",
        "2026-11-24/memory.json": kept("of today"),
        "history/2026-11-17.json": b"{}",
    }
    found, trouble = earlier.before(bucket(objects), "reports", DAY)
    assert found
    assert ([one.function for one in found.advice], trouble) == (["newer"], [])


def test_the_first_report_has_none_before_it() -> None:
    assert earlier.before(bucket({"2026-11-24/memory.json": kept()}), "reports", DAY) == (None, [])


def test_a_broken_report_is_told() -> None:
    found, (trouble,) = earlier.before(bucket({"2026-11-17/memory.json": b"\xff"}), "reports", DAY)
    assert found is None
    assert trouble.startswith("Last time's report not read: 2026-11-17/memory.json: no memory report: ")


@pytest.mark.parametrize("operation", ["list_objects_v2", "get_object"])
def test_a_report_that_may_not_be_read_is_told(operation: str) -> None:
    def denied(_asked: dict[str, Any]) -> Any:
        raise refused("AccessDenied")

    account = bucket({"2026-11-17/memory.json": kept()})
    account.client("s3").answers[operation] = denied
    found, (trouble,) = earlier.before(account, "reports", DAY)
    assert found is None
    assert trouble.startswith("Last time's report not read: s3:")


def test_the_weekly_report_tells_what_became_of_the_advice(delivered: Any) -> None:
    """Last week 3,008 MB was advised for shop-search, and now it has it."""
    delivered.kept["2026-11-17/memory.json"] = kept()
    keys = reports_handler.memory({"end_s": END}, None)
    (found,) = json.loads(delivered.kept[keys["json"]])["before"]["advice"]
    assert (found["function"], found["outcome"], found["now_mb"]) == ("shop-search", "applied", 3008)
    assert "Of 1 function: 1 applied." in delivered.kept[keys["html"]].decode()


def test_a_broken_report_costs_no_more_than_its_section(delivered: Any) -> None:
    delivered.kept["2026-11-17/memory.json"] = b"{}"
    keys = reports_handler.memory({"end_s": END}, None)
    told = json.loads(delivered.kept[keys["json"]])
    assert told["before"] is None
    assert told["notes"][-1] == (
        "Last time's report not read: 2026-11-17/memory.json: no memory report: 'advice' is missing"
    )


def test_the_role_may_read_the_reports_that_it_keeps() -> None:
    """s3:ListBucket is of the bucket, s3:GetObject of its objects (Service Authorization Reference, Amazon S3)."""
    properties = parse(deploy.template(), "template")["Resources"]["MemoryReport"]["Properties"]
    statements = [one for policy in properties["Policies"] for one in policy["Statement"]]
    allowed = {one["Action"]: one for one in statements if isinstance(one["Action"], str)}
    assert allowed["s3:GetObject"]["Resource"] == {"Fn::Sub": "${Reports.Arn}/*/memory.json"}
    assert allowed["s3:ListBucket"]["Resource"] == {"Fn::GetAtt": ["Reports", "Arn"]}
    assert allowed["s3:ListBucket"]["Condition"] == {"StringEquals": {"s3:prefix": earlier.PREFIX}}
