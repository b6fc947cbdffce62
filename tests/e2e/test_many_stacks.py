"""A plan that one CloudFormation parent cannot hold, applied, grown and shrunk again in the embedded account."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from dashboards.body import texts
from infra.apply import apply
from infra.aws.bucket import code_bucket
from infra.aws.session import client, pages, session
from infra.aws.stacks import stack_names
from infra.local.account import local_account
from infra.stacks import templates
from lookout.demo.environment import only
from monitors.model import Fleet, Plan
from monitors.plan import plan
from monitors.settings import Settings
from tests.fleets import function, resource

pytestmark = pytest.mark.e2e

RESOURCES_A_STACK = 24
"""In place of CloudFormation's 500, so that eighty functions need what ten thousand need in an account."""


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """A session in an account that nothing else uses: the test counts all there is in it."""
    monkeypatch.setattr("infra.stacks.MOST_RESOURCES", RESOURCES_A_STACK)
    with local_account() as account, only(account.environment()):
        yield session()


def planned(region: str, functions: int) -> Plan:
    fleet = [function(f"shop-{n}", application=f"app{n // 10}") for n in range(functions)]
    account = resource("account", "123456789012/x", concurrency_limit=1000)
    return plan(Fleet(resources=tuple(replace(one, region=region) for one in [*fleet, account])), Settings())


def applied(own: boto3.Session, wanted: Plan) -> None:
    made = templates(wanted, dashboards=texts(wanted))
    apply(own, made, bucket=code_bucket(own), progress=lambda line: None, pause_s=0.05)


def dashboards(cloudwatch: Any) -> list[str]:
    found = pages(cloudwatch, "ListDashboards")
    return sorted(entry["DashboardName"] for page in found for entry in page["DashboardEntries"])


def alarms(cloudwatch: Any) -> list[str]:
    kinds = ("MetricAlarms", "CompositeAlarms")
    asked = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    found = pages(cloudwatch, "DescribeAlarms", asked)
    return sorted(alarm["AlarmName"] for page in found for kind in kinds for alarm in page.get(kind, ()))


def numbered_parents(own: boto3.Session) -> list[str]:
    return sorted(name for name in stack_names(own) if re.fullmatch(r"lookout-alarms-\d+", name))


def test_what_one_parent_cannot_hold_goes_to_several_and_back_with_all_that_is_planned_and_no_more(
    own: boto3.Session,
) -> None:
    cloudwatch = client(own, "cloudwatch")
    several = []
    for functions in (3, 80, 81, 20, 2):
        wanted = planned(own.region_name, functions)

        applied(own, wanted)

        names = [*(one.name for one in wanted.alarms), *(one.name for one in wanted.composites)]
        assert alarms(cloudwatch) == sorted(names)
        assert dashboards(cloudwatch) == sorted(texts(wanted))
        several.append(numbered_parents(own))

    two = ["lookout-alarms-0", "lookout-alarms-1"]
    assert several == [[], two, two, [], []]
