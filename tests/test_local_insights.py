"""Metrics Insights and SEARCH in the embedded account, by the user guide's rules and arithmetic written down."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.insights import Selection, evaluate, finds, parse
from infra.local.metrics import MetricStore
from monitors.errors import InputError

SCOPE = ("123456789012", "us-east-1")


def store() -> MetricStore:
    """Two functions in two five-minute periods, one of them with an alias too, and a metric without dimensions.

    orders: errors 1 + 2 in the first period, 4 in the second; payments: 10 in the second only.
    """
    kept = MetricStore()
    orders = (("FunctionName", "orders"),)
    for dimensions, at_s, values in (
        (orders, 0, [1.0]),
        (orders, 60, [2.0]),
        (orders, 300, [4.0]),
        ((("FunctionName", "payments"),), 360, [10.0]),
        ((*orders, ("Resource", "orders:live")), 0, [100.0]),
        ((), 0, [1000.0]),
    ):
        kept.add(SCOPE, ("AWS/Lambda", "Errors", dimensions), at_s=at_s, values=values)
    kept.add(SCOPE, ("AWS/Lambda", "Duration", orders), at_s=0, values=[10.0, 20.0, 30.0])
    kept.add(("123456789012", "eu-west-1"), ("AWS/Lambda", "Errors", orders), at_s=0, values=[7.0])
    return kept


def found(expression: str, *, slots: int = 2) -> list[tuple[str, list[float | None]]]:
    return evaluate(store(), SCOPE, parse(expression), start_s=0, period_s=300, slots=slots)


BY_NAME = 'FROM SCHEMA("AWS/Lambda", "FunctionName")'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # Every Errors metric of the namespace, whatever its dimensions: 1 + 2 + 100 + 1000, then 4 + 10.
        ('SELECT SUM(Errors) FROM "AWS/Lambda"', [("Errors", [1103, 14])]),
        # A schema without dimensions is the metric without dimensions; one with, those that have exactly these.
        ('SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda")', [("Errors", [1000, None])]),
        (f"SELECT SUM(Errors) {BY_NAME}", [("Errors", [3, 14])]),
        ('SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", Resource, FunctionName)', [("Errors", [100, None])]),
        # Over observations, not over metrics: (1 + 2) / 2, then (4 + 10) / 2.
        (f"SELECT AVG(Errors) {BY_NAME}", [("Errors", [1.5, 7])]),
        (f"SELECT COUNT(Errors) {BY_NAME}", [("Errors", [2, 2])]),
        (f"SELECT MIN(Errors) {BY_NAME}", [("Errors", [1, 4])]),
        (f"SELECT MAX(Errors) {BY_NAME}", [("Errors", [2, 10])]),
        # Keywords in any case.
        (
            """select sum(Errors) from schema("AWS/Lambda", FunctionName) where FunctionName = 'orders'
            group by FunctionName order by sum() desc limit 3""",
            [("orders", [3, 4])],
        ),
        # By default in alphabetical order.
        (f"SELECT SUM(Errors) {BY_NAME} GROUP BY FunctionName", [("orders", [3, 4]), ("payments", [None, 10])]),
        # In total 7 and 10.
        (
            f"SELECT SUM(Errors) {BY_NAME} GROUP BY FunctionName ORDER BY SUM() DESC",
            [("payments", [None, 10]), ("orders", [3, 4])],
        ),
        (f'SELECT SUM("Errors") {BY_NAME} GROUP BY "FunctionName" ORDER BY SUM() LIMIT 1', [("orders", [3, 4])]),
        # By count of datapoints orders has more; by minimum it has less.
        (f"SELECT SUM(Errors) {BY_NAME} GROUP BY FunctionName ORDER BY COUNT() DESC LIMIT 1", [("orders", [3, 4])]),
        (f"SELECT SUM(Errors) {BY_NAME} GROUP BY FunctionName ORDER BY MIN() DESC LIMIT 1", [("payments", [None, 10])]),
        (f"SELECT SUM(Errors) {BY_NAME} WHERE FunctionName = 'orders'", [("Errors", [3, 4])]),
        (f"SELECT SUM(Errors) {BY_NAME} WHERE FunctionName != 'orders' AND Region != 'x'", [("Errors", [None, 10])]),
        (f"SELECT SUM(Errors) {BY_NAME} WHERE FunctionName = 'none'", []),
        # A label that a metric lacks is `Other`.
        (
            "SELECT SUM(Errors) FROM \"AWS/Lambda\" WHERE FunctionName = 'orders' GROUP BY FunctionName, Resource",
            [("orders Other", [3, 4]), ("orders orders:live", [100, None])],
        ),
    ],
)
def test_queries(expression: str, expected: list[tuple[str, list[float | None]]]) -> None:
    assert found(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum', 300)",
            [("orders", [3, 4]), ("payments", [None, 10])],
        ),
        (
            "SORT(SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum', 300), MAX, DESC, 10)",
            [("payments", [None, 10]), ("orders", [3, 4])],
        ),
        (
            "SORT(SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum'), AVG, ASC, 1)",
            [("orders", [3, 4])],
        ),
        # The median of 10, 20, 30.
        ("SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Duration\"', 'p50', 300)", [("orders", [20, None])]),
        (
            'SEARCH(\' {"AWS/Lambda", FunctionName, Resource} MetricName="Errors" FunctionName="orders" \', \'Sum\')',
            [("orders orders:live", [100, None])],
        ),
        (
            "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\" AND FunctionName=\"payments\"', 'Sum')",
            [("payments", [None, 10])],
        ),
    ],
)
def test_searches(expression: str, expected: list[tuple[str, list[float | None]]]) -> None:
    assert found(expression) == expected


def test_series_without_a_datapoint_in_the_window_are_left_out() -> None:
    assert found(f"SELECT SUM(Errors) {BY_NAME} GROUP BY FunctionName", slots=1) == [("orders", [3])]


def test_no_more_than_500_series_come_back() -> None:
    kept = MetricStore()
    for n in range(501):
        kept.add(SCOPE, ("N", "m", (("D", f"{n:03}"),)), at_s=0, values=[1.0])
    for limit in ("", " LIMIT 900"):
        chosen = parse(f"SELECT SUM(m) FROM N GROUP BY D{limit}")
        assert len(evaluate(kept, SCOPE, chosen, start_s=0, period_s=60, slots=1)) == 500


def test_a_search_has_a_period_of_its_own() -> None:
    assert parse("SEARCH('{N,D} MetricName=\"m\"', 'Sum', 900)").period_s == 900
    assert parse("SEARCH('{N,D} MetricName=\"m\"', 'Sum')").period_s == 0


def test_quoted_names_may_hold_anything() -> None:
    query = parse('SELECT MAX("Bytes \\"In\\"") FROM SCHEMA("My, App", "a b") WHERE "a b" = \'x, y\' GROUP BY "a b"')
    assert query == Selection(
        namespace="My, App",
        metric='Bytes "In"',
        statistic="Maximum",
        dimensions=frozenset({"a b"}),
        conditions=(("a b", True, "x, y"),),
        by=("a b",),
    )


@pytest.mark.parametrize(
    "expression",
    [
        "SELECT p95(Duration) FROM N",
        "SELECT SUM(m) FROM AWS/Lambda",
        "SELECT SUM(m) FROM N WHERE a = 1",
        "SELECT SUM(m) FROM N WHERE a = 'x' OR a = 'y'",
        "SELECT SUM(m) FROM N LIMIT 10 ORDER BY SUM()",
        "SELECT SUM(m) FROM SCHEMA(N",
        "SEARCH('m', 'Sum')",
        "SEARCH('{N,D} Errors', 'Sum')",
        "SEARCH('{N,D} D=\"x\"', 'Sum')",
        "SEARCH('{N,D} MetricName=\"m\" OR MetricName=\"n\"', 'Sum')",
        "SEARCH('{N,D} MetricName=\"m\"', 'Sum'), MAX, DESC)",
        "SORT(SEARCH('{N,D} MetricName=\"m\"', 'Sum'))",
        "SELECT " + "x" * 3000,
    ],
)
def test_what_is_not_modelled_is_refused_in_words(expression: str) -> None:
    assert finds(expression)
    with pytest.raises(InputError, match="the embedded account"):
        parse(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("select sum(m) from N", True),
        ("SORT(SEARCH('{N} MetricName=\"m\"', 'Sum'), MAX, DESC)", True),
        ("100*m1/m2", False),
        ("SUM([m1, m2])", False),
        ("selected", False),
        ("", False),
    ],
)
def test_queries_are_told_from_metric_math(expression: str, expected: bool) -> None:
    assert finds(expression) is expected


WORDS = st.sampled_from(
    ["SELECT", "SUM", "(", ")", "m", "FROM", "SCHEMA", '"', "'", ",", "WHERE", "=", "GROUP BY", "LIMIT", "9", "SEARCH"]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=60).map(" ".join)))
def test_any_text_is_understood_or_refused(text: str) -> None:
    with suppress(InputError):
        assert isinstance(parse(text), Selection)
