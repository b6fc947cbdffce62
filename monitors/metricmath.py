"""Metric math: expressions over series on one grid -> a series, as CloudWatch computes it. Pure.

The rules are those of the CloudWatch User Guide, "Using math expressions with CloudWatch metrics". The ones
that surprise: between two series a gap in one counts as 0 and only a gap in both stays one; a point that
would divide by zero, or has no finite value, is dropped; AVG counts gaps as 0.
"""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from monitors.errors import InputError
from monitors.mathfunctions import Line, Request, Value, apply, finite
from monitors.mathsyntax import Step, parse
from monitors.model import Query, Series

_LATEST = 253402300800  # epoch seconds of the year 10000, where calendars end


def evaluate(
    expression: str,
    metrics: Mapping[str, Sequence[float | None]],
    *,
    start: int,
    period_s: int,
    expressions: Mapping[str, str] | None = None,
) -> Line:
    """The expression's value in each slot, None where it has none.

    `metrics` are the request's metrics by id, equally long, their first slot at `start` (epoch seconds);
    `expressions` are its other expressions by id, which this one may name. InputError for anything CloudWatch
    would refuse, such as a result that is no single series, and for the functions not supported here.
    """
    try:
        request = _request(metrics, start=start, period_s=period_s)
        result = _evaluate(expression, expressions or {}, request)
    except InputError as error:
        shown = expression if len(expression) <= 80 else f"{expression[:77]}..."
        raise InputError(f"metric math {shown!r}: {error}") from error
    return result


def returned(queries: Sequence[Query], series: Mapping[str, Series]) -> Series:
    """The series of the one query that is returned: what an alarm on these queries judges.

    `series` holds that of each query's metric by its id. InputError if one is missing or on another period.
    """
    result = [query for query in queries if query.returned]
    if len(result) != 1:
        raise InputError(f"{len(result)} of the queries are returned: an alarm judges exactly one")
    wanted = {query.id: query.period_s for query in queries if not query.expression}
    if missing := sorted(wanted.keys() - series.keys()):
        raise InputError(f"no series for {', '.join(missing)}")
    found = {id_: series[id_] for id_ in wanted}
    if not result[0].expression:
        return found[result[0].id]
    if len({each.period_s for each in found.values()} | set(wanted.values())) != 1:
        raise InputError("metric math needs at least one metric, and all metrics on one period")
    start, period_s, lines = _align(found)
    others = {query.id: query.expression for query in queries if query.expression}
    values = evaluate(result[0].expression, lines, start=start, period_s=period_s, expressions=others)
    return Series(label=result[0].label or result[0].id, period_s=period_s, start=start, values=values)


def _align(series: Mapping[str, Series]) -> tuple[int, int, dict[str, Line]]:
    period_s = next(iter(series.values())).period_s
    start = min(each.start for each in series.values())
    if any((each.start - start) % period_s for each in series.values()):
        raise InputError(f"the series are not on one grid of {period_s} s")
    before = {id_: (each.start - start) // period_s for id_, each in series.items()}
    slots = max(before[id_] + len(each.values) for id_, each in series.items())
    lines = {id_: (None,) * before[id_] + each.values for id_, each in series.items()}
    return start, period_s, {id_: line + (None,) * (slots - len(line)) for id_, line in lines.items()}


def _request(metrics: Mapping[str, Sequence[float | None]], *, start: int, period_s: int) -> Request:
    lengths = {len(line) for line in metrics.values()}
    if len(lengths) != 1:
        raise InputError("needs at least one metric, and all metrics equally long")
    slots = lengths.pop()
    if period_s < 1 or start < 0 or start + slots * period_s > _LATEST:
        raise InputError(f"start {start} and period {period_s} s are not epoch seconds")
    lines = {
        id_: tuple(None if value is None else finite(float, value) for value in line) for id_, line in metrics.items()
    }
    return Request(metrics=lines, start=start, period_s=period_s, slots=slots)


def _evaluate(expression: str, expressions: Mapping[str, str], request: Request) -> Line:
    programs = {"": parse(expression)}
    needs: dict[str, set[str]] = {}
    to_read = [""]
    while to_read:
        id_ = to_read.pop()
        if id_ not in programs:
            programs[id_] = parse(expressions[id_])
        named = {str(step.value) for step in programs[id_] if step.verb == "series"}
        needs[id_] = named - request.metrics.keys()
        if unknown := sorted(needs[id_] - expressions.keys()):
            raise InputError(f"no metric or expression has the id {unknown[0]}")
        to_read += needs[id_] - needs.keys()
    values: dict[str, Value] = dict(request.metrics)
    try:
        for id_ in TopologicalSorter(needs).static_order():
            values[id_] = _run(programs[id_], values, request)
    except CycleError as error:
        raise InputError("the expressions name each other in a circle") from error
    result = values[""]
    if not isinstance(result, tuple):
        raise InputError("the result is not a single series")
    return result


def _run(program: Sequence[Step], values: Mapping[str, Value], request: Request) -> Value:
    stack: list[Value] = []
    for step in program:
        if step.verb == "apply":
            cut = len(stack) - step.arity
            stack[cut:] = [apply(str(step.value), stack[cut:], request)]
        else:
            stack.append(values[str(step.value)] if step.verb == "series" else step.value)
    return stack[0]
