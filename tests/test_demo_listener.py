"""The demo's ears: they confirm, keep what SNS sends, and take no harm from anybody else."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.summary import Notice
from lookout.demo import listener as listeners
from lookout.demo.listener import LARGEST, Listener, listening, notices
from lookout.demo.watch import until


def message(body: str, *, at: str = "2026-11-24T06:00:00.000Z", **more: Any) -> dict[str, Any]:
    """A notification in the shape of SNS's own (SNS Developer Guide, "HTTP/HTTPS notification JSON format")."""
    return {"Type": "Notification", "MessageId": "1", "Message": body, "Timestamp": at, **more}


def post(url: str, body: bytes | dict[str, Any]) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data=data, method="POST"), timeout=5) as answer:
        return int(answer.status)


def said(**attributes: str) -> dict[str, Any]:
    return {name: {"Type": "String", "Value": value} for name, value in attributes.items()}


def test_it_knows_which_alarms_it_was_told_of() -> None:
    ear = Listener(0)
    ear.heard = [
        message("a report"),
        message("over", MessageAttributes=said(state="OK", rule="sqs.dead_letters", resource="dlq")),
        message("on", MessageAttributes=said(state="ALARM", rule="lambda.errors", resource="payments")),
    ]
    assert ear.told_of("lambda.errors", "payments")
    assert not ear.told_of("lambda.errors", "dlq")
    assert not ear.told_of("sqs.dead_letters", "dlq")


@pytest.fixture
def ear() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def confirmations() -> Iterator[list[str]]:
    """The paths asked of a server that stands for SNS; the first is its address."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    asked.append(f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_keeps_notifications(ear: Listener) -> None:
    assert post(ear.url, message("one")) == 200
    assert until(lambda: len(ear.heard) == 1, seconds=5)
    assert post(ear.url, message("two")) == 200
    assert until(lambda: [one["Message"] for one in ear.heard] == ["one", "two"], seconds=5)


def test_it_confirms_a_subscription(ear: Listener, confirmations: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # as in the account's environment
    url = f"{confirmations[0]}/?Action=ConfirmSubscription&Token=t"
    post(ear.url, {"Type": "SubscriptionConfirmation", "SubscribeURL": url})
    assert until(lambda: confirmations[1:] == ["/?Action=ConfirmSubscription&Token=t"], seconds=5)
    assert ear.heard == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://localhost:80@evil.example/",
        "http://127.0.0.1.evil.example/",
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "http://[",
        "",
    ],
)
def test_it_asks_this_machine_only(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, **_rest: asked.append(url))
    listeners._hear(Listener(1), json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode())
    assert asked == []


def test_a_subscription_that_cannot_be_confirmed_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        listeners._hear(Listener(1), json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode())


KEYS = st.sampled_from(["Type", "Message", "SubscribeURL", "Timestamp"])
WORDS = st.none() | st.sampled_from(["Notification", "SubscriptionConfirmation", "http://[", "x"])
SAID = st.recursive(WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner))


@given(st.binary(max_size=80) | SAID.map(lambda said: json.dumps(said).encode()) | st.just(b"[" * 100_000))
def test_nothing_said_does_it_harm(body: bytes) -> None:
    listener = Listener(1)
    listeners._hear(listener, body)
    assert all(isinstance(one["Message"], str) for one in listener.heard)


@pytest.mark.parametrize("length", ["-1", "x", str(10 * LARGEST), "²"])
def test_a_false_length_does_not_hold_it_up(ear: Listener, length: str) -> None:
    port = int(ear.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall(f"POST / HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{{}}".encode("latin-1"))
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(100).startswith(b"HTTP/1.0 200")
    assert post(ear.url, message("still there")) == 200


def test_it_stops_listening() -> None:
    with listening() as listener:
        port = int(listener.url.split(":")[2].split("/")[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_what_was_heard_is_told_oldest_first() -> None:
    ear = Listener(1)
    ear.heard += [
        message("third", at="2026-11-24T06:00:02.500Z", Subject="ALARM c"),
        message("first", at="2026-11-24T06:00:00.000Z"),
    ]
    queue = [json.dumps(message("second", at="2026-11-24T06:00:01.000Z", Subject="ALARM b"))]
    at_s = 1_795_500_000.0  # 2026-11-24 06:00 UTC
    assert notices(ear, queue) == (
        Notice(channel="HTTP endpoint", subject="", body="first", at_s=at_s),
        Notice(channel="SQS queue", subject="ALARM b", body="second", at_s=at_s + 1),
        Notice(channel="HTTP endpoint", subject="ALARM c", body="third", at_s=at_s + 2.5),
    )


def test_nothing_heard_is_nothing_told() -> None:
    assert notices(Listener(1), []) == ()
