"""An HTTP endpoint and an SQS queue that hear the demo's notifications, as a pager and a chat bridge would."""

import contextlib
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dashboards.summary import Notice

LARGEST = 512 * 1024
"""SNS sends at most 256 KB of message, escaped once more."""


class Listener:
    """Notifications that came in over HTTP, oldest first."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/notifications"
        self.heard: list[dict[str, Any]] = []

    def told_of(self, rule: str, resource: str) -> bool:
        """Whether it was heard that the rule's alarm on the resource went on."""
        wanted = {"state": "ALARM", "rule": rule, "resource": resource}.items()
        return any(
            all(message.get("MessageAttributes", {}).get(name, {}).get("Value") == value for name, value in wanted)
            for message in self.heard
        )


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """An HTTP endpoint on a free port of 127.0.0.1 that confirms SNS subscriptions and keeps what arrives."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = self.headers.get("Content-Length") or ""
            body = self.rfile.read(min(int(said), LARGEST) if said.isdecimal() else 0)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            _hear(listener, body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Stay silent: the demo's own progress is what people read."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _hear(listener: Listener, body: bytes) -> None:
    """Keep a notification, confirm a subscription of this machine's, and leave the rest: anybody may speak here."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return
    match message:
        case {"Type": "SubscriptionConfirmation", "SubscribeURL": str(url)} if _is_local(url):
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(url, timeout=10).close()  # noqa: S310 - checked: HTTP on this machine
        case {"Type": "Notification", "Message": str(), "Timestamp": str()}:
            listener.heard.append(message)


def _is_local(url: str) -> bool:
    try:
        address = urllib.parse.urlsplit(url)
    except ValueError:
        return False
    return address.scheme == "http" and address.hostname in ("127.0.0.1", "localhost")


def notices(listener: Listener, queue_bodies: Sequence[str]) -> tuple[Notice, ...]:
    """All that was heard, over HTTP and out of the queue, oldest first."""
    over_queue = [json.loads(body) for body in queue_bodies]
    heard = [("HTTP endpoint", message) for message in listener.heard] + [
        ("SQS queue", message) for message in over_queue
    ]
    return tuple(
        sorted(
            (
                Notice(
                    channel=channel,
                    subject=message.get("Subject") or "",
                    body=message["Message"],
                    at_s=datetime.fromisoformat(message["Timestamp"]).timestamp(),
                )
                for channel, message in heard
            ),
            key=lambda notice: notice.at_s,
        )
    )
