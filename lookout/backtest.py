"""`lookout backtest`: when the plan's alarms would have been on in the past weeks, before anyone is paged."""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

from dashboards.formats import counted, moment, span
from infra.aws.session import session
from infra.backtest import DAY_S, backtest
from lookout import show
from lookout.planning import plans
from monitors.evaluate import Episode
from monitors.model import Alarm, Severity

NOISY_A_WEEK = 7
"""Pages of one alarm in a week beyond which people stop reading them."""


class Row(NamedTuple):
    """What an alarm would have done."""

    alarm: Alarm
    episodes: Sequence[Episode]

    @property
    def on_s(self) -> int:
        return sum(one.end - one.start for one in self.episodes)


def run(chosen: argparse.Namespace) -> int:
    """Print when each alarm would have been on; 1 if one that wakes people would have done so daily or oftener."""
    now = time.time()
    found: list[Row] = []
    alarms = 0
    for one in plans(chosen):
        with show.progress(f"replaying {one.region}") as progress:
            account = session(region=one.region)
            told = backtest(account, one.plan.alarms, end_s=now, days=chosen.days, progress=progress)
        alarms += len(one.plan.alarms)
        found += _rows(one.plan.alarms, told)
    noisy = [row for row in found if row.alarm.severity is Severity.PAGE and _a_week(row, chosen.days) >= NOISY_A_WEEK]
    if chosen.json:
        show.as_json([_document(row, chosen.days) for row in found])
    else:
        _print(found, noisy, alarms=alarms, days=chosen.days)
    return 1 if noisy else 0


def _rows(alarms: Sequence[Alarm], told: Mapping[str, Sequence[Episode]]) -> list[Row]:
    """Those that wake people first, then those that would have been on oftenest."""
    rows = [Row(alarm, told[alarm.name]) for alarm in alarms if alarm.name in told]
    return sorted(rows, key=lambda row: (row.alarm.severity is not Severity.PAGE, -len(row.episodes), row.alarm.name))


def _a_week(row: Row, days: float) -> float:
    return len(row.episodes) * 7 / days


def _document(row: Row, days: float) -> dict[str, object]:
    return {
        "alarm": row.alarm.name,
        "severity": str(row.alarm.severity),
        "times": len(row.episodes),
        "times_a_week": round(_a_week(row, days), 2),
        "on_s": row.on_s,
        "episodes": [asdict(one) for one in row.episodes],
    }


def _print(found: Sequence[Row], noisy: Sequence[Row], *, alarms: int, days: float) -> None:
    rows = [
        (
            *(row.alarm.name, str(row.alarm.severity), len(row.episodes), span(row.on_s)),
            *(moment(row.episodes[0].start), moment(row.episodes[-1].end)),
        )
        for row in found
    ]
    show.table(
        f"in the past {span(days * DAY_S)}", ("alarm", "severity", "times", "on for", "first on", "last off"), rows
    )
    times = sum(len(row.episodes) for row in found)
    pages = sum(len(row.episodes) for row in found if row.alarm.severity is Severity.PAGE)
    show.line(
        f"{len(found)} of {counted(alarms, 'alarm')} would have been on, {counted(times, 'time')}; "
        f"{counted(pages, 'time')} somebody would have been woken"
    )
    for row in noisy:
        show.note(f"noisy: {row.alarm.name}, {_a_week(row, days):.0f} times a week; `lookout plan --resource` says why")
    show.note("late data, and windows that slide by the minute, are not in a replay: CloudWatch may differ by a period")
