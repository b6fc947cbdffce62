"""Prices of a user's own list, and what arm64 would cost. Costs are GB-seconds times a price, written down."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.errors import InputError
from monitors.rightsize.advise import FunctionFacts, memory_report
from monitors.rightsize.arm64 import slowdown
from monitors.rightsize.pricelist import PriceList, price_list
from monitors.rightsize.prices import ARM, X86
from monitors.rightsize.report import MemoryReport
from monitors.rightsize.usage import usage
from tests.test_rightsize import invocations

HEAD = "region,arch,usd_per_gb_second_tier1,usd_per_1m_requests\n"
TWICE = HEAD + "us-east-1,x86_64,0.0000333334,0.40\nus-east-1,arm64,0.0000266668,0.40\n"


def read(text: str) -> PriceList:
    return price_list(text, file="prices.csv", date="2026-11-20")


def report(*, listed: PriceList | None = None, region: str = "us-east-1", architecture: str = X86) -> MemoryReport:
    facts = {"f": FunctionFacts(memory_mb=1024, architecture=architecture)}
    more = {"price_list": listed} if listed else {}
    return memory_report(usage(invocations()), functions=facts, region=region, **more)


# --- the list ------------------------------------------------------------------------------------


def test_a_list_is_read_by_its_column_names() -> None:
    text = "\ufeffsource,usd_per_1m_requests,arch,region,usd_per_gb_second_tier1\r\nAWS,0.20,arm64,xx-new-1,0.00001\r\n"
    found = read(text)
    assert found.price("xx-new-1", ARM) == pytest.approx((0.00001, 0.2e-6))  # a GB-second, a request
    assert found.has("xx-new-1", ARM)
    assert not found.has("xx-new-1", X86)
    with pytest.raises(InputError, match=r"^prices\.csv: no price of x86_64 in xx-new-1$"):
        found.price("xx-new-1", X86)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "prices.csv:1: no column region, arch"),
        ("region,arch,usd_per_gb_second_tier1\n", "prices.csv:1: no column usd_per_1m_requests"),
        (HEAD, "prices.csv: no prices"),
        (HEAD + "us-east-1,x86_64,cheap,0.2\n", "prices.csv:2: usd_per_gb_second_tier1 is 'cheap'"),
        (HEAD + "us-east-1,x86_64,1e-5\n", "prices.csv:2: usd_per_1m_requests is ''"),
        (HEAD + "us-east-1,x86_64,-1,0.2\n", "prices.csv:2: usd_per_gb_second_tier1 is '-1'"),
        (HEAD + "us-east-1,x86_64,nan,0.2\n", "prices.csv:2: usd_per_gb_second_tier1 is 'nan'"),
        (
            HEAD + "us-east-1,x86_64,1e-5,0.2\nus-east-1,arm,1e-5,0.2\n",
            "prices.csv:3: expected a Region, and x86_64 or",
        ),
        (HEAD + ",x86_64,1e-5,0.2\n", "prices.csv:2: expected a Region"),
        (HEAD + "a,x86_64,1e-5,0.2\n\na,x86_64,2e-5,0.2\n", "prices.csv:4: x86_64 in a has its price above already"),
        (HEAD + 'a,"x86_64,1e-5,0.2\n', "prices.csv:2: not CSV"),
    ],
)
def test_a_bad_list_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(InputError) as raised:
        read(text)
    assert str(raised.value).startswith(told)


@given(st.text() | st.text(alphabet='ax86_4,\n"1.e-').map(HEAD.__add__))
def test_no_text_raises_anything_but_an_input_error(text: str) -> None:
    try:
        found = read(text)
    except InputError:
        return
    assert found.listed


# --- the report ----------------------------------------------------------------------------------


def test_twice_the_price_is_twice_the_cost_and_the_same_advice() -> None:
    """us-east-1 costs 0.0000166667 USD a GB-second and 0.20 USD a million requests (AWS Price List)."""
    own, twice = report(), report(listed=read(TWICE))
    (now,), (then,) = own.advice, twice.advice
    assert then.now_usd_month == pytest.approx(2 * now.now_usd_month, rel=1e-5)
    assert (then.action, then.advised_mb) == (now.action, now.advised_mb)
    assert twice.prices_date == "2026-11-20"
    assert any("prices of prices.csv, last changed 2026-11-20" in note for note in twice.notes)
    assert own.prices_date != twice.prices_date


def test_a_list_without_the_region_is_an_error() -> None:
    with pytest.raises(InputError, match="no price of x86_64 in eu-west-1"):
        report(listed=read(TWICE), region="eu-west-1")


# --- arm64 ---------------------------------------------------------------------------------------


def test_arm64_is_the_price_there_times_the_measured_slowdown() -> None:
    """600 invocations at 1,024 MB in just under ten days, of 100 ms each, and 30 times 200 ms of init: init stays."""
    (advice,) = report().advice
    assert advice.arm64
    running, init, month = 0.1 * 600, 0.2 * 30, 30 / (10 * 599 / 600)

    def usd(factor: float) -> float:
        return ((running * factor + init) * 0.0000133334 + 600 * 0.2e-6) * month

    slower = slowdown("unknown")
    for found, factor in zip(
        (advice.arm64.usd_month.low, advice.arm64.usd_month.expected, advice.arm64.usd_month.high),
        (slower.low, slower.expected, slower.high),
        strict=True,
    ):
        assert found == pytest.approx(usd(factor), rel=0.01)
    assert advice.arm64.p95_ms.high == pytest.approx(advice.p95_ms * slower.high)


@pytest.mark.parametrize("kind", ["CPU", "IO", "mixed", "unknown"])
def test_the_slowdown_is_an_interval_within_what_was_measured(kind: str) -> None:
    """The least and the greatest of 208 measured pairs were 0.20 and 1.28."""
    found = slowdown(kind)
    assert 0.20 < found.low < found.expected < found.high < 1.28


def test_arm64_is_no_advice_on_arm64_nor_where_it_is_not_known_to_cost_less() -> None:
    only_x86 = read(HEAD + "us-east-1,x86_64,0.0000166667,0.20\n")
    assert report(architecture=ARM).advice[0].arm64 is None
    assert report(region="eu-central-2").advice[0].arm64 is None  # its price on arm64 is not in the list
    assert report(listed=only_x86).advice[0].arm64 is None


def test_arm64_is_in_no_total() -> None:
    (known,), (unknown,) = (
        report(listed=read(text)).advice for text in (TWICE, TWICE[: TWICE.index("us-east-1,arm64")])
    )
    assert known.arm64
    assert replace(known, arm64=None) == unknown
