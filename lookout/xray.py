"""`lookout traces` on an account: what reading its traces from X-Ray takes, and reading them."""

import argparse
from collections.abc import Collection
from dataclasses import asdict

import boto3

from infra import reports
from infra.aws.keeping import kept
from infra.aws.session import client, session
from infra.aws.spans import in_logs
from infra.engines import spans
from infra.retrieval import Chosen, effort_of
from lookout import show
from monitors.errors import AwsError, InputError
from monitors.traces.aggregate import Window
from monitors.traces.effort import words
from monitors.traces.report import LatencyReport

IN_LOGS = "Transaction Search is on, so traces are read by queries of a log group: leave it out"


def plan(asked: argparse.Namespace, *, end_s: float) -> int:
    """Print what reading would take; reads no trace."""
    had, account = _had(asked), session()
    if in_logs(client(account, "xray")):
        raise InputError(f"--plan: {IN_LOGS}")
    found = effort_of(_listed(account, asked, end_s), had)
    if asked.json:
        show.as_json(asdict(found))
        return 0
    row = (found.listed, found.chosen, found.kept, found.calls, found.seconds, f"{found.usd:.4f}")
    show.table(words(found), ("listed", "chosen", "kept", "calls", "seconds", "USD"), [row])
    return 0


def read(asked: argparse.Namespace, *, end_s: float) -> tuple[LatencyReport, Window]:
    """The report of the account's past `--days`, and its window. Says first what reading takes."""
    had, account = _had(asked), session()
    if in_logs(client(account, "xray")):
        return _of_spans(account, asked, end_s)
    if asked.engine:
        raise InputError("--engine: Transaction Search is off, so there are no spans to count: leave it out")
    chosen = _listed(account, asked, end_s)
    show.note(words(effort_of(chosen, had)))
    try:
        with show.progress("reading traces") as progress:
            return reports.latency(
                account, end_s=end_s, days=asked.days, chosen=chosen, resume=asked.resume or "", progress=progress
            )
    except (AwsError, KeyboardInterrupt):
        if asked.resume:
            show.note(f"{asked.resume} has what was read: the same command goes on from there, --file reports on it.")
        raise


def _of_spans(account: boto3.Session, asked: argparse.Namespace, end_s: float) -> tuple[LatencyReport, Window]:
    if asked.resume:
        raise InputError(f"--resume: {IN_LOGS}")
    engine = {"engine": asked.engine} if asked.engine else {}
    show.note(spans.cost(account, [(end_s - 2 * asked.days * reports.DAY_S, end_s)], **engine).words)
    with show.progress("reading spans") as progress:
        return reports.latency(account, end_s=end_s, days=asked.days, progress=progress, **engine)


def _had(asked: argparse.Namespace) -> Collection[str]:
    """Ids in the file to resume from; asked for first, so that a wrong file is told at once."""
    return frozenset(kept(asked.resume)) if asked.resume else ()


def _listed(account: boto3.Session, asked: argparse.Namespace, end_s: float) -> Chosen:
    with show.progress("listing traces") as progress:
        return reports.to_read(account, end_s=end_s, days=asked.days, progress=progress)
