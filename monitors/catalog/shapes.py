"""Shapes of rule that many services share: what must never happen, a share, more than usual, the usual traffic."""

from monitors.catalog.rows import Condition, Fixed, Learned, Level, Rule
from monitors.model import Missing, Severity

FEW = 3
"""A share says little about one or two requests: this many must have failed before it counts."""
FIVE_PERCENT = Fixed(5)
SHARE = f"IF(m1>={FEW},100*m1/m2,0)"


def never(
    rule: str,
    metric: str,
    *,
    title: str,
    reason: str,
    severity: Severity = Severity.PAGE,
    unit: str = "a minute",
    when: tuple[Condition, ...] = (),
    opt_in: bool = False,
) -> Rule:
    """Fires at the first one: for what is lost, or comes in ones, so that M of N would wait for ever."""
    return Rule(
        id=rule,
        title=title,
        metrics=(metric,),
        unit=unit,
        high=Fixed(0),
        datapoints=1,
        periods=1,
        severity=severity,
        when=when,
        opt_in=opt_in,
        reason=reason,
    )


def share(
    rule: str,
    part: str,
    whole: str,
    *,
    title: str,
    reason: str,
    severity: Severity,
    unit: str,
    high: Level = FIVE_PERCENT,
) -> Rule:
    """Fires on a share in percent that lasts for more than five minutes, if the part is at least FEW in a period."""
    return Rule(
        id=rule,
        title=title,
        metrics=(part, whole),
        expression=SHARE,
        unit=f"{unit}, if at least {FEW}",
        high=high,
        period_s=300,
        datapoints=2,
        periods=3,
        severity=severity,
        reason=reason,
    )


def unusual(
    rule: str,
    metric: str,
    *,
    title: str,
    unit: str,
    reason: str,
    default: Fixed | None = None,
    severity: Severity = Severity.TICKET,
    datapoints: int = 2,
    periods: int = 3,
    opt_in: bool = False,
) -> Rule:
    """Fires on more than the metric's history leads one to expect, in five-minute periods."""
    return Rule(
        id=rule,
        title=title,
        metrics=(metric,),
        unit=unit,
        high=Learned(default=default),
        period_s=300,
        datapoints=datapoints,
        periods=periods,
        severity=severity,
        opt_in=opt_in,
        reason=reason,
    )


def traffic(rule: str, metric: str, *, title: str, unit: str, reason: str, opt_in: bool = False) -> Rule:
    """Fires on less and on more than usual; once a low level is in force, silence is less than usual."""
    return Rule(
        id=rule,
        title=title,
        metrics=(metric,),
        unit=unit,
        high=Learned(),
        low=Learned(),
        period_s=300,
        datapoints=3,
        periods=3,
        missing_low=Missing.BREACHING,
        severity=Severity.TICKET,
        opt_in=opt_in,
        reason=reason,
    )


def throttled(rule: str, metric: str, *, title: str, reason: str, unit: str = "a minute") -> Rule:
    """Fires on refusals that last for five minutes; where some are usual, on more than that."""
    return Rule(
        id=rule,
        title=title,
        metrics=(metric,),
        unit=unit,
        high=Learned(default=Fixed(0)),
        datapoints=5,
        periods=5,
        severity=Severity.PAGE,
        reason=reason,
    )


def in_use(rule: str, used: str, limit: str, *, title: str, unit: str, reason: str) -> Rule:
    """Fires at four fifths of a limit. `used` is a sum over the period, `limit` is a second's."""
    period_s = 300
    return Rule(
        id=rule,
        title=title,
        metrics=(used, limit),
        expression=f"IF(m2>0,100*m1/({period_s}*m2),0)",
        unit=unit,
        high=Fixed(80),
        period_s=period_s,
        datapoints=3,
        periods=3,
        severity=Severity.TICKET,
        reason=reason,
    )
