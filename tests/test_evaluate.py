"""CloudWatch's documented truth tables for missing data, and what a replay makes of a series.

In the tables a range is written as the guide writes it, oldest first: X breaching, 0 not, - missing.
"""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitors.errors import InputError
from monitors.evaluate import Episode, breaches, episodes, judge, replay, states
from monitors.model import Alarm, Comparison, Description, Missing, Query, Series, Severity, State

OK, ALARM, NO_DATA = State.OK, State.ALARM, State.INSUFFICIENT_DATA
RETAINED = "retained"
MODES = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)

# (id, evaluation range, M, N, states in the order of MODES)
DOCUMENTED = [
    ("1.1", "0-X-X", 3, 3, (OK, OK, OK, OK)),
    ("1.2", "0----", 3, 3, (OK, OK, OK, OK)),
    ("1.3", "-----", 3, 3, (NO_DATA, RETAINED, ALARM, OK)),
    ("1.4", "0XX-X", 3, 3, (ALARM, ALARM, ALARM, ALARM)),
    ("1.5", "--X--", 3, 3, (ALARM, RETAINED, ALARM, OK)),
    ("2.1", "0-X-X", 2, 3, (ALARM, ALARM, ALARM, ALARM)),
    ("2.2", "00X0X", 2, 3, (ALARM, ALARM, ALARM, ALARM)),
    ("2.3", "0-X--", 2, 3, (OK, OK, ALARM, OK)),
    ("2.4", "----0", 2, 3, (OK, OK, ALARM, OK)),
    ("2.5", "---X-", 2, 3, (ALARM, RETAINED, ALARM, OK)),
]


def points(text: str) -> tuple[bool | None, ...]:
    return tuple({"X": True, "0": False, "-": None}[mark] for mark in text)


@pytest.mark.parametrize("current", list(State))
@pytest.mark.parametrize("column", range(4), ids=list(MODES))
@pytest.mark.parametrize(("row", "text", "m", "n", "expected"), DOCUMENTED, ids=[row[0] for row in DOCUMENTED])
def test_documented_truth_tables(row, text, m, n, expected, column, current):
    state = judge(points(text), datapoints=m, periods=n, missing=MODES[column], current=current)
    assert state == (current if expected[column] is RETAINED else expected[column])


@pytest.mark.parametrize(
    ("text", "missing", "current", "alarm"),
    [
        ("----X", "missing", OK, False),
        ("----X", "ignore", OK, False),
        ("---X-", "missing", OK, False),
        ("---X-", "ignore", OK, False),
        ("--X--", "missing", OK, True),
        ("--X--", "ignore", ALARM, True),
        ("--X--", "ignore", OK, False),
    ],
)
def test_prose_on_a_lone_breaching_point_in_three_of_three(text, missing, current, alarm):
    state = judge(points(text), datapoints=3, periods=3, missing=missing, current=current)
    assert (state is ALARM) is alarm


@pytest.mark.parametrize("text", ["00000", "X000X", "XX00X", "XXX00"])
def test_without_gaps_only_the_newest_n_points_count(text):
    for missing in Missing:
        assert judge(points(text), datapoints=2, periods=3, missing=missing, current=ALARM) is OK


def test_enough_real_points_count_however_old_and_nothing_is_filled():
    assert judge(points("XX--0"), datapoints=2, periods=3, missing="notBreaching", current=OK) is ALARM
    assert judge(points("X0--0"), datapoints=2, periods=3, missing="breaching", current=OK) is OK


@pytest.mark.parametrize(
    ("datapoints", "periods", "missing", "said"),
    [
        (4, 3, "missing", "4 of 3"),
        (0, 3, "missing", "0 of 3"),
        (3, 6, "missing", "range of 5"),
        (2, 3, "sometimes", "'sometimes'"),
    ],
)
def test_settings_cloudwatch_would_refuse(datapoints, periods, missing, said):
    with pytest.raises(InputError, match=said):
        judge(points("00000"), datapoints=datapoints, periods=periods, missing=missing, current=OK)


@st.composite
def evaluations(draw):
    periods = draw(st.integers(1, 5))
    slots = draw(st.integers(periods, periods + 4))
    return (
        tuple(draw(st.lists(st.sampled_from([True, False, None]), min_size=slots, max_size=slots))),
        {"datapoints": draw(st.integers(1, periods)), "periods": periods},
        draw(st.sampled_from(list(State))),
    )


@given(evaluations(), st.data())
def test_a_worse_point_never_ends_an_alarm(evaluation, data):
    before, settings, current = evaluation
    # Only real points are made worse: one in place of a gap would push an older one out of the newest N.
    slots = [slot for slot, point in enumerate(before) if point is False]
    assume(slots)
    slot = data.draw(st.sampled_from(slots))
    worse = (*before[:slot], True, *before[slot + 1 :])
    for missing in Missing:
        if judge(before, **settings, missing=missing, current=current) is ALARM:
            assert judge(worse, **settings, missing=missing, current=current) is ALARM


@given(evaluations())
def test_modes_are_ordered_and_only_ignore_looks_at_the_current_state(evaluation):
    window, settings, _ = evaluation
    by_mode = {
        missing: {judge(window, **settings, missing=missing, current=current) for current in State}
        for missing in Missing
    }
    assert all(len(by_mode[missing]) == 1 for missing in Missing if missing is not Missing.IGNORE)
    if by_mode[Missing.NOT_BREACHING] == {ALARM}:
        assert all(seen == {ALARM} for seen in by_mode.values())
    if by_mode[Missing.MISSING] == {ALARM}:
        assert by_mode[Missing.BREACHING] == {ALARM}
    assert (NO_DATA in by_mode[Missing.MISSING]) is all(point is None for point in window)


@given(evaluations())
def test_without_missing_points_the_mode_does_not_matter(evaluation):
    window, settings, current = evaluation
    full = tuple(bool(point) for point in window)
    expected = ALARM if sum(full[-settings["periods"] :]) >= settings["datapoints"] else OK
    for missing in Missing:
        assert judge(full, **settings, missing=missing, current=current) is expected


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (Comparison.ABOVE, (False, False, True, None)),
        (Comparison.AT_LEAST, (False, True, True, None)),
        (Comparison.BELOW, (True, False, False, None)),
        ("LessThanOrEqualToThreshold", (True, True, False, None)),
    ],
)
def test_breaches_puts_the_value_first(comparison, expected):
    assert breaches((1.0, 2.0, 3.0, None), comparison, 2.0) == expected


def test_band_operators_are_refused():
    with pytest.raises(InputError, match="LessThanLowerOrGreaterThanUpperThreshold"):
        breaches((1.0,), "LessThanLowerOrGreaterThanUpperThreshold", 2.0)


def alarm(datapoints: int, periods: int, missing: Missing = Missing.NOT_BREACHING) -> Alarm:
    return Alarm(
        name="lookout/lambda.errors/checkout",
        rule="lambda.errors",
        resource="arn",
        description=Description(),
        severity=Severity.PAGE,
        queries=(
            Query(
                id="m1",
                namespace="AWS/Lambda",
                metric="Errors",
                dimensions=(("FunctionName", "checkout"),),
                statistic="Sum",
                period_s=60,
            ),
        ),
        comparison=Comparison.ABOVE,
        threshold=0.0,
        datapoints=datapoints,
        periods=periods,
        missing=missing,
    )


def errors(*values: float | None, period_s: int = 60) -> Series:
    return Series(label="Errors", period_s=period_s, start=600, values=values)


def test_replay_two_of_three():
    # Slots end at 660, 720, ... The second error (slot 4, over at 840) makes two of the newest three; slot 6
    # is over at 960 and leaves one.
    series = errors(0.0, 0.0, 1.0, 4.0, 0.0, 0.0, 0.0)
    assert replay(alarm(2, 3), series) == (Episode(start=840, end=960, ended=OK),)


def test_replay_says_when_it_is_still_on():
    assert replay(alarm(1, 1), errors(0.0, 2.0, 1.0)) == (Episode(start=720, end=780, ended=ALARM),)


def test_replay_of_an_idle_function():
    assert replay(alarm(1, 1), errors(None, None, None)) == ()
    assert replay(alarm(1, 1, Missing.BREACHING), errors(None, None)) == (Episode(start=660, end=720, ended=ALARM),)


@pytest.mark.parametrize(("evaluation_range", "in_alarm"), [(1, 1 / 15), (3, 3 / 15), (6, 6 / 15), (9, 9 / 15)])
def test_an_error_is_seen_for_as_long_as_the_evaluation_range(evaluation_range, in_alarm):
    # One error in each 15 minutes and nothing else: with 1 of 1 the newest real point is that error until it
    # has left the evaluation range.
    series = errors(*((1.0, *[None] * 14) * 20))
    found = replay(alarm(1, 1), series, evaluation_range=evaluation_range)
    assert len(found) == 20
    assert sum(e.end - e.start for e in found) / (15 * 20 * 60) == pytest.approx(in_alarm)


def test_a_gap_shorter_than_the_range_keeps_it_stuck():
    # The same error every 15 minutes seen by a 5-minute alarm: two gaps between errors, and a range of three
    # (N + 2).
    series = errors(*((1.0, None, None) * 10))
    assert replay(alarm(1, 1), series) == (Episode(start=660, end=600 + 30 * 60, ended=ALARM),)


def test_replay_wants_the_alarms_own_period():
    with pytest.raises(InputError, match=r"\[60\] s, but the series has 300 s"):
        replay(alarm(1, 1), errors(1.0, period_s=300))


def test_states_refuse_a_range_shorter_than_the_periods():
    with pytest.raises(InputError, match="range of 2"):
        states((True,), datapoints=1, periods=3, missing="missing", evaluation_range=2)


@given(
    st.lists(st.sampled_from([True, False, None]), max_size=60),
    st.sampled_from(list(Missing)),
    st.integers(1, 4),
)
def test_states_are_judged_slot_by_slot(marks, missing, periods):
    seen = states(marks, datapoints=1, periods=periods, missing=missing)
    current = NO_DATA
    for slot, state in enumerate(seen):
        window = [None] * (periods + 2) + list(marks[: slot + 1])
        current = judge(window[-(periods + 2) :], datapoints=1, periods=periods, missing=missing, current=current)
        assert state is current
    assert len(seen) == len(marks)


@given(st.lists(st.sampled_from(list(State)), max_size=60))
def test_episodes_cover_exactly_the_alarm_slots(seen):
    found = episodes(seen, start=0, period_s=1)
    on = {second for episode in found for second in range(episode.start, episode.end)}
    # An alarm seen at the end of slot i holds until the end of slot i + 1; at the very end nothing follows
    # it.
    assert on == {slot for slot, state in enumerate(seen[:-1], 1) if state is ALARM}
