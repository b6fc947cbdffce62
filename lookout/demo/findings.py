"""What was planted in the history, against what the product found by itself. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboards import summary
from infra.local.history.plants import Planted
from monitors.evaluate import Episode
from monitors.model import State
from monitors.names import alarm_name
from monitors.rightsize.report import Action, MemoryReport
from monitors.traces.report import LatencyReport

LATE_S = 30 * 60
"""An alarm may come this long after what it is about has ended, and still be about it."""
SOON_S = 86_400
"""One that comes later than this after it began is no news of it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the run found out."""

    episodes: Mapping[str, Sequence[Episode]]
    """By alarm name: its stays in ALARM over the history."""
    latency: LatencyReport
    memory: MemoryReport


Look = Callable[[Planted, Evidence], str]
"""What the evidence says of a fault, in words; empty if nothing."""


def compare(planted: Sequence[Planted], evidence: Evidence) -> tuple[summary.Planted, ...]:
    """A row for each thing planted: what was found of it, and whether that will do."""
    return tuple(_row(one, evidence) for one in planted)


def _row(planted: Planted, evidence: Evidence) -> summary.Planted:
    found = LOOKS[planted.kind](planted, evidence)
    return summary.Planted(
        fault=f"{planted.resource}: {planted.what} ({_when(planted)})",
        found=found,
        verdict="found" if found else "missed",
    )


def _when(planted: Planted) -> str:
    return f"{_moment(planted.start_s)} to {_moment(planted.end_s)}"


def _moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%a %d %b %H:%M")


def _alarmed(*rules: str) -> Look:
    """When each of these alarms on the resource itself first went on."""

    def look(planted: Planted, evidence: Evidence) -> str:
        latest = min(planted.end_s + LATE_S, planted.start_s + SOON_S)
        first: dict[str, Episode] = {}
        for rule in rules:
            for episode in evidence.episodes.get(alarm_name(rule, planted.resource), ()):
                if planted.start_s <= episode.start <= latest:
                    first.setdefault(rule, episode)
        return ", ".join(
            f"alarm {rule} from {_moment(one.start)} on, for {(one.end - one.start) / 60:,.0f} min"
            for rule, one in sorted(first.items(), key=lambda item: item[1].start)
        )

    return look


def _left_on(rule: str) -> Look:
    """Since when this alarm on the resource itself has been on, to the end; it may have been on already."""

    def look(planted: Planted, evidence: Evidence) -> str:
        for episode in evidence.episodes.get(alarm_name(rule, planted.resource), ()):
            if episode.ended is State.ALARM and episode.start <= planted.start_s + SOON_S:
                return f"alarm {rule} from {_moment(episode.start)} on, and never off again"
        return ""

    return look


def _changed(*measures: str) -> Look:
    """What got worse from one week to the next."""

    def look(planted: Planted, evidence: Evidence) -> str:
        for change in evidence.latency.changes:
            if change.function == planted.resource and change.measure in measures and change.after > change.before:
                share = change.measure.endswith("share")
                before, after = (f"{x:.1%}" if share else f"{x:,.0f} ms" for x in (change.before, change.after))
                name = change.measure.removesuffix("_ms").replace("_", " ")
                blamed = f", by {change.blamed}" if change.blamed else ""
                return f"latency report: {name} {before} -> {after}{blamed}"
        return ""

    return look


def _advised(action: Action) -> Look:
    def look(planted: Planted, evidence: Evidence) -> str:
        for advice in evidence.memory.advice:
            if advice.function == planted.resource and advice.action is action:
                bound = f"{advice.kind}-bound, " if advice.kind != "unknown" else ""
                return f"memory report: {bound}{advice.memory_mb} -> {advice.advised_mb} MB"
        return ""

    return look


def _flagged(*flags: str) -> Look:
    def look(planted: Planted, evidence: Evidence) -> str:
        for advice in evidence.memory.advice:
            told = [flag for flag in flags if flag in advice.flags]
            if advice.function == planted.resource and told:
                return f"memory report: {', '.join(told)}, {advice.used_mb} of {advice.memory_mb} MB used"
        return ""

    return look


LOOKS: Mapping[str, Look] = {
    "incident": _alarmed("lambda.errors", "lambda.failures"),
    "slow_dependency": _alarmed("lambda.duration", "lambda.failures", "lambda.timeouts"),
    "dead_letters": _left_on("sqs.dead_letters"),
    "regression": _changed("p50_ms", "p95_ms"),
    "cold_starts": _changed("cold_share", "p95_ms"),
    "killed": _flagged("killed", "clipped"),
    "leak": _flagged("leak"),
    "under_provisioned": _advised(Action.RAISE),
    "over_provisioned": _advised(Action.LOWER),
}
"""Where each kind of fault ought to show."""
