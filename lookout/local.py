"""`lookout local`: the embedded account for anyone who wants it by hand."""

import argparse
import json
import os
import shlex
import signal
import sys
import time

from infra.local import account
from monitors.errors import LocalAccountError


def run(chosen: argparse.Namespace) -> int:
    """up, down or status. Up and status print what a shell needs to talk to the account."""
    return {"up": _up, "down": _down, "status": _status}[chosen.action](chosen)


def _up(chosen: argparse.Namespace) -> int:
    found = account.saved()
    if found is None:
        _, found = account.start(port=chosen.port, detached=True)
        account.save(found)
    _print(found, as_json=chosen.json)
    print(f"# the embedded account is up at {found.endpoint}; stop it with: lookout local down", file=sys.stderr)
    return 0


def _status(chosen: argparse.Namespace) -> int:
    found = account.saved()
    if found is None:
        print("# the embedded account is down; start it with: lookout local up", file=sys.stderr)
        return 1
    _print(found, as_json=chosen.json)
    return 0


def _down(chosen: argparse.Namespace) -> int:
    del chosen
    found = account.saved()
    if found is None:
        print("# the embedded account was not up", file=sys.stderr)
        account.forget()
        return 0
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + account.STOP_TIMEOUT_S
    while account.answers(found):
        if time.monotonic() > deadline:
            raise LocalAccountError(f"the embedded account (process {found.pid}) did not stop; end it by hand")
        time.sleep(0.1)
    account.forget()
    print("# the embedded account is down", file=sys.stderr)
    return 0


def _print(found: account.LocalAccount, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"endpoint": found.endpoint, "pid": found.pid, "environment": found.environment()}))
    else:
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in found.environment().items()))
