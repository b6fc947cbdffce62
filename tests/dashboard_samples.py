"""A made-up fleet's findings for the page tests: every kind of row, and names that mean harm."""

import math
from dataclasses import replace

from dashboards.charts import lines
from dashboards.summary import (
    AlarmRow,
    CostRow,
    Coverage,
    FunctionRow,
    Link,
    Notice,
    Planted,
    Step,
    Summary,
)
from monitors.evaluate import Episode
from monitors.model import Series, State
from monitors.rightsize.report import (
    Action,
    Followed,
    FollowUp,
    Held,
    Interval,
    MemoryAdvice,
    MemoryReport,
    OnArm64,
    Outcome,
    SizePoint,
    UsedBin,
)
from monitors.traces.report import (
    Change,
    ColdStarts,
    EdgeLatency,
    FunctionLatency,
    LatencyReport,
    PhaseTime,
    Quantiles,
)

NOW = 1_795_500_000
"""2026-11-24 06:00 UTC, a whole number of 5-minute periods."""
DAY = 86_400
HOSTILE = "</script><script>alert(1)</script>\u202egnp.exe\u2028\"'&"

NAMES = (
    *("shop-checkout", "shop-payment", "shop-orders", "shop-inventory", "shop-search", "shop-images"),
    *("shop-mailer", "shop-reports", "shop-webhooks", "shop-stream", "ops-cleanup", "ops-export"),
    *("auth-login", "auth-token"),
)


def wave(label: str, *, base: float, swing: float, days: float = 1, period_s: int = 300, bump: float = 0) -> Series:
    """A day's rhythm with some grain, a gap at night, and a bump of trouble near the end."""
    slots = int(days * DAY / period_s)
    start = NOW - slots * period_s
    values: list[float | None] = []
    for i in range(slots):
        part = i / slots
        grain = math.sin(i * 12.9898) * 43758.5453 % 1 - 0.5
        value = base + swing * math.sin(math.tau * (part * days - 0.3)) + swing * 0.25 * grain
        value += bump if 0.86 < part < 0.93 else 0
        values.append(None if 0.2 < part < 0.22 else round(max(0.0, value), 2))
    return Series(label=label, period_s=period_s, start=start, values=tuple(values))


def summary() -> Summary:
    """The front page of a demo run: one alarm on, one planted fault missed."""
    burst = Episode(start=NOW - 12_000, end=NOW - 5_400, ended=State.OK)
    functions = tuple(
        FunctionRow(
            function=name,
            facts=f"python3.13, {(128, 256, 512, 1024)[n % 4]} MB, timeout {(3, 30, 60)[n % 3]} s"
            + (", reads shop-orders-queue" if n % 4 == 2 else ""),
            alarms=4 + n % 4,
            state=State.ALARM if n == 1 else State.INSUFFICIENT_DATA if n == 11 else State.OK,
            errors=(0, 37, 0, 2)[n % 4],
            p95_ms=None if n == 11 else 42.0 * (n + 1) ** 1.3,
            memory_used=None if n == 11 else 0.31 + 0.048 * n,
            link=f"latency.html#f-{n + 1}",
        )
        for n, name in enumerate(NAMES)
    )
    rules = (
        ("lambda.errors", "Error rate", "above 5 % of invocations failed, 2 of 3 periods of 5 min"),
        ("lambda.duration", "Duration", "above 2,400 ms, 5 of 5 min"),
        ("lambda.throttles", "Throttles", "above 0 a minute, 5 of 5 min"),
        ("lambda.traffic", "Invocations", "below 12 or above 900 in 5 min, 3 of 3 periods"),
    )
    alarms = tuple(
        AlarmRow(
            name=f"lookout/{rule}/{name}",
            rule=rule,
            resource=name,
            title=title,
            meaning="The function fails for a good part of what it is asked." if rule == "lambda.errors" else "",
            state=State.ALARM if (name, rule) == ("shop-payment", "lambda.errors") else State.OK,
            since_s=NOW - 1_500 if name == "shop-payment" else NOW - 5 * DAY,
            level=level,
            reason="Error rate 38.5 % against 5 %: 37 of 96 invocations failed since 05:35, all with "
            "PaymentGatewayTimeout; they began one minute after the deployment of version 12."
            if (name, rule) == ("shop-payment", "lambda.errors")
            else "Within its levels.",
        )
        for name in NAMES
        for rule, title, level in rules
    )
    return Summary(
        title="Demo: two weeks of a shop's fleet of 14 functions",
        generated_s=NOW,
        steps=(
            Step(name="Start the embedded account", seconds=1.4, outcome="ready on 127.0.0.1:4566"),
            Step(name="Deploy the sample fleet", seconds=3.1, outcome="14 functions, 3 queues, 2 tables, 1 stream"),
            Step(
                name="Write two weeks of history",
                seconds=8.7,
                outcome="1.2 million log lines, 4,032 datapoints a metric",
            ),
            Step(name="Plan and apply", seconds=2.2, outcome="74 alarms in 1 stack"),
        ),
        functions=functions,
        alarms=alarms,
        notices=(
            Notice(
                channel="page",
                subject="ALARM shop-payment: error rate 38.5 %",
                body="shop-payment fails for 38.5 % of its invocations since 05:35 UTC (level 5 %).\n\n"
                "Most frequent: PaymentGatewayTimeout (37)\nLast deployment: version 12, 05:34 UTC\n\n"
                "  [ERROR] PaymentGatewayTimeout: no answer from gateway after 3.0 s",
                at_s=NOW - 1_440,
            ),
            Notice(
                channel="ticket", subject="OK ops-export: duration back to normal", body="p95 840 ms.", at_s=NOW - 900
            ),
        ),
        planted=(
            Planted(
                fault="Payment gateway times out from 05:35",
                found="lookout/lambda.errors/shop-payment",
                verdict="found after 4 min",
            ),
            Planted(
                fault="shop-images needs 900 MB of its 512", found="memory report: raise to 1,024 MB", verdict="found"
            ),
            Planted(fault="shop-search's table slows by half", found="latency report: DynamoDB Query", verdict="found"),
            Planted(fault="ops-cleanup stops being called", found="", verdict="missed: no low level learned yet"),
        ),
        costs=(
            CostRow(what="Alarms", quantity="74 alarms, 96 metrics", usd_month=8.6),
            CostRow(what="Composite alarms", quantity="3", usd_month=1.5),
            CostRow(what="Dashboards", quantity="5, of which 3 free", usd_month=6.0),
        ),
        coverage=Coverage(
            functions=14,
            functions_covered=14,
            resources=23,
            resources_covered=21,
            stated=2,
            incomplete=("Region eu-north-1: not authorized to call lambda:ListFunctions",),
        ),
        thin=(
            "The embedded account does not slow a function down for having less memory; those durations are modelled.",
            "No CodeDeploy traffic shifting: deployments are all at once.",
        ),
        charts=(
            lines(
                "shop-payment: error rate",
                [wave("Error rate", base=1.2, swing=0.9, bump=34)],
                axis="Failed invocations (%)",
                signal="errors",
                levels={"above 5 %": 5.0},
                episodes=[burst],
            ),
            lines(
                "shop-search: duration",
                [wave(q, base=b, swing=b / 3, bump=b / 2) for q, b in (("p50", 90), ("p95", 240), ("p99", 410))],
                axis="Duration (ms)",
                signal="latency",
                levels={"above 2,400 ms": 2400.0},
            ),
            lines(
                "All functions: invocations",
                [wave("Invocations", base=4200, swing=2600, days=14, period_s=3600)],
                axis="Invocations an hour",
                signal="traffic",
            ),
            lines(
                "shop-stream: iterator age",
                [Series(label="age", period_s=300, start=NOW - DAY, values=(None,) * 288)],
                axis="Iterator age (ms)",
                signal="latency",
            ),
        ),
        links=(
            Link(words="Overview", address="index.html"),
            Link(words="Latency", address="latency.html"),
            Link(words="Memory", address="memory.html"),
            Link(words="Fleet dashboard", address="fleet.html"),
        ),
    )


def _phase(phase: str, target: str, middle_ms: float, p95_ms: float, tail_ms: float) -> PhaseTime:
    return PhaseTime(
        phase=phase,
        target=target,
        middle_ms=middle_ms,
        p95_ms=p95_ms,
        p99_ms=tail_ms,
        tail_ms=tail_ms,
        worst_ms=2 * tail_ms,
        worst_trace="1-67436a55-ffeeddccbbaa998877665544",
    )


def latency() -> LatencyReport:
    """14 functions, of which one got slower and one faster."""
    functions = tuple(
        FunctionLatency(
            function=name,
            traces=900 + 130 * n,
            requests=18_000.0 + 2_600 * n,
            response=Quantiles(p50_ms=18.0 + 14 * n, p95_ms=70.0 + 55 * n, p99_ms=180.0 + 160 * n),
            cold_share=0.004 + 0.002 * (n % 5),
            tail_cold_share=0.11 + 0.05 * (n % 5),
            fault_share=0.0 if n % 3 else 0.013,
            phases=(
                _phase("gateway", "", 4, 4, 6),
                _phase("dispatch", "", 2, 3, 9),
                _phase("container_start", "", 0, 0, 38),
                _phase("runtime_start", "", 0, 0, 61),
                _phase("handler", "", 6 + n, 9 + n, 14 + 2 * n),
                _phase("dependency", "DynamoDB Query shop-orders", 8 + 9 * n, 20 + 30 * n, 30 + 60 * n),
                _phase("dependency", "HTTPS gateway.example.com", 3, 4, 22),
                _phase("overhead", "", 1, 1, 2),
            ),
            exemplars=(
                ("p50", "1-67435f10-0a1b2c3d4e5f60718293a4b5"),
                ("worst", "1-67436a55-ffeeddccbbaa998877665544"),
            ),
            cold=ColdStarts(
                requests=(0.004 + 0.002 * (n % 5)) * (18_000 + 2_600 * n),
                container_ms=180.0 + 9 * n,
                runtime_ms=0.0 if n == 3 else 420.0 - 20 * n,
                restore_ms=350.0 if n == 3 else 0.0,
                response=Quantiles(p50_ms=700.0 + 14 * n, p95_ms=1100.0, p99_ms=1400.0),
                warm=Quantiles(p50_ms=18.0 + 14 * n, p95_ms=60.0 + 55 * n, p99_ms=130.0 + 160 * n),
            ),
        )
        for n, name in enumerate(NAMES)
    )
    return LatencyReport(
        start=NOW - 7 * DAY,
        end=NOW,
        traces_read=31_200,
        traces_used=30_874,
        compared=len(functions),
        functions=functions,
        edges=tuple(
            EdgeLatency(
                caller=caller,
                callee=callee,
                operation=operation,
                calls=calls,
                response=Quantiles(p50_ms=p50, p95_ms=p50 * 4, p99_ms=p50 * 9),
                fault_share=fault,
            )
            for caller, callee, operation, calls, p50, fault in (
                ("shop-checkout", "shop-payment", "Invoke", 81_200, 96.0, 0.021),
                ("shop-search", "DynamoDB shop-orders", "Query", 240_800, 7.2, 0.0),
                ("shop-payment", "gateway.example.com", "POST", 80_900, 84.0, 0.018),
            )
        ),
        changes=(
            Change(
                function="shop-search",
                measure="p95_ms",
                before=208.0,
                after=341.0,
                low=96.0,
                high=168.0,
                blamed="DynamoDB Query shop-orders",
            ),
            Change(
                function="auth-login",
                measure="p50_ms",
                before=64.0,
                after=48.0,
                low=-19.0,
                high=-12.0,
                blamed="own code",
            ),
            Change(
                function="shop-images", measure="cold_share", before=0.004, after=0.019, low=0.011, high=0.02, blamed=""
            ),
            Change(function="ops-export", measure="p95_ms", before=700.0, after=712.0, low=-40.0, high=66.0, blamed=""),
        ),
        ledger=(("subsegment longer than its segment, cut", 41), ("segment without an end, closed", 12)),
        notes=(
            "Quantiles are weighted by each trace's sampling rate.",
            "Intervals come from resampling whole days; of 112 comparisons at most 5 % are expected to be false.",
        ),
    )


def advice(function: str, *, action: Action, memory_mb: int, advised_mb: int, scale: float = 1.0) -> MemoryAdvice:
    """Advice with a plain curve: p95 = 60 + 240 MB-share, cost by GB-seconds of it."""

    def p95(mb: int) -> float:
        return 60 + 240 * 512 / mb

    def cost(mb: int) -> float:
        return scale * p95(mb) * mb / 512 / 40

    def about(value: float, wide: float) -> Interval:
        return Interval(value * (1 - wide), value, value * (1 + wide))

    return MemoryAdvice(
        function=function,
        memory_mb=memory_mb,
        advised_mb=advised_mb,
        action=action,
        kind="mixed",
        confidence="B",
        architecture="arm64",
        invocations=184_000,
        sandboxes=212,
        days=14.0,
        used_mb=int(memory_mb * (0.97 if action is Action.RAISE else 0.34)),
        floor_mb=128,
        clipped=action is Action.RAISE,
        p50_ms=p95(memory_mb) / 2,
        p95_ms=p95(memory_mb),
        p99_ms=p95(memory_mb) * 1.9,
        cold_share=0.006,
        init_ms=412.0,
        now_usd_month=cost(memory_mb),
        then_usd_month=about(cost(advised_mb), 0.12),
        then_p95_ms=about(p95(advised_mb), 0.18),
        reasons=(
            "It reached its memory size in 9 of 212 sandboxes, and the slowest 1 % took 13 times the median"
            if action is Action.RAISE
            else "No sandbox ever used more than 34 % of its memory",
            "Its duration hardly changed when its memory was changed on 12 November",
        ),
        flags=("clipped",) if action is Action.RAISE else (),
        sizes=tuple(
            SizePoint(
                memory_mb=mb,
                p95_ms=about(p95(mb), 0.04 if mb == memory_mb else 0.18),
                cost_usd_month=about(cost(mb), 0.02 if mb == memory_mb else 0.12),
                observed=mb in (memory_mb, 512),
            )
            for mb in (128, 256, 512, 1024, 1769, 3008)
        ),
        used=tuple(UsedBin(over_mb=16 * n, to_mb=16 * n + 16, sandboxes=n) for n in (4, 5, 7)),
    )


def followed() -> FollowUp:
    """Of five functions' advice two were applied: one did as predicted, of the other p95 is higher."""

    def one(function: str, outcome: Outcome, now_mb: int | None, p95_ms: float = 0.0) -> Followed:
        kept = Held(predicted=Interval(100, 120, 140), measured=p95_ms, inside=100 <= p95_ms <= 140) if p95_ms else None
        cost = Held(predicted=Interval(2, 3, 4), measured=3.5, inside=True) if p95_ms else None
        return Followed(
            function=function,
            action=Action.LOWER,
            was_mb=1024,
            advised_mb=512,
            now_mb=now_mb,
            outcome=outcome,
            p95_ms=kept,
            usd_month=cost,
        )

    advice = (
        one("shop-payment", Outcome.APPLIED, 512, 130),
        one("shop-orders", Outcome.APPLIED, 512, 150),
        one("shop-mailer", Outcome.PARTLY, 768),
        one("shop-inventory", Outcome.NOT, 1024),
        one("shop-gone", Outcome.GONE, None),
    )
    return FollowUp(start=NOW - 21 * DAY, end=NOW - 7 * DAY, advice=advice)


def memory() -> MemoryReport:
    """One to raise, four to lower, the rest to keep or unknown; one on x86_64."""
    rows = [advice("shop-images", action=Action.RAISE, memory_mb=512, advised_mb=1024)]
    for name, scale in (("shop-reports", 3.1), ("shop-search", 1.8), ("auth-login", 0.9), ("ops-export", 0.2)):
        rows.append(advice(name, action=Action.LOWER, memory_mb=3008, advised_mb=1769, scale=scale))
    kept = [
        advice(name, action=Action.KEEP, memory_mb=256, advised_mb=256, scale=0.4)
        for name in NAMES[:7]
        if name not in ("shop-images", "shop-search")
    ]
    unknown = replace(
        advice("ops-cleanup", action=Action.UNKNOWN, memory_mb=128, advised_mb=128),
        flags=("few_data",),
        sizes=(),
        init_ms=None,
    )
    arm64 = OnArm64(p95_ms=Interval(400, 490, 600), usd_month=Interval(1.8, 2.2, 2.7))
    return MemoryReport(
        start=NOW - 14 * DAY,
        end=NOW,
        invocations=1_840_000,
        advice=(*rows, replace(kept[0], architecture="x86_64", arm64=arm64), *kept[1:], unknown),
        prices_date="2026-11-20",
        region="eu-central-1",
        notes=("Max Memory Used is a high-water mark of the sandbox, so the sandbox is the unit counted.",),
    )
