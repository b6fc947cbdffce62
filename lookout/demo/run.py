"""`lookout demo`: the whole product at work on a sample fleet, in an embedded account that ends with the command."""

import argparse
import json
import os
import sys
import time
import webbrowser
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from pydantic import TypeAdapter

from dashboards import assets, pages
from dashboards.body import bodies, metric_counts, texts
from dashboards.summary import Link, Summary
from infra import deploy
from infra.apply import apply
from infra.aws.bucket import code_bucket
from infra.aws.session import session
from infra.aws.survey import survey
from infra.backtest import backtest
from infra.learn import learn
from infra.local.account import LocalAccount, local_account
from infra.local.history.plants import planted
from infra.stacks import templates
from lookout import files, show
from lookout.boards import board_pages
from lookout.demo import shop, watch
from lookout.demo.environment import only
from lookout.demo.findings import Evidence, compare
from lookout.demo.listener import Listener, listening, notices
from lookout.demo.logmetrics import out_of_logs
from lookout.demo.page import Found, front_page
from lookout.demo.steps import Steps
from monitors.cost import cost
from monitors.coverage import coverage
from monitors.evaluate import Episode
from monitors.model import Plan, State
from monitors.names import parse_alarm_name
from monitors.plan import plan, to_learn
from monitors.rightsize.report import MemoryReport
from monitors.traces.report import LatencyReport

DAYS = 14
HOURLY = ("Errors", "Invocations")
MEASURED = 12
"""Of how many functions log metrics must be there before the demo goes on; the log subscriber takes its time."""
TELLING_S = 20.0
"""How long the alarms' messages may take to arrive."""


class Run(NamedTuple):
    """What all steps of a run share."""

    own: boto3.Session
    account: LocalAccount
    listener: Listener
    steps: Steps
    output: Path
    seed: int
    end_s: float
    """Where the history ends and what happens here begins: a full minute, epoch seconds."""


def run(chosen: argparse.Namespace) -> int:
    """Run the demo, print its summary, and leave its pages in a folder."""
    output, steps = Path(chosen.output), Steps()
    files.write(output / "charts.js", assets.chart_script())
    with ExitStack() as stack:
        with steps.step("embedded account") as tell:
            account = stack.enter_context(local_account(port=chosen.port))
            stack.enter_context(only(account.environment()))
            listener = stack.enter_context(listening())
            tell(f"at {account.endpoint}")
        end_s = time.time() // 60 * 60
        this = Run(session(), account, listener, steps, output, chosen.seed, end_s)
        outputs, queue = _deployed(this)
        made = _planned(this)
        episodes = _backtest(this, made)
        set_off = _watch(this, made, outputs)
        evidence = Evidence(episodes, *_reports(this, outputs))
        found = replace(_shown(this, made, evidence, queue), set_off=set_off)
    summary = front_page(replace(found, steps=steps.done))
    files.write(output / "index.html", pages.index_page(summary))
    document = _document(summary, found.set_off, output)
    files.write(output / "summary.json", json.dumps(document, indent=1))
    show.as_json(document) if chosen.json else _print(summary, document)
    if not (chosen.json or chosen.no_open):
        _open(output / "index.html")
    return 0


def _deployed(this: Run) -> tuple[Mapping[str, str], str]:
    """The fleet, its history and the toolkit's stack are there; the stack's outputs, and the queue that listens."""
    with this.steps.step("sample fleet") as tell:
        tell(f"{shop.deploy_shop(this.own, tell)} functions, from a SAM template")
    with this.steps.step("two weeks of history") as tell:
        loaded = this.account.load_history(end_s=this.end_s, days=DAYS, seed=this.seed)
        shop.leave_waiting(this.own, loaded["waiting"])
        tell(f"{loaded['invocations']:,} invocations as metrics, log lines and {loaded['documents']:,} trace documents")
    with this.steps.step("toolkit's own stack") as tell:
        outputs = deploy.deploy(
            this.own, architecture="x86_64", parameters={}, layer=False, progress=tell, pause_s=shop.POLL_S
        )
        queue = shop.subscribe(this.own, (outputs["PageTopicArn"], outputs["TicketTopicArn"]), this.listener)
        tell("log subscriber, alarm notifier, two weekly reports; a queue and an HTTP endpoint listen")
    return outputs, queue


def _planned(this: Run) -> Plan:
    wanted = shop.shop_settings()
    with this.steps.step("survey") as tell:
        fleet = survey(this.own)
        tell(f"{len(fleet.resources)} resources of {len({one.service for one in fleet.resources})} kinds")
    with this.steps.step("learn levels") as tell:
        open_rules = to_learn(fleet, wanted)
        learned = learn(this.own, open_rules, end_s=this.end_s, days=DAYS)
        tell(f"{len(learned)} of {len(open_rules)} rules that may learn have enough history")
    with this.steps.step("plan") as tell:
        made = plan(fleet, wanted, learned=learned)
        tell(f"{len(made.alarms)} alarms, {len(made.composites)} composites, {len(made.metric_filters)} metric filters")
    return made


def _backtest(this: Run, made: Plan) -> Mapping[str, Sequence[Episode]]:
    with this.steps.step("backtest") as tell:
        episodes = backtest(this.own, made.alarms, end_s=this.end_s, days=DAYS)
        times = sum(map(len, episodes.values()))
        tell(f"{len(episodes)} of {len(made.alarms)} alarms would have gone on, {times} times in two weeks")
    return episodes


def _watch(this: Run, made: Plan, outputs: Mapping[str, str]) -> tuple[str, ...]:
    """Everything is deployed, customers come, and alarms go on; the names of those that were off before they came."""
    with this.steps.step("render and apply") as tell:
        rendered = templates(
            made,
            page_topic=outputs["AlarmPageTopicArn"],
            ticket_topic=outputs["AlarmTicketTopicArn"],
            subscriber_arn=outputs["SubscriberArn"],
            dashboards=texts(made),
        )
        apply(this.own, rendered, bucket=code_bucket(this.own), tags={"application": "lookout"}, pause_s=shop.POLL_S)
        this.account.tick(time.time())
        before = _on(this, made).keys()
        tell(f"change set executed; {len(bodies(made))} dashboards; {len(before)} alarms on at once, by the history")
    with this.steps.step("traffic") as tell:
        sent = shop.send_traffic(this.own, seed=this.seed, progress=tell)
        simulated = {one.source for one in sent if one.simulated}
        tell(f"{sum(one.count for one in sent)} requests at {len(sent)} entrances, {len(simulated)} of them simulated")
    with this.steps.step("metrics from logs") as tell:
        watch.until(lambda: _measured(this) > MEASURED, seconds=TELLING_S)
        tell(out_of_logs(this.own, start_s=this.end_s, end_s=time.time()).words())
    with this.steps.step("alarms") as tell:
        # As at the end of this minute, when CloudWatch would evaluate what has just come in.
        this.account.tick(time.time() // 60 * 60 + 60)
        set_off = {name: record for name, record in sorted(_on(this, made).items()) if name not in before}
        telling = [
            parsed for name, one in set_off.items() if one["AlarmActions"] and (parsed := parse_alarm_name(name))
        ]
        heard = watch.until(lambda: all(this.listener.told_of(*one) for one in telling), seconds=TELLING_S)
        told = "people were told" if heard else f"people were not told of all of them in {TELLING_S:.0f} s"
        tell(f"{', '.join(set_off) or 'none'} set off by the traffic; {told}")
    return tuple(set_off)


def _on(this: Run, made: Plan) -> dict[str, Mapping[str, Any]]:
    """DescribeAlarms' record of each alarm and composite that is on, by name."""
    records = watch.states(this.own, _names(made))
    return {name: record for name, record in records.items() if record["StateValue"] == State.ALARM}


def _measured(this: Run) -> int:
    return out_of_logs(this.own, start_s=this.end_s, end_s=time.time()).functions


def _reports(this: Run, outputs: Mapping[str, str]) -> tuple[LatencyReport, MemoryReport]:
    with this.steps.step("reports") as tell, ThreadPoolExecutor() as pool:
        texts = pool.map(lambda kind: _report(this, kind, outputs), ("memory", "latency"))
        memory = TypeAdapter(MemoryReport).validate_json(next(texts))
        latency = TypeAdapter(LatencyReport).validate_json(next(texts))
        tell(
            f"{memory.invocations:,} REPORT lines and {latency.traces_read:,} traces read by the toolkit's own Lambdas"
        )
    return latency, memory


def _report(this: Run, kind: str, outputs: Mapping[str, str]) -> str:
    """Have a report made and keep its files; its JSON."""
    made = watch.report(this.own, f"lookout-{kind}-report", bucket=outputs["ReportsBucket"], end_s=this.end_s)
    for suffix, text in made.items():
        files.write(this.output / f"{kind}.{suffix}", text)
    return made["json"]


def _shown(this: Run, made: Plan, evidence: Evidence, queue: str) -> Found:
    """The dashboards as pages, and all that the front page tells."""
    now = time.time()
    with this.steps.step("pages") as tell:
        faults = planted(end_s=this.end_s, days=DAYS)
        records = watch.states(this.own, _names(made))
        states = {name: State(record["StateValue"]) for name, record in records.items()}
        functions = [one.name for one in made.fleet.resources if one.service == "lambda"]
        boards = [*board_pages(this.own, made, states, end_s=now, overview="index.html", functions=functions)]
        for board in boards:
            files.write(this.output / board.file, board.html)
        hours = {metric: watch.hourly(this.own, functions, metric, end_s=now, days=DAYS) for metric in HOURLY}
        tell(f"{len(boards) + 3} pages in {this.output}")
    links = [("Latency report", "latency.html"), ("Memory report", "memory.html")]
    links += [(board.title, board.file) for board in boards if not board.function]
    return Found(
        generated_s=now,
        steps=(),
        plan=made,
        cost=cost(made, dashboard_metrics=metric_counts(bodies(made))),
        coverage=coverage(made),
        alarms=records,
        notices=notices(this.listener, shop.received(this.own, queue)),
        evidence=evidence,
        faults=faults,
        planted=compare(faults, evidence),
        errors=hours["Errors"],
        invocations=hours["Invocations"],
        set_off=(),
        links=[Link(words=words, address=address) for words, address in links],
    )


def _names(made: Plan) -> list[str]:
    return [*(alarm.name for alarm in made.alarms), *(composite.name for composite in made.composites)]


def _document(summary: Summary, set_off: Sequence[str], output: Path) -> dict[str, Any]:
    """The summary for a program."""
    fired = [alarm.name for alarm in summary.alarms if alarm.state is State.ALARM]
    return {
        "functions": summary.coverage.functions,
        "covered": summary.coverage.functions_covered,
        "alarms": len(summary.alarms),
        "cost_usd_month": round(sum(row.usd_month for row in summary.costs), 2),
        "fired": fired,
        "set_off": list(set_off),
        "notified": [{"channel": n.channel, "subject": n.subject} for n in summary.notices],
        "planted": [row.fault for row in summary.planted],
        "found": [{"fault": row.fault, "found": row.found, "verdict": row.verdict} for row in summary.planted],
        "steps": [{"name": s.name, "seconds": round(s.seconds, 2), "outcome": s.outcome} for s in summary.steps],
        "thin": list(summary.thin),
        "report_paths": [str(output / "index.html"), *(str(output / link.address) for link in summary.links)],
    }


def _print(summary: Summary, document: Mapping[str, Any]) -> None:
    rows = [(row.fault, row.found or "-", row.verdict) for row in summary.planted]
    show.table("planted in the history, and found", ("planted", "found", "verdict"), rows)
    show.table(
        "summary",
        ("", ""),
        [
            ("functions covered", f"{document['covered']} of {document['functions']}"),
            ("alarms", str(document["alarms"])),
            ("cost", f"${document['cost_usd_month']:,.2f} a month, for all of the watching"),
            ("on now", "\n".join(document["fired"]) or "none"),
            ("set off by the traffic", "\n".join(document["set_off"]) or "none"),
            ("notifications received", str(len(document["notified"]))),
            ("time", f"{sum(step.seconds for step in summary.steps):.0f} s"),
            ("look at", "\n".join(document["report_paths"])),
        ],
    )
    for words in summary.thin:
        show.note(f"not shown here: {words}")


def _open(page: Path) -> None:
    """Show the page, where there is a desktop to show it on."""
    desktop = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if desktop and sys.stdout.isatty():
        webbrowser.open(page.resolve().as_uri())
