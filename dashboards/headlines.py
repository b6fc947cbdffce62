"""Summary and reports -> the sentences and figures at the top of their pages. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboards.formats import counted, moment, ms, number, share, short, span, usd
from dashboards.latency_charts import phase_words
from dashboards.memory_charts import effect
from dashboards.summary import Coverage, Summary
from monitors.model import State
from monitors.rightsize.report import Action, FollowUp, Interval, MemoryAdvice, MemoryReport, Outcome
from monitors.traces.report import Change, FunctionLatency, LatencyReport

Figure = tuple[str, str, str]
"""(value, what it is, tone)"""

_NAMED = 3  # names told in a headline before `and n more`
_FIRST = 5  # savings told one by one
_TOLD = ("A", "B")  # confidences that rest on more than the prior


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    title: str
    words: str = ""
    tone: str = ""
    """good, warn, bad or nothing."""
    address: str = ""


# --- the front page ------------------------------------------------------------------------------


def run_status(summary: Summary) -> str:
    """`1 alarm on: Error rate of shop-payment`, or that all is quiet."""
    on = [f"{a.title} of {a.resource}" for a in summary.alarms if a.state is State.ALARM]
    return f"{counted(len(on), 'alarm')} on: {_some(on)}" if on else "All quiet: no alarm is on"


def run_figures(summary: Summary) -> list[Figure]:
    """Coverage, alarms, notifications, cost, found of planted, time taken."""
    on = sum(a.state is State.ALARM for a in summary.alarms)
    have, of = summary.coverage.functions_covered, summary.coverage.functions
    found = sum(bool(p.found) for p in summary.planted)
    figures = [
        (f"{have:,} of {of:,}", "functions covered", "good" if have == of else "bad"),
        (f"{on:,} of {len(summary.alarms):,}", "alarms on", "bad" if on else "good"),
        (number(len(summary.notices)), "notifications received", ""),
        (usd(sum(row.usd_month for row in summary.costs)), "a month for the monitoring", ""),
    ]
    if summary.planted:
        tone = "good" if found == len(summary.planted) else "bad"
        figures.append((f"{found} of {len(summary.planted)}", "planted faults found", tone))
    if summary.steps:
        figures.append((span(sum(step.seconds for step in summary.steps)), "for the whole run", ""))
    return figures


def run_action(summary: Summary) -> list[Headline]:
    """Alarms that are on, faults that nobody saw, functions that nothing watches."""
    links = {f.function: f.link for f in summary.functions}
    found = [
        Headline(
            title=f"{a.title} of {a.resource}",
            words=" ".join(filter(None, (a.meaning, a.reason, a.note))),
            tone="bad",
            address=links.get(a.resource, ""),
        )
        for a in summary.alarms
        if a.state is State.ALARM
    ]
    found += [
        Headline(title=f"Not found: {p.fault}", words=p.verdict, tone="bad") for p in summary.planted if not p.found
    ]
    bare = summary.coverage.functions - summary.coverage.functions_covered
    if bare > 0:
        found.append(Headline(title=f"{counted(bare, 'function')} without an alarm", tone="warn"))
    return found


def coverage_words(coverage: Coverage) -> str:
    """What is watched, what is not and why, in a sentence or two."""
    of = f"{coverage.resources_covered:,} of {counted(coverage.resources, 'resource')}"
    why = f" {coverage.stated:,} stand aside for a stated reason." if coverage.stated else ""
    return (
        f"Watched: {of}, among them {coverage.functions_covered:,} of {counted(coverage.functions, 'function')}.{why}"
    )


# --- latency -------------------------------------------------------------------------------------

Words = Callable[[float], str]


def _points(difference: float) -> str:
    return f"{difference * 100:.2g} points"


_MEASURES: dict[str, tuple[str, Words, Words]] = {
    # measure of a change: its name, a value of it, a difference
    "p50_ms": ("median response", ms, ms),
    "p95_ms": ("p95 response", ms, ms),
    "cold_share": ("share of cold starts", share, _points),
    "fault_share": ("share of faults", share, _points),
}


def latency_status(report: LatencyReport) -> str:
    """Who got slower or worse; if nobody did, who is slowest."""
    worse = list(dict.fromkeys(c.function for c in report.changes if c.low > 0))
    if worse:
        return f"{counted(len(worse), 'function')} got worse: {_some(worse)}"
    slowest = max(report.functions, key=lambda f: f.response.p95_ms, default=None)
    if slowest is None:
        return "None of the traces is of a Lambda function" if report.traces_used else "No traces in this window"
    told = f"slowest is {slowest.function}, p95 {ms(slowest.response.p95_ms)}"
    if report.compared is None:
        return _sentence(told)
    return f"{'Nothing got worse' if report.compared else 'Nothing could be compared'}; {told}"


def unchanged(report: LatencyReport) -> str:
    """Why no change is told of."""
    if report.compared is None:
        return "Only one window was read: there is nothing to compare it with."
    if not report.compared:
        return "No function has enough requests and days in both windows to be compared: see method and limits."
    return "No function changed by more than chance since the window before."


def latency_figures(report: LatencyReport) -> list[Figure]:
    """How much was looked at."""
    tone = "bad" if _worse(report) else "good" if report.compared else ""
    return [
        (number(len(report.functions)), "functions traced", ""),
        (short(sum(f.requests for f in report.functions)), "requests stood for", ""),
        (short(report.traces_used), f"traces used of {short(report.traces_read)} read", ""),
        (number(sum(c.low > 0 for c in report.changes)), "changes for the worse", tone),
        (number(sum(c.high < 0 for c in report.changes)), "changes for the better", ""),
    ]


def latency_changes(report: LatencyReport) -> list[Headline]:
    """Every change whose interval leaves out zero: the worse first, by how much in proportion."""
    certain = [c for c in report.changes if c.low > 0 or c.high < 0]
    return [_change(c) for c in sorted(certain, key=lambda c: (c.high < 0, -_proportion(c), c.function))]


LEAST_MS = 0.05
"""What is less is shown as 0.0 ms."""


def blame(function: FunctionLatency) -> str:
    """What adds most to the function's tail: `DynamoDB Query shop-orders, 312 ms`; a dash if nothing does."""
    most = max(function.phases, key=lambda p: p.excess_ms, default=None)
    return f"{phase_words(most)}, {ms(most.excess_ms)}" if most and most.excess_ms >= LEAST_MS else "–"


def _change(change: Change) -> Headline:
    name, tell, apart = _MEASURES.get(change.measure, (change.measure, short, short))
    rose = change.after > change.before
    title = f"{change.function}: {name} {'rose' if rose else 'fell'} from {tell(change.before)} to {tell(change.after)}"
    low, high = sorted((abs(change.low), abs(change.high)))
    words = [f"By {apart(low)} to {apart(high)} (95 % interval)."]
    phase, space, rest = change.blamed.partition(" ")
    words += [f"Moved most: {phase.replace('_', ' ')}{space}{rest}."] if change.blamed else []
    words += [f"Other requests than before: {change.mix}."] if change.mix else []
    words += [f"Since about {moment(change.since)}{_deployment(change)}."] if change.since else []
    words += ["Its memory size went from {:,} to {:,} MB.".format(*change.memory_mb)] if change.memory_mb else []
    return Headline(title=title, words=" ".join(words), tone="bad" if rose else "good")


def _deployment(change: Change) -> str:
    return f"; its code or settings changed at {moment(change.deployed)}" if change.deployed else ""


def _worse(report: LatencyReport) -> bool:
    return any(c.low > 0 for c in report.changes)


def _proportion(change: Change) -> float:
    return abs(change.after - change.before) / max(abs(change.before), 1e-9)


# --- memory --------------------------------------------------------------------------------------


def sure(report: MemoryReport) -> float:
    """USD a month that lowering saves even at the poor end of each interval.

    Only where more than the prior tells so (confidence A or B), and only where the poor end is a saving.
    """
    return sum(max(0.0, -effect(a).high) for a in _those(report, Action.LOWER) if a.confidence in _TOLD)


def memory_status(report: MemoryReport) -> str:
    """What is saved for sure and what at best, and who needs more."""
    lower, more = _those(report, Action.LOWER), _those(report, Action.RAISE)
    surely, best = sure(report), -sum(effect(a).low for a in lower)
    words = f"{usd(surely)} a month for sure and up to {usd(best)}" if surely else f"up to {usd(best)} a month"
    said = [f"save {words} on {counted(len(lower), 'function')}"] if lower else []
    said += [f"give {counted(len(more), 'function')} more memory"] if more else []
    if not said and report.advice and len(_those(report, Action.UNKNOWN)) == len(report.advice):
        return "Not enough data yet to judge the memory of any function"
    return _sentence(", ".join(said)) or "Every function we can judge has the memory it should have"


def memory_figures(report: MemoryReport) -> list[Figure]:
    """The bill now, what is saved of it for sure and as expected, what is added; how many functions of each advice."""
    lower, more = _those(report, Action.LOWER), _those(report, Action.RAISE)
    saved = _total([effect(a) for a in lower])
    added = _total([effect(a) for a in more])
    unknown = len(_those(report, Action.UNKNOWN))
    return [
        (usd(sum(a.now_usd_month for a in report.advice)), "a month for Lambda now", ""),
        (usd(sure(report)), "saved for sure (confidence A or B, poor end)", "good" if lower else ""),
        (
            usd(-saved.expected),
            f"expected by lowering ({usd(-saved.high)} to {usd(-saved.low)})",
            "good" if lower else "",
        ),
        (usd(added.expected), f"added by raising ({usd(added.low)} to {usd(added.high)})", "bad" if more else ""),
        (f"{len(lower):,} / {len(more):,}", "functions to lower / to raise", ""),
        (number(unknown), "without enough data to say", ""),
    ]


def followed(before: FollowUp) -> str:
    """How many of last time's advice were applied, and how many of their predictions held."""
    by_outcome = Counter(one.outcome for one in before.advice)
    said = ", ".join(f"{by_outcome[outcome]:,} {outcome}" for outcome in Outcome if by_outcome[outcome])
    p95 = [one.p95_ms.inside for one in before.advice if one.p95_ms]
    cost = [one.usd_month.inside for one in before.advice if one.usd_month]
    if not said:
        return "Last time no function was to get another size."
    held = f" Of the {len(p95):,} measured since, p95 is as predicted in {sum(p95):,}, cost in {sum(cost):,}."
    return f"Of {counted(len(before.advice), 'function')}: {said}.{held if p95 else ''}"


def memory_first(report: MemoryReport) -> list[Headline]:
    """Functions at risk, then the largest savings."""
    more = sorted(_those(report, Action.RAISE), key=lambda a: -a.now_usd_month)
    lower = sorted(_those(report, Action.LOWER), key=lambda a: effect(a).expected)[:_FIRST]
    return [_advice(a, "bad") for a in more] + [_advice(a, "good") for a in lower]


def ranked(advice: Sequence[MemoryAdvice]) -> list[MemoryAdvice]:
    """Raise, lower, keep, unknown; within each, what moves the bill most first."""
    order = [Action.RAISE, Action.LOWER, Action.KEEP, Action.UNKNOWN]
    return sorted(advice, key=lambda a: (order.index(a.action), -abs(effect(a).expected), a.function))


def decision(advice: MemoryAdvice) -> str:
    """`lower from 1,024 to 512 MB, saves $3.20 a month`."""
    if advice.action is Action.UNKNOWN:
        return f"{advice.memory_mb:,} MB: not enough data to say"
    if advice.action is Action.KEEP:
        return f"keep {advice.memory_mb:,} MB"
    change = effect(advice).expected
    money = f"{'saves' if change < 0 else 'adds'} {usd(abs(change))} a month"
    return f"{advice.action} from {advice.memory_mb:,} to {advice.advised_mb:,} MB, {money}"


def _advice(advice: MemoryAdvice, tone: str) -> Headline:
    then = advice.then_p95_ms
    speed = f"p95 {ms(advice.p95_ms)} now, {ms(then.low)} to {ms(then.high)} then (confidence {advice.confidence})."
    reason = f"{_sentence(advice.reasons[0]).rstrip('.')}. " if advice.reasons else ""
    return Headline(title=f"{advice.function}: {decision(advice)}", words=reason + speed, tone=tone)


def _those(report: MemoryReport, action: Action) -> list[MemoryAdvice]:
    return [a for a in report.advice if a.action is action]


def _total(parts: Sequence[Interval]) -> Interval:
    return Interval(
        low=sum(p.low for p in parts), expected=sum(p.expected for p in parts), high=sum(p.high for p in parts)
    )


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
