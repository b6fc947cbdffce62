"""Which traces are read, and what each stands for: a week of X-Ray's own sampling, and what comes out of it."""

import math
import random
from collections import Counter
from collections.abc import Iterable
from statistics import NormalDist
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces.aggregate import report_of, window
from monitors.traces.choosing import Choice, Recorded, drawn, recorded
from monitors.traces.weighing import quantiles

T0 = 1_699_999_980
"""Begins a minute."""
LEVELS = (0.50, 0.95, 0.99)


def trace_id(at_s: float, number: int) -> str:
    return f"1-{int(at_s):08x}-{number:024x}"


def document(trace: Recorded, ms: float) -> dict[str, Any]:
    """A direct invocation, as BatchGetTraces returns it."""
    begun = int(trace.id[2:10], 16)
    times = {"start_time": begun, "end_time": begun + ms / 1000}
    service = {"id": "s", "name": "shop", "origin": "AWS::Lambda", **times}
    function = {**service, "id": "f", "parent_id": "s", "origin": "AWS::Lambda::Function"}
    return {"Id": trace.id, "Segments": [service, function]}


# --- what is listed ------------------------------------------------------------------------------

SERVICES = [
    {"Name": "api", "Type": "AWS::ApiGateway::Stage"},
    {"Name": "shop", "Names": ["shop"], "AccountId": "123456789012", "Type": "AWS::Lambda"},
    {"Name": "shop", "Names": ["shop"], "AccountId": "123456789012", "Type": "AWS::Lambda::Function"},
    {"Name": "pay", "Type": "AWS::Lambda"},
    {"Name": "orders", "Type": "AWS::DynamoDB::Table"},
]


def test_a_summary_tells_time_and_functions() -> None:
    listed = recorded({"Id": trace_id(T0 + 61, 7), "ResponseTime": 0.25, "ServiceIds": SERVICES})
    assert listed == Recorded(trace_id(T0 + 61, 7), T0 + 60, 0.25, ("pay", "shop"))


@pytest.mark.parametrize("summary", [{}, {"Id": None}, {"Id": "1-x-y"}, {"Id": "1-6553f104-00"}])
def test_what_has_no_trace_id_is_not_listed(summary: dict[str, Any]) -> None:
    assert recorded(summary) is None


def test_a_summary_may_lack_all_else() -> None:
    assert recorded({"Id": trace_id(T0, 1)}) == Recorded(trace_id(T0, 1), T0, 0.0, ("",))


# --- the choice ----------------------------------------------------------------------------------


def choice(listed: Iterable[Recorded], **more: Any) -> Choice:
    return drawn(listed, **more).weights


LISTS = st.lists(
    st.builds(
        lambda at, number, ms, functions: Recorded(trace_id(T0 + at, number), T0 + at // 60 * 60, ms, functions),
        st.integers(0, 600),
        st.integers(0, 10**6),
        st.floats(0, 30),
        st.sampled_from([("a",), ("b",), ("a", "b"), ("",)]),
    ),
    max_size=80,
    unique_by=lambda trace: trace.id,
)


@given(LISTS, st.integers(4, 60))
def test_weights_add_up_to_all_invocations(listed: list[Recorded], number: int) -> None:
    """Every minute has ten invocations more than were recorded, so that each minute's recorded stand for all."""
    minutes = Counter((name, trace.minute) for trace in listed for name in trace.functions)
    found = choice(listed, invocations=lambda *key: minutes[key] + 10, per_function=number)
    for name in {name for name, _ in minutes}:
        total = sum(count + 10 for (function, _), count in minutes.items() if function == name)
        assert sum(weights.get(name, 0.0) for weights in found.values()) == pytest.approx(total)


@given(LISTS, st.integers(4, 60))
def test_each_function_has_as_many_as_asked_for_or_all(listed: list[Recorded], number: int) -> None:
    found = choice(listed, invocations=lambda *_: None, per_function=number)
    functions = {trace.id: trace.functions for trace in listed}
    assert list(found) == sorted(found)
    for name in {name for names in functions.values() for name in names}:
        there = sum(name in names for names in functions.values())
        assert sum(name in functions[trace_id] for trace_id in found) >= min(there, number)
    assert len(found) <= number * 3


@given(LISTS, st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter(listed: list[Recorded], dice: random.Random) -> None:
    mixed = [*listed, *listed[:3]]
    dice.shuffle(mixed)
    assert choice(mixed, invocations=lambda *_: 5, per_function=8) == choice(
        listed, invocations=lambda *_: 5, per_function=8
    )


def test_of_a_part_each_stands_for_more_where_invocations_are_not_known() -> None:
    listed = [Recorded(trace_id(T0, n), T0, n / 100, ("shop",)) for n in range(10)]
    found = choice(listed, invocations=lambda *_: None, part=0.25)
    assert [weights["shop"] for weights in found.values()] == [4.0] * 10


def test_layers_end_with_the_percentiles() -> None:
    """Of a hundred the 50th is p50, the last of the first layer; then 45, 4 and 1, of each of which one is drawn."""
    listed = [Recorded(trace_id(T0, n), T0, n / 100, ("shop",)) for n in range(1, 101)]
    found = choice(listed, invocations=lambda *_: None, per_function=4)
    assert sorted(weights["shop"] for weights in found.values()) == [1, 4, 45, 50]


def test_a_quiet_function_is_read_whole() -> None:
    """A hundred thousand traces of a busy one do not take its place."""
    busy = [Recorded(trace_id(T0 + n // 100, n), T0 + n // 6000 * 60, 0.1, ("busy",)) for n in range(100_000)]
    quiet = [Recorded(trace_id(T0 + n, 10**6 + n), T0 + n // 60 * 60, 0.1, ("quiet",)) for n in range(50)]
    found = choice([*busy, *quiet], invocations=lambda *_: None)
    assert sum("busy" in weights for weights in found.values()) == 400
    assert [weights["quiet"] for weights in found.values() if "quiet" in weights] == [1.0] * 50


@pytest.mark.parametrize("fastest", [0, 9_999], ids=["quiet first", "busy first"])
def test_a_quiet_function_s_traces_are_not_taken_for_the_busy_one_s(fastest: int) -> None:
    """All hundred traces of `pay` are read, and `shop` is in each: a hundredth of its own, a fifth of those read."""
    dice = random.Random(5)
    listed = [
        Recorded(trace_id(T0, n), T0, (n != fastest) * dice.expovariate(10), ("pay", "shop")[n >= 100 :])
        for n in range(10_000)
    ]
    found = choice(listed, invocations=lambda *_: None)
    shop = {id_: weights["shop"] for id_, weights in found.items()}
    with_pay = sum(weight for id_, weight in shop.items() if "pay" in found[id_])
    assert sum("pay" in weights for weights in found.values()) == 100
    assert with_pay / sum(shop.values()) == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize(("most", "each"), [(1000, 100), (100, 10), (10, 4), (10_000, 400)])
def test_altogether_no_more_than_can_be_read(most: int, each: int) -> None:
    """Ten functions share them evenly; four, one of each layer, is the least."""
    listed = [Recorded(trace_id(T0, n), T0, n / 1000, (f"f{n % 10}",)) for n in range(10_000)]
    found = choice(listed, invocations=lambda *_: None, most=most)
    assert Counter(name for weights in found.values() for name in weights) == {f"f{n}": each for n in range(10)}


def test_a_little_later_mostly_the_same_are_chosen() -> None:
    """An hour of a week goes, another comes: one in 168 is new, and as many move over a border between layers."""
    dice = random.Random(3)
    listed = [
        Recorded(trace_id(T0 + n, dice.getrandbits(96)), T0 + n // 60 * 60, dice.expovariate(10), ("shop",))
        for n in range(0, 169 * 3600, 60)
    ]
    before = choice(listed[:-60], invocations=lambda *_: 20)
    after = choice(listed[60:], invocations=lambda *_: 20)
    assert len(before.keys() & after.keys()) >= 0.95 * 400


def test_more_keeps_what_fewer_chose() -> None:
    dice = random.Random(4)
    listed = [
        Recorded(trace_id(T0 + n, dice.getrandbits(96)), T0 + n // 60 * 60, dice.expovariate(10), ("shop",))
        for n in range(10_000)
    ]
    few, many = (choice(listed, invocations=lambda *_: None, per_function=number) for number in (100, 400))
    assert few.keys() < many.keys()


# --- weights that come with a trace --------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [None, 7, [], *({"shop": weight} for weight in ("9", -1, 0, math.inf, math.nan, 10**400)), {"x": 5}],
)
def test_weights_that_are_none_are_left_aside(told: Any) -> None:
    trace = Recorded(trace_id(T0, 1), T0, 0.1, ("shop",))
    found = window([{**document(trace, 100), "Weights": told}], lambda *_: 3.0)
    assert [request.weight for request in found.requests["shop"]] == [3.0]


def test_a_trace_says_what_it_stands_for() -> None:
    """Nine in ten take 100 ms, and one of ten chosen does: the median is theirs, not that of the nine."""
    slow = [Recorded(trace_id(T0 + n, n), T0, 1.0, ("shop",)) for n in range(9)]
    fast = Recorded(trace_id(T0, 99), T0, 0.1, ("shop",))
    traces = [document(trace, 1000) | {"Weights": {"shop": 1.0}} for trace in slow]
    found = window([*traces, document(fast, 100) | {"Weights": {"shop": 81.0}}])
    assert found.corrected == 1
    (shop,) = report_of(found, window([]), start=T0, end=T0).functions
    assert (shop.requests, shop.response.p50_ms, shop.response.p95_ms) == (90, 100, 1000)


# --- X-Ray's sampling, simulated -----------------------------------------------------------------


class World(NamedTuple):
    """A function under X-Ray's default rule: the first request of each second, and 5 % of the others, are recorded."""

    listed: list[Recorded]
    ms: dict[str, float]
    invoked: dict[int, float]
    truth: tuple[float, ...]
    """p50, p95 and p99 of all requests, by the distributions they are drawn from."""


COLD = NormalDist(math.log(1500), 0.25)
WARM_SIGMA = 0.45


def world(seed: int, *, hours: int = 48, peak: float = 20.0) -> World:
    """Load swings from nothing to a peak and back, in bursts within the hour; so do times, and at low load ten times as
    many requests are cold starts."""
    dice = random.Random(seed)
    listed, ms, invoked, rates = [], {}, {}, []
    for minute in range(hours * 60):
        swing = 0.5 - 0.5 * math.cos(2 * math.pi * minute / 1440)
        load = (0.02 + peak * swing**3) * (2.0 if minute // 7 % 3 == 0 else 0.5)
        cold_share = 0.0056 * 10 ** (1 - min(1.0, load / 5))
        warm = NormalDist(math.log(80 * (1 + 0.3 * swing)), WARM_SIGMA)
        rates.append((load, cold_share, warm))
        at = T0 + 60 * minute
        invoked[at] = 0
        for second in range(60):
            count = poisson(dice, load)
            invoked[at] += count
            for _ in range(min(count, 1) + sum(dice.random() < 0.05 for _ in range(count - 1))):
                law = COLD if dice.random() < cold_share else warm
                known = trace_id(at + second, dice.getrandbits(96))
                ms[known] = dice.lognormvariate(law.mean, law.stdev)
                listed.append(Recorded(known, at, ms[known] / 1000, ("shop",)))
    return World(listed, ms, invoked, tuple(true_quantile(rates, level) for level in LEVELS))


def poisson(dice: random.Random, mean: float) -> int:
    """Knuth's: how many uniform numbers it takes for their product to fall below e^-mean."""
    count, product, least = -1, 1.0, math.exp(-mean)
    while product > least:
        product *= dice.random()
        count += 1
    return count


def true_quantile(rates: list[tuple[float, float, NormalDist]], level: float) -> float:
    """By bisection in the mixture of all minutes."""
    low, high = math.log(1), math.log(10_000)
    for _ in range(20):
        middle = (low + high) / 2
        below = sum(r * ((1 - share) * warm.cdf(middle) + share * COLD.cdf(middle)) for r, share, warm in rates)
        low, high = (middle, high) if below < level * sum(r for r, _, _ in rates) else (low, middle)
    return math.exp(low)


@pytest.mark.parametrize("seed", range(2))
def test_four_hundred_traces_tell_p99_of_all_requests(seed: int) -> None:
    """Cold starts are less than one in a hundred requests, but more than one in a hundred of the recorded: p99 of those
    is a cold start, of all requests it is none."""
    made = world(seed)
    (naive,) = quantiles([(ms, 1.0) for ms in made.ms.values()], [0.99])
    assert naive / made.truth[-1] - 1 > 1.5
    chosen = choice(made.listed, invocations=lambda _, minute: made.invoked[minute])
    by_id = {trace.id: trace for trace in made.listed}
    read = [document(by_id[id_], made.ms[id_]) | {"Weights": weights} for id_, weights in chosen.items()]
    assert len(read) == 400
    (shop,) = report_of(window(read), window([]), start=T0, end=T0).functions
    measured = (shop.response.p50_ms, shop.response.p95_ms, shop.response.p99_ms)
    assert measured == pytest.approx(made.truth, rel=0.05)
    assert shop.requests == pytest.approx(sum(made.invoked.values()), rel=0.01)


@pytest.mark.parametrize("seed", range(2))
def test_a_list_of_one_trace_in_fifty_tells_it_too(seed: int) -> None:
    """About one listed trace a minute: by the minute, an eighth of all invocations would stand for nothing."""
    made, dice = world(seed), random.Random(9)
    listed = [trace for trace in made.listed if dice.random() < 0.02]
    chosen = choice(listed, invocations=lambda _, minute: made.invoked.get(minute), part=0.02)
    pairs = [(made.ms[id_], weights["shop"]) for id_, weights in chosen.items()]
    assert quantiles(pairs, LEVELS) == pytest.approx(made.truth, rel=0.05)
    assert sum(weight for _, weight in pairs) == pytest.approx(sum(made.invoked.values()), rel=0.01)
