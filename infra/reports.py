"""An account's logs and traces -> the two weekly reports. The command line and the Lambda both come through here."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import Any

import boto3
from botocore.client import BaseClient

from infra.aws.logs import events
from infra.aws.metrics import read_series
from infra.aws.performance import CpuTimes
from infra.aws.session import client, error_code, pages
from infra.aws.spans import in_logs, read_spans
from infra.engines import spans
from infra.retrieval import Chosen, chosen_read, chosen_traces
from monitors import loglines
from monitors.errors import AwsError
from monitors.model import Query
from monitors.names import log_group
from monitors.records import Invocation
from monitors.rightsize.advise import memory_report
from monitors.rightsize.evidence import FunctionFacts, code_of
from monitors.rightsize.pricelist import OWN, PriceList
from monitors.rightsize.report import MemoryReport
from monitors.rightsize.usage import Read, Usage, Use, collect
from monitors.traces.aggregate import Weights, Window, report_of, window
from monitors.traces.causes import with_deployments, with_memory
from monitors.traces.choosing import PER_FUNCTION
from monitors.traces.counted import against, weighted, with_counts
from monitors.traces.report import LatencyReport

Json = dict[str, Any]
Progress = Callable[[int, int], None]
Engine = Callable[..., Read]
"""Takes a session, log group -> the function whose it is, and `start_s`, `end_s`, `progress`, `say` by name."""
DAY_S = 86_400.0
REPORTS = '?"REPORT RequestId" ?"platform.report"'
"""Both log formats' report lines; what merely quotes one is told apart by the parser."""

MOST = 4000
"""Traces of each window where nobody has seen a plan: 1,600 calls, some 5 minutes of the 15 that a Lambda has."""
CHOICE = (
    f"Up to {PER_FUNCTION} traces of each function were read, a quarter each of those below p50, up to p95, up to p99"
    " and above, by the response time of the whole trace; every request is weighted by the invocations it stands for."
    " A function that takes a small part of its traces' time has wider errors, above all in its p99."
)

SPAN_TRACES = 4_000
"""Traces read of a window from the log group of spans."""
FROM_SPANS = (
    f"Transaction Search is on: the traces are of the spans in the log group aws/spans, {SPAN_TRACES:,} of each window"
    " if there are more, chosen by the end of their ids."
)
COUNTED = (
    "Where all spans were counted, requests, percentiles and faults of a function or call are of all of them; phases,"
    " tails, cold starts and examples are of the traces read, each standing for the requests counted ÷ those read. If"
    " CloudWatch counted more invocations than there are spans, only a part is traced: then all is of the traces read."
)


def from_logs(
    session: boto3.Session,
    owners: Mapping[str, str],
    *,
    start_s: float,
    end_s: float,
    progress: Progress,
    say: Callable[[str], object],  # noqa: ARG001 - it is free
) -> Read:
    """What each report line in log groups says, by FilterLogEvents: exact and free, and slow where there are millions.

    Raises:
        AwsError: no log group at all can be read.
    """
    logs = client(session, "logs")
    used: Usage = defaultdict(Use)
    failed: list[AwsError] = []
    for done, (group, owner) in enumerate(owners.items(), start=1):
        try:
            for one in _invocations(logs, group, owner, start_s=start_s, end_s=end_s):
                if one.timestamp_ms < 1000 * end_s:  # CloudWatch Logs counts the end in
                    collect(used, one)
        except AwsError as error:
            failed.append(error)
        progress(done, len(owners))
    if failed and len(failed) == len(owners):
        raise failed[0]
    return Read(used, tuple(f"Not read: {error}" for error in failed))


def memory(
    session: boto3.Session,
    *,
    end_s: float,
    days: float = 14.0,
    engine: Engine = from_logs,
    price_list: PriceList = OWN,
    tuned: Mapping[str, Mapping[int, float]] | None = None,
    cpu_times: Callable[..., CpuTimes] | None = None,
    progress: Progress = lambda *_: None,
    say: Callable[[str], object] = lambda _: None,
) -> MemoryReport:
    """The memory report of every function of the session's account and Region, as an engine reads it.

    A log group that cannot be read is told in the notes. `say` hears what an engine costs before it starts.
    `cpu_times` reads CPU times, as infra.aws.performance does; none are read without it.

    Raises:
        AwsError: the functions cannot be listed, or no log group at all can be read.
        InputError: the engine needs an extra that is not there, or the price list lacks the Region.
    """
    functions = _functions(session)
    owners = {_group(function): function["FunctionName"] for function in functions}
    start_s = end_s - days * DAY_S
    found = engine(session, owners, start_s=start_s, end_s=end_s, progress=progress, say=say)
    facts = {function["FunctionName"]: _facts(function) for function in functions}
    used = {key: use for key, use in found.usage.items() if key[0] in facts}
    cpu = cpu_times(session, start_s=start_s, end_s=end_s, say=say) if cpu_times else CpuTimes({}, ())
    report = memory_report(
        used, functions=facts, region=session.region_name, price_list=price_list, tuned=tuned, cpu=cpu.by_key
    )
    return replace(report, notes=(*report.notes, *found.notes, *cpu.notes))


def latency(
    session: boto3.Session,
    *,
    end_s: float,
    days: float = 7.0,
    chosen: Chosen | None = None,
    resume: str = "",
    engine: str = "",
    progress: Progress | None = None,
) -> tuple[LatencyReport, Window]:
    """The latency report of a window of `days`, against the window before it, from X-Ray; and the window itself.

    The traces are those `chosen`, or the MOST that `to_read` chooses. Each stands for invocations that CloudWatch
    counted, so that neither X-Ray's sampling nor the choice bends the percentiles. With `resume`, a file keeps what is
    read, and what it has is not asked for. Unless they are chosen, traces that X-Ray keeps as spans in a log group are
    read from there, all anew, and all its spans are counted, by the `engine` that infra.engines.spans has, if one is
    asked for.

    Raises:
        AwsError: a call failed.
        InputError: the file to resume from is of something else, or can't be written.
    """
    if chosen is None and in_logs(client(session, "xray")):
        return _latency_of_spans(session, end_s=end_s, days=days, engine=engine, progress=progress)
    chosen = chosen or to_read(session, end_s=end_s, days=days, most=MOST, progress=progress)
    before, now = chosen_read(client(session, "xray"), chosen, resume=resume, progress=progress)
    found, then = window(now, chosen.invocations), window(before, chosen.invocations, paths=False)
    report = report_of(found, then, start=end_s - days * DAY_S, end=end_s, region=session.region_name)
    if chosen.listed > len(before) + len(now):
        report = replace(report, notes=(*report.notes, CHOICE))
    return _with_settings(session, report, start_s=end_s - 2 * days * DAY_S), found


def _latency_of_spans(
    session: boto3.Session, *, end_s: float, days: float, engine: str, progress: Progress | None
) -> tuple[LatencyReport, Window]:
    """`latency` where X-Ray keeps spans in a log group, of which it lists hardly any itself; see infra.aws.spans."""
    logs = client(session, "logs")
    start_s, middle_s = end_s - 2 * days * DAY_S, end_s - days * DAY_S
    windows = (start_s, middle_s), (middle_s, end_s)
    counting = spans.counted(session, windows, engine=engine)
    invocations = _weights(session, start_s=start_s, end_s=end_s)
    read = [read_spans(logs, start_s=low, end_s=high, limit=SPAN_TRACES, progress=progress) for low, high in windows]
    before, now = (
        against(counts, invocations, start_s=low, end_s=high)
        for counts, (low, high) in zip(counting.counts, windows, strict=True)
    )
    then, found = (
        window(weighted(read[0], before), invocations, paths=False),
        window(weighted(read[1], now), invocations),
    )
    report = with_counts(report_of(found, then, start=middle_s, end=end_s, region=session.region_name), now, before)
    notes = (*report.notes, FROM_SPANS, *([COUNTED] if now.functions else []), *counting.notes)
    return _with_settings(session, replace(report, notes=notes), start_s=start_s), found


def _with_settings(session: boto3.Session, report: LatencyReport, *, start_s: float) -> LatencyReport:
    """The report, its changes joined with when their functions' code or settings last changed, and with their memory
    sizes: that of the first report line of the window before, and of the last day.
    """
    names = {change.function for change in report.changes}
    if not names:
        return report
    changed = [one for one in _functions(session) if one["FunctionName"] in names]
    deployed = {
        one["FunctionName"]: datetime.fromisoformat(one["LastModified"]).timestamp()
        for one in changed
        if one.get("LastModified")
    }
    logs = client(session, "logs")
    sizes: dict[str, tuple[int, int]] = {}
    notes = []
    for one in changed:
        try:
            was = _memory_mb(logs, one, start_s=start_s, end_s=report.start)
            now = _memory_mb(logs, one, start_s=report.end - DAY_S, end_s=report.end)
        except AwsError as error:
            notes.append(f"Whether {one['FunctionName']} had another memory size is not known: {error}")
        else:
            sizes |= {one["FunctionName"]: (was, now)} if was and now else {}
    changes = with_memory(with_deployments(report.changes, deployed), sizes)
    return replace(report, changes=changes, notes=(*report.notes, *notes))


def _memory_mb(logs: BaseClient, function: Json, *, start_s: float, end_s: float) -> int | None:
    """What the function's first report line in this time says; None if there is none."""
    name = function["FunctionName"]
    found = _invocations(logs, _group(function), name, start_s=start_s, end_s=end_s)
    return next((one.memory_mb for one in found if one.function == name), None)


def to_read(
    session: boto3.Session,
    *,
    end_s: float,
    days: float = 7.0,
    most: float = inf,
    progress: Progress | None = None,
) -> Chosen:
    """Which traces the latency report reads of all that X-Ray lists, about `most` of each window at most.

    AwsError if a call fails.
    """
    start_s = end_s - 2 * days * DAY_S
    return chosen_traces(
        client(session, "xray"),
        _weights(session, start_s=start_s, end_s=end_s),
        start_s=start_s,
        middle_s=end_s - days * DAY_S,
        end_s=end_s,
        most=most,
        progress=progress,
    )


def _functions(session: boto3.Session) -> list[Json]:
    lambda_ = client(session, "lambda")
    return [function for page in pages(lambda_, "ListFunctions") for function in page.get("Functions", ())]


def _facts(function: Json) -> FunctionFacts:
    return FunctionFacts(
        memory_mb=function.get("MemorySize", 128),
        architecture=(function.get("Architectures") or ["x86_64"])[0],
        timeout_ms=1000 * function.get("Timeout", 3),
        code=code_of(function),
    )


def _group(function: Json) -> str:
    return str((function.get("LoggingConfig") or {}).get("LogGroup") or log_group(function["FunctionName"]))


def _invocations(logs: BaseClient, group: str, owner: str, *, start_s: float, end_s: float) -> Iterator[Invocation]:
    try:
        for event in events(logs, group=group, start_s=start_s, end_s=end_s, pattern=REPORTS):
            stream = event.get("logStreamName", "")
            record = loglines.parse(
                event["message"],
                function=loglines.function_of(group, stream) or owner,
                log_stream=stream,
                timestamp_ms=event["timestamp"],
            )
            if isinstance(record, Invocation):
                yield record
    except AwsError as error:
        # A function that was never invoked has no log group yet.
        if error_code(error) != "ResourceNotFoundException":
            raise


def _weights(session: boto3.Session, *, start_s: float, end_s: float) -> Weights:
    """(function, minute) -> its invocations then, as CloudWatch counted them."""
    names = [function["FunctionName"] for function in _functions(session)]
    groups: Sequence[Sequence[Query]] = [
        [
            Query(
                id="m1",
                namespace="AWS/Lambda",
                metric="Invocations",
                dimensions=(("FunctionName", name),),
                statistic="Sum",
            )
        ]
        for name in names
    ]
    found = read_series(client(session, "cloudwatch"), groups, start_s=start_s, end_s=end_s)
    counted = {
        name: {series.start + 60 * n: value for n, value in enumerate(series.values) if value}
        for name, (series,) in zip(names, found, strict=True)
    }
    return lambda function, minute: counted.get(function, {}).get(minute)
