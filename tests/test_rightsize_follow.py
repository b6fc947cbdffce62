"""What became of earlier advice. Predictions are made up, and what they come to is plain arithmetic."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.errors import InputError
from monitors.rightsize.follow import ENOUGH, Earlier, earlier, follow
from monitors.rightsize.report import Action, Followed, Interval, MemoryAdvice, MemoryReport, Outcome
from tests import dashboard_samples as samples


def advice(function: str = "f", *, memory_mb: int = 1024, advised_mb: int = 512, **more: Any) -> MemoryAdvice:
    """Predicts 100 to 140 ms and 2 to 4 USD a month, at 1,000 invocations a day."""
    action = more.pop("action", Action.LOWER if advised_mb < memory_mb else Action.RAISE)
    made = samples.advice(function, action=action, memory_mb=memory_mb, advised_mb=advised_mb)
    predicted = {"then_p95_ms": Interval(100, 120, 140), "then_usd_month": Interval(2, 3, 4)}
    return replace(made, **predicted, **{"invocations": 14_000, "days": 14.0} | more)


def report(*found: MemoryAdvice) -> MemoryReport:
    return replace(samples.memory(), advice=found)


def read(*found: MemoryAdvice) -> Earlier:
    return earlier(json.dumps(asdict(report(*found))), "memory.json")


def followed(then: MemoryAdvice, now: MemoryAdvice | None) -> Followed:
    (one,) = follow(read(then), report(*[now] if now else [])).advice
    return one


@pytest.mark.parametrize(
    ("advised_mb", "now_mb", "outcome"),
    [
        (512, 512, Outcome.APPLIED),
        (512, 768, Outcome.PARTLY),
        (512, 256, Outcome.PARTLY),  # further than advised
        (512, 1024, Outcome.NOT),
        (512, 2048, Outcome.NOT),
        (2048, 2048, Outcome.APPLIED),
        (2048, 1536, Outcome.PARTLY),
        (2048, 512, Outcome.NOT),
    ],
)
def test_advice_is_applied_if_the_size_is_the_advised_one(advised_mb: int, now_mb: int, outcome: Outcome) -> None:
    found = followed(advice(advised_mb=advised_mb), advice(memory_mb=now_mb, advised_mb=now_mb, action=Action.KEEP))
    assert (found.outcome, found.was_mb, found.advised_mb, found.now_mb) == (outcome, 1024, advised_mb, now_mb)
    assert (found.p95_ms is None) == (found.usd_month is None) == (outcome is not Outcome.APPLIED)


def test_a_function_that_is_gone_is_told() -> None:
    found = followed(advice(), None)
    assert (found.outcome, found.now_mb, found.p95_ms) == (Outcome.GONE, None, None)


def now_at_512(**more: Any) -> MemoryAdvice:
    return advice(memory_mb=512, advised_mb=512, action=Action.KEEP, **more)


@pytest.mark.parametrize(("p95_ms", "inside"), [(99.9, False), (100, True), (140, True), (140.1, False)])
def test_p95_is_as_predicted_within_the_interval(p95_ms: float, inside: bool) -> None:
    held = followed(advice(), now_at_512(p95_ms=p95_ms)).p95_ms
    assert held
    assert (held.predicted, held.measured, held.inside) == (Interval(100, 120, 140), p95_ms, inside)


def test_cost_is_predicted_for_the_invocations_of_now() -> None:
    """1,000 invocations a day then, 21,000 in seven days now: three times 2 to 4 USD."""
    found = followed(advice(), now_at_512(invocations=21_000, days=7.0, now_usd_month=11.0))
    assert found.usd_month
    assert found.usd_month.predicted == Interval(6, 9, 12)
    assert found.usd_month.inside
    dearer = followed(advice(), now_at_512(invocations=14_000, now_usd_month=11.0)).usd_month
    assert dearer
    assert not dearer.inside


@pytest.mark.parametrize("too_early", [{"invocations": ENOUGH - 1}, {"flags": ("few_data", "unseen")}])
def test_too_little_at_the_new_size_judges_nothing(too_early: dict[str, Any]) -> None:
    found = followed(advice(), now_at_512(**too_early))
    assert (found.outcome, found.p95_ms, found.usd_month) == (Outcome.APPLIED, None, None)


def test_only_advice_to_change_is_followed_in_the_order_of_the_earlier_report() -> None:
    kept = advice("kept", memory_mb=256, advised_mb=256, action=Action.KEEP)
    unknown = advice("unknown", memory_mb=256, advised_mb=256, action=Action.UNKNOWN)
    found = follow(read(advice("z"), kept, unknown, advice("a")), report())
    assert [one.function for one in found.advice] == ["z", "a"]
    assert (found.start, found.end) == (samples.memory().start, samples.memory().end)


def broken(**more: Any) -> str:
    told = json.loads(json.dumps(asdict(report(advice()))))
    told["advice"][0] |= more
    return json.dumps(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Expecting value"),
        ("[]", "expected a JSON object"),
        ("{}", "'advice' is missing"),
        ('{"advice": {}}', "expected a list"),
        ('{"advice": [1], "start": 0, "end": 0}', "expected a JSON object, not 1"),
        ('{"advice": [], "start": "then", "end": 0}', "expected a number, not 'then'"),
        (broken(function=None), "expected a text"),
        (broken(action="shrink"), "'shrink' is not a valid Action"),
        (broken(memory_mb=0), "above 0"),
        (broken(days=True), "expected a number"),
        (broken(then_p95_ms={"low": 1, "expected": float("nan"), "high": 2}), "expected a number, not nan"),
        (broken(then_usd_month={"low": 1}), "'expected' is missing"),
        (json.dumps(asdict(samples.latency())), "'advice' is missing"),
        ("[" * 100_000, ""),
        (b"\xff", "utf-8"),
    ],
)
def test_a_file_of_something_else_is_refused_by_name(text: str | bytes, told: str) -> None:
    with pytest.raises(InputError, match=r"^memory\.json: no memory report: ") as raised:
        earlier(text, "memory.json")
    assert told in str(raised.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["low", "high"]), inner, max_size=2),
    max_leaves=5,
)
FIELDS = ("function", "action", "memory_mb", "advised_mb", "invocations", "days", "then_p95_ms", "then_usd_month")


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=2))
def test_no_value_raises_anything_but_an_input_error(more: dict[str, Any]) -> None:
    try:
        found = earlier(broken(**more), "memory.json")
    except InputError:
        return
    assert len(follow(found, report(advice())).advice) <= 1
