"""Where the time of a trace went: by hand for every shape, and exact to the microsecond for any tree."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitors.traces.phases import Path, both_paths, function_path, functions, per_trace, response_path, view
from monitors.traces.reading import read_trace
from monitors.traces.tree import Trace

T0 = 1_700_000_000
FUNCTION = "AWS::Lambda::Function"


def entity(identity: str, start_ms: float, end_ms: float, **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "name": identity,
        "start_time": T0 + start_ms / 1000,
        "end_time": T0 + end_ms / 1000,
        **more,
    }


def read(*segments: dict[str, Any]) -> Trace:
    return read_trace({"Id": "1-x", "Segments": list(segments)})


def report(*segments: dict[str, Any]) -> dict[str, Any]:
    return per_trace(read(*segments))


def ms(times: dict[str, int]) -> dict[str, float]:
    return {phase: time / 1000 for phase, time in times.items()}


def call(identity: str, start_ms: float, end_ms: float, operation: str, **aws: Any) -> dict[str, Any]:
    return entity(identity, start_ms, end_ms, namespace="aws", aws={"operation": operation, **aws})


def cold_behind_a_gateway() -> list[dict[str, Any]]:
    table = call("DynamoDB", 750, 900, "Query", table_name="orders")
    invoke = call("L", 3, 999, "Invoke", function_name="shop")
    return [
        entity("A", 0, 1000, origin="AWS::ApiGateway::Stage", subsegments=[invoke]),
        entity("S", 30, 998, name="shop", origin="AWS::Lambda", parent_id="L"),
        entity(
            "F",
            700,
            998.5,
            name="shop",
            origin=FUNCTION,
            parent_id="S",
            subsegments=[
                entity("I", 200, 690, name="Initialization"),
                entity("V", 701, 996, name="Invocation", subsegments=[table]),
                entity("O", 996.5, 998.4, name="Overhead"),
            ],
        ),
        entity("D2", 750, 900, name="DynamoDB", origin="AWS::DynamoDB::Table", inferred=True, parent_id="DynamoDB"),
    ]


def test_a_cold_start_behind_a_gateway() -> None:
    found = report(*cold_behind_a_gateway())
    assert ms(found["phases"]) == {
        "gateway": 3 + 1,  # A before and after L
        "hop": 27 + 1,  # L before and after S
        "container_start": 170,  # S.start 30 - I.start 200
        "runtime_start": 490,  # I
        "dispatch": 10 - 0.5,  # I.end 690 - F.start 700, where F is moved by what it outlives S
        "handler": 1 + 49 + 96 + 0.5 + 0.1,  # F before V, V 701-996 around the call 750-900, F before and after O
        "dependency": 150,
        "overhead": 1.9,  # O 996.5-998.4
    }
    assert found["response_us"] == found["completion_us"] == 1_000_000
    assert ms(found["dependencies"]) == {"DynamoDB Query orders": 150}
    assert found["critical_path"] == ["A", "L", "S", "I", "F", "V", "DynamoDB", "D2", "O"]
    assert found["cold_starts"] == 1


def test_the_function_behind_the_gateway_has_its_own_interval() -> None:
    seen = view(read(*cold_behind_a_gateway()))
    (node,) = functions(seen)
    assert seen.spans[node].id == "S"
    path = function_path(seen, node)
    assert sum(section.end - section.start for section in path.sections) == 968_000
    assert {section.label.phase for section in path.sections} == {
        "container_start",
        "runtime_start",
        "dispatch",
        "handler",
        "dependency",
        "overhead",
    }


def test_parallel_calls_count_once_and_the_overlapped_part_to_the_later() -> None:
    """An older runtime: no Invocation, calls right below the function."""
    calls = [call("a", 20, 50, "GetItem"), call("b", 40, 80, "PutItem")]
    found = report(
        entity("S", 0, 100, origin="AWS::Lambda"),
        entity("F", 6, 99, origin=FUNCTION, parent_id="S", subsegments=calls),
    )
    assert ms(found["phases"]) == {"dispatch": 6 + 1, "handler": 14 + 19, "dependency": 20 + 40}
    assert ms(found["dependencies"]) == {"a GetItem": 20, "b PutItem": 40}
    assert found["cold_starts"] == 0


def test_snap_start_restores() -> None:
    found = report(
        entity("S", 0, 300, origin="AWS::Lambda"),
        entity("F", 255, 298, origin=FUNCTION, parent_id="S", subsegments=[entity("R", 50, 250, name="Restore")]),
    )
    assert ms(found["phases"]) == {
        "container_start": 50,
        "restore": 200,
        "dispatch": 5 + 2,  # before F and after it
        "handler": 43,
    }
    assert found["cold_starts"] == 1


def test_provisioned_concurrency_is_no_cold_start() -> None:
    """The idle time until the request is recorded as initialization; nobody waited for it."""
    early = entity("I", -600_000, 4, name="Initialization")
    found = report(
        entity("S", 0, 100, origin="AWS::Lambda"),
        entity("F", 5, 99, origin=FUNCTION, parent_id="S", subsegments=[early]),
    )
    assert ms(found["phases"]) == {"dispatch": 5 + 1, "handler": 94}
    assert found["cold_starts"] == 0
    assert found["response_us"] == 100_000


def test_a_function_that_calls_a_function() -> None:
    """The whole trace tells the two apart by phase; to the caller the called one is a dependency."""
    invoke = call("L", 20, 90, "Invoke", function_name="inner")
    seen = view(
        read(
            entity("S1", 0, 100, name="outer", origin="AWS::Lambda"),
            entity("F1", 5, 99, name="outer", origin=FUNCTION, parent_id="S1", subsegments=[invoke]),
            entity("S2", 30, 88, name="inner", origin="AWS::Lambda", parent_id="L"),
            entity("F2", 34, 87, name="inner", origin=FUNCTION, parent_id="S2"),
        )
    )
    whole = {section.label.phase for section in response_path(seen).sections}
    assert whole == {"dispatch", "handler", "hop"}
    outer = [s for s in function_path(seen, 0).sections if s.label.phase == "dependency"]
    assert [(s.label.target, s.end - s.start) for s in outer] == [("L Invoke inner", 70_000)]
    assert [seen.spans[node].id for node in functions(seen)] == ["S1", "S2"]


def test_a_function_right_below_a_function_is_another_ones_time() -> None:
    inner = entity("inner", 20, 60, origin=FUNCTION, parent_id="outer")
    seen = view(read(entity("outer", 0, 100, origin=FUNCTION), inner))
    sections = function_path(seen, 0).sections
    assert [(*s.label, s.end - s.start) for s in sections] == [
        ("handler", "", 20_000),
        ("dependency", "inner", 40_000),
        ("handler", "", 40_000),
    ]


def test_an_asynchronous_invocation_waits_in_a_queue() -> None:
    """202 after 40 ms; the only attempt starts at 90 and ends at 400, long after the caller had its answer."""
    inside = [entity("W", 30, 90, name="Dwell Time"), entity("T", 90, 400, name="Attempt #1")]
    found = report(
        entity("S", 0, 40, origin="AWS::Lambda", http={"response": {"status": 202}}, subsegments=inside),
        entity("F", 95, 398, origin=FUNCTION, parent_id="T"),
    )
    assert ms(found["phases"]) == {"dispatch": 40}
    assert found["response_us"] == 40_000
    assert ms(found["completion_phases"]) == {
        "dispatch": 30 + 5 + 2,  # S up to the queue; T up to F, and after it
        "queue": 60,
        "handler": 303,
    }
    assert found["completion_us"] == 400_000


def test_each_attempt_is_an_invocation_of_the_function() -> None:
    tries = [entity(f"T{n}", at, at + 50, name=f"Attempt #{n}") for n, at in ((1, 60), (2, 60_000))]
    seen = view(
        read(
            entity("S", 0, 40, name="f", origin="AWS::Lambda", http={"response": {"status": 202}}, subsegments=tries),
            entity("F1", 62, 108, name="f", origin=FUNCTION, parent_id="T1"),
            entity("F2", 60_002, 60_048, name="f", origin=FUNCTION, parent_id="T2"),
        )
    )
    assert [seen.spans[node].id for node in functions(seen)] == ["T1", "T2"]
    queued = [section for section in both_paths(seen)[1].sections if section.label.phase == "queue"]
    assert sum(section.end - section.start for section in queued) == (60_000 - 40) * 1000


def test_an_event_that_was_only_taken_in_is_no_invocation() -> None:
    """Its tries are, though they may be missing, or the status of what took it in."""
    taken_in = entity("S", 0, 40, origin="AWS::Lambda", http={"response": {"status": 202}})
    assert [*functions(view(read(taken_in)))] == []
    tried = entity("S", 0, 40, origin="AWS::Lambda", subsegments=[entity("T", 60, 90, name="Attempt #1")])
    seen = view(read(tried))
    assert [seen.spans[node].id for node in functions(seen)] == ["T"]


def test_a_cold_start_of_what_a_function_called_is_not_its_own() -> None:
    """Right below it, as where a call has no span: one with Lambda's own segment, and one without."""
    begun = entity("I", 20, 30, name="Initialization")
    inner = entity("inner", 20, 60, origin=FUNCTION, parent_id="outer", subsegments=[begun])
    assert report(entity("outer", 0, 100, origin=FUNCTION), inner)["cold_starts"] == 1
    service = entity("S", 10, 70, origin="AWS::Lambda", parent_id="outer", subsegments=[begun])
    assert report(entity("outer", 0, 100, origin=FUNCTION), service)["cold_starts"] == 1


def test_a_function_may_be_called_as_lambda_calls_a_start() -> None:
    found = report(
        entity("S", 0, 100, name="Restore", origin="AWS::Lambda"),
        entity("F", 10, 95, name="Restore", origin=FUNCTION, parent_id="S"),
    )
    assert ms(found["phases"]) == {"dispatch": 10 + 5, "handler": 85}
    assert found["cold_starts"] == 0


def test_a_part_is_no_invocation_whatever_origin_it_claims() -> None:
    part = entity("part", 10, 20, origin=FUNCTION, type="subsegment", parent_id="App")
    assert [*functions(view(read(entity("App", 0, 100), part)))] == []


def test_of_calls_that_end_together_the_later_is_the_last() -> None:
    """a from 10 to 80 and b from 40 to 80: b, and before it a up to where b began."""
    calls = [call("a", 10, 80, "GetItem"), call("b", 40, 80, "PutItem")]
    for some in (calls, calls[::-1]):
        path = response_path(view(read(entity("App", 0, 100, subsegments=some))))
        times = [(s.label.target, s.end - s.start) for s in path.sections if s.label.phase == "dependency"]
        assert times == [("a GetItem", 30_000), ("b PutItem", 40_000)]


def test_a_call_is_a_dependency_before_what_x_ray_infers_of_it_too() -> None:
    """Refused or not: that is Lambda's own time only where it refused to run a function."""
    table = entity("T", 20, 60, origin="AWS::DynamoDB::Table", inferred=True, parent_id="DynamoDB", throttle=True)
    found = report(entity("App", 0, 100, subsegments=[call("DynamoDB", 10, 60, "Query")]), table)
    assert ms(found["phases"]) == {"service": 50, "dependency": 50}


def test_a_users_own_attempt_is_no_invocation() -> None:
    own = entity("U", 10, 20, name="Attempt #1")
    seen = view(
        read(
            entity("S", 0, 100, origin="AWS::Lambda"),
            entity("F", 5, 99, origin=FUNCTION, parent_id="S", subsegments=[own]),
        )
    )
    assert [seen.spans[node].id for node in functions(seen)] == ["S"]


def test_a_bucket_that_triggers_a_function() -> None:
    """The upload ends at 20, the function it triggers starts at 1020 and ends the trace at 1100."""
    found = report(
        entity("S1", 0, 50, origin="AWS::Lambda"),
        entity("F1", 5, 49, origin=FUNCTION, parent_id="S1", subsegments=[call("S3", 10, 20, "PutObject")]),
        entity("B", 10, 20, origin="AWS::S3::Bucket", inferred=True, parent_id="S3"),
        entity("S2", 1020, 1100, origin="AWS::Lambda", parent_id="B"),
        entity("F2", 1025, 1099, origin=FUNCTION, parent_id="S2"),
    )
    assert ms(found["phases"]) == {"dispatch": 5 + 1, "handler": 5 + 29, "dependency": 10}
    assert ms(found["completion_phases"]) == {
        "dispatch": 5 + 5 + 1,
        "handler": 5 + 74,
        "dependency": 10,
        "trigger": 1000,
    }
    assert found["completion_path"] == ["S1", "F1", "S3", "B", "S2", "F2"]


def test_a_queues_own_time_is_not_the_message_waiting() -> None:
    """X-Ray gives an inferred queue a QueueTime as long as the SendMessage that filled it."""
    found = report(
        entity("App", 0, 100, subsegments=[call("SQS", 10, 30, "SendMessage", queue_url="https://x/1/mail")]),
        entity(
            "Q",
            10,
            30,
            origin="AWS::SQS::Queue",
            inferred=True,
            parent_id="SQS",
            subsegments=[entity("QT", 10, 30, name="QueueTime")],
        ),
    )
    assert ms(found["phases"]) == {"service": 80, "dependency": 20}
    assert ms(found["dependencies"]) == {"SQS SendMessage mail": 20}


def test_a_state_machine_that_starts_another_does_not_wait_for_it() -> None:
    start = call("Start", 20, 82, "StartExecution")
    states = [entity("Run", 10, 400, subsegments=[start]), entity("Pass", 400, 400), entity("End", 400, 480)]
    found = report(
        entity("M1", 0, 500, origin="AWS::StepFunctions::StateMachine", subsegments=states),
        entity("M2", 40, 300, origin="AWS::StepFunctions::StateMachine", parent_id="Start"),
    )
    assert ms(found["phases"]) == {"orchestration": 500 - 62, "dependency": 62}
    assert found["critical_path"] == ["M1", "Run", "Start", "Pass", "End"]


def test_the_way_into_a_state_machine_that_goes_on_alone_is_a_hop() -> None:
    """The gateway waits for the call, 3 to 65; what it started runs from 40 to 900."""
    found = report(
        entity("A", 0, 70, origin="AWS::ApiGateway::Stage", subsegments=[call("L", 3, 65, "StartExecution")]),
        entity("M", 40, 900, origin="AWS::StepFunctions::StateMachine", parent_id="L"),
    )
    assert ms(found["phases"]) == {"gateway": 3 + 5, "dependency": 62}
    assert ms(found["completion_phases"]) == {"gateway": 3, "hop": 37, "orchestration": 860}


def test_a_call_to_step_functions_is_orchestration_and_the_callers_dependency() -> None:
    """No state machine sent a segment: X-Ray made one of the call, and spells the service as the caller did."""
    for origin in ("AWS::stepfunctions", "AWS::STEPFUNCTIONS"):
        seen = view(
            read(
                entity("F", 0, 100, origin=FUNCTION, subsegments=[call("L", 20, 60, "StartExecution")]),
                entity("M", 20, 60, origin=origin, inferred=True, parent_id="L"),
            )
        )
        by_phase = {section.label.phase: section.end - section.start for section in response_path(seen).sections[1:2]}
        assert by_phase == {"orchestration": 40_000}
        phases = [section.label.phase for section in function_path(seen, 0).sections]
        assert phases == ["handler", "dependency", "handler"]


def test_what_ended_before_the_root_did_completes_nothing() -> None:
    """An event that was taken in (202) and handled while the caller was still at work: nobody waited for it."""
    event = [entity("W", 15, 30, name="Dwell Time"), entity("T", 30, 80, name="Attempt #1")]
    for end in (100, 80):
        found = report(
            entity("App", 0, end, subsegments=[call("L", 10, 25, "Invoke")]),
            entity(
                "S", 12, 22, origin="AWS::Lambda", parent_id="L", http={"response": {"status": 202}}, subsegments=event
            ),
        )
        assert ms(found["phases"]) == {"service": 10 + end - 25, "hop": 2 + 3, "dispatch": 10}
        assert found["completion_phases"] == found["phases"]


def test_of_work_that_ends_last_together_the_innermost_completes_the_trace() -> None:
    near, far = entity("near", 60, 110, parent_id="App"), entity("far", 80, 110, parent_id="step")
    found = report(entity("App", 0, 50), entity("step", 10, 40, parent_id="App"), near, far)
    assert found["completion_path"] == ["App", "step", "far"]


def test_known_precursors_beat_the_clock() -> None:
    """c waited for a, which says so; b, which ended later, held up nobody."""
    inside = [entity("a", 0, 60), entity("b", 0, 70), entity("c", 70, 100)]
    assert report(entity("P", 0, 100, subsegments=inside))["critical_path"] == ["P", "b", "c"]
    inside[2]["precursor_ids"] = ["a"]
    assert report(entity("P", 0, 100, subsegments=inside))["critical_path"] == ["P", "a", "c"]


def test_an_invocation_that_was_refused_was_lambdas_own_time() -> None:
    """Of one without a function's segment nobody knows what it did, unless it never ran."""
    for refused in ({"throttle": True}, *({"http": {"response": {"status": code}}} for code in (400, 500))):
        assert ms(report(entity("S", 0, 10, origin="AWS::Lambda", **refused))["phases"]) == {"dispatch": 10}
    assert ms(report(entity("S", 0, 10, origin="AWS::Lambda", fault=True))["phases"]) == {"unclassified": 10}


def test_a_gateway_whose_call_lambda_refused() -> None:
    """X-Ray makes the only segment of Lambda from the call; one that was answered may have run any code."""
    for status, phase in ((500, "dispatch"), (200, "dependency")):
        found = report(
            entity("A", 0, 10, origin="AWS::ApiGateway::Stage", subsegments=[call("L", 1, 9, "Invoke")]),
            entity(
                "S", 1, 9, origin="AWS::Lambda", inferred=True, parent_id="L", http={"response": {"status": status}}
            ),
        )
        assert ms(found["phases"]) == {"gateway": 1 + 1, phase: 8}


def invoked(function: tuple[float, float], *inside: dict[str, Any]) -> list[dict[str, Any]]:
    """Lambda's service segment, 0 to 100 ms, and the function's below it."""
    return [
        entity("S", 0, 100, origin="AWS::Lambda"),
        entity("F", *function, origin=FUNCTION, parent_id="S", subsegments=list(inside)),
    ]


def test_only_what_lambda_calls_overhead_is() -> None:
    """Whether the runtime reports the handler as `Invocation` or not, what it does around it counts alike."""
    overhead = entity("O", 90, 95, name="Overhead")
    for inside in ([overhead], [entity("V", 12, 89, name="Invocation"), overhead]):
        assert ms(report(*invoked((10, 96), *inside))["phases"]) == {"dispatch": 10 + 4, "handler": 81, "overhead": 5}


def test_a_function_that_outlives_its_service_by_a_clock_is_moved_and_not_cut() -> None:
    """It ends at 103, so that it began, by Lambda's clock, at 7; the whole 93 ms are kept."""
    found = report(*invoked((10, 103), entity("V", 11, 98, name="Invocation"), entity("O", 98, 103, name="Overhead")))
    assert ms(found["phases"]) == {"dispatch": 7, "handler": 88, "overhead": 5}
    assert found["repairs"] == {"moved back by what clocks differ": 1}


def test_a_function_is_moved_no_further_than_to_its_containers_start() -> None:
    """It ends at 104, 4 ms late, but was only dispatched 1 ms after the initialization: 3 ms of it are cut."""
    start, overhead = entity("I", 20, 59, name="Initialization"), entity("O", 94, 104, name="Overhead")
    found = report(*invoked((60, 104), start, overhead))
    assert ms(found["phases"]) == {"container_start": 20, "runtime_start": 39, "handler": 34, "overhead": 7}


def test_what_differs_by_more_than_clocks_do_is_cut() -> None:
    """An extension that goes on for 16 ms after the answer; were the function moved, its handler began too early."""
    found = report(*invoked((20, 116), entity("O", 90, 116, name="Overhead")))
    assert ms(found["phases"]) == {"dispatch": 20, "handler": 70, "overhead": 10}


def test_a_function_that_asynchronous_work_goes_on_from_stays() -> None:
    """The upload ends at 40, what it triggers starts at 60: the 20 ms between are two services' and not the clock's."""
    found = report(
        *invoked((10, 103), call("S3", 30, 40, "PutObject")),
        entity("B", 30, 40, origin="AWS::S3::Bucket", inferred=True, parent_id="S3"),
        entity("S2", 60, 200, origin="AWS::Lambda", parent_id="B"),
        entity("F2", 65, 200, origin=FUNCTION, parent_id="S2"),
    )
    assert ms(found["completion_phases"]) == {
        "dispatch": 10 + 5,
        "handler": 20 + 135,
        "dependency": 10,
        "trigger": 20,
    }


def test_a_function_is_moved_although_it_started_work_that_ended_before_the_trace_did() -> None:
    """It outlives its service by 3 ms, so that it began at 13 and not at 16; its 91 ms stay whole."""
    found = report(
        entity("App", 0, 500, subsegments=[call("L", 5, 105, "Invoke")]),
        entity("S", 6, 104, origin="AWS::Lambda", parent_id="L"),
        entity("F", 16, 107, origin=FUNCTION, parent_id="S", subsegments=[call("SNS", 30, 40, "Publish")]),
        entity("T", 30, 40, origin="AWS::SNS", inferred=True, parent_id="SNS"),
        entity("S2", 60, 200, origin="AWS::Lambda", parent_id="T"),
        entity("F2", 65, 199, origin=FUNCTION, parent_id="S2"),
    )
    assert ms(found["completion_phases"]) == {
        "service": 5 + 395,
        "hop": 1 + 1,
        "dispatch": 13 - 6,
        "handler": 91 - 10,
        "dependency": 10,
    }
    assert found["repairs"] == {"moved back by what clocks differ": 1}


def test_a_called_service_that_outlives_the_call_is_moved_with_all_below() -> None:
    """By a millisecond that was rounded up: 10 to 60 becomes 9 to 59, inside the call from 5 to 59."""
    found = report(
        entity("App", 0, 70, subsegments=[call("L", 5, 59, "Invoke")]),
        entity("S", 10, 60, origin="AWS::Lambda", parent_id="L"),
        entity("F", 15, 58, origin=FUNCTION, parent_id="S"),
    )
    assert ms(found["phases"]) == {"service": 5 + 11, "hop": 4, "dispatch": 5 + 2, "handler": 43}


@given(st.integers(0, 5_000), st.integers(5_000, 20_000), st.integers(0, 30_000), st.integers(0, 30_000))
def test_a_moved_function_loses_nothing_while_there_is_room(
    over: int, before: int, handler: int, overhead: int
) -> None:
    """All in microseconds: a function of `handler` + `overhead` from `before` on, that ends `over` late."""
    end = before + handler + overhead
    function = entity(
        "F",
        before / 1000,
        end / 1000,
        origin=FUNCTION,
        parent_id="S",
        subsegments=[entity("O", (before + handler) / 1000, end / 1000, name="Overhead")],
    )
    phases = report(entity("S", 0, (end - over) / 1000, origin="AWS::Lambda"), function)["phases"]
    assert phases == {
        name: time for name, time in (("dispatch", before - over), ("handler", handler), ("overhead", overhead)) if time
    }


def test_a_child_that_starts_before_the_request_is_told() -> None:
    """No clock can be right: its time counts from where the request began."""
    early = report(entity("App", 0, 100, subsegments=[entity("own", -3, 40)]))
    assert early["response_us"] == 100_000
    assert early["repairs"] == {"starts before its parent": 1}
    assert report(entity("App", 0, 100, subsegments=[entity("own", 0, 40)]))["repairs"] == {}


def test_a_second_segment_without_a_parent_is_told() -> None:
    assert report(entity("App", 0, 100), entity("Other", 10, 20))["repairs"] == {"parent missing": 1}
    assert report(entity("App", 0, 100))["repairs"] == {}
    assert report(entity("App", 0, 100, parent_id="gone"))["repairs"] == {"parent missing": 1}


NAMES = ("Initialization", "Invocation", "Overhead", "Restore", "Attempt #1", "Dwell Time", "work")
ORIGINS = ("", "AWS::Lambda", FUNCTION, "AWS::ApiGateway::Stage", "AWS::StepFunctions::StateMachine", "AWS::S3::Bucket")


@st.composite
def any_segments(draw: st.DrawFn, step_ms: int = 1) -> list[dict[str, Any]]:
    """In any tree, at any times, many of them at the same few."""
    count = draw(st.integers(1, 12))
    segments = []
    for i in range(count):
        start, length = (draw(st.integers(least, 40)) // step_ms * step_ms for least in (0, -2))
        fine = 0 if step_ms > 1 else draw(st.sampled_from([0, 0, 0.001, 0.4]))
        segment = entity(f"{i}", start, start + length + fine, name=draw(st.sampled_from(NAMES)))
        segment["origin"] = draw(st.sampled_from(ORIGINS))
        segment |= draw(
            st.sampled_from([{}, {}, {"in_progress": True, "end_time": None}, {"inferred": True}, {"namespace": "aws"}])
        )
        if draw(st.booleans()):
            segment |= {"type": "subsegment", "origin": ""}
        if draw(st.booleans()):
            segment["http"] = {"response": {"status": draw(st.sampled_from([200, 202]))}}
        segment["precursor_ids"] = [str(draw(st.integers(0, count)))] if draw(st.integers(0, 5)) == 0 else []
        if i and draw(st.integers(0, 9)):
            segment["parent_id"] = str(draw(st.integers(0, i - 1)))
        segments.append(segment)
    return segments


def any_trace() -> st.SearchStrategy[Trace]:
    return any_segments().map(lambda segments: read(*segments))


def partitions(path: Path, start: int, end: int) -> bool:
    at = start
    for section in path.sections:
        if section.start != at or section.end <= at:
            return False
        at = section.end
    return at == end


@given(any_trace())
def test_sections_partition_every_view_to_the_microsecond(trace: Trace) -> None:
    seen = view(trace)
    root = trace.spans[0]
    assert partitions(response_path(seen), root.start, root.end)

    below = [True] + [False] * (len(trace.spans) - 1)
    for i, span in enumerate(trace.spans):
        below[i] = below[i] or (span.parent >= 0 and below[span.parent])
    latest = max(span.end for span, inside in zip(trace.spans, below, strict=True) if inside)
    assert partitions(both_paths(seen)[1], root.start, latest)

    for node in functions(seen):
        assert partitions(function_path(seen, node), trace.spans[node].start, trace.spans[node].end)

    found = per_trace(trace)
    assert sum(found["phases"].values()) == found["response_us"] == root.end - root.start
    assert sum(found["completion_phases"].values()) == found["completion_us"] == latest - root.start
    assert sum(found["dependencies"].values()) == found["phases"].get("dependency", 0)
    assert "lambda" not in found["phases"]


@given(any_segments(step_ms=20), st.data())
def test_the_order_in_which_x_ray_returns_segments_says_nothing(
    segments: list[dict[str, Any]], data: st.DataObject
) -> None:
    """With one root; most start and end when others do."""
    for segment in segments[1:]:
        segment.setdefault("parent_id", "0")
    assert per_trace(read(*data.draw(st.permutations(segments)))) == per_trace(read(*segments))


@given(any_trace())
def test_a_tree_is_a_tree(trace: Trace) -> None:
    for i, span in enumerate(trace.spans):
        assert -1 <= span.parent < i
        assert span.start <= span.end
        if span.parent >= 0 and not span.asynchronous:
            assert span.end <= trace.spans[span.parent].end
