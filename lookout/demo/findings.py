"""What was planted in the history, against what the product found by itself. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboards import summary
from infra.local.history.plants import Planted
from monitors.evaluate import Episode
from monitors.names import parse_alarm_name
from monitors.rightsize.report import Action, MemoryReport
from monitors.traces.report import LatencyReport

LATE_S = 30 * 60
"""An alarm may come this long after what it is about began, and still be about it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the run found out."""

    episodes: Mapping[str, Sequence[Episode]]
    """By alarm name: its stays in ALARM over the history."""
    latency: LatencyReport
    memory: MemoryReport


def compare(planted: Sequence[Planted], evidence: Evidence) -> tuple[summary.Planted, ...]:
    """A row for each thing planted: what was found of it, and whether that will do."""
    return tuple(_row(one, evidence) for one in planted)


def _row(planted: Planted, evidence: Evidence) -> summary.Planted:
    found = [words for look in LOOKS[planted.kind] if (words := look(planted, evidence))]
    return summary.Planted(
        fault=f"{planted.resource}: {planted.what} ({_when(planted)})",
        found="; ".join(found),
        verdict="found" if found else "missed",
    )


def _when(planted: Planted) -> str:
    return f"{_moment(planted.start_s)} to {_moment(planted.end_s)}"


def _moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%a %d %b %H:%M")


def _alarmed(planted: Planted, evidence: Evidence) -> str:
    """The first alarm on the resource itself that would have gone on in time."""
    hits = [
        (episode.start, parsed[0], episode)
        for name, episodes in evidence.episodes.items()
        if (parsed := parse_alarm_name(name)) and parsed[1] == planted.resource
        for episode in episodes
        if planted.start_s <= episode.start <= min(planted.end_s, planted.start_s + 86_400) + LATE_S
    ]
    if not hits:
        return ""
    start, rule, episode = min(hits)
    minutes = (episode.end - episode.start) / 60
    return f"alarm {rule} from {_moment(start)} on, for {minutes:,.0f} min"


def _changed(*measures: str) -> Callable[[Planted, Evidence], str]:
    def look(planted: Planted, evidence: Evidence) -> str:
        for change in evidence.latency.changes:
            if change.function == planted.resource and change.measure in measures:
                share = change.measure.endswith("share")
                before, after = (f"{x:.1%}" if share else f"{x:,.0f} ms" for x in (change.before, change.after))
                name = change.measure.removesuffix("_ms").replace("_", " ")
                blamed = f", by {change.blamed}" if change.blamed else ""
                return f"latency report: {name} {before} -> {after}{blamed}"
        return ""

    return look


def _advised(action: Action) -> Callable[[Planted, Evidence], str]:
    def look(planted: Planted, evidence: Evidence) -> str:
        for advice in evidence.memory.advice:
            if advice.function == planted.resource and advice.action is action:
                bound = f"{advice.kind}-bound, " if advice.kind != "unknown" else ""
                return f"memory report: {bound}{advice.memory_mb} -> {advice.advised_mb} MB"
        return ""

    return look


def _flagged(*flags: str) -> Callable[[Planted, Evidence], str]:
    def look(planted: Planted, evidence: Evidence) -> str:
        for advice in evidence.memory.advice:
            told = [flag for flag in flags if flag in advice.flags]
            if advice.function == planted.resource and told:
                return f"memory report: {', '.join(told)}, {advice.used_mb} of {advice.memory_mb} MB used"
        return ""

    return look


LOOKS: Mapping[str, tuple[Callable[[Planted, Evidence], str], ...]] = {
    "incident": (_alarmed,),
    "slow_dependency": (_alarmed,),
    "dead_letters": (_alarmed,),
    "regression": (_changed("p50_ms", "p95_ms"),),
    "cold_starts": (_changed("cold_share", "p95_ms"),),
    "killed": (_flagged("killed", "clipped"), _alarmed),
    "leak": (_flagged("leak"),),
    "under_provisioned": (_advised(Action.RAISE),),
    "over_provisioned": (_advised(Action.LOWER),),
}
"""Where each kind of fault ought to show."""
