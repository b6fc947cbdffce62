"""`lookout render` and `apply`: what would be watched, as templates, deployed."""

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dashboards.body import texts
from infra.apply import apply as apply_templates
from infra.aws.bucket import code_bucket
from infra.aws.session import identity, session
from infra.deploy import deployed
from infra.stacks import templates
from lookout import files, show
from lookout.fleets import load, parameters
from lookout.planning import Planned, plans
from monitors import names
from monitors.errors import InputError
from monitors.model import Alarm, Severity
from monitors.plan import plan
from monitors.settings import Settings

_TOKEN = re.compile(r"\$\{[^{}]+\}")
_TOLD = 5
_ANYWHERE = "any-region"
_TAGS = {"application": "lookout"}


def render(chosen: argparse.Namespace) -> int:
    """Write the plan's templates, a folder for each Region, and its dashboards beside them."""
    if chosen.merge:
        return _merge(chosen)
    planned = plans(chosen)
    _check_known(planned)
    for one in planned:
        folder = Path(chosen.output) / one.account / (one.region or _ANYWHERE)
        boards = texts(one.plan)
        made = templates(one.plan, **_targets(one.settings, one.outputs), dashboards=boards)
        _write(folder, made, names.ALARM_STACK)
        _write(folder / "dashboards", boards, names.PREFIX)
        show.note(f"{len(made)} templates, {len(one.plan.alarms)} alarms: {folder}")
    return 0


def _write(folder: Path, texts: Mapping[str, str], prefix: str) -> None:
    """Write the files, and remove what an earlier plan left beside them."""
    for name, text in texts.items():
        files.write(folder / f"{name}.json", text)
    for path in folder.glob(f"{prefix}*.json"):
        if path.stem not in texts:
            path.unlink()


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
    """Deploy the plan of each Region, or what was rendered, with change sets, with progress on stderr."""
    if chosen.rendered:
        return _apply_rendered(chosen)
    planned = plans(chosen)
    _check_known(planned)
    for one in planned:
        account = session(region=one.region)
        _check_account({found.account for found in one.plan.fleet.resources}, identity(account).account)
        targets = _targets(one.settings, one.outputs or deployed(account))
        made = templates(one.plan, **targets, dashboards=texts(one.plan))
        apply_templates(account, made, bucket=code_bucket(account), tags=_TAGS, progress=show.note)
        show.line(f"{one.region}: {len(one.plan.alarms)} alarms and {len(one.plan.composites)} composites in place")
    return 0


def _apply_rendered(chosen: argparse.Namespace) -> int:
    if chosen.fleet or chosen.template:
        raise InputError("a folder from `lookout render` has its plan already: leave --fleet and --template out")
    parents = sorted(Path(chosen.rendered).rglob(f"{names.ALARM_STACK}.json"))
    if not parents:
        raise InputError(f"{chosen.rendered}: no {names.ALARM_STACK}.json in it, as `lookout render` writes it")
    for folder in (path.parent.resolve() for path in parents):
        region, owner = folder.name, folder.parent.name
        if region == _ANYWHERE:
            raise InputError(f"{folder}: of no Region: render it again with --region")
        account = session(region=region)
        _check_account({owner} if owner.isdigit() else (), identity(account).account)
        made = {path.stem: files.read_text(str(path)) for path in sorted(folder.glob(f"{names.ALARM_STACK}*.json"))}
        apply_templates(account, made, bucket=code_bucket(account), tags=_TAGS, progress=show.note)
        show.line(f"{region}: {len(made)} templates in place")
    return 0


def _check_known(planned: Sequence[Planned]) -> None:
    """InputError if alarms would watch what has no name yet: they would stand there, and never see anything."""
    texts = (text for one in planned for alarm in one.plan.alarms for text in _dimensions(alarm))
    open_ = sorted({token for text in texts if "${" in text for token in _TOKEN.findall(text)})
    if open_:
        more = f" and {len(open_) - _TOLD} more" if len(open_) > _TOLD else ""
        raise InputError(
            f"known only when deployed: {', '.join(open_[:_TOLD])}{more}. Give parameters with --parameters "
            "(AWS::AccountId is one) and the Region with --region; or put the alarms into the template with "
            "`lookout render --merge`; or render from the account once it is deployed."
        )


def _dimensions(alarm: Alarm) -> list[str]:
    return [value for query in alarm.queries for _, value in query.dimensions]


def _check_account(owners: Iterable[str], asked: str) -> None:
    """A file may be of another account: InputError before anything is deployed into this one."""
    others = sorted({*owners} - {asked, ""})
    if others:
        raise InputError(f"the fleet is of account {', '.join(others)}, but the credentials are of {asked}")


def _targets(wanted: Settings, deployed: Mapping[str, str]) -> dict[str, str]:
    """Where alarms and log lines go: what the settings say, else the toolkit's own stack."""
    return {
        "page_topic": wanted.topics.page or deployed.get("AlarmPageTopicArn", ""),
        "ticket_topic": wanted.topics.ticket or deployed.get("AlarmTicketTopicArn", ""),
        "subscriber_arn": deployed.get("SubscriberArn", ""),
        "archive_arn": deployed.get("ArchiveStreamArn", ""),
        "archive_role_arn": deployed.get("ArchiveRoleArn", ""),
    }
