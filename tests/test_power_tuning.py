"""`lookout rightsize --power-tuning`: what is measured, what it costs, and that everything is put back.

The fake Lambda below answers as the API reference says; each call and answer is held against botocore's model.
"""

import base64
import io
import json
import math
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from infra.aws import tuning as aws
from infra.aws.session import client
from lookout import cli, powertuning
from monitors.errors import AwsError, InputError
from monitors.records import Invocation
from monitors.rightsize.advise import memory_report
from monitors.rightsize.curve import LADDER_MB
from monitors.rightsize.prices import X86, price
from monitors.rightsize.tuning import (
    INVOCATIONS,
    Tuning,
    averages,
    billed_usd,
    following,
    refusal,
    sizes,
    tuning,
)
from monitors.rightsize.usage import usage
from tests.aws import ACCOUNT, REGION, Aws
from tests.test_cli_reports import report_line
from tests.test_rightsize import duration, invocations

NAME, WAIT_MS, CPU_MS = "shop-orders", 40.0, 60.0


# --- which sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory_mb", "floor_mb", "advised_mb", "expected"),
    [
        (512, 128, 512, (512, 256, 1024, 128)),
        (512, 128, 384, (512, 384, 256, 1024, 128)),
        (512, 300, 512, (512, 384, 1024)),  # a half and a quarter are not safe: the nearest that is
        (1000, 128, 1000, (1000, 1024, 512, 2048, 256)),  # of its own size, and the usual ones beside it
        (2048, 128, 2048, (2048, 1024, 3008, 512)),  # not 4,096: a new account has at most 3,008 MB
        (4096, 128, 4096, (4096, 2048, 8192, 1024)),  # this account has more
        (128, 500, 512, (512, 1024)),  # its own size is not safe
        (10_240, 9_000, 10_240, (10_240,)),
    ],
)
def test_the_sizes_lie_around_the_present_one(
    memory_mb: int, floor_mb: int, advised_mb: int, expected: tuple[int, ...]
) -> None:
    assert sizes(memory_mb, floor_mb=floor_mb, advised_mb=advised_mb) == expected


@given(st.integers(128, 10_240), st.integers(128, 15_360), st.sampled_from(LADDER_MB))
def test_no_size_is_unsafe_or_measured_twice(memory_mb: int, floor_mb: int, advised_mb: int) -> None:
    found = sizes(memory_mb, floor_mb=floor_mb, advised_mb=advised_mb)
    assert 1 <= len(found) == len(set(found)) <= 5
    assert set(found) <= {memory_mb, *LADDER_MB}
    assert all(size >= min(floor_mb, 10_240) for size in found)
    assert (found[0] == memory_mb) == (memory_mb >= floor_mb or memory_mb == 10_240)


# --- what it costs -------------------------------------------------------------------------------

GB_SECOND, REQUEST = 0.0000166667, 0.20e-6  # us-east-1, x86_64, by the price list


def plan(memory_mb: int = 1024, *, timeout_ms: int = 30_000, init_ms: float = 200.0) -> Tuning:
    """Of a function that takes 100 ms whatever it has, and 200 ms to start."""
    logs = invocations(memory_mb=1024) + invocations(memory_mb=256, first_day=-10)
    (advice,) = memory_report(usage(logs), functions={}, region="us-east-1").advice
    assert advice.init_ms == pytest.approx(init_ms, rel=0.01)
    return tuning(advice, memory_mb=memory_mb, timeout_ms=timeout_ms, price=price("us-east-1", X86))


def test_the_cost_is_known_before() -> None:
    """At 1,024 MB: 11 x 100 ms and a start of 200 ms are 1.3 GB-s; 11 x 30 s and a start of at most 10 s are 340."""
    step = plan().steps[0]
    assert step.memory_mb == 1024
    assert step.expected_usd == pytest.approx(1.3 * GB_SECOND + 11 * REQUEST, rel=0.01)
    assert step.worst_usd == pytest.approx(340 * GB_SECOND + 11 * REQUEST)
    assert plan().worst_usd == pytest.approx(sum(one.worst_usd for one in plan().steps))
    assert plan().expected_usd == pytest.approx(sum(one.expected_usd for one in plan().steps))


def test_one_safe_size_is_nothing_to_compare() -> None:
    (advice,) = memory_report(usage(invocations(memory_mb=3008, used_mb=2250)), functions={}, region="r").advice
    with pytest.raises(InputError, match=r"^f: safe from 3008 MB on, so 3008 MB has nothing beside it"):
        tuning(advice, memory_mb=3008, timeout_ms=3000, price=price("us-east-1", X86))


def report(memory_mb: int, ms: float, *, cold: bool = False) -> Invocation:
    billed = math.ceil(ms + (200 if cold else 0))
    return Invocation("f", "", "r", 0, ms, billed, memory_mb, 60, 200.0 if cold else None)


def at(size: int, ms: float) -> list[Invocation]:
    return [report(size, ms, cold=n == 0) for n in range(INVOCATIONS)]


def test_sizes_are_measured_one_after_the_other() -> None:
    chosen, done = plan(), list[Invocation]()
    while size := following(chosen, done, at_most_usd=1.0):
        done.append(report(size, 100.0))
    asked = [one.memory_mb for one in done]
    assert asked == [step.memory_mb for step in chosen.steps for _ in range(INVOCATIONS)]


def test_a_size_that_would_go_beyond_the_limit_is_not_begun() -> None:
    chosen = plan()
    first, second = chosen.steps[:2]
    enough = first.expected_usd + second.expected_usd
    assert following(chosen, at(1024, 100.0), at_most_usd=1.01 * enough) == second.memory_mb
    assert following(chosen, at(1024, 100.0), at_most_usd=0.98 * enough) is None
    # 2.5 GB-s where the logs have 1.3: the next size is expected to cost 1.9 times as much, too.
    slow = at(1024, 210.0)
    assert following(chosen, slow, at_most_usd=billed_usd(chosen, slow) + 1.8 * second.expected_usd) is None
    there = following(chosen, slow, at_most_usd=billed_usd(chosen, slow) + 2.0 * second.expected_usd)
    assert there == second.memory_mb


@given(st.floats(0.0001, 0.01), st.lists(st.floats(1.0, 30_000.0), min_size=1, max_size=5))
def test_the_limit_is_passed_by_one_invocation_at_most(at_most_usd: float, times: list[float]) -> None:
    chosen, done = plan(), list[Invocation]()
    while size := following(chosen, done, at_most_usd=at_most_usd):
        assert billed_usd(chosen, done) <= at_most_usd
        done.append(report(size, times[len(done) % len(times)]))
    assert len(done) <= INVOCATIONS * len(chosen.steps)


def test_billed_is_what_lambda_bills() -> None:
    """0.5 GB for 2 s and for 1 s (of a report without billed time, its duration in whole ms), and two requests."""
    done = [report(512, 1900.5)._replace(billed_ms=2000), report(512, 999.2)._replace(billed_ms=None)]
    assert billed_usd(plan(), done) == pytest.approx(1.5 * GB_SECOND + 2 * REQUEST)


def test_the_average_is_of_warm_ones_without_the_fifth_at_either_end() -> None:
    """Of 1 to 9 ms and a second it is that of 3 to 8."""
    shuffled = [7.0, 1.0, 1000.0, 3.0, 5.0, 9.0, 2.0, 8.0, 4.0, 6.0]
    done = [report(1024, 5000.0, cold=True), *(report(1024, ms) for ms in shuffled)]
    assert averages(plan(), done) == {1024: 5.5}
    assert averages(plan(), done[:-1]) == {}  # not measured to the end
    assert averages(plan(), [report(1024, 5.0, cold=True)] * INVOCATIONS) == {}


# --- what cannot be measured ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, ""),
        ({"PackageType": "Image", "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"}}, ""),
        ({"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "INFO"}}, ""),
        ({"SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}}, "snapshot of each version"),
        ({"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {}}}, "Managed Instances"),
        ({"DurableConfig": {"ExecutionTimeout": 60}}, "durable"),
        ({"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}, "tenant"),
        ({"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN"}}, "system log level"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_reason(settings: dict[str, Any], why: str) -> None:
    found = refusal({"FunctionName": NAME, "MemorySize": 512, **settings})
    assert why in found
    assert bool(found) == bool(why)


# --- in AWS --------------------------------------------------------------------------------------


class Lambda:
    """One function, as the API reference has it: an update takes a while, and a revision ends with it."""

    def __init__(self, *, memory_mb: int = 512, unsettled: int = 1) -> None:
        self.unsettled, self.waiting = unsettled, 0
        self.revision = 0
        self.latest = {
            "FunctionName": NAME,
            "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}",
            "MemorySize": memory_mb,
            "Timeout": 30,
            "CodeSha256": "c0de",
            "Version": "$LATEST",
            "Description": "orders",
            "State": "Active",
        }
        self.versions: dict[str, dict[str, Any]] = {}
        self.next = 1
        self.warm: set[str] = set()
        self.pending: dict[str, int] = {}
        """Versions that are still being made, and how often they will say so."""
        self.fails: Callable[[str], dict[str, str] | None] = lambda _version: None
        self.aws = Aws(
            {
                f"lambda:{operation}": getattr(self, xform_name(operation))
                for operation in (
                    "GetFunctionConfiguration",
                    "UpdateFunctionConfiguration",
                    "PublishVersion",
                    "ListVersionsByFunction",
                    "DeleteFunction",
                    "Invoke",
                )
            }
        )

    def state(self) -> tuple[int, set[str]]:
        """What matters of it: the memory size, and the versions that there are."""
        return self.latest["MemorySize"], set(self.versions)

    def function(self) -> aws.Function:
        return aws.Function(client(self.aws.session, "lambda"), NAME, lambda _: None)

    def publish(self, description: str = "") -> str:
        """Publish a version as the user does."""
        return str(self.publish_version({"FunctionName": NAME, "Description": description}, REGION)["Version"])

    def get_function_configuration(self, asked: Mapping[str, Any], _region: str) -> Any:
        version = asked.get("Qualifier", "$LATEST")
        if version != "$LATEST":
            if not (found := self.versions.get(version)):
                return "ResourceNotFoundException", "gone", 404
            if version not in self.pending:
                return found
            self.pending[version] -= 1
            if not self.pending[version]:
                del self.pending[version]
            return {**found, "State": "Pending"}
        status = "InProgress" if self.waiting else "Successful"
        if self.waiting:
            self.waiting -= 1
            self.revision += not self.waiting
        return {**self.latest, "RevisionId": str(self.revision), "LastUpdateStatus": status}

    def update_function_configuration(self, asked: Mapping[str, Any], _region: str) -> Any:
        if self.waiting:
            return "ResourceConflictException", "An update is in progress", 409
        if asked.get("RevisionId", str(self.revision)) != str(self.revision):
            return "PreconditionFailedException", "The RevisionId provided does not match", 412
        assert set(asked) <= {"FunctionName", "MemorySize", "RevisionId"}
        self.latest["MemorySize"] = asked["MemorySize"]
        self.revision += 1
        self.waiting = self.unsettled
        return {**self.latest, "RevisionId": str(self.revision), "LastUpdateStatus": "InProgress"}

    def publish_version(self, asked: Mapping[str, Any], _region: str) -> Any:
        if self.waiting:
            return "ResourceConflictException", "An update is in progress", 409
        if asked.get("RevisionId", str(self.revision)) != str(self.revision):
            return "PreconditionFailedException", "The RevisionId provided does not match", 412
        newest = self.versions.get(str(self.next - 1), {})
        if newest and all(newest[key] == self.latest[key] for key in ("MemorySize", "CodeSha256")):
            return newest
        made = {**self.latest, "Version": str(self.next), "Description": asked["Description"]}
        self.versions[str(self.next)] = made
        self.next += 1
        if self.unsettled:
            self.pending[made["Version"]] = 2
        return made

    def list_versions_by_function(self, _asked: Mapping[str, Any], _region: str) -> Any:
        return {"Versions": [self.latest, *self.versions.values()]}

    def delete_function(self, asked: Mapping[str, Any], _region: str) -> Any:
        assert asked["Qualifier"].isdecimal(), "without a version it deletes the function"
        if asked["Qualifier"] in self.pending:
            return "ResourceConflictException", "The function is currently in the following state: Pending", 409
        return {} if self.versions.pop(asked["Qualifier"], None) else ("ResourceNotFoundException", "gone", 404)

    def invoke(self, asked: Mapping[str, Any], _region: str) -> Any:
        version = asked["Qualifier"]
        assert version not in self.pending
        size = self.versions[version]["MemorySize"]
        cold = version not in self.warm
        self.warm.add(version)
        ms = duration(size, wait_ms=WAIT_MS, cpu_ms=CPU_MS)
        start = "Init Duration: 200.00 ms\t" if cold else ""
        lines = (
            f"START RequestId: r Version: {version}\nhello\nEND RequestId: r\n{report_line(1, ms=ms, memory_mb=size)}"
        )
        said = {"LogResult": base64.b64encode(f"{lines}{start}\n".encode()).decode(), "StatusCode": 200}
        if error := self.fails(version):
            return {**said, "FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(error).encode())}
        return {**said, "Payload": io.BytesIO(b"null"), "ExecutedVersion": version}


SIZES = (512, 256, 1024)


def measure(fake: Lambda) -> dict[int, Invocation]:
    """A warm invocation at each size, as the command makes them."""
    found = {}
    invoker = aws.invoker(fake.aws.session, timeout_ms=30_000)
    with aws.published(fake.function(), SIZES, mark="mark") as versions:
        for size, version in versions.items():
            for _ in range(2):
                answer = aws.invoke(invoker, NAME, version=version, payload='{"order": 1}')
                assert answer.report
                found[size] = answer.report
    return found


def test_each_size_is_invoked_in_a_version_and_all_is_put_back() -> None:
    fake = Lambda()
    found = measure(fake)
    assert {size: one.memory_mb for size, one in found.items()} == {512: 512, 256: 256, 1024: 1024}
    assert found[256].duration_ms == pytest.approx(duration(256, wait_ms=WAIT_MS, cpu_ms=CPU_MS), abs=0.005)
    assert not found[256].cold
    assert fake.state() == (512, set())
    asked = [call.partition(":")[2] for call, *_ in fake.aws.asked]
    assert max(n for n, call in enumerate(asked) if call == "UpdateFunctionConfiguration") < asked.index("Invoke")
    (payload,) = {parameters["Payload"] for call, _, parameters in fake.aws.asked if call == "lambda:Invoke"}
    assert json.loads(payload) == {"order": 1}


def test_a_version_that_was_there_is_used_and_stays() -> None:
    """Lambda publishes no second version of the same code and settings; another one of the user's is left alone too."""
    fake = Lambda()
    fake.latest["MemorySize"] = 128
    fake.publish("of 128 MB")
    fake.latest["MemorySize"] = 512
    fake.publish("release 7")
    measure(fake)
    assert fake.state() == (512, {"1", "2"})
    assert "2" in {parameters["Qualifier"] for call, _, parameters in fake.aws.asked if call == "lambda:Invoke"}


def calls() -> int:
    fake = Lambda()
    measure(fake)
    return len(fake.aws.asked)


DENIED = ("AccessDeniedException", "no")


@pytest.mark.parametrize("how", ["refused", "Ctrl-C before", "Ctrl-C after"])
@pytest.mark.parametrize("place", range(calls()))
def test_whichever_call_fails_all_is_put_back(place: int, how: str) -> None:
    """One call fails; a Ctrl-C comes before it, or when it has taken effect and its answer is lost."""
    fake = Lambda()

    def fail(call: str, parameters: dict[str, Any]) -> Any:
        if len(fake.aws.asked) != place + 1:
            return None
        if how == "refused":
            return DENIED
        if how == "Ctrl-C after":
            fake.aws.reply(call, parameters)
        raise KeyboardInterrupt

    fake.aws.refuses = fail
    with pytest.raises((AwsError, KeyboardInterrupt)) as raised:
        measure(fake)
    for line in commands(str(raised.value)):
        run_as_typed(fake, line)
    assert fake.state() == (512, set())


def commands(words: str) -> list[str]:
    return re.findall(r"^  (aws lambda .*)$", words, re.MULTILINE)


def run_as_typed(fake: Lambda, line: str) -> None:
    """Do what the command does, if it changes anything."""
    words = shlex.split(line, comments=True)
    assert words[:2] == ["aws", "lambda"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert (options.pop("--function-name"), options.pop("--region")) == (NAME, REGION)
    fake.waiting = 0
    fake.pending.clear()
    if words[2] == "update-function-configuration":
        fake.update_function_configuration({"FunctionName": NAME, "MemorySize": int(options["--memory-size"])}, REGION)
    elif words[2] == "delete-function":
        fake.delete_function({"FunctionName": NAME, "Qualifier": options["--qualifier"]}, REGION)
    else:
        assert words[2] == "list-versions-by-function"
        mark = re.search(r"Description=='(.*?)'", options["--query"])
        assert mark
        own = [version for version, of in fake.versions.items() if of["Description"] == mark[1]]
        for version in own:
            fake.delete_function({"FunctionName": NAME, "Qualifier": version}, REGION)


@pytest.mark.parametrize("place", range(calls()))
def test_once_the_connection_is_lost_the_error_says_what_to_run(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    fake = Lambda()
    fake.aws.refuses = lambda *_: (
        EndpointConnectionError(endpoint_url="https://lambda") if len(fake.aws.asked) > place else None
    )
    with pytest.raises(AwsError) as raised:
        measure(fake)
    for line in commands(str(raised.value)):
        assert "Could not connect" in line
        run_as_typed(fake, line)
    assert fake.state() == (512, set())


def test_what_may_not_be_put_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting is denied: the size is back, and there is a command for each version."""
    fake = Lambda()
    fake.aws.refuses = lambda call, _: DENIED if call == "lambda:DeleteFunction" else None
    with pytest.raises(AwsError) as raised:
        measure(fake)
    assert fake.state() == (512, {"1", "2", "3"})
    said = str(raised.value).splitlines()
    assert said[0] == "shop-orders is not as it was. Put it back with:"
    start = "  aws lambda delete-function --function-name shop-orders --region eu-west-1 --qualifier"
    assert [line.partition("  # ")[0] for line in said[1:]] == [f"{start} {n}" for n in (1, 2, 3)]
    assert all(line.endswith("Allow lambda:DeleteFunction.") for line in said[1:])


def test_nothing_is_invoked_where_the_size_cannot_be_put_back() -> None:
    fake = Lambda()
    fake.aws.refuses = lambda call, asked: (
        DENIED if call == "lambda:UpdateFunctionConfiguration" and asked["MemorySize"] == 512 else None
    )
    with pytest.raises(AwsError, match=r"update-function-configuration .* --memory-size 512  # "):
        measure(fake)
    assert fake.state() == (1024, set())
    assert not fake.aws.count("lambda:Invoke")


def test_a_version_whose_deletion_was_not_answered_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK tries again, and AWS says that there is no such version."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    fake = Lambda()

    def lose(call: str, parameters: dict[str, Any]) -> Any:
        if call == "lambda:DeleteFunction" and parameters["Qualifier"] in fake.versions:
            fake.aws.reply(call, parameters)
            return ReadTimeoutError(endpoint_url="https://lambda")
        return None

    fake.aws.refuses = lose
    measure(fake)
    assert fake.state() == (512, set())


def test_a_second_ctrl_c_while_putting_back_leaves_the_command() -> None:
    fake = Lambda()

    def stop(call: str, parameters: dict[str, Any]) -> Any:
        if call == "lambda:Invoke" or (call == "lambda:DeleteFunction" and parameters["Qualifier"] == "2"):
            raise KeyboardInterrupt

    fake.aws.refuses = stop
    with pytest.raises(AwsError, match=r"delete-function .* --qualifier 2  # stopped$"):
        measure(fake)
    assert fake.state() == (512, {"2"})


def test_a_size_that_somebody_else_sets_meanwhile_is_theirs() -> None:
    fake = Lambda()

    def deployed(call: str, _parameters: dict[str, Any]) -> Any:
        if call == "lambda:PublishVersion" and fake.versions:
            fake.latest.update(MemorySize=2048, CodeSha256="new")
            fake.revision += 1

    fake.aws.refuses = deployed
    with pytest.raises(AwsError, match="RevisionId provided does not match"):
        measure(fake)
    assert fake.state() == (2048, set())


def test_code_that_changes_between_two_versions_ends_it() -> None:
    fake = Lambda()

    def deployed(call: str, _parameters: dict[str, Any]) -> Any:
        if call == "lambda:GetFunctionConfiguration" and fake.versions:
            fake.latest["CodeSha256"] = "new"

    fake.aws.refuses = deployed
    with pytest.raises(AwsError, match="shop-orders was changed by somebody else meanwhile"):
        measure(fake)
    assert fake.state() == (512, set())


def test_a_revision_that_moves_by_itself_does_not_keep_the_size_from_going_back() -> None:
    fake = Lambda()
    refused = []

    def moves(call: str, parameters: dict[str, Any]) -> Any:
        if call == "lambda:UpdateFunctionConfiguration" and parameters["MemorySize"] == 512 and not refused:
            refused.append(call)
            fake.revision += 1

    fake.aws.refuses = moves
    measure(fake)
    assert refused
    assert fake.state() == (512, set())


def test_an_update_that_fails_ends_it() -> None:
    fake = Lambda()

    def failed(call: str, parameters: dict[str, Any]) -> Any:
        if call == "lambda:GetFunctionConfiguration" and fake.latest["MemorySize"] == 256 and not fake.waiting:
            answer = fake.get_function_configuration(parameters, REGION)
            return {**answer, "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no subnet has an address"}
        return None

    fake.aws.refuses = failed
    with pytest.raises(AwsError, match="shop-orders could not be changed: no subnet has an address"):
        measure(fake)
    assert fake.state() == (512, set())


def test_a_throttled_invocation_is_made_again_and_a_lost_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a lost one ran, nobody knows: it may have charged a card."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    fake = Lambda(unsettled=0)
    version = fake.publish("mark")
    invoker = aws.invoker(fake.aws.session, timeout_ms=30_000)
    fake.aws.refuses = lambda *_: (
        ("TooManyRequestsException", "slow", 429) if fake.aws.count("lambda:Invoke") < 4 else None
    )
    assert aws.invoke(invoker, NAME, version=version, payload="{}").report
    assert fake.aws.count("lambda:Invoke") == 4
    fake.aws.refuses = lambda *_: ReadTimeoutError(endpoint_url="https://lambda")
    with pytest.raises(AwsError, match="Read timeout"):
        aws.invoke(invoker, NAME, version=version, payload="{}")
    assert fake.aws.count("lambda:Invoke") == 5


def test_a_client_waits_as_long_as_the_function_may_run() -> None:
    assert aws.invoker(Lambda().aws.session, timeout_ms=900_000).meta.config.read_timeout > 900


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b'{"errorType": "ValueError", "errorMessage": "no such\\norder"}', "ValueError: no such order"),
        (b'{"errorMessage": "odd"}', '{"errorMessage": "odd"}'),
        (b"[1]", "[1]"),
        (b"\xff", "\ufffd"),
        (b"", "no words"),
    ],
)
def test_a_function_that_fails_is_told_in_its_own_words(said: bytes, words: str) -> None:
    fake = Lambda()
    version = fake.publish("mark")
    fake.aws.refuses = lambda *_: {"FunctionError": "Unhandled", "Payload": io.BytesIO(said)}
    invoker = aws.invoker(fake.aws.session, timeout_ms=3000)
    assert aws.invoke(invoker, NAME, version=version, payload="{}") == (None, words)


def test_an_answer_without_a_report_is_an_error() -> None:
    fake = Lambda()
    tail = base64.b64encode(b"hello\n").decode()
    fake.aws.refuses = lambda *_: {"LogResult": tail, "Payload": io.BytesIO(b"null")}
    invoker = aws.invoker(fake.aws.session, timeout_ms=3000)
    with pytest.raises(AwsError, match="shop-orders:1: no report line"):
        aws.invoke(invoker, NAME, version="1", payload="{}")


def test_a_report_that_the_function_quotes_is_not_the_one() -> None:
    fake = Lambda()
    lines = "\n".join((report_line(1, ms=1.0, memory_mb=128), "END", report_line(2, ms=50.0, memory_mb=256)))
    tail = base64.b64encode(lines.encode()).decode()
    fake.aws.refuses = lambda *_: {"LogResult": tail, "Payload": io.BytesIO(b"null")}
    found = aws.invoke(aws.invoker(fake.aws.session, timeout_ms=3000), NAME, version="1", payload="{}").report
    assert found
    assert (found.duration_ms, found.memory_mb) == (50.0, 256)


def test_a_report_in_json_is_read_too() -> None:
    metrics = {"durationMs": 12.5, "billedDurationMs": 13, "memorySizeMB": 256, "maxMemoryUsedMB": 70}
    line = {
        "time": "2026-11-28T12:00:00.000Z",
        "type": "platform.report",
        "record": {"requestId": "6d67e385-053d-4622-a56f-b25bcef23083", "metrics": metrics, "status": "success"},
    }
    fake = Lambda()
    tail = base64.b64encode(f"{json.dumps(line)}\n".encode()).decode()
    fake.aws.refuses = lambda *_: {"LogResult": tail, "Payload": io.BytesIO(b"null")}
    found = aws.invoke(aws.invoker(fake.aws.session, timeout_ms=3000), NAME, version="1", payload="{}").report
    assert found
    assert (found.duration_ms, found.billed_ms, found.memory_mb, found.cold) == (12.5, 13, 256, False)


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """A function of 1,024 MB in AWS, and its logs of two weeks in a file."""
    made = Lambda(memory_mb=1024, unsettled=0)
    monkeypatch.setattr(powertuning, "session", lambda: made.aws.session)
    monkeypatch.chdir(tmp_path)
    ms = duration(1024, wait_ms=WAIT_MS, cpu_ms=CPU_MS)
    rows = [
        {
            "logGroup": f"/aws/lambda/{NAME}",
            "logStream": f"2026/11/01/[$LATEST]{number % 30}",
            "timestamp": 1_793_491_200_000 + number * 900_000,  # 2026-11-01 00:00 UTC, every quarter of an hour
            "message": report_line(number, ms=ms, memory_mb=1024),
        }
        for number in range(1200)
    ]
    Path("logs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return made


def rightsize(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """(status, stdout, stderr with its lines as they would be on one)."""
    status = cli.main(["rightsize", "logs.jsonl", *arguments])
    told = capsys.readouterr()
    return status, told.out, " ".join(told.err.split())


def test_what_is_measured_is_evidence_in_the_report(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    """60 MB used ask for 88 at least (60 x 1.09 / 0.75), so a quarter, a half and the double are all safe."""
    status, out, err = rightsize(capsys, "--power-tuning", NAME, "--yes", "--json")
    (advice,) = json.loads(out)["advice"]
    assert status in (0, 1)
    assert advice["confidence"] == "A"
    assert any("by Power Tuning at" in reason for reason in advice["reasons"])
    (at_256,) = [one for one in advice["sizes"] if one["memory_mb"] == 256]
    assert at_256["p95_ms"]["expected"] == pytest.approx(duration(256, wait_ms=WAIT_MS, cpu_ms=CPU_MS), rel=0.02)
    assert "11 invocations at each of 1024" in err
    assert "shop-orders is as it was" in err
    assert fake.state() == (1024, set())


def test_what_was_measured_is_kept_and_read_again(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = rightsize(capsys, "--power-tuning", NAME, "--yes", "--json")
    kept = f"{NAME}={NAME}.tuned.json"
    assert f"--tuned {kept}" in err
    invoked = fake.aws.count("lambda:Invoke")
    assert rightsize(capsys, "--tuned", kept, "--json")[1] == out
    assert fake.aws.count("lambda:Invoke") == invoked > 0


def test_without_a_yes_it_only_says_what_it_would_do(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = rightsize(capsys, "--power-tuning", NAME)
    assert (status, out) == (2, "")
    assert "whatever the function does" in err
    assert "$LATEST has these sizes in turn" in err
    assert "nothing was changed or invoked: say --yes" in err
    assert {call for call, *_ in fake.aws.asked} == {"lambda:GetFunctionConfiguration"}


@pytest.mark.parametrize(("answer", "invoked"), [("y\n", True), ("yes\n", True), ("n\n", False), ("", False)])
def test_at_a_terminal_it_asks(
    answer: str, invoked: bool, fake: Lambda, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    status, _, err = rightsize(capsys, "--power-tuning", NAME)
    assert "invoke it? [y/N]" in err
    assert (status != 2, fake.aws.count("lambda:Invoke") > 0) == (invoked, invoked)
    assert ("nothing was changed or invoked" in err) != invoked


def test_an_error_of_the_function_ends_it_and_two_sizes_are_used(
    fake: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 30.00 seconds"}
    fake.fails = lambda version: failure if fake.versions[version]["MemorySize"] == 256 else None
    status, out, err = rightsize(capsys, "--power-tuning", NAME, "--yes", "--json")
    assert status in (0, 1)
    assert json.loads(out)["advice"][0]["confidence"] == "A"
    assert "failed: Sandbox.Timedout: Task timed out after 30.00 seconds at 256 MB" in err
    assert fake.state() == (1024, set())


def test_an_error_at_the_first_size_is_told_and_nothing_else(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    fake.fails = lambda _version: {"errorType": "KeyError", "errorMessage": "'order'"}
    status, out, err = rightsize(capsys, "--power-tuning", NAME, "--yes", "--json")
    assert (status, out) == (2, "")
    assert "error: shop-orders failed: KeyError: 'order' at 1024 MB: fewer than two sizes" in err
    assert fake.aws.count("lambda:Invoke") == 1
    assert fake.state() == (1024, set())
    assert not Path(f"{NAME}.tuned.json").exists()


def test_reports_that_name_no_size_are_counted_all_the_same(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    line = base64.b64encode(b"REPORT RequestId: r\tDuration: 50.00 ms\tBilled Duration: 50 ms\t\n").decode()
    fake.aws.refuses = lambda call, _: (
        {"LogResult": line, "Payload": io.BytesIO(b"null")} if call == "lambda:Invoke" else None
    )
    rightsize(capsys, "--power-tuning", NAME, "--yes", "--at-most", "0.001")
    assert fake.aws.count("lambda:Invoke") == INVOCATIONS * len(sizes(1024, floor_mb=88, advised_mb=1024))


def test_a_limit_that_two_sizes_pass_is_refused_before_anything_is_done(
    fake: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = rightsize(capsys, "--power-tuning", NAME, "--yes", "--at-most", "0.00001")
    assert status == 2
    assert "--at-most 1e-05: two sizes are expected to cost more" in err
    assert {call for call, *_ in fake.aws.asked} == {"lambda:GetFunctionConfiguration"}


def test_at_the_limit_it_stops_with_what_it_has(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    """At 1,024 MB 11 x 144 ms are 1.6 GB-s, USD 0.00003, and at the others not much less; four sizes are 0.0001."""
    status, out, err = rightsize(capsys, "--power-tuning", NAME, "--yes", "--at-most", "0.00008", "--json")
    assert status in (0, 1)
    assert "the limit was reached: the other sizes were not measured" in err
    assert json.loads(out)["advice"][0]["confidence"] == "A"
    assert fake.state() == (1024, set())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--payload", "order.json"], "--payload, --at-most and --yes are of --power-tuning"),
        (["--yes"], "--payload, --at-most and --yes are of --power-tuning"),
        (["--power-tuning", NAME, "--at-most", "0"], "--at-most 0: expected an amount of USD above 0"),
        (["--power-tuning", NAME, "--at-most", "nan"], "--at-most nan: expected an amount"),
        (["--power-tuning", NAME, "--payload", "gone.json"], "gone.json: No such file"),
        (["--power-tuning", NAME, "--payload", "logs.jsonl"], "logs.jsonl:2:1: not JSON"),
        (["--power-tuning", NAME, "--tuned", f"{NAME}=x.json"], "has a file with --tuned already"),
        (["--power-tuning", "shop-order"], "--power-tuning shop-order: no invocation of that name was read"),
    ],
)
def test_what_fits_nothing_is_refused(
    arguments: list[str], why: str, fake: Lambda, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = rightsize(capsys, *arguments)
    assert (status, out) == (2, "")
    assert why in err
    assert not fake.aws.asked


def test_a_function_that_cannot_be_measured_is_refused(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    fake.latest["SnapStart"] = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    status, _, err = rightsize(capsys, "--power-tuning", NAME, "--yes")
    assert status == 2
    assert "error: shop-orders: SnapStart makes a snapshot of each version" in err
    assert {call for call, *_ in fake.aws.asked} == {"lambda:GetFunctionConfiguration"}


def test_what_was_paid_for_is_kept_when_it_is_stopped(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C in the third size: two are measured."""

    def stop(call: str, _parameters: dict[str, Any]) -> Any:
        if call == "lambda:Invoke" and fake.aws.count("lambda:Invoke") > 2 * INVOCATIONS:
            raise KeyboardInterrupt

    fake.aws.refuses = stop
    status, out, err = rightsize(capsys, "--power-tuning", NAME, "--yes")
    assert (status, out) == (130, "")
    assert err.endswith("stopped")
    assert fake.state() == (1024, set())
    kept = json.loads(Path(f"{NAME}.tuned.json").read_text())
    assert len(kept["stats"]) == 2


def test_where_it_cannot_be_kept_it_is_told_instead(fake: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    Path(f"{NAME}.tuned.json").mkdir()
    status, _, err = rightsize(capsys, "--power-tuning", NAME, "--yes", "--json")
    assert status in (0, 1)
    assert 'to keep it for --tuned: {"stats": [{"value": 256' in err


def test_an_engine_reads_once() -> None:
    """What a measurement logs is not taken for requests, and a query is paid once."""
    read = list[int]()
    once = powertuning.once(lambda start: read.append(start) or len(read))
    assert (once(7), once(8), read) == (1, 1, [7])
