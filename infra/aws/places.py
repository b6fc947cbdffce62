"""Accounts and Regions -> the places that a survey asks: one Region of one account, with clients for what it asks."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import boto3
from botocore.client import BaseClient

from infra.aws.session import WORKERS, Identity, client, identity
from infra.aws.workers import each
from monitors.errors import AwsError
from monitors.fleet.answers import Answer
from monitors.fleet.calls import CALLS

Accounts = Mapping[str, Callable[[], boto3.Session]]
"""What the user calls an account, such as `profile work`; how its session is had, or AwsError."""


class Place(NamedTuple):
    """One Region of one account, what asks there, and what it has said so far."""

    region: str
    identity: Identity
    clients: Mapping[str, BaseClient]
    found: defaultdict[str, list[Answer]]
    errors: defaultdict[tuple[str, str, str], list[AwsError]]
    """By call, error code, and target where some came before: what is denied for one function is so for a thousand."""
    notes: list[str]


class Sent:
    """Counts what is sent to AWS, retries and all, and stops it from being sent."""

    def __init__(self) -> None:
        self.calls = 0
        self.stopped = False
        self._lock = threading.Lock()

    def watch(self, client: BaseClient) -> BaseClient:
        """The client, watched from now on."""
        client.meta.events.register_first("before-send", self._sending)
        return client

    def _sending(self, **_: Any) -> None:
        if self.stopped:
            raise InterruptedError
        with self._lock:
            self.calls += 1


def places(accounts: Accounts, regions: Sequence[str], sent: Sent) -> tuple[list[Place], list[AwsError]]:
    """Where there is somebody to ask, each place once whoever leads there; why the others are closed.

    In each account the Regions named, or its session's own.
    """
    opened: dict[int, list[Place | AwsError]] = dict(
        each(lambda account: list(_opened(*account, regions, sent)), list(accounts.items()), workers=WORKERS)
    )
    found: dict[tuple[str, str], Place] = {}
    closed: list[AwsError] = []
    for index in range(len(accounts)):
        for one in opened[index]:
            if isinstance(one, AwsError):
                closed.append(one)
            else:
                found.setdefault((one.identity.account, one.region), one)
    return list(found.values()), closed


def _opened(
    name: str, open_session: Callable[[], boto3.Session], regions: Sequence[str], sent: Sent
) -> Iterator[Place | AwsError]:
    try:
        session = open_session()
    except AwsError as error:
        yield _of(name, error)
        return
    for region in dict.fromkeys(regions or [session.region_name]):
        try:
            yield _place(session, region, sent)
        except AwsError as error:
            yield _of(name, error)


def _place(session: boto3.Session, region: str, sent: Sent) -> Place:
    services = {row.id.partition(":")[0] for row in CALLS}
    return Place(
        region=region,
        identity=identity(session, region=region, watch=sent.watch),
        clients={service: sent.watch(client(session, service, region=region)) for service in sorted(services)},
        found=defaultdict(list),
        errors=defaultdict(list),
        notes=[],
    )


def _of(name: str, error: AwsError) -> AwsError:
    return AwsError(f"{name}: {error}") if name else error
