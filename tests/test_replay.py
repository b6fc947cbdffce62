"""Failed log batches go through the subscriber again, and none is lost on the way."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from infra.deploy import template
from infra.replay import batch, replay
from lookout.cli import main
from monitors.errors import InputError
from monitors.names import FAILED_BATCHES
from tests.aws import Aws

QUEUE, FUNCTION = "https://sqs.eu-west-1.amazonaws.com/123456789012/failures", "lookout-log-subscriber:live"
EVENT = {"awslogs": {"data": "H4sI"}}


def record(event: Any = EVENT) -> str:
    """As "Retaining records of asynchronous invocations" (AWS Lambda Developer Guide) shows one."""
    return json.dumps(
        {
            "version": "1.0",
            "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "log batch: not base64"},
        }
    )


class Queue:
    """A queue that hides what it has given out, and a function that fails on some of it."""

    def __init__(self, bodies: Mapping[str, str], *, failing: str = "") -> None:
        self.bodies = dict(bodies)
        self.given: set[str] = set()
        self.invoked: list[Any] = []
        self.failing = failing
        self.aws = Aws(
            {"sqs:ReceiveMessage": self.receive, "sqs:DeleteMessage": self.delete, "lambda:Invoke": self.invoke}
        )

    def receive(self, asked: Mapping[str, Any], _region: str) -> dict[str, Any]:
        fresh = [id_ for id_ in self.bodies if id_ not in self.given][: asked["MaxNumberOfMessages"]]
        self.given |= {*fresh}
        return {"Messages": [{"MessageId": one, "ReceiptHandle": one, "Body": self.bodies[one]} for one in fresh]}

    def delete(self, asked: Mapping[str, Any], _region: str) -> dict[str, Any]:
        del self.bodies[asked["ReceiptHandle"]]
        return {}

    def invoke(self, asked: Mapping[str, Any], _region: str) -> dict[str, Any]:
        self.invoked.append(json.loads(asked["Payload"]))
        failed = self.failing and self.failing in asked["Payload"]
        error = {"FunctionError": "Unhandled"} if failed else {}
        return {"StatusCode": 200, "Payload": io.BytesIO(b'{"errorMessage": "gzip cut short"}'), **error}


def run(queue: Queue, limit: int | None = None) -> Any:
    return replay(queue.aws.session, queue=QUEUE, function=FUNCTION, limit=limit)


def test_every_batch_is_sent_and_then_deleted() -> None:
    queue = Queue({str(number): record({"awslogs": {"data": str(number)}}) for number in range(23)})
    assert run(queue).sent == 23
    assert [one["awslogs"]["data"] for one in queue.invoked] == [str(number) for number in range(23)]
    assert queue.bodies == {}


def test_one_that_fails_again_stays_and_says_why() -> None:
    queue = Queue({"good": record(), "bad": record({"awslogs": {"data": "broken"}})}, failing="broken")
    found = run(queue)
    assert (found.sent, found.kept) == (1, (("bad", 'it failed again: {"errorMessage": "gzip cut short"}'),))
    assert queue.bodies.keys() == {"bad"}


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"text"', "{}", json.dumps({"requestPayload": None}), json.dumps({"version": "1.0"})]
)
def test_what_holds_no_batch_is_never_sent_nor_deleted(body: str) -> None:
    queue = Queue({"odd": body})
    found = run(queue)
    assert [id_ for id_, _ in found.kept] == ["odd"]
    assert (queue.invoked, queue.bodies.keys()) == ([], {"odd"})


def test_an_event_put_there_as_it_was_is_one_too() -> None:
    assert batch(json.dumps(EVENT)) == batch(record()) == EVENT
    with pytest.raises(InputError, match="too large"):
        batch(json.dumps({"version": "1.0"}))


def test_no_more_are_tried_than_asked_for() -> None:
    queue = Queue({str(number): record() for number in range(23)})
    assert run(queue, limit=12).sent == 12
    assert (len(queue.bodies), len(queue.invoked)) == (11, 12)


def test_a_call_that_is_refused_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = Queue({"one": record()})
    queue.aws.refuses = lambda call, _: ("AccessDeniedException", "no") if call == "lambda:Invoke" else None
    monkeypatch.setattr("lookout.replay.session", lambda: queue.aws.session)
    monkeypatch.setattr("lookout.replay.deployed", lambda _session: {"SubscriberArn": FUNCTION})
    assert main(["replay", "--queue", QUEUE]) == 2
    assert "Allow lambda:InvokeFunction" in capsys.readouterr().err
    assert queue.bodies.keys() == {"one"}


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    queue = Queue({"good": record(), "odd": "{}"})
    monkeypatch.setattr("lookout.replay.session", lambda: queue.aws.session)
    monkeypatch.setattr("lookout.replay.deployed", lambda _session: {"SubscriberArn": FUNCTION})
    assert main(["replay", "--queue", QUEUE, "--dry-run"]) == 0
    assert queue.invoked == []
    assert main(["replay", "--queue", QUEUE, "--json"]) == 1
    told = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert (told["sent"], [one["message"] for one in told["kept"]]) == (1, ["odd"])


def test_without_a_subscriber_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lookout.replay.session", lambda: None)
    monkeypatch.setattr("lookout.replay.deployed", lambda _session: {})
    assert main(["replay"]) == 2
    assert "lookout deploy" in capsys.readouterr().err


def test_the_queue_is_the_one_that_is_deployed() -> None:
    assert f"QueueName: {FAILED_BATCHES}" in template()
