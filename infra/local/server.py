"""The embedded account's process: ministack and its bridges behind one port of 127.0.0.1.

Started by account.py with an environment of its own, on a socket that is already bound. It ends when its standard
input closes, so it never outlives whoever started it, even one that was killed.
"""

import argparse
import asyncio
import json
import logging
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local import hooks
from monitors.errors import LocalAccountError

TICK_S = 60
GRACE_S = 5.0
PROVISIONED = re.compile(r"/2019-09-30/functions/[^/]+/provisioned-concurrency")
EMPTY: dict[str, dict[str, Any]] = {
    "CodeDeploy_20141006.ListApplications": {"applications": []},
    "CodePipeline_20150709.ListPipelines": {"pipelines": []},
}
"""Lists of services that ministack lacks, so that the account holds none of theirs."""

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Any]
Receive = Callable[[], Any]


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to stop, then remove the account's folder."""
    parser = argparse.ArgumentParser(prog="infra.local.server")
    parser.add_argument("--fd", type=int, required=True, help="a listening socket")
    parser.add_argument("--folder", type=Path, required=True, help="the account's own folder, removed at the end")
    parser.add_argument("--detached", action="store_true", help="live on when standard input closes")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    try:
        hooks.check()
        asyncio.run(_serve(chosen.fd, detached=chosen.detached))
    except LocalAccountError as error:
        sys.exit(str(error))
    finally:
        shutil.rmtree(chosen.folder, ignore_errors=True)


async def _serve(fd: int, *, detached: bool) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.core import lambda_runtime

    from infra.local import alarms, cloudwatch, formation, logs, runtime, xray

    cloudwatch.install()
    alarms.install()
    logs.install()
    formation.install()
    runtime.install(xray.receive())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if not detached:
        threading.Thread(target=_end_with_parent, args=(loop, stop), daemon=True).start()
    threading.Thread(target=_tick_each_minute, daemon=True).start()
    config = Config()
    config.bind = [f"fd://{fd}"]
    config.loglevel = "WARNING"
    config.graceful_timeout = GRACE_S
    try:
        await serve(_app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    finally:
        lambda_runtime.reset()


def _end_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stop.set)
    time.sleep(2 * GRACE_S)
    os._exit(1)


def _tick_each_minute() -> None:
    from infra.local import alarms, cloudwatch

    while True:
        time.sleep(TICK_S - time.time() % TICK_S)
        alarms.tick(time.time())
        cloudwatch.forget_old()


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """ministack's application, with X-Ray, API Gateway's metrics and the account's own controls in front."""
    from ministack.app import app

    from infra.local import gateway, xray

    if scope["type"] != "http":
        await app(scope, receive, send)
    elif scope["path"] in xray.OPERATIONS and scope["method"] == "POST":
        body = await _body(receive)
        await _reply(send, *xray.answer(scope["path"], json.loads(body or b"{}")))
    elif scope["path"].startswith("/_lookout/"):
        await _reply(send, *await _control(scope["path"], await _body(receive)))
    elif PROVISIONED.fullmatch(scope["path"]) and b"List=ALL" in scope["query_string"]:
        # ministack answers 404 where AWS answers that there are none; it models no provisioned concurrency.
        await _reply(send, 200, {"ProvisionedConcurrencyConfigs": []})
    elif (target := _header(scope, b"x-amz-target")) in EMPTY:
        await _reply(send, 200, EMPTY[target])
    elif api := gateway.called(_header(scope, b"host"), scope["path"]):
        await _measured(api, app, scope, receive, send)
    else:
        await app(scope, receive, send)


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _reply(send: Send, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def _control(path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """What no AWS API offers: evaluate alarms as at a moment, and load history."""
    asked = json.loads(body or b"{}")
    match path:
        case "/_lookout/tick":
            from infra.local import alarms

            changed = await asyncio.to_thread(alarms.tick, float(asked.get("now") or time.time()))
            return 200, {"changed": changed}
        case "/_lookout/history":
            from infra.local import load

            return 200, await asyncio.to_thread(load.history, **asked)
    return 404, {"message": f"no such control: {path}"}


async def _measured(api: tuple[str, str], app: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Publish what API Gateway publishes about the request."""
    from infra.local import gateway

    begun = time.time()
    status = 500

    async def watching(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        await send(message)

    try:
        await app(scope, receive, watching)
    finally:
        gateway.measure(*api, status=status, begun_s=begun, ended_s=time.time())


if __name__ == "__main__":
    main()
