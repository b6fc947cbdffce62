"""Metric math as CloudWatch documents it: its own worked examples, and arithmetic written down."""

import math
import operator as op

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitors.errors import InputError
from monitors.metricmath import evaluate, returned
from monitors.model import Query, Series

START = 1_780_581_600  # Thursday 2026-06-04, 14:00 UTC
GAP = None


def math_of(expression, *, start=START, period_s=60, expressions=None, **metrics):
    return evaluate(expression, metrics, start=start, period_s=period_s, expressions=expressions)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(metric1 < metric2)", (0, 0, 1, 0)),
        ("(metric1 >= 30)", (1, 0, 0, 0)),
        ("(metric1 > 15 AND metric2 > 15)", (1, 0, 0, 0)),
        ("metric1 > 15 && metric2 > 15", (1, 0, 0, 0)),
        ("metric1 > 25 OR metric2 > 15", (1, 0, 1, 0)),
        ("metric1 > 25 || metric2 > 15", (1, 0, 1, 0)),
    ],
)
def test_documented_comparisons(expression, expected):
    assert math_of(expression, metric1=(30, 20, 0, 0), metric2=(20, GAP, 20, GAP)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(metric1, metric2, metric3)", (30, 0, 20, GAP, GAP)),
        ("IF(metric1, 5, metric3)", (5, 5, 20, GAP, GAP)),
        ("IF(metric1, metric2, 5)", (30, 0, 5, 5, GAP)),
        # Said in words only: without a third argument false points are dropped, and so is everything if a
        # scalar is.
        ("IF(metric1, metric2)", (30, 0, GAP, GAP, GAP)),
        ("IF(metric1, 5)", (5, 5, GAP, GAP, GAP)),
        ("IF(1, metric3, metric2)", (0, 0, 20, GAP, 20)),
        ("IF(0, metric3, metric2)", (30, GAP, 0, 0, 30)),
        ("IF(0, metric3)", (GAP,) * 5),
    ],
)
def test_documented_if(expression, expected):
    values = math_of(expression, metric1=(1, 1, 0, 0, GAP), metric2=(30, GAP, 0, 0, 30), metric3=(0, 0, 20, GAP, 20))
    assert values == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * m - m", (4, 5)),
        ("(1 + 2) * m", (9, 12)),
        ("2 ^ 3 ^ 2 + 0 * m", (512, 512)),
        ("-m ^ 2", (-9, -16)),
        ("2 ^ -m", (0.125, 0.0625)),
        ("m - 1 - 1", (1, 2)),
        ("24 / m / 2", (4, 3)),
        ("--m", (3, 4)),
        ("m > 3 == 1", (0, 1)),
        ("m == 3 OR m == 4 AND m == 5", (1, 0)),
        ("1 - m < 0", (1, 1)),
        (".5*m + 1.", (2.5, 3)),
        ("m != 3", (0, 1)),
        ("m<=3", (1, 0)),
    ],
)
def test_precedence(expression, expected):
    assert math_of(expression, m=(3, 4)) == expected


def test_between_two_series_a_lone_gap_counts_as_zero():
    assert math_of("a + b", a=(1, GAP, 3, GAP), b=(10, 20, GAP, GAP)) == (11, 20, 3, GAP)
    assert math_of("errors / invocations", errors=(GAP, 1, 3), invocations=(10, 4, GAP)) == (0, 0.25, GAP)


def test_a_scalar_does_not_fill_gaps():
    assert math_of("100 * m + 1", m=(2, GAP)) == (201, GAP)


@pytest.mark.parametrize("expression", ["1 / m", "m ^ -1", "LOG(m)", "LOG10(m)", "1 / (m - m)"])
def test_points_without_a_finite_value_are_dropped(expression):
    assert math_of(expression, m=(0, GAP)) == (GAP, GAP)


def test_overflow_and_complex_roots_are_dropped():
    assert math_of("m ^ 0.5", m=(-1, 4)) == (GAP, 2)
    assert math_of("m * m", m=(1e200, 2)) == (GAP, 4)
    assert math_of("m + 0", m=(math.nan, math.inf)) == (GAP, GAP)


@pytest.mark.parametrize(
    ("function", "of_m", "of_m_and_n"),
    [
        # m = 4, gap, 2, 6 and n = 2, 1, gap, 6
        ("SUM", 12, (6, 1, 2, 12)),
        ("AVG", 3, (3, 0.5, 1, 6)),  # gaps count as 0
        ("MIN", 2, (2, 1, 2, 6)),
        ("MAX", 6, (4, 1, 2, 6)),
        ("STDDEV", math.sqrt(8 / 3), (1, 0, 0, 0)),  # around 4: 0, 2, 2
        ("DATAPOINT_COUNT", 3, (2, 1, 1, 2)),
    ],
)
def test_summaries_of_a_series_and_of_an_array(function, of_m, of_m_and_n):
    metrics = {"m": (4, GAP, 2, 6), "n": (2, 1, GAP, 6)}
    assert math_of(f"TIME_SERIES({function}(m))", **metrics) == pytest.approx((of_m,) * 4)
    assert math_of(f"{function}([m, n])", **metrics) == pytest.approx(of_m_and_n)
    assert math_of(f"{function}(METRICS())", **metrics) == pytest.approx(of_m_and_n)


def test_summaries_of_nothing():
    assert math_of("MAX([m, m])", m=(GAP,)) == (GAP,)
    assert math_of("n + MAX(m)", m=(GAP,), n=(1,)) == (GAP,)
    assert math_of("n + SUM(m)", m=(GAP,), n=(1,)) == (1,)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ABS(m)", (2.5, GAP, 1.5, 4)),
        ("CEIL(m)", (-2, GAP, 2, 4)),
        ("FLOOR(m)", (-3, GAP, 1, 4)),
        ("DIFF(m)", (GAP, GAP, 4, 2.5)),  # 1.5 - -2.5, 4 - 1.5
        ("DIFF_TIME(m)", (GAP, GAP, 120, 60)),
        ("RATE(m)", (GAP, GAP, 4 / 120, 2.5 / 60)),
        ("RUNNING_SUM(m)", (-2.5, GAP, -1, 3)),
        ("FILL(m, 7)", (-2.5, 7, 1.5, 4)),
        ("FILL(m, MIN(m))", (-2.5, -2.5, 1.5, 4)),
        ("FILL(m, m * 0 + EPOCH(m))", (-2.5, START + 60, 1.5, 4)),
        ("FILL(m, REPEAT)", (-2.5, -2.5, 1.5, 4)),
        ("FILL(m, LINEAR)", (-2.5, -0.5, 1.5, 4)),
        ("m / PERIOD(m)", (-2.5 / 60, GAP, 1.5 / 60, 4 / 60)),
        ("m - MIN(m)", (0, GAP, 4, 6.5)),
        ("TIME_SERIES(10)", (10, 10, 10, 10)),
        ("SUM(ABS([m, m]))", (5, GAP, 3, 8)),
        ("SUM(FILL(METRICS(), 0))", (-2.5, 0, 1.5, 4)),
        ("SUM(100 / [m, m])", (-80, GAP, 400 / 3, 50)),
        ("AVG(-[m, m])", (2.5, GAP, -1.5, -4)),
        ("SUM([[m, m], RUNNING_SUM([m])])", (-7.5, GAP, 2, 11)),
    ],
)
def test_functions(expression, expected):
    assert math_of(expression, m=(-2.5, GAP, 1.5, 4)) == pytest.approx(expected)


def test_gaps_at_the_edges_stay_open():
    assert math_of("FILL(m, REPEAT)", m=(GAP, 1, GAP)) == (GAP, 1, 1)
    assert math_of("FILL(m, LINEAR)", m=(GAP, 1, GAP)) == (GAP, 1, GAP)


@pytest.mark.parametrize(
    ("function", "first", "second"),
    [
        # A Sunday's last hour and the Monday after it: 2023-12-31 23:30 and 2024-01-01 00:30, UTC.
        ("MINUTE", 30, 30),
        ("HOUR", 23, 0),
        ("DAY", 7, 1),
        ("DATE", 31, 1),
        ("MONTH", 12, 1),
        ("YEAR", 2023, 2024),
        ("EPOCH", 1_704_065_400, 1_704_069_000),
    ],
)
def test_clock_functions_are_not_sparse(function, first, second):
    values = math_of(f"{function}(m)", m=(GAP, 1), start=1_704_065_400, period_s=3600)
    assert values == (first, second)


def test_a_seasonal_level_fits_in_one_expression():
    # On working days from 9 to 17 UTC; the three hours are Friday 16:00, 17:00 and Saturday 10:00 (slots 0,
    # 1, 18).
    friday = START + 26 * 3600
    expression = "IF(DAY(m) < 6 AND HOUR(m) >= 9 AND HOUR(m) < 17, m)"
    values = math_of(expression, m=(5,) * 19, start=friday, period_s=3600)
    assert (values[0], values[1], values[18]) == (5, GAP, GAP)


def test_metrics_by_part_of_the_id():
    metrics = {"errors_a": (1,), "errors_b": (2,), "calls": (30,)}
    assert math_of('SUM(METRICS("errors")) / SUM(METRICS("calls"))', **metrics) == (0.1,)
    assert math_of('SUM([METRICS("_a"), METRICS("calls")])', **metrics) == (31,)
    assert math_of('SUM(METRICS("nothing"))', **metrics) == (GAP,)


def test_expressions_name_each_other_and_metrics_leaves_them_out():
    expressions = {"rate": "errors / calls", "percent": "100 * rate", "all": "METRICS()"}
    metrics = {"errors": (1, 0), "calls": (4, 5)}
    assert math_of("percent", expressions=expressions, **metrics) == (25, 0)
    assert math_of("SUM(METRICS()) + 0 * rate", expressions=expressions, **metrics) == (5, 5)
    assert math_of("SUM(all)", expressions=expressions, **metrics) == (5, 5)


def test_shared_expressions_are_computed_once():
    # e60 holds e0 2^60 times over; counted naively this test would never end.
    chain = {"e0": "m"} | {f"e{n}": f"(e{n - 1} + e{n - 1}) / 2" for n in range(1, 61)}
    assert math_of("e60", m=(3,), expressions=chain) == (3,)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "something is missing"),
        ("m +", "something is missing"),
        ("(m", "something is missing"),
        ("m )", "column 3: '\\)'"),
        ("m m", "column 3: 'm'"),
        ("2e3", "column 2: 'e3'"),
        ("m & m", "column 3: '&'"),
        ("IF(m,)", "column 6"),
        ("AND m", "column 1: 'AND'"),
        ("m + other", "the id other"),
        ("NOPE(m)", "NOPE is not a function"),
        ("IF(m)", "IF has 1 arguments, not 2 to 3"),
        ("ABS()", "ABS has 0 arguments, not 1"),
        ("AVG(m)", "not a single series"),
        ("METRICS()", "not a single series"),
        ("5", "not a single series"),
        ("REPEAT", "not a single series"),
        ("ABS(5)", "a series is needed"),
        ("SUM([])", "has 0 arguments, not 1 to 500"),
        ("[m] + [m]", "not two"),
        ("m + 'text'", "not words"),
        ("FILL(m, SOMEHOW)", "FILL takes"),
        ("IF([m], m, m)", "IF takes numbers and series"),
        ("METRICS(5)", "METRICS takes a text"),
        ("TIME_SERIES(m)", "TIME_SERIES takes a number"),
        ("9" * 400, "too large"),
        ("m" * 2049, "2049 characters"),
        ("(" * 60 + "m" + ")" * 60, "nested more than 50 deep"),
        ("-" * 60 + "m", "nested more than 50 deep"),
        ("a", "circle"),
        ("self", "circle"),
        ("SEARCH('{AWS/Lambda,FunctionName} Errors', 'Sum')", "SEARCH is not supported"),
        ('SELECT AVG(Duration) FROM SCHEMA("AWS/Lambda", FunctionName)', "SELECT is not supported"),
        ("ANOMALY_DETECTION_BAND(m, 2)", "ANOMALY_DETECTION_BAND is not supported"),
    ],
)
def test_what_is_refused_and_why(expression, said):
    with pytest.raises(InputError, match=said):
        math_of(expression, m=(1, 2), expressions={"a": "b", "b": "a", "self": "self + 1"})


def test_too_large_an_array_is_refused():
    with pytest.raises(InputError, match="more than 500 series"):
        math_of("SUM([" + ",".join(["METRICS()"] * 60) + "])", **{f"m{n}": (1,) for n in range(10)})


@pytest.mark.parametrize(
    ("metrics", "start", "period_s"),
    [({}, 0, 60), ({"m": (1,), "n": (1, 2)}, 0, 60), ({"m": (1,)}, 0, 0), ({"m": (1,)}, -60, 60)],
)
def test_grids_that_are_none(metrics, start, period_s):
    with pytest.raises(InputError):
        evaluate("m", metrics, start=start, period_s=period_s)


WORDS = [
    "m",
    "n",
    "e1",
    "2",
    ".5",
    "(",
    ")",
    "[",
    "]",
    ",",
    "+",
    "-",
    "*",
    "/",
    "^",
    "==",
    "<",
    ">=",
    "&&",
    "||",
    "AND",
    "OR",
    "IF",
    "FILL",
    "AVG",
    "SUM",
    "STDDEV",
    "RATE",
    "METRICS",
    "REPEAT",
    "LINEAR",
    "HOUR",
    '"m"',
    "TIME_SERIES",
    "PERIOD",
    "DIFF",
    "ABS",
    "RUNNING_SUM",
]
VALUES = st.floats() | st.none()


@given(
    st.text() | st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4),
)
@example("((((" * 500, [(1.0, None)])
@example("m^" * 1000 + "m", [(2.0, 2.0)])
@example("+".join(["m"] * 1000), [(2.0, 2.0)])
@example("FILL(m,LINEAR)", [(1e308, 1.0), (None, 1.0), (-1e308, 1.0)])
def test_any_text_gives_a_line_or_an_input_error(expression, rows):
    m, n = zip(*rows, strict=True)
    try:
        line = evaluate(expression, {"m": m, "n": n}, start=START, period_s=60, expressions={"e1": "m/n"})
    except InputError:
        return
    assert len(line) == len(rows)
    assert all(value is None or (isinstance(value, float) and math.isfinite(value)) for value in line)


SIGNS = {"+": op.add, "-": op.sub, "*": op.mul}


@given(
    st.recursive(
        st.integers(0, 9),
        lambda tree: st.tuples(tree, st.sampled_from(sorted(SIGNS)), tree),
        max_leaves=12,
    )
)
def test_arithmetic_agrees_with_pythons(tree):
    def text(node):
        return str(node) if isinstance(node, int) else f"({text(node[0])}{node[1]}{text(node[2])})"

    def value(node):
        return node if isinstance(node, int) else SIGNS[node[1]](value(node[0]), value(node[2]))

    assert math_of(f"m + {text(tree)}", m=(1,)) == (1 + value(tree),)


def errors_and_calls(*, period_s: int = 60) -> tuple[Query, ...]:
    return (
        Query(id="errors", metric="Errors", statistic="Sum", period_s=period_s, returned=False),
        Query(id="calls", metric="Invocations", statistic="Sum", period_s=60, returned=False),
        Query(id="rate", expression="errors / calls", label="error rate"),
    )


def test_returned_puts_the_metrics_on_one_grid():
    series = {
        "errors": Series(label="Errors", period_s=60, start=120, values=(1, 2)),
        "calls": Series(label="Invocations", period_s=60, start=60, values=(5, 5)),
    }
    # Minute 1: no errors known, 5 calls. Minute 2: 1 of 5. Minute 3: no calls known, so nothing to divide by.
    rate = returned(errors_and_calls(), series)
    assert rate == Series(label="error rate", period_s=60, start=60, values=(0, 0.2, None))


def test_returned_passes_a_plain_metric_through():
    series = Series(label="Errors", period_s=300, start=0, values=(1,))
    assert returned((Query(id="m1", metric="Errors", period_s=300),), {"m1": series}) is series


def test_returned_refuses_what_no_alarm_can_judge():
    series = Series(label="Errors", period_s=60, start=0, values=(1,))
    both = {"errors": series, "calls": series}
    with pytest.raises(InputError, match="no series for calls"):
        returned(errors_and_calls(), {"errors": series})
    with pytest.raises(InputError, match="one period"):
        returned(errors_and_calls(period_s=300), both)
    with pytest.raises(InputError, match="0 of the queries"):
        returned(errors_and_calls()[:2], both)
    off = Series(label="Errors", period_s=60, start=30, values=(1,))
    with pytest.raises(InputError, match="one grid"):
        returned(errors_and_calls(), both | {"errors": off})
