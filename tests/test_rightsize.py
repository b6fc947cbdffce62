"""The memory model and its advice. Expected values are arithmetic on t(m) = a + b / (min(m, 1769) / 1769)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.errors import InputError
from monitors.records import Invocation
from monitors.rightsize.advise import FunctionFacts, memory_report
from monitors.rightsize.curve import choose, fit
from monitors.rightsize.need import Need, need
from monitors.rightsize.prices import price
from monitors.rightsize.report import Action
from monitors.rightsize.usage import usage

DAY_MS = 86_400_000


def duration(memory_mb: int, *, wait_ms: float, cpu_ms: float) -> float:
    return wait_ms + cpu_ms / (min(memory_mb, 1769) / 1769)


def invocations(
    *,
    function: str = "f",
    memory_mb: int = 1024,
    used_mb: int = 100,
    duration_ms: float = 100.0,
    count: int = 600,
    sandboxes: int = 30,
    first_day: float = 0.0,
    days: float = 10.0,
    growth_mb: float = 0.0,
    error_type: str = "",
) -> list[Invocation]:
    """Invocations spread evenly over sandboxes and days; the first in each sandbox is a cold start."""
    return [
        Invocation(
            function=function,
            log_stream=f"2026/11/01/[$LATEST]{memory_mb}-{n % sandboxes}",
            request_id=f"{function}-{memory_mb}-{n}",
            timestamp_ms=int((first_day + days * n / count) * DAY_MS),
            duration_ms=duration_ms,
            billed_ms=math.ceil(duration_ms + (200 if n < sandboxes else 0)),
            memory_mb=memory_mb,
            used_mb=int(used_mb + growth_mb * (n // sandboxes)),
            init_ms=200.0 if n < sandboxes else None,
            error_type=error_type,
        )
        for n in range(count)
    ]


def needed(found: list[Invocation]) -> Need:
    """Of one function at one size."""
    ((_, memory_mb), use), *others = usage(found).items()
    assert not others
    return need(use, memory_mb=memory_mb)


def advice(*found: Invocation, memory_mb: int = 1024, timeout_ms: int = 900_000):  # type: ignore[no-untyped-def]
    facts = {"f": FunctionFacts(memory_mb=memory_mb, timeout_ms=timeout_ms)}
    (one,) = memory_report(usage(found), functions=facts, region="us-east-1").advice
    return one


# --- the curve -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("wait_ms", "cpu_ms"), [(0, 300), (120, 0), (80, 250)])
def test_two_sizes_tell_waiting_from_computing(wait_ms: float, cpu_ms: float) -> None:
    curve = fit((m, duration(m, wait_ms=wait_ms, cpu_ms=cpu_ms)) for m in (256, 1024))
    assert curve.wait_ms == pytest.approx(wait_ms, abs=1e-6)
    assert curve.cpu_ms == pytest.approx(cpu_ms, abs=1e-6)
    low, expected, high = curve.duration_ms(512)
    assert expected == pytest.approx(duration(512, wait_ms=wait_ms, cpu_ms=cpu_ms))
    assert low < expected < high


def test_beyond_one_vcpu_nothing_gets_faster() -> None:
    curve = fit([(1024, 200), (1769, 120)])
    assert curve.duration_ms(3008)[1] == pytest.approx(curve.duration_ms(1769)[1])


def test_one_size_gives_a_wide_interval_that_holds_both_extremes() -> None:
    """Halving the memory of a pure waiter changes nothing; a pure computer takes twice as long."""
    low, expected, high = fit([(1024, 100)]).duration_ms(512)
    assert low <= 100
    assert high >= 200
    assert low < expected < high


@pytest.mark.parametrize("points", [[], [(0, 5)], [(128, 0)], [(128, math.nan)], [(-1, 5)]])
def test_points_that_cannot_be_are_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(InputError):
        fit(points)


sizes = st.integers(128, 10_240)
durations = st.floats(1, 1e6)


@given(st.lists(st.tuples(sizes, durations), min_size=1, max_size=6), sizes)
def test_predictions_are_ordered_and_positive(points: list[tuple[int, float]], size: int) -> None:
    low, expected, high = fit(points).duration_ms(size)
    assert 0 < low <= expected <= high < math.inf


@given(st.lists(st.tuples(sizes, durations), min_size=1, max_size=6), sizes, sizes)
def test_no_choice_is_below_the_floor(points: list[tuple[int, float]], current: int, floor: int) -> None:
    assert choose(fit(points), current_mb=current, floor_mb=floor).memory_mb >= min(floor, 10_240)


def test_a_waiter_goes_to_the_floor() -> None:
    chosen = choose(fit([(1024, 100), (2048, 100)]), current_mb=2048, floor_mb=200)
    assert (chosen.memory_mb, chosen.action) == (256, Action.LOWER)
    assert chosen.cost_ratio.expected == pytest.approx(256 / 2048)


def test_a_computer_stays_fast() -> None:
    """At 512 MB it would take twice as long for the same money."""
    points = [(m, duration(m, wait_ms=0, cpu_ms=500)) for m in (512, 1024)]
    assert choose(fit(points), current_mb=1769, floor_mb=128).action is Action.KEEP


def test_a_starved_computer_gets_more_where_it_is_free() -> None:
    points = [(m, duration(m, wait_ms=0, cpu_ms=500)) for m in (256, 512)]
    chosen = choose(fit(points), current_mb=256, floor_mb=128)
    assert (chosen.action, chosen.memory_mb) == (Action.RAISE, 1769)
    assert chosen.cost_ratio.expected == pytest.approx(1.0)


def test_without_two_sizes_it_is_one_step_at_most() -> None:
    assert choose(fit([(8192, 100)]), current_mb=8192, floor_mb=128).memory_mb >= 4096


# --- the need ------------------------------------------------------------------------------------


def test_the_floor_is_the_highest_use_with_headroom() -> None:
    """200 MB in 100 sandboxes: 200 * (1 + 0.5 / 10) / 0.75 = 280."""
    found = needed(invocations(used_mb=200, sandboxes=100))
    assert (found.used_mb, found.floor_mb, found.sandboxes, found.clipped) == (200, 280, 100, False)


def test_readings_below_ten_mb_are_no_readings() -> None:
    assert needed(invocations(used_mb=4)).sandboxes == 0


def test_use_at_the_size_means_more_is_needed() -> None:
    assert needed(invocations(used_mb=1024)).floor_mb >= 1.5 * 1024
    assert needed(invocations(used_mb=300, error_type="Runtime.OutOfMemory")).clipped


def test_a_leak_grows_to_the_end_and_a_warm_up_does_not() -> None:
    assert needed(invocations(used_mb=100, growth_mb=5, sandboxes=10, count=400)).leaking
    assert not needed(invocations(used_mb=100, growth_mb=0)).leaking


# --- the advice ----------------------------------------------------------------------------------


def test_an_over_provisioned_waiter_is_lowered_and_priced() -> None:
    before = invocations(memory_mb=1024, used_mb=60, first_day=0, days=4, count=600)
    after = invocations(memory_mb=2048, used_mb=60, first_day=4, days=10, count=600)
    found = advice(*before, *after, memory_mb=2048)
    assert (found.action, found.advised_mb, found.kind, found.confidence) == (Action.LOWER, 128, "IO", "A")
    # 600 invocations in just under ten days; 30 of them pay 200 ms of init.
    per_invocation = 2 * (100 + 200 * 30 / 600) / 1000 * 0.0000166667 + 0.2e-6
    assert found.now_usd_month == pytest.approx(per_invocation * 600 / 10 * 30, rel=0.01)
    assert found.then_usd_month.expected < found.now_usd_month / 8


def test_little_data_is_an_answer() -> None:
    found = advice(*invocations(count=40, sandboxes=5, days=2))
    assert (found.action, found.advised_mb) == (Action.UNKNOWN, 1024)
    assert found.reasons[0] == (
        "not enough data: it takes 50 invocations, 20 sandboxes and 7 days; there are 40, 5 and 1.9"
    )


def test_what_no_line_tells_is_no_day() -> None:
    found = advice(*(one._replace(timestamp_ms=0) for one in invocations(count=1200, sandboxes=1, days=2)))
    assert found.reasons[0].endswith("there are 1,200, 1 and an unknown number, as no line says its time")
    assert found.reasons[1].startswith("uses at most 100 MB in 1 sandbox: safe from")


def test_a_leak_is_not_answered_with_less_memory() -> None:
    before = invocations(memory_mb=512, used_mb=60, days=4)
    leaking = invocations(used_mb=60, growth_mb=3, sandboxes=20, count=800, first_day=4)
    found = advice(*before, *leaking)
    assert "leak" in found.flags
    assert found.action is not Action.LOWER


def test_a_timeout_near_by_forbids_less() -> None:
    """Twice the 500 ms would come too close to a timeout of 1.1 s, and so does the 500 ms itself at 0.8 of 0.6 s."""
    found = advice(*invocations(duration_ms=500), timeout_ms=600)
    assert found.advised_mb >= 1024


def test_nothing_read_is_an_empty_report() -> None:
    report = memory_report({}, functions={}, region="us-east-1")
    assert (report.invocations, report.advice) == (0, ())


def test_prices() -> None:
    """AWS price list: us-east-1 and eu-west-1 agree; Cape Town is dearer."""
    assert price("eu-west-1", "x86_64").gb_second == 0.0000166667
    assert price("eu-west-1", "arm64").gb_second == 0.0000133334
    assert price("af-south-1", "arm64").gb_second == 0.00001768


def test_use_within_the_headroom_is_no_reason_for_more() -> None:
    """92 of 128 MB is 72 %; 92 * (1 + 0.5 / sqrt(30)) / 0.75 would be 134."""
    assert needed(invocations(memory_mb=128, used_mb=92)).floor_mb == 128
    assert needed(invocations(memory_mb=128, used_mb=100)).floor_mb > 128
