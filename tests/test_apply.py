"""Stacks made, changed, failed, resumed; and big plans in steps that CloudFormation takes."""

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.apply import apply, deploy_stack, packaged
from infra.aws.stacks import GONE, delete, stack_names
from infra.stacks import NESTED, template, templates
from infra.steps import WAVE, Step, steps
from monitors import quotas
from monitors.errors import AwsError, InputError
from monitors.names import ALARM_STACK, is_alarm_stack
from monitors.plan import plan
from monitors.settings import Settings
from tests.cloudformation import Session, stack
from tests.fleets import functions

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {}}


def text(resources: dict[str, Any], **more: Any) -> str:
    return json.dumps({"Resources": resources, **more})


def deployed(session: Session, body: str, progress: Any = lambda _: None) -> dict[str, str]:
    return deploy_stack(
        session,
        name="shop",
        template=body,
        parameters={"Stage": "live"},
        capabilities=("CAPABILITY_IAM",),
        bucket="code",
        tags={"application": "shop"},
        progress=progress,
        pause_s=0,
    )


# --- one stack -------------------------------------------------------------------------------------


def test_a_stack_is_made_and_its_outputs_told() -> None:
    session, told = Session(), list[str]()
    outputs = deployed(session, text({"Queue": QUEUE}, Outputs={"Url": {"Value": "there"}}), told.append)
    assert outputs == {"Url": "there"}
    assert told == [
        "shop: shop CREATE_IN_PROGRESS: User Initiated",
        "shop: queue CREATE_COMPLETE",
        "shop: shop CREATE_COMPLETE",
    ]
    assert session.s3.puts == []


def test_no_changes_is_success() -> None:
    session, told = Session(), list[str]()
    body = text({"Queue": QUEUE}, Outputs={"Url": {"Value": "there"}})
    deployed(session, body)
    assert deployed(session, body, told.append) == {"Url": "there"}
    assert told == []
    assert session.cloudformation.change_sets == {}


def test_only_the_new_events_of_an_update_are_told() -> None:
    session, told = Session(), list[str]()
    deployed(session, text({"Queue": QUEUE}))
    deployed(session, text({"Queue": QUEUE, "Other": QUEUE}), told.append)
    assert [line for line in told if "CREATE" in line] == []
    assert told[-1] == "shop: shop UPDATE_COMPLETE"


def test_a_long_template_goes_through_the_bucket() -> None:
    session = Session()
    body = text({"Queue": QUEUE}, Description="x" * quotas.TEMPLATE_BODY_BYTES)
    deployed(session, body)
    (key,) = session.s3.puts
    assert session.s3.objects[f"code/{key}"].decode() == body


def test_a_failure_names_the_resource_and_its_reason() -> None:
    session = Session()
    bad = text({"Queue": QUEUE, "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Fail": "Period is odd"}}})
    with pytest.raises(AwsError, match=r"shop is ROLLBACK_COMPLETE: Alarm \(AWS::CloudWatch::Alarm\): Period is odd"):
        deployed(session, bad)


def test_after_a_failed_creation_it_is_made_anew() -> None:
    session, told = Session(), list[str]()
    with pytest.raises(AwsError):
        deployed(session, text({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Fail": "no"}}}))
    deployed(session, text({"Queue": QUEUE}), told.append)
    assert told[0] == "shop: its creation had failed; removing what is left of it"
    assert told[-1] == "shop: shop CREATE_COMPLETE"


def test_a_failure_in_a_nested_stack_is_told_from_inside() -> None:
    session = Session()
    session.s3.put_object(
        Bucket="code", Key="part.json", Body=text({"A": {"Type": "T", "Properties": {"Fail": "why"}}}).encode()
    )
    url = f"{session.s3.meta.endpoint_url}/code/part.json"
    with pytest.raises(AwsError, match=r"A \(T\): why"):
        deployed(session, text({"Part": {"Type": NESTED, "Properties": {"TemplateURL": url}}}))


def test_the_reason_is_that_of_this_run_and_not_of_an_older_one() -> None:
    session = Session()
    deployed(session, text({"Queue": QUEUE}))
    for reason in ("older", "newer"):
        with pytest.raises(AwsError, match=f"UPDATE_ROLLBACK_COMPLETE.*{reason}"):
            deployed(session, text({"Queue": {"Type": "T", "Properties": {"Fail": reason}}}))


def test_a_run_stopped_before_its_change_set_ran_is_taken_up() -> None:
    session = Session()
    run = session.cloudformation.execute_change_set

    def stopped(**_: str) -> None:
        raise KeyboardInterrupt

    session.cloudformation.execute_change_set = stopped  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        deployed(session, text({"Queue": QUEUE}))
    session.cloudformation.execute_change_set = run  # type: ignore[method-assign]
    deployed(session, text({"Queue": QUEUE}))
    assert session.cloudformation.stacks["shop"]["StackStatus"] == "CREATE_COMPLETE"


def test_an_operation_under_way_is_waited_for() -> None:
    session, told = Session(), list[str]()
    deployed(session, text({"Queue": QUEUE}))
    session.cloudformation.busy = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]
    deployed(session, text({"Queue": QUEUE, "Other": QUEUE}), told.append)
    assert told[0] == "shop: waiting for the operation under way (UPDATE_IN_PROGRESS)"
    assert told[-1] == "shop: shop UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("status", "way"), [("UPDATE_ROLLBACK_FAILED", "continue its rollback"), ("DELETE_FAILED", "delete it")]
)
def test_a_stack_that_is_stuck_says_what_to_do(status: str, way: str) -> None:
    session = Session()
    session.cloudformation.stacks["shop"] = stack("shop") | {"StackStatus": status}
    with pytest.raises(AwsError, match=way):
        deployed(session, text({"Queue": QUEUE}))


def test_deleting_what_is_there_and_what_is_not() -> None:
    session = Session()
    deployed(session, text({"Queue": QUEUE}))
    for _ in range(2):
        assert delete(session, "shop", progress=lambda _: None, pause_s=0) == GONE


# --- a plan ----------------------------------------------------------------------------------------

BIG = templates(plan(functions(150), Settings()), page_topic="arn:aws:sns:eu-west-1:123456789012:page")


def applied(session: Session, made: dict[str, Any], progress: Any = lambda _: None) -> None:
    apply(session, made, bucket="code", progress=progress, pause_s=0)


def alarms(session: Session) -> Iterable[str]:
    """The names of all alarms that are deployed."""
    stacks = session.cloudformation.describe_stacks()["Stacks"]
    roots = [one["template"] for one in stacks if is_alarm_stack(one["StackName"])]
    for one in (one for root in roots for one in root["Resources"].values()):
        body = (
            json.loads(session.s3.text(one["Properties"]["TemplateURL"]))
            if one["Type"] == NESTED
            else {"Resources": {"": one}}
        )
        for resource in body["Resources"].values():
            yield resource["Properties"]["AlarmName"]


def alarm_names(made: dict[str, str]) -> list[str]:
    """The names of all alarms in the templates."""
    found = [one for text in made.values() for one in json.loads(text)["Resources"].values()]
    return [one["Properties"]["AlarmName"] for one in found if "AlarmName" in one["Properties"]]


def test_a_big_plan_is_deployed_whole() -> None:
    session = Session()
    applied(session, BIG)
    wanted = alarm_names(BIG)
    assert len(wanted) > 2 * 450
    assert sorted(alarms(session)) == sorted(wanted)


def test_applying_again_uploads_and_changes_nothing() -> None:
    session = Session()
    applied(session, BIG)
    puts, updates = len(session.s3.puts), len(session.cloudformation.updates)
    applied(session, BIG)
    assert (len(session.s3.puts), len(session.cloudformation.updates)) == (puts, updates)


def test_stopped_in_the_middle_it_goes_on_when_run_again() -> None:
    wide = templates(plan(functions(450), Settings()))
    whole, cut = Session(), Session()
    applied(whole, wide)
    assert len(whole.cloudformation.updates) > 1

    def stop(line: str) -> None:
        if "step 2" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        applied(cut, wide, stop)
    applied(cut, wide)
    assert whole.cloudformation.stacks[ALARM_STACK]["template"] == cut.cloudformation.stacks[ALARM_STACK]["template"]


def test_a_fleet_that_outgrows_one_parent_and_shrinks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.stacks.MOST_RESOURCES", 12)
    session = Session()
    narrow, wide = (templates(plan(functions(count), Settings())) for count in (2, 60))
    assert sum(map(is_alarm_stack, wide)) > 2
    for made in (narrow, wide, narrow):
        applied(session, made)
        assert stack_names(session) == sorted(filter(is_alarm_stack, made))  # type: ignore[arg-type] # a fake
        assert sorted(alarms(session)) == sorted(alarm_names(made))


def test_a_stack_of_someone_elses_is_left_alone() -> None:
    session = Session()
    session.cloudformation.stacks[ALARM_STACK] = stack(ALARM_STACK) | {
        "StackStatus": "CREATE_COMPLETE",
        "template": "Resources:\n  Queue: {Type: AWS::SQS::Queue}",
    }
    with pytest.raises(InputError, match="was not made by lookout"):
        applied(session, BIG)


def test_nested_templates_are_addressed_by_their_content() -> None:
    parent = template({"Part": nested("part.json"), "Queue": QUEUE})
    assert packaged(parent, {"part.json": "https://s3/x"}) == template({"Part": nested("https://s3/x"), "Queue": QUEUE})


# --- steps -----------------------------------------------------------------------------------------


def nested(url: str, *after: str) -> dict[str, Any]:
    return {"Type": NESTED, "Properties": {"TemplateURL": url}, **({"DependsOn": sorted(after)} if after else {})}


def parents(parts: dict[str, int], *, shared: bool = True, most: int = 12) -> dict[str, Any]:
    """Nested stacks by name and version, a permission before them and health over them, as templates() makes them."""
    own = {name: nested(f"{name}-{version}", *(["Permission"] if shared else [])) for name, version in parts.items()}
    health = f"health-{sum(parts.values())}-{len(parts)}"
    permission = {"Permission": {"Type": "AWS::Lambda::Permission", "Properties": {}}} if shared else {}
    over = {"Health": nested(health, *own)} if own else {}
    if len(own) <= most:
        return {ALARM_STACK: template(permission | own | over)}
    further = {
        f"{ALARM_STACK}-{bit}": template({name: one for name, one in own.items() if int(name[-1]) % 2 == int(bit)})
        for bit in "01"
    }
    return {ALARM_STACK: template(permission | over), **further}


def deploying(deployed: dict[str, Any], found: Iterable[Step]) -> Iterator[dict[str, Any]]:
    """What is deployed after each step."""
    for home, made in found:
        rest = {name: one for name, one in deployed.items() if name != home}
        deployed = rest | ({home: made} if made else {})
        yield deployed


def contents(deployed: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(stack, name): one for stack, found in deployed.items() for name, one in found["Resources"].items()}


def unlike(one: Any, other: Any) -> bool:
    """Whether CloudFormation would touch the resource: what it waits for is no change of its own."""
    return bool((one or {}).get("Properties") != (other or {}).get("Properties"))


PARTS = st.dictionaries(st.sampled_from([f"Part{number:02}" for number in range(24)]), st.integers(0, 1), max_size=24)


@settings(max_examples=300)
@given(PARTS, PARTS, st.data())
def test_steps_keep_to_the_rules(before: dict[str, int], after: dict[str, int], data: Any) -> None:
    first, shared, before_shared = (data.draw(st.booleans()) for _ in range(3))
    wanted = parents(after, shared=shared)
    start = {} if first else parents(before, shared=before_shared)
    found = steps(start, wanted)
    states = [start, *deploying(start, found)]
    assert states[-1] == wanted
    gone = contents(start).keys() - contents(wanted).keys()
    for old, new in pairwise(map(contents, states)):
        moved = {key for key in {*old, *new} if unlike(old.get(key), new.get(key))}
        assert sum((old | new)[key]["Type"] == NESTED for key in moved) <= WAVE, "more than one operation may touch"
        assert len({stack for stack, _ in moved}) <= 1
        if len(found) > 1:
            fresh = {name for stack, name in moved & new.keys() if name.startswith("Part")}
            assert not fresh & {name for stack, name in gone & old.keys()}, (
                "an alarm is made before its old one is gone"
            )
            lost = {key for key in moved if key[1].startswith("Part") and key in old}
            health = (ALARM_STACK, "Health")
            assert not lost or health not in new or new[health] == contents(wanted).get(health), "a child would go"
        assert all(set(one.get("DependsOn", ())) <= {name for _, name in new} for one in new.values())
    stopped_at = data.draw(st.sampled_from(states))
    assert [*deploying(stopped_at, steps(stopped_at, wanted))][-1] == wanted


def test_a_small_change_is_one_step() -> None:
    before = parents({"Part00": 0, "Part01": 0})
    assert [one.stack for one in steps(before, parents({"Part00": 1, "Part01": 0}))] == [ALARM_STACK]


def test_a_first_thing_for_all_to_wait_for_is_one_step() -> None:
    many = {f"Part{number:02}": 0 for number in range(10)}
    assert len(steps(parents(many, shared=False), parents(many, shared=True))) == 1


def test_a_small_change_of_several_stacks_leaves_the_others_alone() -> None:
    before = {f"Part{number:02}": 0 for number in range(24)}
    found = steps(parents(before), parents(before | {"Part03": 1}))
    assert [one.stack for one in found] == [ALARM_STACK, f"{ALARM_STACK}-1", ALARM_STACK]


def test_one_template_is_one_step_whatever_goes_or_comes() -> None:
    before, after = template({"A": QUEUE, "B": QUEUE}), template({"B": QUEUE, "C": QUEUE})
    assert steps({ALARM_STACK: before}, {ALARM_STACK: after}) == ((ALARM_STACK, after),)


def test_outgrowing_one_template_takes_its_alarms_out_first() -> None:
    wanted = parents({"Part0": 0, "Part1": 0})
    (_, first), *_, (_, last) = steps({ALARM_STACK: template({"AlarmA": QUEUE})}, wanted)
    assert first == template({})
    assert last == wanted[ALARM_STACK]


def test_a_stack_no_longer_needed_is_deleted_when_it_is_empty() -> None:
    many = {f"Part{number:02}": 0 for number in range(24)}
    found = steps(parents(many), parents({"Part00": 0}))
    assert [one.stack for one in found if one.template is None] == [f"{ALARM_STACK}-0", f"{ALARM_STACK}-1"]
