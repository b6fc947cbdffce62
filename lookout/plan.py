"""`lookout plan`, `render` and `apply`: what would be watched, as text, as templates, deployed."""

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from dashboards.body import bodies, metric_counts
from dashboards.body import dump as dump_body
from infra.apply import apply as apply_templates
from infra.aws.bucket import code_bucket
from infra.aws.session import identity, session
from infra.deploy import deployed
from infra.learn import learn
from infra.stacks import templates
from lookout import files, show
from lookout.fleets import load, parameters
from monitors.candidates import Candidate
from monitors.changes import Changes, changes
from monitors.cost import Cost, cost
from monitors.coverage import Coverage, coverage
from monitors.errors import InputError
from monitors.levels import LearnedLevels
from monitors.model import Alarm, Fact, Fleet, Plan, Severity
from monitors.plan import NOTHING_LEARNED, by_place, plan, to_learn
from monitors.settings import Settings
from monitors.thresholds import Levels

Json = Any
_TOKEN = re.compile(r"\$\{[^{}]+\}")
_TOLD = 5
_SAID = ("match_nothing", "not_wide", "no_objective")
"""Notes on what the user asked for and does not get."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan for one account and Region, and what follows from it, worked out when asked for."""

    account: str
    region: str
    settings: Settings
    plan: Plan

    @cached_property
    def cost(self) -> Cost:
        return cost(self.plan, dashboard_metrics=metric_counts(bodies(self.plan)))

    @cached_property
    def coverage(self) -> Coverage:
        return coverage(self.plan)


def run(chosen: argparse.Namespace) -> int:
    """Print the plan; 1 if something would stay uncovered or could not be read."""
    if chosen.schema:
        from monitors.settings_schema import schema

        show.as_json(schema())
        return 0
    planned = _plans(chosen)
    if chosen.json:
        show.as_json([_document(one) for one in planned])
    elif chosen.resource:
        _print_resource([one.plan for one in planned], chosen.resource)
    else:
        for one in planned:
            _print(one)
    for missing in sorted({words for one in planned for words in one.plan.fleet.incomplete}):
        show.note(f"not read: {missing}")
    return 1 if any(one.coverage.findings or one.plan.fleet.incomplete for one in planned) else 0


def render(chosen: argparse.Namespace) -> int:
    """Write the plan's templates, a folder for each Region, and its dashboards beside them."""
    if chosen.merge:
        return _merge(chosen)
    planned = _plans(chosen)
    _check_known(planned)
    for one in planned:
        folder = Path(chosen.output) / one.account / (one.region or "any-region")
        boards = {name: dump_body(body) for name, body in bodies(one.plan).items()}
        made = templates(one.plan, **_topics(one.settings, {}), dashboards=boards)
        for name, text in made.items():
            files.write(folder / f"{name}.json", text)
        for name, text in boards.items():
            files.write(folder / "dashboards" / f"{name}.json", text)
        show.note(f"{len(made)} templates, {len(one.plan.alarms)} alarms: {folder}")
    return 0


def _merge(chosen: argparse.Namespace) -> int:
    if len(chosen.template or ()) != 1 or Path(chosen.template[0]).is_dir():
        raise InputError("--merge puts alarms into a template: name one file with --template")
    from infra.templates.merging import merged

    wanted, (path,) = files.chosen_settings(chosen.settings), chosen.template
    made = plan(load(chosen), wanted, subscriber=False)
    topics = {Severity.PAGE: wanted.topics.page, Severity.TICKET: wanted.topics.ticket}
    found = merged(path, made, topics, parameters=parameters(chosen))
    output = Path(chosen.output, f"{Path(path).stem}.json")
    files.write(output, json.dumps(found, indent=2))
    show.note(f"{len(made.alarms)} alarms and {len(made.composites)} composites beside what they watch: {output}")
    if not any(topics.values()):
        show.note("they tell nobody: name the topics in lookout.toml")
    return 0


def apply(chosen: argparse.Namespace) -> int:
    """Deploy the plan of each Region with change sets, with progress on stderr."""
    planned = _plans(chosen)
    _check_known(planned)
    for one in planned:
        account = session(region=one.region)
        _check_account(one.plan.fleet, identity(account).account)
        topics = _topics(one.settings, deployed(account))
        boards = {name: dump_body(body) for name, body in bodies(one.plan).items()}
        made = templates(one.plan, **topics, dashboards=boards)
        apply_templates(account, made, bucket=code_bucket(account), tags={"application": "lookout"}, progress=show.note)
        show.line(f"{one.region}: {len(one.plan.alarms)} alarms and {len(one.plan.composites)} composites in place")
    return 0


def _plans(chosen: argparse.Namespace) -> list[Planned]:
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
    subscriber = True
    if not (chosen.fleet or chosen.template):
        account = session(region=region)
        subscriber = "SubscriberArn" in deployed(account)
        if not chosen.no_learn:
            learned = _learned(account, to_learn(fleet, wanted, subscriber=subscriber))
    made = plan(fleet, wanted, learned=learned, subscriber=subscriber)
    return Planned(account=owner, region=region, settings=wanted, plan=made)


def _learned(account: boto3.Session, candidates: Sequence[Candidate]) -> Mapping[tuple[str, str], Levels]:
    with show.progress("learning levels") as progress:
        return learn(account, candidates, end_s=time.time(), progress=progress)


def _check_known(planned: Sequence[Planned]) -> None:
    """InputError if alarms would watch what has no name yet: they would stand there, and never see anything."""
    texts = (text for one in planned for alarm in one.plan.alarms for text in _dimensions(alarm))
    open_ = sorted({token for text in texts for token in _TOKEN.findall(text)})
    if open_:
        more = f" and {len(open_) - _TOLD} more" if len(open_) > _TOLD else ""
        raise InputError(
            f"known only when deployed: {', '.join(open_[:_TOLD])}{more}. Give parameters with --parameters "
            "(AWS::AccountId is one) and the Region with --region; or put the alarms into the template with "
            "`lookout render --merge`; or render from the account once it is deployed."
        )


def _dimensions(alarm: Alarm) -> list[str]:
    return [value for query in alarm.queries for _, value in query.dimensions]


def _check_account(fleet: Fleet, asked: str) -> None:
    """A fleet file may be of another account: InputError before anything is deployed into this one."""
    others = sorted({one.account for one in fleet.resources} - {asked, ""})
    if others:
        raise InputError(f"the fleet is of account {', '.join(others)}, but the credentials are of {asked}")


def _topics(wanted: Settings, deployed: Mapping[str, str]) -> dict[str, str]:
    """Where alarms and log lines go: what the settings say, else the toolkit's own stack."""
    return {
        "page_topic": wanted.topics.page or deployed.get("AlarmPageTopicArn", ""),
        "ticket_topic": wanted.topics.ticket or deployed.get("AlarmTicketTopicArn", ""),
        "subscriber_arn": deployed.get("SubscriberArn", ""),
    }


def _document(one: Planned) -> dict[str, object]:
    return {
        "region": one.region,
        "alarms": [asdict(alarm) for alarm in one.plan.alarms],
        "composites": [asdict(composite) for composite in one.plan.composites],
        "metric_filters": [asdict(found) for found in one.plan.metric_filters],
        "subscriptions": [asdict(found) for found in one.plan.subscriptions],
        "cost_usd_month": one.cost.usd,
        "cost": asdict(one.cost),
        "uncovered": [asdict(finding) for finding in one.coverage.findings],
        "notes": [note.title for note in one.plan.notes],
        "changes": asdict(changes(one.plan)),
    }


def _print(one: Planned) -> None:
    by_rule = Counter(alarm.rule for alarm in one.plan.alarms)
    show.table(f"alarms in {one.region}", ("rule", "alarms"), sorted(by_rule.items()))
    lines = [(line.kind, line.quantity, line.usd) for line in one.cost.lines]
    show.table("USD a month", ("what", "how many", "USD"), [*lines, ("all", sum(n for _, n, _ in lines), one.cost.usd)])
    shares = [(share.what, share.alarms, share.usd) for share in one.cost.services]
    show.table("alarms by what they watch, without the free tier", ("service", "alarms", "USD"), shares)
    cuts = [(share.what, share.alarms, share.usd) for share in one.cost.cuts]
    show.table(
        "to pay less, turn off first (they wake nobody, or only put others together)", ("rule", "alarms", "USD"), cuts
    )
    covered = sum(bool(found.alarms) for found in one.coverage.resources)
    stated = sum(bool(found.reason) for found in one.coverage.resources)
    show.line(
        f"{len(one.plan.alarms)} alarms, {len(one.plan.composites)} composites, {len(one.plan.metric_filters)} metric "
        f"filters, {len(one.plan.subscriptions)} subscriptions; {covered} of {len(one.coverage.resources)} resources "
        f"have alarms, {stated} none for a stated reason"
    )
    if not one.plan.fleet.tally:  # a template knows of no deployment
        _print_changes(changes(one.plan), one.cost)
    for finding in one.coverage.findings:
        show.line(f"not covered: {finding.title}")
    for note in one.plan.notes:
        if note.kind in _SAID:
            show.note(note.title)
    if one.plan.notes:
        show.note(f"{len(one.plan.notes)} rules make no alarm; `lookout plan --json` says which and why")


def _print_changes(found: Changes, cost: Cost) -> None:
    """What apply would do to the alarms that are there."""
    if found.changed:
        rows = [(one.alarm, one.what, _cell(one.before), _cell(one.after)) for one in found.changed]
        show.table(f"changed ({len(rows)})", ("alarm", "what", "now", "then"), rows)
    if found.removed:
        show.table(f"removed ({len(found.removed)})", ("alarm",), [(name,) for name in found.removed])
    alarms = len({one.alarm for one in found.changed})
    show.line(
        f"against what is deployed: {len(found.added)} alarms added, {alarms} changed, {len(found.removed)} removed; "
        f"{len(found.foreign)} of others left alone; USD {cost.deployed_list_usd:,.2f} a month of alarms now, "
        f"{sum(share.usd for share in cost.services):,.2f} then, without the free tier"
    )


def _cell(value: Fact | None) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _print_resource(plans: Sequence[Plan], name: str) -> None:
    wanted = [(found, one) for found in plans for one in found.fleet.resources if one.name == name]
    if not wanted:
        raise InputError(f"no resource is called {name}: `lookout survey` lists them")
    for found, resource in wanted:
        rows = [_why(alarm) for alarm in found.alarms if resource.id in (alarm.resource, *alarm.covers)]
        show.table(f"{resource.service} {name}", ("rule", "level", "M of N", "severity", "why"), rows)
        for note in found.notes:
            if note.resource == resource.id:
                show.note(note.title)


def _why(alarm: Alarm) -> tuple[str, str, str, str, str]:
    level = f"{alarm.comparison} {alarm.threshold:g}"
    why = "; ".join(f"{name}: {value}" for name, value in alarm.evidence.items()) or "the catalog's own level"
    return alarm.rule, level, f"{alarm.datapoints} of {alarm.periods}", str(alarm.severity), why
