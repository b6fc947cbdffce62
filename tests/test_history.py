"""The generated fortnight: repeatable, in AWS's own shapes, its three views one truth, everything planted visible."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.account import ACCOUNT_ID
from infra.local.history import plants, profiles
from infra.local.history.logs import log_events
from infra.local.history.metrics import metric_points
from infra.local.history.points import Point
from infra.local.history.simulate import simulate
from infra.local.history.traces import trace_documents
from infra.templates.parsing import parse

END_S = int(datetime(2026, 11, 23, 20, 7, tzinfo=UTC).timestamp())  # a Monday
DAY_S = 86_400

# Written from the examples in the AWS Lambda Developer Guide ("Viewing CloudWatch logs", "Monitoring function
# initialization", "Visualize invocations using AWS X-Ray"), not from the code that makes the lines.
REPORT = re.compile(
    r"REPORT RequestId: (?P<request>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\t"
    r"Duration: (?P<duration>\d+\.\d\d) ms\t"
    r"Billed Duration: (?P<billed>\d+) ms ?\t"
    r"Memory Size: (?P<size>\d+) MB\t"
    r"Max Memory Used: (?P<used>\d+) MB\t?"
    r"(?:Init Duration: (?P<init>\d+\.\d\d) ms\t?)?"
    r"(?:Status: (?P<status>timeout|error)\t?)?"
    r"(?:Error Type: (?P<error>[A-Za-z.]+))?"
    r"(?:\nXRAY TraceId: (?P<trace>1-[0-9a-f]{8}-[0-9a-f]{24})\tSegmentId: (?P<segment>[0-9a-f]{16})\tSampled: true\t)?"
    r"\n?"
)


class Line(NamedTuple):
    """One REPORT line or platform.report record, read back."""

    stream: str
    at_ms: int
    request: str
    duration_ms: float
    billed_ms: int
    size_mb: int
    used_mb: int
    init_ms: float | None
    status: str
    trace: str
    segment: str


class Views(NamedTuple):
    points: list[Point]
    events: list[tuple[str, str, int, str]]
    documents: list[dict[str, Any]]
    lines: dict[str, list[Line]]
    """By function."""


@pytest.fixture(scope="module")
def views() -> Views:
    history = simulate(end_s=END_S)
    events = list(log_events(history))
    lines: defaultdict[str, list[Line]] = defaultdict(list)
    for group, stream, at_ms, message in events:
        if line := read(stream, at_ms, message):
            lines[group.removeprefix("/aws/lambda/")].append(line)
    return Views(list(metric_points(history, orders_api_id="abc123")), events, list(trace_documents(history)), lines)


def read(stream: str, at_ms: int, message: str) -> Line | None:
    if message.startswith("REPORT"):
        found = REPORT.fullmatch(message)
        assert found, message
        init = float(found["init"]) if found["init"] else None
        return Line(
            stream,
            at_ms,
            found["request"],
            float(found["duration"]),
            int(found["billed"]),
            int(found["size"]),
            int(found["used"]),
            init,
            found["status"] or "success",
            found["trace"] or "",
            found["segment"] or "",
        )
    if '"platform.report"' in message:
        record = json.loads(message)["record"]
        metrics, tracing = record["metrics"], record.get("tracing", {})
        root = re.match(r"Root=([^;]+);Parent=([^;]+);Sampled=1$", tracing.get("value", ""))
        assert bool(tracing) == bool(root)
        return Line(
            stream,
            at_ms,
            record["requestId"],
            metrics["durationMs"],
            metrics["billedDurationMs"],
            metrics["memorySizeMB"],
            metrics["maxMemoryUsedMB"],
            metrics.get("initDurationMs"),
            record["status"],
            root[1] if root else "",
            root[2] if root else "",
        )
    return None


def values(views: Views, metric: str, of: str, *, since_s: float = 0, until_s: float = END_S) -> list[float]:
    """All values of a metric whose dimensions name `of`, in a window."""
    return [
        value
        for point in views.points
        if point.metric == metric and any(of == name for _, name in point.dimensions)
        if since_s <= point.minute_s < until_s
        for value in point.values
    ]


def share(part: list[float]) -> float:
    return sum(part) / len(part)


# --- repeatable, complete, fitting -----------------------------------------------------------------


def digest(*, end_s: int, days: int, seed: int) -> str:
    history = simulate(end_s=end_s, days=days, seed=seed)
    found = [list(metric_points(history)), list(log_events(history)), list(trace_documents(history))]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def test_same_seed_same_bytes_other_seed_others() -> None:
    first = digest(end_s=END_S, days=1, seed=7)
    assert digest(end_s=END_S, days=1, seed=7) == first
    assert digest(end_s=END_S + 59, days=1, seed=7) == first  # the same full minute
    assert digest(end_s=END_S, days=1, seed=8) != first


def test_size_is_what_a_demo_can_load(views: Views) -> None:
    assert 80_000 <= sum(map(len, views.lines.values())) <= 120_000
    assert 3_000 <= len({document["trace_id"] for document in views.documents}) <= 5_000


def test_nothing_lies_outside_the_fortnight(views: Views) -> None:
    start_s = END_S - 14 * DAY_S
    assert all(start_s - 60 < point.minute_s < END_S and point.minute_s % 60 == 0 for point in views.points)
    assert all(start_s * 1000 <= at_ms <= END_S * 1000 for _, _, at_ms, _ in views.events)
    assert all(start_s <= document["start_time"] < END_S for document in views.documents)


def test_history_is_of_the_deployed_fleet(views: Views) -> None:
    fleet = Path(__file__).parents[1] / "infra/local/fleet/template.yaml"
    template = parse(fleet.read_text(), "template")
    default = template["Globals"]["Function"]
    deployed = {
        each["Properties"]["FunctionName"]: {**default, **each["Properties"]}
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    }
    assert set(views.lines) == set(deployed) == {profile.function for profile in profiles.PROFILES}
    for profile in profiles.PROFILES:
        function = deployed[profile.function]
        assert (profile.memory_mb, profile.timeout_s) == (function["MemorySize"], function["Timeout"])
        assert profile.json_logs == (function.get("LoggingConfig") == {"LogFormat": "JSON"})
        assert (profile.version != "$LATEST") == ("AutoPublishAlias" in function)
        assert views.lines[profile.function][-1].size_mb == function["MemorySize"]
    assert profiles.ACCOUNT == ACCOUNT_ID
    queues = {
        each["Properties"]["QueueName"] for each in template["Resources"].values() if each["Type"] == "AWS::SQS::Queue"
    }
    measured = {dict(point.dimensions)["QueueName"] for point in views.points if point.namespace == "AWS/SQS"}
    assert queues - measured == {"shop-fulfilment-dlq"}, "SQS publishes nothing of a queue that never held a message"
    tables = {
        each["Properties"]["TableName"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::DynamoDB::Table"
    }
    assert {
        dict(point.dimensions)["TableName"] for point in views.points if point.namespace == "AWS/DynamoDB"
    } == tables


# --- one truth -------------------------------------------------------------------------------------


def test_metrics_and_logs_count_the_same_invocations(views: Views) -> None:
    for function, lines in views.lines.items():
        assert sum(values(views, "Invocations", function)) == len(lines)
        durations = values(views, "Duration", function)
        assert sum(durations) == pytest.approx(sum(line.duration_ms for line in lines), abs=0.006 * len(lines))


def test_metrics_and_logs_agree_on_errors(views: Views) -> None:
    said: Counter[str] = Counter()
    for group, _, _, message in views.events:
        failed = message.startswith("[ERROR] ") or '"level": "ERROR"' in message or "Status: " in message
        said[group.removeprefix("/aws/lambda/")] += failed
    for function in views.lines:
        assert sum(values(views, "Errors", function)) == said[function]


def test_every_sampled_invocation_has_its_segment(views: Views) -> None:
    """REPORT's SegmentId is a function segment of that trace and that length; the few that differ are the damaged."""
    segments = {(each["trace_id"], each["id"]): each for each in views.documents}
    for lines in views.lines.values():
        for line in lines:
            if line.trace and (segment := segments.get((line.trace, line.segment))):
                took_ms = (segment["end_time"] - segment["start_time"]) * 1000
                assert took_ms == pytest.approx(line.duration_ms, abs=0.01)
    sampled = {(line.trace, line.segment) for lines in views.lines.values() for line in lines if line.trace}
    functions = {key for key, each in segments.items() if each.get("origin") == "AWS::Lambda::Function"}
    assert functions <= sampled
    assert len(sampled - functions) <= 5  # a trace that lost its root may have lost this


def test_concurrency_fits_the_sandboxes(views: Views) -> None:
    for lines in views.lines.values():
        by_stream: defaultdict[str, list[Line]] = defaultdict(list)
        for line in lines:
            by_stream[line.stream].append(line)
        for of_stream in by_stream.values():
            ends = [line.at_ms for line in of_stream]
            assert ends == sorted(ends)
            begun = [line.at_ms - line.duration_ms - (line.init_ms or 0) for line in of_stream]
            assert all(later >= earlier - 1 for earlier, later in zip(ends, begun[1:], strict=False))


# --- AWS's shapes ----------------------------------------------------------------------------------


def test_billed_duration_is_init_and_duration_rounded_up(views: Views) -> None:
    for lines in views.lines.values():
        for line in lines:
            assert -0.011 < line.billed_ms - line.duration_ms - (line.init_ms or 0) < 1.011  # times are rounded


def test_first_line_of_a_sandbox_is_its_only_cold_start(views: Views) -> None:
    for lines in views.lines.values():
        seen: set[str] = set()
        for line in lines:
            assert (line.init_ms is None) == (line.stream in seen)
            seen.add(line.stream)


def test_memory_used_is_a_high_water_mark_below_the_size(views: Views) -> None:
    for lines in views.lines.values():
        mark: dict[str, int] = {}
        for line in lines:
            assert mark.get(line.stream, 0) <= line.used_mb <= line.size_mb
            mark[line.stream] = line.used_mb


def test_every_variant_of_the_platform_lines_occurs(views: Views) -> None:
    messages = [message for _, _, _, message in views.events]
    for wanted in (
        r"INIT_START Runtime Version: python:3\.13\.v34\tRuntime Version ARN: arn:aws:lambda:.+::runtime:\w{64}\n",
        r"REPORT .* ms \t.*\n",
        r"(?s)REPORT .*Status: timeout.*",
        r"(?s)REPORT .*Status: error\tError Type: Runtime\.OutOfMemory.*",
        r"[-0-9]{10}T[:.0-9]{12}Z [-0-9a-f]{36} Task timed out after 10\.00 seconds\n\n",
        r"RequestId: [-0-9a-f]{36} Error: Runtime exited with error: signal: killed\nRuntime\.ExitError\n",
        r"(?s)\[ERROR\] UndeliverableError: order \d+: .*Traceback \(most recent call last\):\n.*",
        r'\{"time":"[^"]+","type":"platform\.initStart","record":\{.*',
    ):
        assert any(re.fullmatch(wanted, message) for message in messages), wanted


def test_payments_are_found_by_their_json(views: Views) -> None:
    paid = [json.loads(message) for group, _, _, message in views.events if '"payment"' in message]
    assert all(each["event"] == "payment" and each["currency"] == "EUR" and each["amount"] > 0 for each in paid)
    failed = sum(line.status == "error" for line in views.lines["shop-payments"])
    assert len(paid) == len(views.lines["shop-payments"]) - failed


def test_segments_have_what_x_ray_requires(views: Views) -> None:
    ids: Counter[str] = Counter()
    for document in views.documents:
        assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", document["trace_id"])
        assert ("end_time" in document) != document.get("in_progress", False)
        waiting = [document]
        for each in waiting:
            assert re.fullmatch(r"[0-9a-f]{16}", each["id"])
            assert 1 <= len(each["name"]) <= 200
            assert each["start_time"] <= each.get("end_time", END_S) + 0.002
            ids[each["id"]] += 1
            waiting.extend(each.get("subsegments", ()))
        assert len(json.dumps(document)) < 64_000
    assert set(ids.values()) == {1}


def test_lambda_rounds_to_milliseconds_and_the_sandbox_to_microseconds(views: Views) -> None:
    for document in views.documents:
        digits = 3 if document["origin"] in ("AWS::Lambda", "AWS::ApiGateway::Stage") else 6
        assert document["start_time"] == round(document["start_time"], digits)
    functions = [each for each in views.documents if each["origin"] == "AWS::Lambda::Function"]
    assert sum(each["start_time"] != round(each["start_time"], 3) for each in functions) > 0.99 * len(functions)


def test_traces_carry_the_quirks_of_real_ones(views: Views) -> None:
    functions = [each for each in views.documents if each["origin"] == "AWS::Lambda::Function"]
    starts = [(part, each) for each in functions for part in each["subsegments"] if part["name"] == "Initialization"]
    assert len(starts) > 30
    assert all(part["end_time"] < each["start_time"] for part, each in starts)
    by_id = {each["id"]: each for each in views.documents}
    pairs = [(each, by_id[each["parent_id"]]) for each in functions if each["parent_id"] in by_id]
    assert any(each["end_time"] > above.get("end_time", 0) for each, above in pairs)  # outlives the service's segment
    inferred = [each for each in views.documents if each.get("inferred")]
    assert {"AWS::DynamoDB::Table", "AWS::SNS", "AWS::SQS::Queue", "AWS::S3::Bucket"} <= {
        each["origin"] for each in inferred
    }
    queued = [each for each in views.documents if each.get("http") == {"response": {"status": 202}}]
    assert all(each["subsegments"][0]["name"] == "Dwell Time" for each in queued)
    assert any(each["subsegments"][-1]["name"] == "Attempt #3" for each in queued)


def test_a_few_traces_are_broken_in_four_ways(views: Views) -> None:
    traces: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for document in views.documents:
        traces[document["trace_id"]].append(document)
    found: Counter[str] = Counter()
    for documents in traces.values():
        ids = {each["id"] for each in documents}
        for document in documents:
            waiting = list(document.get("subsegments", ()))
            for each in waiting:
                ids.add(each["id"])
                waiting.extend(each.get("subsegments", ()))
        parents = [each.get("parent_id", "") for each in documents]
        found["in progress"] += any(each.get("in_progress", False) for each in documents)
        found["orphan"] += any(parent and parent not in ids for parent in parents)
        found["circle or no root"] += all(parents)
    assert found["in progress"] >= 1
    assert found["orphan"] >= 2
    assert found["circle or no root"] >= 2
    assert sum(found.values()) < 40


# --- what was planted ------------------------------------------------------------------------------


def window(kind: str) -> plants.Planted:
    [found] = [each for each in plants.planted(end_s=END_S) if each.kind == kind]
    return found


@given(st.integers(1_700_000_000, 1_900_000_000), st.integers(8, 28))
def test_incident_is_the_last_tuesday_that_is_well_over(end_s: int, days: int) -> None:
    w = plants.windows(end_s=end_s, days=days)
    begun, ended = (datetime.fromtimestamp(at_s, UTC) for at_s in (w.incident_s, w.incident_end_s))
    assert (begun.weekday(), begun.hour, begun.minute, begun.second) == (1, 14, 0, 0)
    assert (ended - begun).total_seconds() == 70 * 60
    assert 3 * 3600 <= end_s - w.incident_end_s < 7 * DAY_S + 3 * 3600


def test_incident_is_seen_in_errors_and_in_the_carriers_callers(views: Views) -> None:
    incident = window("incident")
    during = {"since_s": incident.start_s, "until_s": incident.end_s}
    assert 0.25 < share(values(views, "Errors", "shop-payments", **during)) < 0.5
    before = share(values(views, "Errors", "shop-payments", until_s=incident.start_s))
    # One order in 75 is refused three times: 3/75 of 77/75 invocations.
    assert before == pytest.approx(3 / 77, abs=0.012)
    usual = median(values(views, "Duration", "shop-shipping-label", until_s=incident.start_s))
    assert median(values(views, "Duration", "shop-shipping-label", **during)) > 5 * usual


def test_regression_is_sixty_milliseconds_in_the_query(views: Views) -> None:
    since_s = window("regression").start_s
    before = median(values(views, "Duration", "shop-stock-api", until_s=since_s))
    after = median(values(views, "Duration", "shop-stock-api", since_s=since_s))
    assert after - before == pytest.approx(60, abs=5)
    calls = [
        (each["start_time"], each["end_time"] - each["start_time"])
        for each in views.documents
        if each.get("aws", {}).get("operation") == "Query"
    ]
    assert len(calls) > 200
    slow = {at_s >= since_s for at_s, took_s in calls if took_s > 0.04}
    assert slow == {True}


def test_cold_share_rises(views: Views) -> None:
    since_ms = window("cold_starts").start_s * 1000
    cold = {
        late: share(
            [
                float(line.init_ms is not None)
                for line in views.lines["shop-orders-api"]
                if (line.at_ms >= since_ms) is late
            ]
        )
        for late in (False, True)
    }
    assert cold[False] < 0.02
    assert cold[True] > 0.15


def test_leak_grows_within_a_sandbox_only(views: Views) -> None:
    visits: defaultdict[str, list[int]] = defaultdict(list)
    for line in views.lines["shop-recommendations"]:
        visits[line.stream].append(line.used_mb)
    slopes = [(used[-1] - used[0]) / len(used) for used in visits.values() if 50 <= len(used) <= 300]
    assert median(slopes) == pytest.approx(0.83, abs=0.05)
    assert max(used[0] for used in visits.values()) < 60


@pytest.mark.parametrize(("kind", "sizes"), [("under_provisioned", (512, 256)), ("over_provisioned", (1024, 2048))])
def test_memory_was_changed(views: Views, kind: str, sizes: tuple[int, int]) -> None:
    changed = window(kind)
    for line in views.lines[changed.resource]:
        begun_s = (line.at_ms - line.duration_ms) / 1000
        if abs(begun_s - changed.start_s) > 5:
            assert line.size_mb == sizes[begun_s >= changed.start_s]


def test_duration_follows_memory_as_one_vcpu_at_1769_mb(views: Views) -> None:
    """shop-fraud-check only computes: half the memory, twice the time (0.5 ms of waiting aside)."""
    warm = {
        size: median(
            line.duration_ms
            for line in views.lines["shop-fraud-check"]
            if line.size_mb == size and line.init_ms is None
        )
        for size in (256, 512)
    }
    assert warm[256] / warm[512] == pytest.approx(2, rel=0.03)
    assert warm[256] == pytest.approx(0.5 + 60 * 1769 / 256, rel=0.03)


def test_over_provisioned_uses_a_twentieth_and_gains_nothing_by_more(views: Views) -> None:
    lines = views.lines["shop-shipping-quote"]
    assert max(line.used_mb for line in lines) < 2048 / 20
    warm = {size: median(line.duration_ms for line in lines if line.size_mb == size) for size in (1024, 2048)}
    assert 1 < warm[1024] / warm[2048] < 1.1


def test_mondays_price_list_is_killed_for_memory(views: Views) -> None:
    killed = [line for line in views.lines["shop-catalog-import"] if line.status == "error"]
    assert {datetime.fromtimestamp(line.at_ms / 1000, UTC).strftime("%a %H") for line in killed} == {"Mon 02"}
    assert len(killed) == 2 * 3  # two Mondays, three attempts
    assert len({line.request for line in killed}) == 2  # attempts share their request id
    assert all(line.used_mb == line.size_mb == 256 for line in killed)


def test_dead_letters_pile_up_where_nobody_looks(views: Views) -> None:
    since_s = window("dead_letters").start_s
    depth = "ApproximateNumberOfMessagesVisible"
    before = values(views, depth, "shop-receipts-dlq", until_s=since_s)
    after = values(views, depth, "shop-receipts-dlq", since_s=since_s)
    assert max(before) < 12
    assert after == sorted(after)
    assert after[-1] > 80
    oldest_s = values(views, "ApproximateAgeOfOldestMessage", "shop-receipts-dlq")[-1]
    assert oldest_s > 2.4 * DAY_S
    assert max(values(views, depth, "shop-payments-dlq")) < 30  # somebody looks at these every morning
    assert sum(values(views, "AsyncEventsDropped", "shop-receipts", since_s=since_s)) > 80


def test_days_and_weeks_have_their_seasons(views: Views) -> None:
    by_hour: Counter[int] = Counter()
    by_day: Counter[bool] = Counter()
    for at_ms in (line.at_ms for line in views.lines["shop-recommendations"]):
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
        by_hour[moment.hour] += 1
        by_day[moment.weekday() >= 5] += 1
    assert by_hour[15] > 4 * by_hour[3]
    assert 0.6 < (by_day[True] / 4) / (by_day[False] / 10) < 0.8  # 0.75 / 1.1


def test_everything_planted_is_named_with_a_window() -> None:
    found = plants.planted(end_s=END_S)
    assert len({(each.kind, each.resource) for each in found}) == len(found) == 9
    assert all(END_S - 14 * DAY_S <= each.start_s < each.end_s <= END_S for each in found)
