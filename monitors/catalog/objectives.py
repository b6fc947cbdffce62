"""Rows: service level objectives, for what has one: its error budget is spent too fast.

An objective of 99.9 % leaves a budget of 0.1 % of requests in 30 days. Each row of the table says which part of it may
be spent in the long window, as a multiple of even spending; the short window ends the alarm soon after the errors do.
Windows and rates: "Alerting on SLOs", The Site Reliability Workbook (Google), Table 5-8.
"""

from typing import NamedTuple

from monitors.catalog.rows import Health, Rule, Share, has
from monitors.catalog.shapes import FEW, SHARE
from monitors.model import Severity

BUDGET = "slo_budget"
"""The fact that a resource with an objective has: which % of requests may fail."""


class _Burn(NamedTuple):
    severity: Severity
    long: str
    long_s: int
    short: str
    short_s: int
    rate: float


_BURNS = (
    _Burn(Severity.PAGE, "1h", 3_600, "5m", 300, 14.4),
    _Burn(Severity.PAGE, "6h", 21_600, "30m", 1_800, 6),
    _Burn(Severity.TICKET, "1d", 86_400, "2h", 7_200, 3),
    _Burn(Severity.TICKET, "3d", 259_200, "6h", 21_600, 1),
)
LONGEST = f".slo_{_BURNS[-1].severity}_{_BURNS[-1].long}"
"""How the rule's id ends whose window is the longest."""
_SERVICES = (
    ("lambda", "Errors", "Invocations"),
    ("apigateway_http", "5xx", "Count"),
    ("apigateway_rest", "5XXError", "Count"),
    ("states", "ExecutionsFailed", "ExecutionsStarted"),
)
"""(service, metric of what failed, metric of all)"""
_REASONS = {
    Severity.PAGE: "At this rate the errors that the objective allows for a month are used up in days.",
    Severity.TICKET: "More fails than the objective can bear, for a day or longer: kept up, it will be missed.",
}


def _id(service: str, severity: Severity, window: str = "") -> str:
    return f"{service}.slo_{severity}{window and f'_{window}'}"


def _rule(service: str, failed: str, whole: str, *, burn: _Burn, window: str, window_s: int) -> Rule:
    return Rule(
        id=_id(service, burn.severity, window),
        title=f"Failed in {window}",
        metrics=(failed, whole),
        expression=SHARE,
        unit=f"% of requests failed in {window}, if at least {FEW}",
        high=Share(burn.rate, BUDGET, under=100),
        period_s=window_s,
        datapoints=1,
        periods=1,
        severity=burn.severity,
        when=(has(BUDGET),),
        reason=_REASONS[burn.severity],
        runbook=f"slo.{burn.severity}",
    )


RULES = tuple(
    _rule(service, failed, whole, burn=burn, window=window, window_s=window_s)
    for service, failed, whole in _SERVICES
    for burn in _BURNS
    for window, window_s in ((burn.long, burn.long_s), (burn.short, burn.short_s))
)

HEALTHS = tuple(
    Health(
        id=_id(service, severity),
        service=service,
        title="Error budget",
        severity=severity,
        reason=_REASONS[severity],
        pairs=tuple(
            (_id(service, severity, burn.long), _id(service, severity, burn.short))
            for burn in _BURNS
            if burn.severity is severity
        ),
        runbook=f"slo.{severity}",
    )
    for service, _, _ in _SERVICES
    for severity in Severity
)
