"""Surveys of an AWS that throttles, breaks off, or never ends: real retries, and no real waiting."""

import hashlib
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from infra.aws.session import ATTEMPTS, WORKERS
from infra.aws.survey import survey, survey_all
from infra.aws.workers import each
from monitors.model import Fleet
from tests.aws import ACCOUNT, REGION, Aws, function

PAGES = 5
SIZE = 2
"""Items a page."""


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have waited each time."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


def numbered(page: int) -> list[str]:
    return [f"{page}-{n}" for n in range(SIZE)]


def paged(member: str, item: Any, sent: str, got: str) -> Any:
    """A call that gives PAGES pages of `item(name)`, by the token it is sent and gives."""

    def reply(asked: Mapping[str, Any], _region: str) -> Any:
        page = int(asked.get(sent) or 0)
        more = {got: str(page + 1)} if page < PAGES - 1 else {}
        return {member: [item(name) for name in numbered(page)], **more}

    return reply


# Call -> reply, token sent. One of each way to page: by botocore's paginators, and by the table's own token.
LISTS: dict[str, tuple[Any, str]] = {
    "lambda:ListFunctions": (paged("Functions", function, "Marker", "NextMarker"), "Marker"),
    "lambda:ListEventSourceMappings": (
        paged("EventSourceMappings", lambda name: {"UUID": name.zfill(36)}, "Marker", "NextMarker"),
        "Marker",
    ),
    "logs:DescribeLogGroups": (
        paged("logGroups", lambda name: {"logGroupName": name}, "nextToken", "nextToken"),
        "nextToken",
    ),
    "sqs:ListQueues": (
        paged("QueueUrls", lambda name: f"https://sqs/{ACCOUNT}/{name}", "NextToken", "NextToken"),
        "NextToken",
    ),
    "events:ListEventBuses": (paged("EventBuses", lambda name: {"Name": name}, "NextToken", "NextToken"), "NextToken"),
    "resourcegroupstaggingapi:GetResources": (
        paged("ResourceTagMappingList", lambda name: {"ResourceARN": name}, "PaginationToken", "PaginationToken"),
        "PaginationToken",
    ),
}


def names(fleet: Fleet, service: str) -> list[str]:
    return [resource.name for resource in fleet.resources if resource.service == service]


# --- throttled -----------------------------------------------------------------------------------


def busy() -> Aws:
    limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
    return Aws(
        {
            **{call: reply for call, (reply, _) in LISTS.items()},
            "lambda:GetAccountSettings": {"AccountLimit": limits},
            "lambda:ListFunctions": {"Functions": [function(f"f{n}") for n in range(40)]},
            "lambda:ListAliases": lambda asked, _: {"Aliases": [{"Name": f"of-{asked['FunctionName']}"}]},
            "sqs:GetQueueAttributes": {"Attributes": {"VisibilityTimeout": "30"}},
        }
    )


class Throttling:
    """Refuses a share of all attempts: which is drawn from what is asked, so that threads cannot change the lot."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.attempts: Counter[str] = Counter()
        self.refused = 0

    def __call__(self, call: str, parameters: dict[str, Any]) -> Any:
        asked = f"{call} {sorted(parameters.items())}"
        self.attempts[asked] += 1
        drawn = hashlib.sha256(f"{asked} {self.attempts[asked]}".encode()).digest()[0]
        if drawn >= self.share * 256:
            return None
        self.refused += 1
        return "ThrottlingException", "Rate exceeded"


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_a_survey_that_is_throttled_misses_nothing(slept: list[float], share: float):
    """At a half, botocore's own retry quota is spent long before all calls are through."""
    calm, throttled, throttling = busy(), busy(), Throttling(share)
    throttled.refuses = throttling
    found = survey_all({"": lambda: throttled.session})
    assert found.fleet == survey(calm.session)
    assert found.fleet.incomplete == ()
    assert found.calls == len(throttled.asked) == len(calm.asked) + throttling.refused
    assert len(calm.asked) > 250
    # Of n calls, n * share / (1 - share) attempts are refused.
    assert len(slept) >= throttling.refused > 0.8 * len(calm.asked) * share / (1 - share)


def test_what_is_throttled_for_good_is_named_once_and_the_rest_is_read():
    aws = busy()
    aws.refuses = lambda call, _: (
        ("TooManyRequestsException", "Rate exceeded") if call == "lambda:ListAliases" else None
    )
    fleet = survey(aws.session)
    assert len(names(fleet, "lambda")) == 40
    assert names(fleet, "sqs") == [name for page in range(PAGES) for name in numbered(page)]
    (told,) = fleet.incomplete
    assert told == (
        f"lambda:ListAliases of f0 in {REGION}: TooManyRequestsException: Rate exceeded. "
        "AWS limits the rate: run it again later. (39 more like it.)"
    )


# --- broken off ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (("InternalFailure", "we are sorry", 500), "InternalFailure: we are sorry."),
        (
            EndpointConnectionError(endpoint_url="https://x/"),
            (
                'Could not connect to the endpoint URL: "https://x/". '
                "Check AWS_ENDPOINT_URL, the Region's spelling and the network."
            ),
        ),
    ],
    ids=["the service fails", "the network fails"],
)
def test_lists_that_break_off_after_three_pages_keep_those_and_say_so(failure: Any, told: str):
    aws = Aws({call: reply for call, (reply, _) in LISTS.items()})
    aws.refuses = lambda call, asked: failure if call in LISTS and asked.get(LISTS[call][1]) == "3" else None
    fleet = survey(aws.session)
    first = [name for page in range(3) for name in numbered(page)]
    assert names(fleet, "lambda") == names(fleet, "sqs") == names(fleet, "logs") == first
    assert fleet.incomplete == tuple(
        f"{call} in {REGION}: {told} It stopped after {3 * SIZE} items: there may be more." for call in sorted(LISTS)
    )
    assert all(aws.count(call) == 3 + ATTEMPTS for call in LISTS)


def test_a_list_of_one_thing_that_breaks_off_names_the_thing():
    def aliases(asked: Mapping[str, Any], _region: str) -> Any:
        if asked["FunctionName"] == "b" and "Marker" in asked:
            return "AccessDeniedException", "no"
        return {"Aliases": [{"Name": "live"}], **({} if "Marker" in asked else {"NextMarker": "2"})}

    aws = Aws({"lambda:ListFunctions": {"Functions": [function(n) for n in "abc"]}, "lambda:ListAliases": aliases})
    assert survey(aws.session).incomplete == (
        (
            f"lambda:ListAliases of b in {REGION}: AccessDeniedException: no. Allow lambda:ListAliases. "
            "It stopped after 1 item: there may be more."
        ),
    )


# --- stopped -------------------------------------------------------------------------------------


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "lookout-worker"]


def test_a_survey_that_is_stopped_sends_nothing_more():
    gate = threading.Event()

    def aliases(_asked: Any, _region: str) -> Any:
        gate.wait()
        return {"Aliases": [], "NextMarker": "there is more"}

    def stop(_done: int, total: int) -> None:
        if total > 40:
            raise KeyboardInterrupt

    aws = Aws(
        {"lambda:ListFunctions": {"Functions": [function(f"f{n}") for n in range(40)]}, "lambda:ListAliases": aliases}
    )
    with pytest.raises(KeyboardInterrupt):
        survey(aws.session, progress=stop)
    gate.set()
    for thread in workers():
        thread.join()
    assert aws.count("lambda:ListAliases") <= WORKERS


def test_a_mistake_in_a_worker_is_raised_where_its_result_is_awaited():
    with pytest.raises(ZeroDivisionError):
        list(each(lambda n: 1 // n, [1, 0, 1], workers=2))
    assert sorted(each(lambda n: n * n, [3, 4], workers=8)) == [(0, 9), (1, 16)]
    assert list(each(lambda n: n, [], workers=8)) == []


def test_ctrl_c_ends_the_command_at_once_though_aws_does_not_answer(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": "/nonexistent",
        }
        command = [sys.executable, "-m", "lookout.cli", "survey"]
        running = subprocess.Popen(
            command, env=environment, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with running, silent.accept()[0]:  # it has asked, and waits for an answer
            running.send_signal(signal.SIGINT)
            said, errors = running.communicate(timeout=30)  # half of what a call waits
    assert (running.returncode, said, errors) == (130, b"", b"stopped\n")
