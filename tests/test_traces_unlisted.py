"""Functions that X-Ray's list of traces didn't name: the choice of slow ones doesn't bend their percentiles."""

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws.session import client
from infra.retrieval import chosen_read, chosen_traces
from monitors.traces.aggregate import window
from monitors.traces.choosing import Drawn, Recorded, drawn
from monitors.traces.unlisted import with_weights
from monitors.traces.weighing import quantiles
from tests.test_traces_sampling import T0, document, trace_id
from tests.xray import XRay

LEVELS = (0.50, 0.95, 0.99)


def unknown(*_: Any) -> None:
    return None


def read(draw: Drawn, ms: Mapping[str, float], invocations: Any = unknown) -> list[dict[str, Any]]:
    """What `shop` did in the traces drawn."""
    found = [document(Recorded(id_, 0, 0.0, ()), ms[id_]) for id_ in draw.weights]
    return with_weights(found, draw, invocations)


@pytest.mark.parametrize("named", [(), ("checkout",)], ids=["names nobody", "names it by another name"])
@pytest.mark.parametrize("part", [1.0, 0.25])
def test_percentiles_are_those_of_all_traces(named: tuple[str, ...], part: float) -> None:
    """Of 20,000 requests 400 are read, of which 300 are above the median. Had each counted alike, p50 were p95."""
    dice = random.Random(1)
    ms = {trace_id(T0 + n // 100, dice.getrandbits(96)): dice.lognormvariate(4, 0.8) for n in range(20_000)}
    listed = [Recorded(id_, T0, took / 1000, named or ("",)) for id_, took in ms.items()]
    draw = drawn(listed, invocations=unknown, part=part)
    true = quantiles([(took, 1.0) for took in ms.values()], LEVELS)
    assert len(draw.weights) == 400
    (alike,) = quantiles([(ms[id_], 1.0) for id_ in draw.weights], [0.5])
    assert alike > 2.5 * true[0]
    weights = [trace["Weights"]["shop"] for trace in read(draw, ms)]
    pairs = [(ms[id_], weight) for id_, weight in zip(draw.weights, weights, strict=True)]
    assert quantiles(pairs, LEVELS) == pytest.approx(true, rel=0.12)
    assert sum(weights) == pytest.approx(20_000 / part, rel=0.01)
    requests = window(read(draw, ms)).requests["shop"]
    assert sum(one.weight for one in requests) == pytest.approx(sum(weights))


@pytest.mark.parametrize(("per_function", "step"), [(60, 60), (20, 900)])
@given(
    made=st.lists(st.tuples(st.integers(0, 7200), st.floats(0.1, 9000)), min_size=21, max_size=60),
    times=st.integers(3, 50),
)
def test_it_stands_for_its_invocations(per_function: int, step: int, made: list[tuple[int, float]], times: int) -> None:
    """A minute of which all traces are read for its own; a quarter of an hour of which some are, for so much of it."""
    ms = {trace_id(T0 + at, n): took for n, (at, took) in enumerate(made)}
    listed = [Recorded(id_, T0, took / 1000, ("",)) for id_, took in ms.items()]
    draw = drawn(listed, invocations=unknown, per_function=per_function)

    def invocations(name: str, minute: int) -> float:
        return 1000.0 * times if name == "shop" else 0.0

    total: dict[int, float] = {}
    for trace in read(draw, ms, invocations):
        begun = int(trace["Id"][2:10], 16) // step * step
        total[begun] = total.get(begun, 0.0) + trace["Weights"]["shop"]
    assert list(total.values()) == pytest.approx([1000 * times * step / 60] * len(total))


def test_what_was_listed_keeps_its_weight() -> None:
    ids = [trace_id(T0, n) for n in range(3)]
    draw = Drawn({ids[0]: {"shop": 7.0}, ids[1]: {"api": 2.0}, ids[2]: {"api": 2.0}}, dict.fromkeys(ids, 0.5))
    found = read(draw, dict.fromkeys(ids, 10.0), lambda *_: 1000.0)
    assert [trace["Weights"] for trace in found] == [{"shop": 7}, {"api": 2, "shop": 2}, {"api": 2, "shop": 2}]


@pytest.mark.parametrize(
    "segment",
    [7, {}, {"Document": None}, {"Document": '{"origin": "AWS::Lambda'}, {"Document": '["AWS::Lambda"]'}]
    + [
        {"Document": json.dumps({"origin": origin, "name": name})}
        for origin, name in [("AWS::EC2", "AWS::Lambda"), ("AWS::Lambda", "")]
    ],
)
def test_what_is_no_function_has_no_weight(segment: Any) -> None:
    id_ = trace_id(T0, 1)
    (found,) = with_weights([{"Id": id_, "Segments": [segment]}], Drawn({id_: {}}, {id_: 1.0}), unknown)
    assert found["Weights"] == {}


def test_reading_from_x_ray_weights_them() -> None:
    """X-Ray lists `shop` in traces in which `mailer` runs."""
    xray = XRay([T0 + n for n in range(10)])
    body = json.dumps({"id": "1", "name": "mailer", "origin": "AWS::Lambda", "start_time": T0, "end_time": T0 + 1})
    reply = xray.batch

    def batch(request: Any, region: str) -> Any:
        found = reply(request, region)
        for trace in found["Traces"]:
            trace["Segments"] = [{"Id": "1", "Document": body}]
        return found

    xray.replies["xray:BatchGetTraces"] = batch
    asking = client(xray.session, "xray")
    chosen = chosen_traces(asking, lambda *_: 30.0, start_s=T0 - 60, middle_s=T0 - 1, end_s=T0 + 60)
    _, now = chosen_read(asking, chosen)
    # 30 in the minute of ten traces, all of which are read.
    assert [trace["Weights"] for trace in now] == [{"shop": pytest.approx(3), "mailer": pytest.approx(3)}] * 10
