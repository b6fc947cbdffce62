"""The pace of calls, on a clock of its own: nothing waits."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.session import call, client
from tests.aws import Aws


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("infra.aws.pace.time.monotonic", lambda: made.now)
    monkeypatch.setattr("infra.aws.pace.time.sleep", made.sleep)
    monkeypatch.setattr("random.random", random.Random(7).random)  # botocore's jitter
    return made


def limit(clock: Clock, *, rate: float, burst: float) -> Callable[[str, dict[str, Any]], Any]:
    """How AWS throttles: a bucket of tokens, filled at a rate."""
    state = {"tokens": burst, "at": clock.now}

    def refuse(_call: str, _parameters: dict[str, Any]) -> Any:
        clock.now += 0.01  # a call takes a while
        state["tokens"] = min(burst, state["tokens"] + (clock.now - state["at"]) * rate)
        state["at"] = clock.now
        if state["tokens"] < 1:
            return "TooManyRequestsException", "Rate exceeded", 429
        state["tokens"] -= 1
        return None

    return refuse


def test_calls_that_are_not_throttled_do_not_wait(clock: Clock):
    aws = Aws({})
    asking = client(aws.session, "lambda")
    for _ in range(100):
        call(asking, "ListFunctions")
    assert clock.now == 100.0


def test_calls_settle_near_the_rate_that_aws_allows(clock: Clock):
    """600 calls where 15 a second are allowed take 39 s at best, after a burst of 15."""
    aws = Aws({})
    aws.refuses = limit(clock, rate=15, burst=15)
    asking = client(aws.session, "lambda")
    for n in range(600):  # of two operations: AWS counts them together
        call(asking, "ListFunctions" if n % 2 else "GetAccountSettings")
    assert clock.now - 100 < 1.5 * 39
    assert len(aws.asked) - 600 < 0.1 * 600


def test_the_pace_recovers_when_aws_does(clock: Clock):
    aws = Aws({})
    asking = client(aws.session, "lambda")
    aws.refuses = limit(clock, rate=2, burst=2)
    for _ in range(20):
        call(asking, "ListFunctions")
    aws.refuses = lambda _call, _parameters: None
    before = clock.now
    for _ in range(400):
        call(asking, "ListFunctions")
    # From one call a second, two a second faster each second: n calls take less than the root of n seconds.
    assert clock.now - before < 20 + 1


def test_one_client_does_not_slow_another(clock: Clock):
    aws = Aws({})
    aws.refuses = limit(clock, rate=2, burst=2)
    throttled, free = client(aws.session, "lambda"), client(aws.session, "sqs")
    for _ in range(20):
        call(throttled, "ListFunctions")
    aws.refuses = lambda _call, _parameters: None
    before = clock.now
    for _ in range(100):
        call(free, "ListQueues")
    assert clock.now == before
