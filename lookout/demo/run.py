"""`lookout demo`: the whole product at work on a sample fleet, in an embedded account that ends with the command."""

import argparse
import json
import os
import sys
import time
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
from pydantic import TypeAdapter

from dashboards import assets, pages
from dashboards.body import bodies
from dashboards.summary import Link, Summary
from dashboards.widgets import metric_count
from infra import deploy
from infra.apply import apply
from infra.aws.bucket import code_bucket
from infra.aws.session import session
from infra.aws.survey import survey
from infra.learn import learn
from infra.local.account import LocalAccount, local_account
from infra.local.history.plants import Planted, planted
from infra.stacks import templates
from lookout import files, show
from lookout.demo import shop, watch
from lookout.demo.environment import only
from lookout.demo.findings import Evidence, compare
from lookout.demo.listener import Listener, listening, notices
from lookout.demo.page import Found, front_page
from lookout.demo.steps import Steps
from monitors.cost import cost
from monitors.coverage import coverage
from monitors.model import Plan, State
from monitors.plan import plan, to_learn
from monitors.rightsize.report import MemoryReport
from monitors.traces.report import LatencyReport

DAYS = 14
TELLING_S = 20.0
"""How long the alarms' messages may take to arrive."""


def run(chosen: argparse.Namespace) -> int:
    """Run the demo, print its summary, and leave its pages in a folder; 0 if all went as it should."""
    output, steps = Path(chosen.output), Steps()
    with ExitStack() as stack:
        with steps.step("embedded account") as tell:
            account = stack.enter_context(local_account(port=chosen.port))
            stack.enter_context(only(account.environment()))
            listener = stack.enter_context(listening())
            tell(f"at {account.endpoint}")
        found = _watch(account, listener, steps, chosen, output)
    summary = front_page(found)
    files.write(output / "index.html", pages.index_page(summary))
    files.write(output / "charts.js", assets.chart_script())
    document = _document(summary, output)
    files.write(output / "summary.json", json.dumps(document, indent=1))
    show.as_json(document) if chosen.json else _print(summary, output)
    if not (chosen.json or chosen.no_open):
        _open(output / "index.html")
    return 0


def _watch(account: LocalAccount, listener: Listener, steps: Steps, chosen: argparse.Namespace, output: Path) -> Found:
    end_s = time.time()
    own = session()
    with steps.step("sample fleet") as tell:
        tell(f"{shop.deploy_shop(own, tell)} functions, from a SAM template")
    with steps.step("two weeks of history") as tell:
        loaded = account.load_history(end_s=end_s, days=DAYS, seed=chosen.seed)
        tell(f"{loaded['invocations']:,} invocations as metrics, log lines and {loaded['documents']:,} trace documents")
    with steps.step("toolkit's own stack") as tell:
        outputs = deploy.deploy(
            own, architecture="x86_64", parameters={}, layer=False, progress=tell, pause_s=shop.POLL_S
        )
        topics = outputs["PageTopicArn"], outputs["TicketTopicArn"]
        queue = shop.subscribe(own, topics, listener)
        tell("log subscriber, alarm notifier, two weekly reports; a queue and an HTTP endpoint listen")
    wanted = shop.shop_settings()
    with steps.step("survey") as tell:
        fleet = survey(own)
        tell(f"{len(fleet.resources)} resources of {len({one.service for one in fleet.resources})} kinds")
    with steps.step("learn levels") as tell:
        open_rules = to_learn(fleet, wanted)
        learned = learn(own, open_rules, end_s=end_s, days=DAYS)
        tell(f"{len(learned)} of {len(open_rules)} rules that may learn have enough history")
    with steps.step("plan") as tell:
        made = plan(fleet, wanted, learned=learned)
        tell(f"{len(made.alarms)} alarms, {len(made.composites)} composites, {len(made.metric_filters)} metric filters")
    with steps.step("backtest") as tell:
        episodes = watch.backtest(own, made.alarms, end_s=end_s, days=DAYS)
        tell(f"{sum(map(len, episodes.values()))} pages in two weeks, by {len(episodes)} alarms")
    with steps.step("render and apply") as tell:
        _apply(own, made, outputs)
        account.tick(time.time())
        tell(f"change set executed; {len(bodies(made))} dashboards")
    with steps.step("traffic") as tell:
        sent = shop.send_traffic(own, seed=chosen.seed, progress=tell)
        simulated = {one.source for one in sent if one.simulated}
        tell(f"{sum(one.count for one in sent)} requests at {len(sent)} entrances, {len(simulated)} of them simulated")
    with steps.step("alarms") as tell:
        # As at the end of this minute, when CloudWatch would evaluate what has just come in.
        account.tick(time.time() // 60 * 60 + 60)
        watch.until(lambda: _paged(listener), seconds=TELLING_S)
        heard = notices(listener, shop.received(own, queue))
        tell(f"{len(heard)} notifications arrived")
    with steps.step("reports") as tell:
        memory = TypeAdapter(MemoryReport).validate_json(_report(own, "memory", outputs, output, end_s))
        latency = TypeAdapter(LatencyReport).validate_json(_report(own, "latency", outputs, output, end_s))
        tell(
            f"{memory.invocations:,} REPORT lines and {latency.traces_read:,} traces read, by the toolkit's own Lambdas"
        )
    with steps.step("pages") as tell:
        faults = planted(end_s=end_s, days=DAYS)
        evidence = Evidence(episodes=episodes, latency=latency, memory=memory)
        found = _found(own, made, evidence, faults, end_s)
        tell(str(output / "index.html"))
    return replace(found, steps=steps.done, notices=heard)


def _report(own: boto3.Session, kind: str, outputs: Mapping[str, str], output: Path, end_s: float) -> str:
    """Have a report made and keep its files; its JSON."""
    made = watch.report(own, f"lookout-{kind}-report", bucket=outputs["ReportsBucket"], end_s=end_s)
    for suffix, text in made.items():
        files.write(output / f"{kind}.{suffix}", text)
    return made["json"]


def _found(own: boto3.Session, made: Plan, evidence: Evidence, faults: Sequence[Planted], end_s: float) -> Found:
    functions = [one.name for one in made.fleet.resources if one.service == "lambda"]
    hours = {
        metric: watch.hourly(own, functions, metric, end_s=end_s, days=DAYS) for metric in ("Errors", "Invocations")
    }
    names = [*(alarm.name for alarm in made.alarms), *(composite.name for composite in made.composites)]
    boards = [sum(map(metric_count, body["widgets"])) for body in bodies(made).values()]
    return Found(
        generated_s=time.time(),
        steps=(),
        plan=made,
        cost=cost(made, dashboard_metrics=boards),
        coverage=coverage(made),
        alarms=watch.states(own, names),
        notices=(),
        evidence=evidence,
        faults=faults,
        planted=compare(faults, evidence),
        errors=hours["Errors"],
        invocations=hours["Invocations"],
        links=(
            Link(words="Latency report", address="latency.html"),
            Link(words="Memory report", address="memory.html"),
        ),
    )


def _apply(own: boto3.Session, made: Plan, outputs: Mapping[str, str]) -> None:
    rendered = templates(
        made,
        page_topic=outputs["AlarmPageTopicArn"],
        ticket_topic=outputs["AlarmTicketTopicArn"],
        subscriber_arn=outputs["SubscriberArn"],
        dashboards=bodies(made),
    )
    apply(own, rendered, bucket=code_bucket(own), tags={"application": "lookout"}, pause_s=shop.POLL_S)


def _paged(listener: Listener) -> bool:
    return any((message.get("Subject") or "").startswith("ALARM") for message in listener.heard)


def _document(summary: Summary, output: Path) -> dict[str, Any]:
    """The summary for a program."""
    fired = [alarm.name for alarm in summary.alarms if alarm.state is State.ALARM]
    return {
        "functions": summary.coverage.functions,
        "covered": summary.coverage.functions_covered,
        "alarms": len(summary.alarms),
        "cost_usd_month": round(sum(row.usd_month for row in summary.costs), 2),
        "fired": fired,
        "notified": [{"channel": n.channel, "subject": n.subject} for n in summary.notices],
        "planted": [row.fault for row in summary.planted],
        "found": [{"fault": row.fault, "found": row.found, "verdict": row.verdict} for row in summary.planted],
        "steps": [{"name": s.name, "seconds": round(s.seconds, 2), "outcome": s.outcome} for s in summary.steps],
        "thin": list(summary.thin),
        "report_paths": [str(output / name) for name in ("index.html", "latency.html", "memory.html")],
    }


def _print(summary: Summary, output: Path) -> None:
    document = _document(summary, output)
    rows = [(row.fault, row.found or "-", row.verdict) for row in summary.planted]
    show.table("planted in the history, and found", ("planted", "found", "verdict"), rows)
    show.table(
        "summary",
        ("", ""),
        [
            ("functions covered", f"{document['covered']} of {document['functions']}"),
            ("alarms", str(document["alarms"])),
            ("cost", f"${document['cost_usd_month']:,.2f} a month, for all of the watching"),
            ("on now", ", ".join(document["fired"]) or "none"),
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
