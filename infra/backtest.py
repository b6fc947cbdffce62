"""A plan's alarms, replayed over the past: when would each have been on?"""

from collections.abc import Callable, Mapping, Sequence

import boto3

from infra.aws.metrics import read_series
from infra.aws.session import client
from monitors.evaluate import Episode, replay
from monitors.model import Alarm

DAY_S = 86_400.0


def backtest(
    session: boto3.Session,
    alarms: Sequence[Alarm],
    *,
    end_s: float,
    days: float,
    progress: Callable[[int, int], None] | None = None,
) -> Mapping[str, tuple[Episode, ...]]:
    """When each alarm would have been on, by alarm name; without those that never would.

    Raises:
        AwsError: a call failed.
    """
    groups = [alarm.queries for alarm in alarms]
    start_s = end_s - days * DAY_S
    found = read_series(client(session, "cloudwatch"), groups, start_s=start_s, end_s=end_s, progress=progress)
    episodes: dict[str, tuple[Episode, ...]] = {}
    for alarm, series in zip(alarms, found, strict=True):
        (own, *others) = series
        if not others and any(value is not None for value in own.values):  # one for the whole fleet has many
            episodes[alarm.name] = replay(alarm, own)
    return {name: those for name, those in episodes.items() if those}
