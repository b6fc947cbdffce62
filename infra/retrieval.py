"""An account's X-Ray -> the traces of a window, and of the one before, that are worth reading."""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from math import inf
from typing import NamedTuple

from botocore.client import BaseClient

from infra.aws.keeping import Json, Keeper, keeping
from infra.aws.traces import Progress, list_traces, read_traces
from monitors.traces.aggregate import Weights
from monitors.traces.choosing import Choice, Drawn, drawn
from monitors.traces.effort import Effort, effort
from monitors.traces.unlisted import with_weights


class Chosen(NamedTuple):
    """What to read of a window and of the one before."""

    listed: int
    recorded: int
    """Traces that X-Ray has; about, where not all were listed."""
    before: Choice
    now: Choice
    chances: Mapping[str, float]
    """Of both; see choosing.Drawn."""
    invocations: Weights
    """By which they were weighted."""


def chosen_traces(
    xray: BaseClient,
    invocations: Weights,
    *,
    start_s: float,
    middle_s: float,
    end_s: float,
    most: float = inf,
    progress: Progress | None = None,
) -> Chosen:
    """The choice in all that X-Ray lists from `start_s` to `middle_s`, and from there to `end_s`; reads no trace.

    `most` traces of each window, as far as `drawn` can. AwsError if a call fails.
    """
    before = list_traces(xray, start_s=start_s, end_s=middle_s, progress=progress)
    now = list_traces(xray, start_s=middle_s, end_s=end_s, progress=progress)
    draws = [drawn(one.traces, invocations=invocations, part=one.part, most=most) for one in (before, now)]
    return Chosen(
        listed=len(before.traces) + len(now.traces),
        recorded=sum(round(len(window.traces) / window.part) for window in (before, now)),
        before=draws[0].weights,
        now=draws[1].weights,
        chances={**draws[0].chances, **draws[1].chances},
        invocations=invocations,
    )


def effort_of(chosen: Chosen, had: Collection[str] = ()) -> Effort:
    """What reading them takes, less those whose ids are had already."""
    ids = chosen.before.keys() | chosen.now.keys()
    return effort(recorded=chosen.recorded, listed=chosen.listed, chosen=len(ids), kept=len(ids.intersection(had)))


def chosen_read(
    xray: BaseClient, chosen: Chosen, *, resume: str = "", progress: Progress | None = None
) -> tuple[list[Json], list[Json]]:
    """The chosen traces of the window before and of the window, oldest first, each with its `Weights`.

    With `resume`, those in the file are not asked for, and every other is added to it as it comes.

    Raises:
        AwsError: a call failed.
        InputError: the file is of something else, or can't be written.
    """
    weights = {**chosen.before, **chosen.now}
    keeper: Keeper = keeping(resume) if resume else nullcontext(({}, lambda _: None))
    with keeper as (found, keep):
        wanted = [trace_id for trace_id in weights if trace_id not in found]
        for trace in read_traces(xray, wanted, progress=progress):
            found[trace["Id"]] = trace
            if trace["Segments"]:  # else it is worth asking again
                keep({**trace, "Weights": weights[trace["Id"]]})
    before, now = (
        with_weights(map(found.__getitem__, window), Drawn(window, chosen.chances), chosen.invocations)
        for window in (chosen.before, chosen.now)
    )
    return before, now
