"""A command's arguments -> the plan of each account and Region."""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import boto3

from dashboards.body import bodies, metric_counts
from infra.aws.session import session
from infra.deploy import deployed
from infra.learn import learn
from lookout import files, show
from lookout.fleets import load
from monitors.candidates import Candidate
from monitors.cost import Cost, cost
from monitors.coverage import Coverage, coverage
from monitors.errors import InputError
from monitors.levels import LearnedLevels
from monitors.model import Fleet, Plan
from monitors.plan import NOTHING_LEARNED, by_place, plan, to_learn
from monitors.settings import Settings
from monitors.thresholds import Levels


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan for one account and Region, and what follows from it, worked out when asked for."""

    account: str
    region: str
    settings: Settings
    plan: Plan
    outputs: Mapping[str, str]
    """Of the toolkit's own stack there; none where nobody was asked."""

    @cached_property
    def cost(self) -> Cost:
        return cost(self.plan, dashboard_metrics=metric_counts(bodies(self.plan)))

    @cached_property
    def coverage(self) -> Coverage:
        return coverage(self.plan)


def plans(chosen: argparse.Namespace) -> list[Planned]:
    """The plan of each account and Region. Settings are read first: a mistake in them should not cost a survey."""
    wanted = files.chosen_settings(chosen.settings)
    fleet = load(chosen)
    if not fleet.resources:
        raise InputError("there is nothing to watch: the fleet is empty")
    return [_planned(own, place, wanted, chosen) for place, own in by_place(fleet).items()]


def _planned(fleet: Fleet, place: tuple[str, str], wanted: Settings, chosen: argparse.Namespace) -> Planned:
    """The plan of one account and Region. Log metrics are planned where the log subscriber is there to make them."""
    owner, region = place
    learned: Mapping[tuple[str, str], LearnedLevels] = NOTHING_LEARNED
    outputs: Mapping[str, str] = {}
    subscriber = archive = True
    if not (chosen.fleet or chosen.template):
        account = session(region=region)
        outputs = deployed(account)
        subscriber, archive = "SubscriberArn" in outputs, "ArchiveStreamArn" in outputs
        if not chosen.no_learn:
            learned = _learned(account, to_learn(fleet, wanted, subscriber=subscriber))
    made = plan(fleet, wanted, learned=learned, subscriber=subscriber, archive=archive)
    return Planned(account=owner, region=region, settings=wanted, plan=made, outputs=outputs)


def _learned(account: boto3.Session, candidates: Sequence[Candidate]) -> Mapping[tuple[str, str], Levels]:
    with show.progress("learning levels") as progress:
        return learn(account, candidates, end_s=time.time(), progress=progress)
