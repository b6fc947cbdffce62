"""History in CloudWatch -> learned levels, for every rule that may learn them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import boto3

from infra.aws.metrics import read_series
from infra.aws.session import client
from monitors.candidates import Candidate
from monitors.levels import learnable
from monitors.model import Missing, Series
from monitors.thresholds import Levels, levels

DAY_S = 86_400.0
Progress = Callable[[int, int], None]


def learn(
    session: boto3.Session,
    candidates: Sequence[Candidate],
    *,
    end_s: float,
    days: float = 14.0,
    progress: Progress | None = None,
) -> Mapping[tuple[str, str], Levels]:
    """(rule id, Resource.id) -> the levels that `days` of the metric's own history give; without those that give none.

    Two subjects of one resource, such as its indexes, share the wider of their levels.

    Raises:
        AwsError: a call failed.
    """
    found = read_series(
        client(session, "cloudwatch"),
        [candidate.queries for candidate in candidates],
        start_s=end_s - days * DAY_S,
        end_s=end_s,
        progress=progress,
    )
    learned: dict[tuple[str, str], Levels] = {}
    for candidate, series in zip(candidates, found, strict=True):
        (own,) = series
        own_levels = _levels(candidate, own)
        key = candidate.rule.id, candidate.resource.id
        if own_levels.high is not None or own_levels.low is not None:
            learned[key] = _wider(learned[key], own_levels) if key in learned else own_levels
    return learned


def _levels(candidate: Candidate, series: Series) -> Levels:
    rule = candidate.rule
    high, low = learnable(rule, candidate.layers)
    return levels(
        series,
        high=high,
        low=low,
        silence_is_low=rule.missing_low is Missing.BREACHING,
        shapes=((rule.datapoints, rule.periods),),
    )


def _wider(one: Levels, other: Levels) -> Levels:
    """Levels outside of which neither is ordinary; a side that one of them lacks has none."""
    high = None if one.high is None or other.high is None else max(one.high, other.high)
    low = None if one.low is None or other.low is None else min(one.low, other.low)
    return replace(one, high=high, low=low)
