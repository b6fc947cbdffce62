"""Twins and CPU time as evidence. Expected values are arithmetic on t(m) = a + b / (min(m, 1769) / 1769)."""

import itertools
import json
import math
import random
import statistics
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import reports
from infra.aws import performance
from lookout import cli, rightsize
from monitors.errors import InputError
from monitors.records import Invocation
from monitors.rightsize.advise import memory_report
from monitors.rightsize.cputime import GROUP, CpuTime, cpu_times
from monitors.rightsize.curve import NOISE, THREAD_ARM, THREAD_X86, Cpu, Curve, choose, fit, tell
from monitors.rightsize.evidence import FunctionFacts, code_of, evidence, twins_by_code
from monitors.rightsize.prices import ARM, X86
from monitors.rightsize.report import Action, MemoryAdvice
from monitors.rightsize.usage import usage
from tests.insights import Event, Logs
from tests.test_reports import Fake, account, function, reported, session
from tests.test_rightsize import duration, invocations
from tests.test_rightsize_curves import CURVES_OF

WAIT_MS, CPU_MS = 40.0, 60.0
SIZES = (128, 256, 512, 1024, 1769, 3008)


def true_ms(memory_mb: int, factor: float = 1.0) -> float:
    return factor * duration(memory_mb, wait_ms=WAIT_MS, cpu_ms=CPU_MS)


def ran(name: str, memory_mb: int, *, factor: float = 1.0, count: int = 600, sandboxes: int = 30) -> list[Invocation]:
    """Invocations that take `factor` times what the function takes."""
    ms = true_ms(memory_mb, factor)
    return invocations(function=name, memory_mb=memory_mb, duration_ms=ms, count=count, sandboxes=sandboxes)


def advice(
    *found: list[Invocation],
    code: Mapping[str, str] | None = None,
    cpu: CpuTime | None = None,
    memory_mb: int = 1024,
    architecture: str = X86,
) -> MemoryAdvice:
    """For the function f; `code` of the others, f's own is x."""
    sizes = {"f": memory_mb}
    facts = {
        name: FunctionFacts(memory_mb=sizes.get(name, 512), architecture=architecture, code=of)
        for name, of in ({"f": "x"} | dict(code or {})).items()
    }
    report = memory_report(
        usage(one for some in found for one in some),
        functions=facts,
        region="us-east-1",
        cpu={("f", memory_mb): cpu} if cpu else None,
    )
    return next(one for one in report.advice if one.function == "f")


def p95_ms(of: MemoryAdvice, size: int) -> float:
    (point,) = (point for point in of.sizes if point.memory_mb == size)
    return point.p95_ms.expected


# --- twins -------------------------------------------------------------------------------------------

ENTRY = {
    "CodeSha256": "c",
    "Runtime": "python3.13",
    "Handler": "app.handler",
    "Architectures": ["arm64"],
    "Layers": [{"Arn": "arn:aws:lambda:eu-west-1:1:layer:a:1", "CodeSize": 1}],
    "ImageConfigResponse": {"ImageConfig": {"Command": ["app.handler"]}},
}


@pytest.mark.parametrize("field", ENTRY)
def test_twins_have_all_of_their_code_in_common(field: str) -> None:
    other: Any = {"Layers": [{"Arn": "b"}], "ImageConfigResponse": {"ImageConfig": {"Command": ["b"]}}}.get(field, "b")
    assert code_of(ENTRY) != code_of(ENTRY | {field: other})
    assert code_of(ENTRY) == code_of(ENTRY | {"FunctionName": "b", "MemorySize": 512, "Environment": {}})


def test_who_does_not_tell_its_code_has_no_twins() -> None:
    assert code_of({key: value for key, value in ENTRY.items() if key != "CodeSha256"}) == ""
    f = ran("f", 1024)
    other = ran("g", 1024) + ran("g", 512)
    facts = {name: FunctionFacts(memory_mb=1024) for name in "fg"}
    (alone,) = memory_report(usage(f), functions=facts, region="us-east-1").advice
    both = memory_report(usage(f + other), functions=facts, region="us-east-1").advice
    assert alone in both


@pytest.mark.parametrize("factor", [1.0, 0.3, 3.5])
@pytest.mark.parametrize("sizes", [(1024, 512), (256, 512), (1024, 256, 512)])
def test_a_twin_shows_the_shape_and_the_logs_the_level(sizes: tuple[int, ...], factor: float) -> None:
    """By a size that both were seen at, or by two sizes of the twin's own that tell waiting from computing."""
    told = advice(ran("f", 1024), *(ran("prod", size, factor=factor) for size in sizes), code={"prod": "x"})
    for size in (256, 384, 512, 1024):
        assert p95_ms(told, size) == pytest.approx(true_ms(size), rel=0.01)
    at = ", ".join(str(size) for size in sorted(sizes) if size != 1024)
    assert f"seen at 1024 MB, twin prod at {at} MB (times brought to the logs' level)" in told.reasons
    assert (told.confidence, told.kind) == ("B", "mixed")
    assert [point.memory_mb for point in told.sizes if point.observed] == [1024]


LEFT_OUT = {
    "another code": (ran("g", 1024) + ran("g", 512), {"g": "y"}),
    "no size in common": (ran("g", 512), {"g": "x"}),
    "two near sizes, none in common": (ran("g", 512) + ran("g", 600), {"g": "x"}),
    "too few warm invocations": (ran("g", 1024) + ran("g", 512, count=39, sandboxes=10), {"g": "x"}),
    "no other size": (ran("g", 1024), {"g": "x"}),
    "other work": (ran("g", 1024, factor=4.1) + ran("g", 512, factor=4.1), {"g": "x"}),
}


@pytest.mark.parametrize("why", LEFT_OUT)
def test_twins_that_tell_nothing_are_left_out(why: str) -> None:
    """With one size each and none in common, level and shape can't be told apart."""
    others, code = LEFT_OUT[why]
    assert advice(ran("f", 1024), others, code=code) == advice(ran("f", 1024))


def test_of_several_twins_the_busiest_tells_of_a_size() -> None:
    quiet = ran("dev", 1024, factor=0.5) + ran("dev", 512, factor=2.0) + ran("dev", 256, factor=0.5)
    busy = ran("prod", 1024, count=900) + ran("prod", 512, count=900)
    told = advice(ran("f", 1024), quiet, busy, code={"dev": "x", "prod": "x"})
    assert "seen at 1024 MB, twin prod at 512 MB, twin dev at 256 MB (times brought to the logs' level)" in told.reasons
    assert p95_ms(told, 512) == pytest.approx(true_ms(512), rel=0.03)


def test_sizes_of_its_own_stay_what_they_are() -> None:
    own = ran("f", 1024) + ran("f", 512)
    told = advice(own, ran("prod", 1024) + ran("prod", 512, factor=3.0), code={"prod": "x"})
    assert (told, told.confidence) == (advice(own), "A")


def test_a_thousand_copies_are_asked_no_more_than_few() -> None:
    """One of them has another size: the others hear of it, by the busiest of each kind."""
    alike = usage(ran("tenant-0", 1024))["tenant-0", 1024]
    used = {f"tenant-{n}": {1024: alike} for n in range(1000)} | {"odd": {512: alike, 1024: alike}}
    found = twins_by_code(used, {name: FunctionFacts(memory_mb=1024, code="x") for name in used})
    assert list(found["x"]) == ["odd", "tenant-0", "tenant-1"]


# --- CPU time ----------------------------------------------------------------------------------------


def measured(cpu_ms: float, ms: float, *, count: int = 1000, mean_ms: float = 0.0) -> CpuTime:
    return CpuTime(invocations=count, median_ms=ms, mean_ms=mean_ms or ms, cpu_ms=cpu_ms)


def test_cpu_time_tells_waiting_from_computing_at_one_size() -> None:
    told = advice(ran("f", 512), cpu=measured(CPU_MS, true_ms(512)), memory_mb=512)
    for size in (256, 512, 1024, 1769):
        assert p95_ms(told, size) == pytest.approx(true_ms(size), rel=0.01)
    assert (told.confidence, told.kind) == ("B", "mixed")
    assert "seen at 512 MB, 60 ms of CPU time by Lambda Insights" in told.reasons


def test_aws_s_own_example_computes_all_the_time() -> None:
    """6,690 ms at 256 of 1,769 MB are 46,229 ms of wall clock; it took 45,191 (CloudWatch User Guide, "Example
    telemetry event in CloudWatch Lambda Insights")."""
    facts = FunctionFacts(memory_mb=256, cpu={256: measured(6690, 45_191)})
    curve = evidence({}, facts, now_ms=45_191, used_mb=63, twins={}).curve()
    assert curve.wait_ms == 0
    assert curve.duration_ms(512)[1] == pytest.approx(45_191 / 2, rel=0.02)


def known_cpu(facts: FunctionFacts, now_ms: float) -> Cpu | None:
    return evidence({}, facts, now_ms=now_ms, used_mb=60, twins={}).cpu


def test_a_thread_on_arm64_computes_in_less_cpu_time_than_a_vcpu_of_memory_has() -> None:
    facts = FunctionFacts(memory_mb=1024, architecture=ARM, cpu={1024: measured(80, 400)})
    cpu = known_cpu(facts, 400)
    assert cpu
    assert cpu.cpu_ms == pytest.approx(80 * 1.25)


def test_the_current_size_counts_and_else_the_busiest() -> None:
    by_size = {256: measured(50, 500, count=31), 512: measured(70, 400), 1024: measured(90, 300, count=29)}
    for memory_mb, cpu_ms in ((256, 50), (512, 70), (1024, 70), (2048, 70)):
        cpu = known_cpu(FunctionFacts(memory_mb=memory_mb, cpu=by_size), 400)
        assert cpu
        assert cpu.cpu_ms == pytest.approx(cpu_ms)
    assert known_cpu(FunctionFacts(memory_mb=1024, cpu={1024: measured(90, 300, count=29)}), 300) is None


def test_a_long_tail_widens_what_cpu_time_tells() -> None:
    """The mean is four times the median: the usual invocation took the mean, 80 ms, or a quarter of it, 20 ms."""
    one, other = (
        known_cpu(FunctionFacts(memory_mb=1024, cpu={1024: measured(80, 200, mean_ms=mean)}), 200)
        for mean in (200, 800)
    )
    assert one
    assert other
    assert (one.cpu_ms, other.cpu_ms) == pytest.approx((80, 40))
    assert other.deviation_ms > 30 > one.deviation_ms


def test_cpu_time_of_short_invocations_tells_nothing() -> None:
    """It comes in steps of 10 ms, of which half a step is 69 ms at 128 MB."""
    short = invocations(memory_mb=128, duration_ms=20)
    cpu = measured(1.0, 20)
    assert advice(short, cpu=cpu, memory_mb=128) == advice(short, memory_mb=128)


def test_more_cpu_time_than_wall_clock_is_parallel_code() -> None:
    """At two vCPUs (3,538 MB) 190 ms in 100: 5 ms of waiting, and 190 / 2 of computing."""
    curve = fit([(3538, 100)], cpu=Cpu(190, 20))
    assert curve.vcpus == 2
    assert (curve.wait_ms, curve.cpu_ms) == pytest.approx((5, 190))
    assert curve.duration_ms(1769)[1] == pytest.approx(195)


def test_beyond_one_vcpu_the_interval_holds_a_thread_and_parallel_code() -> None:
    """90 ms in 100 at two vCPUs: one thread takes as long at one vCPU; code for both 100 - 45 + 90 = 145 ms."""
    low, expected, high = fit([(3538, 100)], cpu=Cpu(90, 20)).duration_ms(1769)
    assert low <= 100 <= expected <= 145 <= high
    assert expected == pytest.approx(100, rel=0.05)


def test_one_size_and_cpu_time_are_trusted_for_one_step_up_and_little_risk_down() -> None:
    starved = choose(fit([(256, 700)], cpu=Cpu(102, 24)), current_mb=256, floor_mb=128)
    assert (starved.action, starved.memory_mb) == (Action.RAISE, 512)
    waiter = fit([(2048, 1000)], cpu=Cpu(10, 5))
    lowered = choose(waiter, current_mb=2048, floor_mb=128)
    assert lowered.action is Action.LOWER
    assert waiter.duration_ms(lowered.memory_mb)[2] <= 1.5 * 1000
    # Code for six vCPUs would take 1000 + 900 * 1769 * (1 / m - 1 / 10240): 1466 ms at 2,560 MB, 1622 at 2,048.
    perhaps_parallel = fit([(10_240, 1000)], cpu=Cpu(900, 210))
    assert choose(perhaps_parallel, current_mb=10_240, floor_mb=128).memory_mb == 2560
    computes = fit([(1769, 1000)], cpu=Cpu(990, 230))
    assert choose(computes, current_mb=1769, floor_mb=128).action is Action.KEEP


@pytest.mark.parametrize("cpu", [Cpu(-1, 5), Cpu(5, 0), Cpu(math.nan, 5), Cpu(5, math.inf)])
def test_cpu_times_that_cannot_be_are_refused(cpu: Cpu) -> None:
    with pytest.raises(InputError):
        fit([(128, 5)], cpu=cpu)


pairs = st.tuples(st.integers(128, 10_240), st.floats(1, 900_000))
times = st.floats(0, 900_000)


@given(st.lists(pairs, min_size=1, max_size=4), st.lists(pairs, max_size=4), times, st.floats(1, 1e6))
def test_whatever_the_evidence_predictions_are_ordered_and_positive(
    points: list[tuple[int, float]], borrowed: list[tuple[int, float]], cpu_ms: float, deviation_ms: float
) -> None:
    curve = fit(points, borrowed=[(*pair, 0.18) for pair in borrowed], cpu=Cpu(cpu_ms, deviation_ms))
    for size in SIZES:
        low, expected, high = curve.duration_ms(size)
        assert 0 < low <= expected <= high < math.inf


# --- do the intervals hold? --------------------------------------------------------------------------

Function = Callable[[int, float], float]
"""(memory MB, how much more there is to compute) -> ms."""


def functions(chance: random.Random, count: int) -> Iterator[tuple[Function, float]]:
    """Functions that wait and compute in all proportions, and their CPU time. None is exactly what the model says: off
    by 10 % (standard deviation) from one doubling of memory to the next."""
    for _ in range(count):
        whole, share = chance.lognormvariate(math.log(200), 1.0), chance.betavariate(0.8, 0.5)
        off = {SIZES[0]: 0.0}
        for near, size in itertools.pairwise(SIZES):
            off[size] = off[near] + chance.gauss(0, 0.1)

        def takes(
            memory_mb: int, computing: float, whole: float = whole, share: float = share, off: Any = off
        ) -> float:
            ms = duration(memory_mb, wait_ms=whole * (1 - share), cpu_ms=whole * share * computing)
            return float(ms * math.exp(off[memory_mb]))

        yield takes, whole * share


def held(curve: Curve, takes: Function, but: int) -> Iterator[bool]:
    for size in SIZES:
        if size != but:
            low, _, high = curve.duration_ms(size)
            yield low <= takes(size, 1.0) <= high


@pytest.mark.parametrize("mixed", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("shared", [True, False])
def test_four_of_five_intervals_by_twins_hold_the_truth(*, shared: bool, mixed: float) -> None:
    """Twins' payloads differ by a lognormal factor as a whole, and by another in what there is to compute."""
    chance = random.Random(7)
    found: list[bool] = []
    for takes, _ in functions(chance, 1200):
        current, one, other = chance.sample([256, 512, 1024, 1769], 3)
        level, computing = chance.lognormvariate(0, 0.5), chance.lognormvariate(0, mixed)
        seen = chance.lognormvariate(0, NOISE) * takes(current, 1.0)
        twin = {
            size: chance.lognormvariate(0, NOISE) * level * takes(size, computing)
            for size in (current if shared else one, other)
        }
        known = evidence({}, FunctionFacts(memory_mb=current), now_ms=seen, used_mb=60, twins={"g": twin})
        if known.twins:
            found += held(known.curve(), takes, current)
    assert len(found) > 3000
    assert 0.75 <= statistics.fmean(found) <= 0.90


@pytest.mark.parametrize("extension", [0.0, 0.08])
def test_four_of_five_intervals_by_cpu_time_hold_the_truth(extension: float) -> None:
    """The middle half of the CPU times measured on Lambda was 0.93 to 1.27 of what computing all the time takes: a
    standard deviation of ln(1.27 / 0.93) / 1.349, about 1.09, with and without which it must hold."""
    chance = random.Random(7)
    found: list[bool] = []
    for takes, cpu_ms in functions(chance, 1200):
        current = chance.choice([256, 512, 1024, 1769])
        seen = chance.lognormvariate(0, NOISE) * takes(current, 1.0)
        told = chance.lognormvariate(extension, math.log(1.27 / 0.93) / 1.349) * cpu_ms + chance.uniform(0, 5)
        facts = FunctionFacts(memory_mb=current, cpu={current: measured(told, seen)})
        known = evidence({}, facts, now_ms=seen, used_mb=60, twins={})
        if known.cpu:
            found += held(known.curve(), takes, current)
    assert len(found) > 4000
    assert 0.75 <= statistics.fmean(found) <= 0.90


def test_last_month_s_function_is_a_twin_of_this_month_s() -> None:
    """The same benchmarks, deployed anew: from one size, and two of the twin's with one in common."""
    found: list[bool] = []
    for (name, architecture, run), own in CURVES_OF.items():
        thread = THREAD_ARM if architecture == ARM else THREAD_X86
        other = CURVES_OF.get((name, architecture, "november-2025" if run == "december-2025" else "december-2025"), {})
        for current in own.keys() & other.keys():
            for size in other.keys() - {current}:
                if not tell([current, size], vcpus=thread):
                    continue
                facts = FunctionFacts(memory_mb=current, architecture=architecture)
                twin = {one: 1.5 * other[one] for one in (current, size)}
                curve = evidence({}, facts, now_ms=own[current], used_mb=60, twins={"g": twin}).curve()
                for third in own.keys() - {current}:
                    low, _, high = curve.duration_ms(third)
                    found.append(low <= own[third] <= high)
    assert len(found) > 5000
    assert statistics.fmean(found) >= 0.75


def test_the_cpu_time_of_what_computes_is_the_same_at_every_size() -> None:
    """What a single thread takes at one vCPU is its CPU time, and foretells what it takes at 128 to 1,024 MB."""
    errors, found = [], []
    for (name, architecture, _), own in CURVES_OF.items():
        if architecture == ARM or not name.endswith("/cpu-intensive"):
            continue
        for current in own.keys() & {128, 256, 512, 1024}:
            facts = FunctionFacts(memory_mb=current, cpu={current: measured(own[1769], own[current])})
            curve = evidence({}, facts, now_ms=own[current], used_mb=60, twins={}).curve()
            assert curve.cpu_told
            for size in own.keys() - {current, 1769}:
                low, expected, high = curve.duration_ms(size)
                errors.append(abs(expected / own[size] - 1))
                found.append(low <= own[size] <= high)
    assert len(found) > 200
    assert statistics.median(errors) <= 0.1
    assert statistics.fmean(found) >= 0.75


# --- reading it --------------------------------------------------------------------------------------

START_S, END_S = 1_794_290_400.0, 1_795_500_000.0


def record(number: int, cpu_ms: float, **more: Any) -> Event:
    """A record of Lambda Insights, in the fields that matter (CloudWatch User Guide, "Example telemetry event in
    CloudWatch Lambda Insights")."""
    told = {
        "event_type": "performance",
        "function_name": "pay",
        "version": "$LATEST",
        "request_id": f"r{number}",
        "duration": 100 + number,
        "total_memory": 256,
        "cpu_total_time": cpu_ms,
    }
    return GROUP, "pay", round(1000 * (START_S + 60 * number)), json.dumps(told | more)


RECORDS = [
    record(0, 900, cold_start=True, init_duration=130),
    *(record(n, 10 * (n % 3)) for n in range(1, 10)),
    record(10, 700, timeout=True),
    record(11, 30, function_name="ship", total_memory=1024, cold_start=False),
    (GROUP, "x", round(1000 * START_S), "[INFO] no record"),
]


def insights_account(logs: Any, incoming: float) -> Any:
    def counted(asked: dict[str, Any]) -> Any:
        ((line,),) = (asked["MetricDataQueries"],)
        metric = line["MetricStat"]["Metric"]
        assert (metric["Namespace"], metric["MetricName"]) == ("AWS/Logs", "IncomingBytes")
        assert metric["Dimensions"] == [{"Name": "LogGroupName", "Value": "/aws/lambda-insights"}]
        points = [datetime.fromtimestamp(START_S // 86_400 * 86_400, UTC)] if incoming else []
        return [{"MetricDataResults": [{"Id": line["Id"], "Timestamps": points, "Values": [incoming] * len(points)}]}]

    return session(logs=logs, cloudwatch=Fake("cloudwatch", get_metric_data=counted))


def read(logs: Any, *, incoming: float = 1e6) -> tuple[performance.CpuTimes, list[str]]:
    said: list[str] = []
    found = performance.read(
        insights_account(logs, incoming), start_s=START_S, end_s=END_S, say=said.append, sleep=lambda _: None
    )
    return found, said


def test_the_records_are_added_up_without_cold_starts_and_timeouts() -> None:
    """Nine of 101 to 109 ms, whose CPU times are 0, 10 and 20 ms three times each."""
    found, _ = read(Logs(RECORDS))
    assert found == (
        {("pay", 256): CpuTime(9, 105.0, 105.0, 10.0), ("ship", 1024): CpuTime(1, 111.0, 111.0, 30.0)},
        (),
    )


def test_its_cost_is_said() -> None:
    """2.4 GB, rounded up, at USD 0.005."""
    assert read(Logs(RECORDS), incoming=2.4e9)[1] == [
        "Logs Insights is asked about 2.4 GB of Lambda Insights' records: up to USD 0.01 at the price of us-east-1."
    ]


def test_nothing_is_asked_where_there_is_no_record() -> None:
    logs = Logs([])
    assert read(logs, incoming=0) == (({}, ()), [])
    assert logs.asked == []


def test_what_aws_refuses_is_told_and_costs_no_more() -> None:
    found, _ = read(Logs([]))  # bytes came in, and the log group is gone since
    assert found.by_key == {}
    (note,) = found.notes
    assert note.startswith("CPU time not read: logs:StartQuery of /aws/lambda-insights")


def test_rows_without_a_cpu_time_are_no_evidence() -> None:
    assert cpu_times([{"function_name": "pay", "total_memory": "256", "invocations": "3"}]) == {}


def test_the_account_s_report_knows_twins_and_cpu_times() -> None:
    """Both take 50 ms at 256 MB; the twin of `pay` that has 512 MB took it as well."""
    wide = [reported(n, at_s=END_S - 9 * 86_400 + n * 3600) for n in range(100)]
    at_512 = [one | {"message": one["message"].replace("Memory Size: 256", "Memory Size: 512")} for one in wide]
    named = {name: function(name, CodeSha256="c", Handler="app.handler") for name in ("pay", "pay-dev")}
    own, _ = account({"/aws/lambda/pay": wide, "/aws/lambda/pay-dev": wide + at_512}, named["pay"], named["pay-dev"])
    asked: list[Mapping[str, Any]] = []

    def times(_session: Any, **window: Any) -> performance.CpuTimes:
        asked.append(window)
        return performance.CpuTimes({("pay", 256): measured(0.0, 500)}, ("CPU time not read: no",))

    found = reports.memory(own, end_s=END_S, days=14, cpu_times=times)
    (pay,) = (one for one in found.advice if one.function == "pay")
    assert any("twin pay-dev at 512 MB" in reason for reason in pay.reasons)
    assert found.notes[-1] == "CPU time not read: no"
    assert (asked[0]["start_s"], asked[0]["end_s"]) == (END_S - 14 * 86_400, END_S)


@pytest.mark.parametrize(("engine", "reads"), [("logs", False), ("insights", True), ("athena", False)])
def test_cpu_times_are_read_where_logs_insights_is(
    engine: str, monkeypatch: pytest.MonkeyPatch, *, reads: bool
) -> None:
    """The engine `logs` is free, and `athena` asks the archive."""
    found: dict[str, Any] = {}

    def memory(_session: Any, **asked: Any) -> Any:
        found.update(asked)
        return memory_report({}, functions={}, region="eu-west-1")

    monkeypatch.setattr(rightsize, "session", lambda: None)
    monkeypatch.setattr(reports, "memory", memory)
    monkeypatch.setattr(performance, "read", lambda: "read")
    cli.main(["rightsize", "--engine", engine, "--json"])
    assert bool(found["cpu_times"]) is reads
    assert not reads or found["cpu_times"]() == "read"
