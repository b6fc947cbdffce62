"""A template and the same template deployed come to the same Fleet, resource by resource.

What only the deployment decides is put into the template's Fleet from what CloudFormation says it made: physical ids,
account and Region, the parameters. Everything else must be the same by itself.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

import infra.local.fleet
from infra.aws.survey import survey
from infra.local.account import ACCOUNT_ID, REGION, local_account
from infra.templates.reading import from_templates
from lookout.demo import shop
from lookout.demo.environment import only
from monitors.model import Fact, Fleet, Resource

pytestmark = pytest.mark.e2e

TEMPLATE = Path(infra.local.fleet.__file__).parent / "template.yaml"
PARAMETERS = {"LibraryLayerArn": "", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT_ID}
MEASURED = {"stored_bytes", "async_max_age_s", "modified"}
"""Facts that grow by themselves, or that the account fills in where a template is silent."""


@pytest.fixture(scope="module")
def deployed() -> Iterator[tuple[Fleet, Mapping[str, str]]]:
    """The sample fleet as a survey finds it, and the physical ids of its stack."""
    with local_account() as account, only(account.environment()):
        session = boto3.Session()
        shop.deploy_shop(session, lambda _: None)
        made = session.client("cloudformation").describe_stack_resources(StackName=shop.STACK)["StackResources"]
        yield survey(session), {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made}


@pytest.fixture(scope="module")
def declared(deployed: tuple[Fleet, Mapping[str, str]]) -> Fleet:
    """The sample fleet as its template says, with what CloudFormation chose put in."""
    physical = deployed[1]

    def filled(text: str) -> str:
        return re.sub(r"\$\{(?:template/|fleet/)?(\w+)\}", lambda found: physical[found[1]], text)

    found = from_templates([str(TEMPLATE)], PARAMETERS)
    return Fleet(
        resources=tuple(_each_text(one, filled) for one in found.resources),
        links=tuple(replace(link, source=filled(link.source), target=filled(link.target)) for link in found.links),
        incomplete=found.incomplete,
    )


def _each_text(one: Resource, filled: Callable[[str], str]) -> Resource:
    def fact(value: Fact) -> Fact:
        if isinstance(value, tuple):
            return tuple(map(filled, value))
        return filled(value) if isinstance(value, str) else value

    facts = {name: fact(value) for name, value in one.facts.items()}
    return replace(one, id=filled(one.id), name=filled(one.name), facts=facts)


def test_nothing_is_left_unread(declared: Fleet, deployed: tuple[Fleet, Mapping[str, str]]) -> None:
    assert declared.incomplete == deployed[0].incomplete == ()
    assert "${" not in repr(replace(declared, resources=tuple(replace(r, facts={}) for r in declared.resources)))


def test_every_resource_of_the_template_is_there_with_the_same_facts(
    declared: Fleet, deployed: tuple[Fleet, Mapping[str, str]]
) -> None:
    live = {one.id: one for one in deployed[0].resources}
    differences = [
        f"{one.service} {one.name}: {fact} {value!r} in the template, {live[one.id].facts.get(fact)!r} deployed"
        for one in declared.resources
        for fact, value in one.facts.items()
        if live[one.id].facts.get(fact) != value and not _same_stream(value, live[one.id].facts.get(fact))
    ]
    assert differences == []
    assert {one.id for one in declared.resources} <= live.keys()
    known = {(one.service, fact) for one in declared.resources for fact in one.facts}
    more = {
        (one.service, fact)
        for one in declared.resources
        for fact in live[one.id].facts
        if (one.service, fact) not in known and fact not in MEASURED
    }
    assert more == set()


def test_whatever_else_is_deployed_is_what_aws_made_by_itself(
    declared: Fleet, deployed: tuple[Fleet, Mapping[str, str]]
) -> None:
    known = {one.id for one in declared.resources}
    more = {(one.service, one.name) for one in deployed[0].resources if one.id not in known}
    assert more == {("account", f"{ACCOUNT_ID}/{REGION}"), ("s3", f"lookout-code-{ACCOUNT_ID}-{REGION}")}


def test_the_links_are_the_same(declared: Fleet, deployed: tuple[Fleet, Mapping[str, str]]) -> None:
    assert set(declared.links) == set(deployed[0].links)


def _same_stream(declared: Fact, deployed: Fact | None) -> bool:
    """A table's stream is named by the moment in which it was made."""
    both = (declared, deployed)
    if not all(isinstance(each, tuple) for each in both):
        return False
    one, other = (tuple(re.sub(r"/stream/.*", "/stream", str(item)) for item in each) for each in both)  # type: ignore[union-attr]
    return one == other
