"""A function and memory sizes -> a version of each size, its invocations; and everything put back as it was.

As AWS Lambda Power Tuning does it: a published version keeps the memory size that $LATEST had when it was published, so
that $LATEST has its own again before the first invocation.
"""

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3
from botocore.client import BaseClient
from botocore.config import Config

from infra.aws.pace import keep_pace
from infra.aws.session import ATTEMPTS, call, error_code, explaining, pages
from monitors import loglines
from monitors.errors import AwsError
from monitors.records import Invocation

Json = dict[str, Any]
WAIT_S = 300
"""How long Lambda may take to change a function; one in a VPC takes a minute."""
LATE_S = 30
"""How much longer than a function's timeout its answer may take: the start of its sandbox, and the network."""
LATEST = "$LATEST"
RESTORED = 3
"""How often the own size is tried to be put back where the function's revision changes meanwhile."""
_WORDS = 300


class Function(NamedTuple):
    """A function, and how it is reached."""

    lambda_: BaseClient
    name: str
    sleep: Callable[[float], object] = time.sleep


class Answer(NamedTuple):
    """What came of one invocation."""

    report: Invocation | None
    """None where it failed, and its log has no report line."""
    error: str
    """The function's own words; empty if it succeeded."""


def invoker(session: boto3.Session, *, timeout_ms: int) -> BaseClient:
    """A client that waits as long as the function may run, and invokes again only what was throttled.

    What fails otherwise may have run, and is not to run twice.
    """
    config = Config(
        connect_timeout=10,
        read_timeout=timeout_ms / 1000 + LATE_S,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    made = session.client("lambda", config=config)
    keep_pace(made, attempts=ATTEMPTS)
    return made


def invoke(lambda_: BaseClient, function: str, *, version: str, payload: str) -> Answer:
    """What came of one invocation of a version; AwsError if the call fails, or no report line comes with it."""
    asked = {"FunctionName": function, "Qualifier": version, "LogType": "Tail", "Payload": payload.encode()}
    target = f"{function}:{version}"
    with explaining(lambda_, "Invoke", target=target):
        answer = call(lambda_, "Invoke", asked, target=target)
        said = answer["Payload"].read()
    tail = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    reports = [found for found in map(loglines.parse, tail.split("\n")) if isinstance(found, Invocation)]
    error = _words(said) if "FunctionError" in answer else ""
    if not (reports or error):
        raise AwsError(f"lambda:Invoke of {target}: no report line in the log that came with the answer.")
    return Answer(reports[-1] if reports else None, error)


def _words(said: bytes) -> str:
    """`errorType: errorMessage`, or what else a function that failed answered."""
    try:
        value: Any = json.loads(said)
        words = f"{value['errorType']}: {value['errorMessage']}"
    except (ValueError, TypeError, KeyError):
        words = said.decode(errors="replace") or "no words"
    return " ".join(words.split())[:_WORDS]


def configuration(function: Function, *, version: str = LATEST) -> Json:
    """What GetFunctionConfiguration says of a version, once no change of it is under way; AwsError if that never is."""
    asked, target = {"FunctionName": function.name, "Qualifier": version}, f"{function.name}:{version}"
    for _ in range(WAIT_S):
        found = call(function.lambda_, "GetFunctionConfiguration", asked, target=target)
        if found.get("State") != "Pending" and found.get("LastUpdateStatus") != "InProgress":
            return found
        function.sleep(1.0)
    raise AwsError(f"{target} is still being changed after {WAIT_S} s. Run it again later.")


@contextmanager
def published(function: Function, sizes: Sequence[int], *, mark: str) -> Iterator[dict[int, str]]:
    """Memory size (MB) -> a version that has it, for as long as the block runs.

    Whatever happens, $LATEST gets its size back, before the block, and the versions are deleted, after it: those whose
    description is the `mark`, which nothing else may have. Where nothing changed since a version was published, Lambda
    gives that one in place of another, and it stays.

    Raises:
        AwsError: a call failed; or not all could be put back, with the commands that do it.
    """
    before = configuration(function)
    made: list[Json] = []
    undone: list[str] = []
    try:
        try:
            for size in sizes:
                made.append(_publish(function, size, mark=mark))
                if (made[-1]["MemorySize"], made[-1]["CodeSha256"]) != (size, before["CodeSha256"]):
                    raise AwsError(f"{function.name} was changed by somebody else meanwhile. Run it again later.")
        finally:
            own = int(before["MemorySize"])
            with _noting(undone, function, "update-function-configuration", f"--memory-size {own}"):
                _restore(function, own, sizes)
        if not undone:
            for one in made:
                _check(configuration(function, version=one["Version"]))
            yield {one["MemorySize"]: one["Version"] for one in made}
    finally:
        _delete(function, mark, made, undone)
        if undone:
            raise AwsError("\n".join([f"{function.name} is not as it was. Put it back with:", *undone]))


def _publish(function: Function, memory_mb: int, *, mark: str) -> Json:
    found = _resized(function, memory_mb, configuration(function))
    asked = {"FunctionName": function.name, "RevisionId": found["RevisionId"], "Description": mark}
    return call(function.lambda_, "PublishVersion", asked, target=function.name)


def _resized(function: Function, memory_mb: int, found: Json) -> Json:
    """The configuration of $LATEST with this memory size; AwsError if it is no longer as it was `found`.

    The answer's own RevisionId is of no use: it changes again once the update is done (aws/aws-sdk issue 377).
    """
    if found["MemorySize"] == memory_mb:
        return found
    asked = {"FunctionName": function.name, "MemorySize": memory_mb, "RevisionId": found["RevisionId"]}
    call(function.lambda_, "UpdateFunctionConfiguration", asked, target=function.name)
    return _check(configuration(function))


def _check(found: Json) -> Json:
    """The same; AwsError if what was changed last failed."""
    if "Failed" in (found.get("State"), found.get("LastUpdateStatus")):
        why = found.get("LastUpdateStatusReason") or found.get("StateReason") or "AWS does not say why"
        raise AwsError(f"{found['FunctionName']} could not be changed: {why}")
    return found


def _restore(function: Function, memory_mb: int, sizes: Sequence[int]) -> None:
    """Give $LATEST its memory size back; another than what it was given here is somebody else's, and stays."""
    for left in reversed(range(RESTORED)):
        found = configuration(function)
        if found["MemorySize"] not in sizes:
            return
        try:
            _resized(function, memory_mb, found)
        except AwsError as error:
            if not left or error_code(error) != "PreconditionFailedException":
                raise
        else:
            return


def _delete(function: Function, mark: str, made: Iterable[Json], undone: list[str]) -> None:
    """Delete the versions with the mark: those that were `made`, and one whose answer was lost."""
    found = list(made)
    left = f"--query \"Versions[?Description=='{mark}'].Version\"  # then delete-function --qualifier of each;"
    with _noting(undone, function, "list-versions-by-function", left):
        for page in pages(function.lambda_, "ListVersionsByFunction", {"FunctionName": function.name}):
            found += page["Versions"]
    # Only what has a number: without one, DeleteFunction deletes the function.
    own = {str(one["Version"]) for one in found if one.get("Description") == mark and one["Version"].isdecimal()}
    for version in sorted(own, key=int):
        with _noting(undone, function, "delete-function", f"--qualifier {version}"):
            _delete_version(function, version)


def _delete_version(function: Function, version: str) -> None:
    try:
        configuration(function, version=version)
        asked = {"FunctionName": function.name, "Qualifier": version}
        call(function.lambda_, "DeleteFunction", asked, target=f"{function.name}:{version}")
    except AwsError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise


@contextmanager
def _noting(undone: list[str], function: Function, operation: str, options: str) -> Iterator[None]:
    """Note the command that does what the block could not, because AWS refused or Ctrl-C was pressed once more."""
    try:
        yield
    except (AwsError, KeyboardInterrupt) as error:
        where = f"--function-name {function.name} --region {function.lambda_.meta.region_name}"
        undone.append(f"  aws lambda {operation} {where} {options}  # {str(error) or 'stopped'}")
