"""A week of requests kept as a small file, and thirteen of them as a trend."""

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as replaced

from monitors.errors import InputError
from monitors.traces.history import PHASES, Week, file_name, from_text, recent, to_text, week
from monitors.traces.labels import HANDLER, RUNTIME_START, Label
from monitors.traces.requests import Request
from monitors.traces.sketch import sketch
from monitors.traces.trends import Move, Trends, trends
from tests.trace_columns import columns_of

WEEK_S = 604_800
NOW = 1_795_500_000  # 2026-11-24 06:00 UTC
QUERY = Label("dependency", "DynamoDB Query orders")


def request(
    ms: float,
    *,
    function: str = "shop",
    cold: bool = False,
    failed: bool = False,
    query_ms: float = 0,
    weight: float = 1.0,
) -> Request:
    phases = ((HANDLER, round((ms - query_ms) * 1000)), (QUERY, round(query_ms * 1000)))
    return Request(function, "t", NOW * 1_000_000, round(ms * 1000), cold, failed, phases, weight)


def kept(*requests: Request, ago: float = 0, made_s: float = NOW) -> Week:
    """The week that ended so many weeks before now."""
    by_function: dict[str, list[Request]] = {}
    for one in sorted(requests, key=lambda one: one.duration):
        by_function.setdefault(one.function, []).append(one)
    end_s = NOW - ago * WEEK_S
    return week(
        {name: columns_of(found) for name, found in by_function.items()},
        start_s=end_s - WEEK_S,
        end_s=end_s,
        made_s=made_s,
    )


# --- a week and its file -----------------------------------------------------------------------------


def test_a_week_of_four_requests() -> None:
    """Weights 1, 1, 2, 4: of 8 requests one is cold, four failed; (10 + 20 + 2 x 30 + 4 x 40) / 8 = 31.25 ms."""
    found = kept(
        request(10, cold=True), request(20, query_ms=8), request(30, weight=2), request(40, failed=True, weight=4)
    )
    shop = found.functions["shop"]
    assert (shop.recorded, shop.response_us.weight) == (4, 8)
    assert (shop.cold_share, shop.fault_share) == (1 / 8, 4 / 8)
    assert shop.phases_us == pytest.approx({HANDLER: 30_250, QUERY: 1_000})
    assert shop.response_us == sketch([(10_000, 1), (20_000, 1), (30_000, 2), (40_000, 4)])
    assert (found.start_s, found.end_s, found.made_s) == (NOW - WEEK_S, NOW, NOW)
    assert file_name(found) == "2026-11-17.json"


def test_many_targets_come_together_without_losing_time() -> None:
    times = tuple((Label("dependency", f"host{n}"), 1000 + n) for n in range(PHASES + 5))
    one = replaced(request(1), phases=times, duration=sum(time for _, time in times))
    phases = kept(one).functions["shop"].phases_us
    assert len(phases) == PHASES + 1
    assert phases[Label("other")] == 1000 + 1001 + 1002 + 1003 + 1004
    assert sum(phases.values()) == one.duration


REQUESTS = st.builds(
    request,
    st.integers(0, 900_000_000).map(lambda us: us / 1000),
    function=st.text(min_size=1, max_size=8),
    cold=st.booleans(),
    failed=st.booleans(),
    weight=st.integers(8, 4000).map(lambda eighths: eighths / 8),
)


@given(st.lists(REQUESTS, max_size=12))
def test_round_trip(requests: list[Request]) -> None:
    found = kept(*requests)
    read = from_text(to_text(found), "x.json")
    assert (read.start_s, read.end_s, read.made_s) == (found.start_s, found.end_s, found.made_s)
    assert read.functions.keys() == found.functions.keys()
    for name, one in found.functions.items():
        other = read.functions[name]
        assert other.recorded == one.recorded
        assert (other.cold_share, other.fault_share) == pytest.approx((one.cold_share, one.fault_share), abs=1e-6)
        assert other.phases_us == pytest.approx(one.phases_us, abs=0.05 + 1e-6)
        assert other.response_us.counts == pytest.approx(one.response_us.counts, rel=1e-5)
    assert to_text(read) == to_text(found)


def test_fifty_functions_stay_under_three_hundred_kilobytes() -> None:
    """Of 2,000 recorded requests each, with uneven weights, cold starts and twenty targets."""
    dice = random.Random(5)
    shape = tuple((Label("dependency", f"DynamoDB Query shop-table-{n}"), 1000 + n) for n in range(20))
    requests = [
        replaced(
            request(
                dice.lognormvariate(4, 0.8) + 900 * (dice.random() < 0.03),
                function=f"shop-production-function-{number}",
                weight=dice.uniform(1, 50),
            ),
            phases=shape,
        )
        for number in range(50)
        for _ in range(2000)
    ]
    assert len(to_text(kept(*requests))) < 300_000


GOOD: dict[str, Any] = json.loads(to_text(kept(request(10), request(20))))


def changed(part: dict[str, Any]) -> dict[str, Any]:
    return {**GOOD, "functions": {"shop": {**GOOD["functions"]["shop"], **part}}}


@pytest.mark.parametrize(
    ("told", "trouble"),
    [
        ("", "Expecting value"),
        ("[" * 100_000, "recursion|nested"),
        (b"\xff\xfe{", "decode"),
        ([], "where a JSON object should be"),
        ({}, "'version' is missing"),
        ({**GOOD, "version": 2}, "its version is 2, and 1 is known"),
        ({**GOOD, "start_s": "then"}, "'then' where a number should be"),
        ({**GOOD, "end_s": 1e300}, "year|range|out of"),
        ({**GOOD, "end_s": True}, "True where a number"),
        ({**GOOD, "functions": []}, "where a JSON object should be"),
        ({**GOOD, "functions": {"shop": None}}, "where a JSON object should be"),
        (changed({"cold_share": 1.5}), "a share of 1.5"),
        (changed({"fault_share": -0.1}), "number from 0"),
        (changed({"recorded": float("nan")}), "nan where a number should be"),
        (changed({"phases_us": [["handler", "", -1]]}), "number from 0"),
        (changed({"phases_us": [["handler", 3]]}), "unpack"),
        (changed({"phases_us": [["handler", 3, 4]]}), "3 where a text should be"),
        (changed({"response_us": []}), "a sketch"),
        (changed({"response_us": [0]}), "a sketch of nothing"),
        (changed({"response_us": "x"}), "where a list should be"),
    ],
)
def test_no_week(told: Any, trouble: str) -> None:
    text = told if isinstance(told, str | bytes) else json.dumps(told)
    with pytest.raises(InputError, match=rf"^2026-11-17\.json: no week of latency history: .*({trouble})"):
        from_text(text, "2026-11-17.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*GOOD, *GOOD["functions"]["shop"]]), JSON)
def test_whatever_is_in_a_file_it_is_a_week_with_a_trend_or_an_input_error(part: str, value: object) -> None:
    told = {**GOOD, part: value} if part in GOOD else changed({part: value})
    try:
        found = from_text(json.dumps(told), "x.json")
    except InputError:
        return
    assert trends([found]).ends_s == (found.end_s,)


def test_the_files_a_trend_needs() -> None:
    """13 weeks back from 2026-11-24 is 2026-08-25, which itself is a week too old."""
    names = [
        "2026-11-24.json",
        "2026-08-25.json",
        "2026-08-26.json",
        "notes.json",
        "2026-13-01.json",
        "x2026-11-10.json",
    ]
    assert recent([*names, "2026-11-10.json"]) == ["2026-08-26.json", "2026-11-10.json", "2026-11-24.json"]
    assert recent([]) == []


# --- trends ------------------------------------------------------------------------------------------


def p95s(found: Trends, function: str) -> list[float | None]:
    (one,) = (one for one in found.functions if one.function == function)
    return [week and week.response.p95_ms for week in one.weeks]


def test_a_week_that_is_missing_is_a_gap() -> None:
    """Weeks 4, 2 and 0 ago; `new` is there only now."""
    found = trends([kept(request(10), ago=4), kept(request(20), ago=2), kept(request(40), request(5, function="new"))])
    assert found.ends_s == tuple(NOW - ago * WEEK_S for ago in (4, 3, 2, 1, 0))
    assert p95s(found, "shop") == [
        pytest.approx(10, rel=0.01),
        None,
        pytest.approx(20, rel=0.01),
        None,
        pytest.approx(40, rel=0.01),
    ]
    assert p95s(found, "new")[:-1] == [None] * 4
    assert found.moves == ()  # the week before is not known


def test_a_trend_tells_requests_and_shares_and_all_functions_together() -> None:
    found = trends(
        [kept(request(10, weight=3), request(100, cold=True, failed=True), request(50, function="pay", weight=16))]
    )
    pay, shop = found.functions
    assert (pay.function, shop.function, found.overall.function) == ("pay", "shop", "")
    (of_shop,), (of_all,) = shop.weeks, found.overall.weeks
    assert of_shop
    assert of_all
    assert (of_shop.requests, of_shop.cold_share, of_shop.fault_share) == (4, 0.25, 0.25)
    assert (of_all.requests, of_all.cold_share, of_all.fault_share) == (20, 0.05, 0.05)
    # of 20 requests 3 take 10 ms, 16 take 50 ms, 1 takes 100 ms
    assert (of_all.response.p50_ms, of_all.response.p99_ms) == pytest.approx((50, 100), rel=0.01)


def test_a_schedule_that_drifts_still_makes_one_week_after_another() -> None:
    """EventBridge Scheduler may start 30 minutes late: so much may two windows overlap, or lie apart."""
    hour = 1 / 168
    found = trends([kept(request(ms), ago=ago) for ms, ago in ((10, 2 + hour / 2), (20, 1 - hour / 2), (30, 0))])
    assert p95s(found, "shop") == pytest.approx([10, 20, 30], rel=0.01)


@given(
    st.permutations(
        [
            kept(request(10), ago=0.3, made_s=5),
            kept(request(20), made_s=7),
            kept(request(30), ago=1, made_s=6),
            kept(request(40), ago=0.9, made_s=6.5),
        ]
    )
)
def test_of_two_windows_of_one_week_the_one_made_last_counts(weeks: list[Week]) -> None:
    assert p95s(trends(weeks), "shop") == pytest.approx([40, 20], rel=0.01)


def test_a_window_read_again_does_not_count_twice() -> None:
    early, late = kept(request(10), made_s=1), kept(request(20), made_s=2)
    (only,) = trends([late, early]).overall.weeks
    assert only
    assert only.requests == 1
    assert only.response.p50_ms == pytest.approx(20, rel=0.01)


def test_thirteen_weeks_at_most() -> None:
    weeks = [kept(request(10 + ago), ago=ago) for ago in range(20)]
    found = trends(weeks)
    assert p95s(found, "shop") == pytest.approx([22 - n for n in range(13)], rel=0.01)
    assert len(found.ends_s) == 13


def test_a_week_without_traces_is_a_gap_too() -> None:
    found = trends([kept(ago=1), kept(request(10))])
    assert found.overall.weeks[0] is None
    assert found.overall.weeks[1] is not None
    assert trends([kept()]) == Trends(
        ends_s=(NOW,), overall=replace(found.overall, weeks=(None,)), functions=(), moves=()
    )


# --- what moved since the week before ----------------------------------------------------------------


def spread(factor: float, *, query_ms: float = 0, count: int = 400, **more: Any) -> list[Request]:
    """Evenly from 100 to 200 ms, times the factor, plus a query."""
    return [
        request((100 + 100 * n / count) * factor + query_ms, query_ms=query_ms, function="shop", **more)
        for n in range(count)
    ]


def moves(before: list[Request], after: list[Request]) -> dict[str, Move]:
    return {one.measure: one for one in trends([kept(*before, ago=1), kept(*after)]).moves}


def test_a_slower_query_moves_every_percentile_and_is_named() -> None:
    """p50 of 100 to 200 ms is 150 ms, p95 195 ms; the query adds 60 ms to each."""
    found = moves(spread(1), spread(1, query_ms=60))
    assert found.keys() == {"p50_ms", "p95_ms", "p99_ms"}
    one = found["p95_ms"]
    assert (one.function, one.phase, one.target) == ("shop", *QUERY)
    assert (one.before, one.after, one.phase_ms) == pytest.approx((195, 255, 60), rel=0.012)
    back = moves(spread(1, query_ms=60), spread(1))["p95_ms"]
    assert (back.target, back.phase_ms) == (QUERY.target, pytest.approx(-60))


def test_moves_too_small_to_say() -> None:
    """4 % of 1.5 s, for certain; 10 % of 80 ms at most, as certain; and 60 ms of three requests, whose ranks leave
    everything open, however many others they stand for.
    """
    assert moves(spread(10, count=20_000), spread(10.4, count=20_000)) == {}
    assert moves(spread(0.4, count=20_000), spread(0.44, count=20_000)) == {}
    assert moves(spread(1, count=3, weight=1000.0), spread(1, count=3, query_ms=60, weight=1000.0)) == {}


def test_weeks_that_do_not_differ_do_not_move() -> None:
    """20 functions of 1,000 recorded requests of one distribution: three measures each, nothing found."""

    def one_week(seed: int, ago: float) -> Week:
        dice = random.Random(seed)
        names = [f"f{n}" for n in range(20)]
        return kept(*(request(dice.lognormvariate(4.5, 0.6), function=f) for f in names for _ in range(1000)), ago=ago)

    assert trends([one_week(1, 1), one_week(2, 0)]).moves == ()


def test_a_share_of_cold_starts_that_grew_is_named_by_its_phase() -> None:
    def with_cold(share: float) -> list[Request]:
        warm = spread(1)
        cold = round(len(warm) * share)
        start = (RUNTIME_START, 800_000)
        slow = [
            replaced(one, duration=one.duration + 800_000, phases=(*one.phases, start), cold=True)
            for one in warm[:cold]
        ]
        return slow + warm[cold:]

    found = moves(with_cold(0.005), with_cold(0.2))
    assert found["p95_ms"].phase == "runtime_start"
    assert found["p95_ms"].phase_ms == pytest.approx(800 * 0.195)
