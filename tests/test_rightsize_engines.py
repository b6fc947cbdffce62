"""Engines that add up where the data lies: the same invocations give what reading each of them gives."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from math import exp
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from infra import deploy, reports
from infra.engines import athena, insights
from infra.templates.parsing import parse
from lookout import cli, rightsize
from lookout.commands.rows import Argument
from lookout.commands.table import COMMANDS
from monitors import archive, loglines, names
from monitors.errors import AwsError, InputError
from monitors.records import Invocation
from monitors.rightsize import questions
from monitors.rightsize.need import need
from monitors.rightsize.usage import Read, Usage, Use, quantile, usage
from tests.insights import Event, Logs
from tests.test_reports import Fake, function, session

duckdb = pytest.importorskip("duckdb")

T0_S = 1_795_500_000  # 2026-11-24 06:00 UTC
DAY_S = 86_400
STREAM = "2026/11/24/[$LATEST]" + "0" * 31
BIN = exp(1 / questions.STEPS) * 1.005 - 1
"""A bin of an engine, and the half percent that `binned` is off."""


def text(number: int, ms: float, *, mb: int = 256, used: int = 100, more: str = "") -> str:
    """A REPORT line as Lambda writes it; `more` begins with a tab."""
    return (
        f"REPORT RequestId: 00000000-0000-4000-8000-{number:012}\tDuration: {ms:.2f} ms\tBilled Duration: {ms:.0f} ms"
        f" \tMemory Size: {mb} MB\tMax Memory Used: {used} MB{more}\t\n"
    )


def as_json(number: int, ms: float, *, mb: int = 256, used: int = 100, status: str = "success", **more: Any) -> str:
    metrics = {"durationMs": ms, "billedDurationMs": round(ms), "memorySizeMB": mb, "maxMemoryUsedMB": used}
    kept = {"errorType": more.pop("errorType")} if "errorType" in more else {}
    record = {"requestId": f"{number:036}", "status": status, **kept, "metrics": metrics | more}
    return json.dumps({"time": "2026-11-24T06:00:00.000Z", "type": "platform.report", "record": record})


def event(
    number: int, message: str, *, at_s: float | None = None, name: str = "pay", stream: str = f"{STREAM}1"
) -> Event:
    return f"/aws/lambda/{name}", stream, round((T0_S + 60 * number if at_s is None else at_s) * 1000), message


MIXED = [
    event(0, "START RequestId: 00000000-0000-4000-8000-000000000000 Version: $LATEST\n"),
    event(0, text(0, 46.84, more="\tInit Duration: 127.02 ms")),
    *(event(n, text(n, 20 + n / 10)) for n in range(1, 40)),
    *(event(n, text(n, 500 + n, used=235)) for n in range(40, 50)),  # 0.92 of the size: pressed
    event(50, text(50, 3000, used=240, more="\tStatus: timeout")),  # pressed and timed out: clipped
    event(51, text(51, 800, used=244)),  # 0.953 of the size: clipped
    event(52, text(52, 900, used=256, more="\tStatus: error\tError Type: Runtime.OutOfMemory")),
    event(53, text(53, 9, used=4)),  # no reading of memory use
    event(54, text(54, 46.84, mb=512, more="\tRestore Duration: 398.97 ms\tBilled Restore Duration: 182 ms")),
    event(55, "[INFO] it said REPORT RequestId: 1\tDuration: 5 ms"),
    event(0, as_json(0, 10.5, initDurationMs=210.4), name="json", stream=f"{STREAM}2"),
    event(1, as_json(1, 30_000, status="timeout"), name="json", stream=f"{STREAM}2"),
    event(2, as_json(2, 40, status="error", errorType="Runtime.OutOfMemory"), name="json", stream=f"{STREAM}3"),
    event(3, as_json(3, 40, restoreDurationMs=500.8), name="json", stream=f"{STREAM}4"),
    event(4, as_json(4, 12.3).replace('"billedDurationMs": 12, ', ""), name="json", stream=f"{STREAM}4"),
    event(5, json.dumps({"time": "x", "type": "platform.start", "record": {"requestId": "r"}}), name="json"),
    event(6, json.dumps({"level": "INFO", "message": "type platform.report"}), name="json"),
]


def read_one_by_one(events: Sequence[Event]) -> Usage:
    parsed = (
        loglines.parse(message, function=loglines.function_of(group, stream), log_stream=stream, timestamp_ms=at_ms)
        for group, stream, at_ms, message in sorted(events, key=lambda one: one[2])
    )
    return usage(one for one in parsed if isinstance(one, Invocation))


def agree(found: Usage, wanted: Usage) -> None:
    """Counts and sums alike, durations within a bin, and the same need of memory."""
    assert found.keys() == wanted.keys()
    for key, one in wanted.items():
        other = found[key]
        for name in ("killed", "timeouts", "clipped", "first_ms", "last_ms"):
            assert getattr(other, name) == getattr(one, name), (key, name)
        for name in ("billed_ms", "init_ms", "worst_ms"):
            assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-6), (key, name)
        for name in ("warm", "pressed", "cold"):
            times, exact = getattr(other, name), getattr(one, name)
            assert times.total() == exact.total(), (key, name)
            for level in (0.0, 0.25, 0.5, 0.95, 1.0) if times else ():
                assert quantile(times, level) == pytest.approx(quantile(exact, level), rel=BIN, abs=0.01)
        assert other.init.total() == one.init.total()
        lengths = [{name: sum(n for _, n in marks) for name, marks in use.sandboxes.items()} for use in (other, one)]
        assert lengths[0] == lengths[1]
        assert need(other, memory_mb=key[1]) == need(one, memory_mb=key[1])


# --- Logs Insights -------------------------------------------------------------------------------


def account(logs: Logs, *, logged: dict[str, float] | None = None) -> Any:
    """A session whose log groups got a MB a day each, or what `logged` says of a day."""

    def counted(asked: dict[str, Any]) -> Any:
        results = []
        for line in asked["MetricDataQueries"]:
            metric = line["MetricStat"]["Metric"]
            assert (metric["Namespace"], metric["MetricName"]) == ("AWS/Logs", "IncomingBytes")
            ((_, group),) = ((one["Name"], one["Value"]) for one in metric["Dimensions"])
            size = (logged or {}).get(group, 1e6 if group in logs.groups else 0)
            points = [datetime.fromtimestamp(T0_S // DAY_S * DAY_S, UTC)] if size else []
            results.append({"Id": line["Id"], "Timestamps": points, "Values": [size] * len(points)})
        return [{"MetricDataResults": results}]

    return session(logs=logs, cloudwatch=Fake("cloudwatch", get_metric_data=counted))  # type: ignore[arg-type]


def asked(logs: Logs, owners: dict[str, str] | None = None, **more: Any) -> tuple[Read, list[str]]:
    said: list[str] = []

    def say(words: str) -> None:
        assert not logs.asked
        said.append(words)

    found = insights.read(
        account(logs, **more),
        owners or {group: group.rpartition("/")[2] for group in sorted(logs.groups)},
        start_s=T0_S,
        end_s=T0_S + DAY_S,
        progress=lambda *_: None,
        say=say,
        sleep=lambda _: None,
    )
    return found, said


def test_insights_finds_what_reading_each_line_finds() -> None:
    logs = Logs(MIXED)
    found, _ = asked(logs)
    agree(found.usage, read_one_by_one(MIXED))
    assert found.notes == ()
    assert len(logs.asked) == 2
    pay = found.usage["pay", 256]
    assert (pay.invocations, pay.killed, pay.timeouts, pay.clipped) == (54, 1, 1, 3)
    # Near their memory limit: ten at 235 MB, and one each at 240, 244 and 256.
    assert (pay.cold.total(), pay.pressed.total(), dict(pay.init)) == (1, 13, {127.02: 1})
    restored = found.usage["pay", 512]
    assert (restored.cold.total(), dict(restored.init), restored.init_ms) == (1, {398.97: 1}, 0)


reports_of = st.lists(
    st.tuples(
        st.sampled_from(["pay", "ship"]),
        st.integers(1, 4),
        st.floats(0.5, 900_000).map(lambda ms: round(ms, 2)),
        st.sampled_from([128, 256, 1769]),
        st.floats(0.02, 1),
        st.sampled_from(["", "\tInit Duration: 127.02 ms", "\tStatus: timeout", "\tRestore Duration: 99.5 ms"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def lived(made: Sequence[tuple[Any, ...]]) -> list[Event]:
    """The events of sandboxes whose high-water mark never falls."""
    highest: dict[Any, int] = {}
    events = []
    for n, (name, sandbox, ms, mb, share, more, is_json) in enumerate(made):
        key = name, sandbox, mb
        used = highest[key] = max(round(share * mb), highest.get(key, 0))
        if is_json:
            words = {
                "\tInit Duration: 127.02 ms": {"initDurationMs": 127.02},
                "\tStatus: timeout": {"status": "timeout"},
            }
            message = as_json(n, ms, mb=mb, used=used, **words.get(more, {}))  # type: ignore[arg-type]
        else:
            message = text(n, ms, mb=mb, used=used, more=more)
        events.append(event(n, message, name=name, stream=f"{STREAM}{sandbox}"))
    return events


@settings(max_examples=40, deadline=None)
@given(reports_of)
def test_insights_agrees_with_any_invocations(made: list[tuple[Any, ...]]) -> None:
    events = lived(made)
    agree(asked(Logs(events))[0].usage, read_one_by_one(events))


KINDS: dict[str, Callable[[int], int]] = {
    "growing": lambda n: 100 + 2 * n,
    "warmed": lambda n: 140 if n else 100,
    "halfway": lambda n: 140 if n >= 20 else 100,
    "lately": lambda n: 140 if n >= 30 else 100,
    "slowly": lambda n: 112 if n >= 30 else 105 if n >= 12 else 100,
}
"""Max Memory Used in MB by the place of the invocation, of 40."""


def leaking(sandboxes: int = 20) -> list[Event]:
    """So many sandboxes of each kind."""
    return [
        event(n, text(n, 20, used=used(n)), at_s=T0_S + 1000 * n + sandbox, name=name, stream=f"{STREAM}{sandbox}")
        for name, used in KINDS.items()
        for sandbox in range(sandboxes)
        for n in range(40)
    ]


def test_a_leak_shows(tmp_path: Path) -> None:
    """What is a tenth higher than after a quarter of the invocations, and rose in the last quarter."""
    for found in (asked(Logs(leaking()))[0], of_archive(Athena(archived(leaking(), tmp_path)))[0]):
        told = {name: need(use, memory_mb=256) for (name, _), use in found.usage.items()}
        assert {name: (one.leaking, one.used_mb, one.sandboxes) for name, one in told.items()} == {
            "growing": (True, 178, 20),
            "warmed": (False, 140, 20),
            "halfway": (False, 140, 20),
            "lately": (True, 140, 20),
            "slowly": (True, 112, 20),
        }


def test_answers_that_would_be_cut_are_asked_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve rows at most: by log groups first, then by time, and nothing is counted twice at a border."""
    monkeypatch.setattr(insights, "ROWS", 12)
    events = leaking(4) + MIXED
    logs = Logs(events)
    agree(asked(logs)[0].usage, read_one_by_one(events))
    assert {query["limit"] for query in logs.asked} == {12}
    assert max(len(query["logGroupNames"]) for query in logs.asked) == 7
    assert min(query["endTime"] - query["startTime"] for query in logs.asked) < DAY_S


def test_a_sandbox_for_each_cold_start_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 cold starts over a day, of equal duration: the sandboxes are asked for in ten parts that may be half full."""
    monkeypatch.setattr(insights, "ROWS", 12)
    events = [
        event(24 * n, text(n, 20, more="\tInit Duration: 100.00 ms"), stream=f"{STREAM[:-2]}{n:03}") for n in range(60)
    ]
    logs = Logs(events)
    found = asked(logs)[0].usage
    assert len(found["pay", 256].sandboxes) == 60
    assert [query["endTime"] - query["startTime"] for query in logs.asked] == [DAY_S] + [DAY_S // 10] * 10


def test_only_log_groups_with_anything_are_asked() -> None:
    logs = Logs(MIXED, groups=("/aws/lambda/quiet",))
    found, said = asked(
        logs,
        {**owners(MIXED), "/aws/lambda/quiet": "quiet", "/aws/lambda/never": "never"},
        logged={"/aws/lambda/quiet": 0},
    )
    assert {group for query in logs.asked for group in query["logGroupNames"]} == set(owners(MIXED))
    assert found.usage.keys() == read_one_by_one(MIXED).keys()
    logs = Logs([])
    found, said = asked(logs, {"/aws/lambda/never": "never"})
    assert (found, logs.asked) == (Read({}, ()), [])
    assert "0.0 GB" in said[0]


def owners(events: Sequence[Event]) -> dict[str, str]:
    return {group: group.rpartition("/")[2] for group, *_ in events}


def test_a_log_group_that_is_gone_leaves_the_others() -> None:
    """It got bytes in that time, and has been deleted since."""
    logs = Logs(MIXED)
    found, _ = asked(logs, {"/aws/lambda/gone": "gone", **owners(MIXED)}, logged={"/aws/lambda/gone": 5e6})
    agree(found.usage, read_one_by_one(MIXED))
    assert found.notes == ()


@pytest.mark.parametrize("end", ["Failed", "Cancelled", "Timeout", "Unknown"])
def test_a_query_that_ends_otherwise_is_an_error(end: str) -> None:
    with pytest.raises(AwsError, match=f"/aws/lambda/json and 1 more ended as {end}"):
        asked(Logs(MIXED, ends=end))


def test_what_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insights, "AT_ONCE", 1)
    logs = Logs(MIXED)
    start = logs.start_query

    def refuse(**request: Any) -> Any:
        if request["logGroupNames"] == ["/aws/lambda/json"]:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "StartQuery")
        return start(**request)

    monkeypatch.setattr(logs, "start_query", refuse)
    found, _ = asked(logs)
    assert {name for name, _ in found.usage} == {"pay"}
    (note,) = found.notes
    assert note.startswith("Not read: ")
    assert "logs:StartQuery of /aws/lambda/json" in note


def test_the_cost_is_said_before_anything_is_asked() -> None:
    """7 GB, twice, at USD 0.005: 0.07."""
    logs = Logs(MIXED)
    sizes = dict.fromkeys(owners(MIXED), 3.5e9)
    said = asked(logs, logged=sizes)[1]
    assert said == ["Logs Insights is asked twice about 7.0 GB of logs: up to USD 0.07 at the price of us-east-1."]


def test_a_function_is_known_by_its_stream_or_its_log_group() -> None:
    """With a log group of one's own the stream names the function (Lambda Developer Guide, custom log groups)."""
    named = "2026/11/24/{}[$LATEST]" + "0" * 32
    events = [
        ("/shop", named.format("cart"), T0_S * 1000, text(0, 10)),
        ("/shop", named.format("till"), T0_S * 1000, text(1, 10)),
        ("/bare", "some-stream", T0_S * 1000, text(2, 10)),
    ]
    found = asked(Logs(events), {"/shop": "till", "/bare": "bare"})[0].usage
    assert {name: use.invocations for (name, _), use in found.items()} == {"cart": 1, "till": 1, "bare": 1}
    assert {name: len(use.sandboxes) for (name, _), use in found.items()} == {"cart": 1, "till": 1, "bare": 1}


# --- the archive ---------------------------------------------------------------------------------


def rows_of(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What the archive keeps of them, each twice as may be."""
    made = [
        archive.row(
            archive.Origin("1", group, stream, loglines.function_of(group, stream)),
            str(n),
            at_ms,
            message,
            redacted=str,
        )
        for n, (group, stream, at_ms, message) in enumerate(events)
    ]
    return 2 * [row for row in made if row]


TYPES = {"string": "VARCHAR", "timestamp": "TIMESTAMP", "double": "DOUBLE", "int": "INTEGER"}


def archived(events: Sequence[Event], folder: Path) -> Any:
    """DuckDB with the archive as its table `records`, delivered 23 hours later."""
    path = folder / "rows.json"
    path.write_text("\n".join(map(json.dumps, rows_of(events))))
    columns = {name: TYPES[kind] for name, kind in archive.COLUMNS.items()}
    connection = duckdb.connect(":memory:")
    connection.execute(
        "CREATE TABLE records AS SELECT *, strftime(logged_at + INTERVAL 23 HOUR, '%Y-%m-%d') AS day FROM "
        f"read_json('{path}', format='newline_delimited', columns={columns})"
    )
    return connection


def as_text(value: object) -> str | None:
    """A value as Athena's answers have it."""
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


class Athena(Fake):
    """Runs queries in DuckDB, as they are given: what sqlglot makes of ours is in the words that both know."""

    def __init__(self, connection: Any, *, ends: str = "SUCCEEDED", page: int = 7) -> None:
        super().__init__(
            "athena",
            start_query_execution=lambda asked: {"QueryExecutionId": asked["QueryString"]},
            get_query_execution=lambda _: {"QueryExecution": {"Status": self.status()}},
            get_query_results=lambda asked: self.pages(asked["QueryExecutionId"]),
        )
        self.connection, self.ends, self.page = connection, ends, page
        self.waited = 0

    def can_paginate(self, operation: str) -> bool:
        return operation == "get_query_results"

    def _answer(self, operation: str, request: dict[str, Any]) -> Any:
        if operation != "start_query_execution":  # ids are shorter in truth
            return self.answers[operation](request)
        return super()._answer(operation, request)

    def status(self) -> dict[str, str]:
        self.waited += 1
        state = ("QUEUED", "RUNNING", self.ends)[self.waited % 3 - 1]
        return (
            {"State": state, "StateChangeReason": "Query exhausted resources"}
            if state == "FAILED"
            else {"State": state}
        )

    def pages(self, query: str) -> Any:
        answer = self.connection.execute(query)
        head = [column[0] for column in answer.description]
        rows = [head, *([as_text(value) for value in row] for row in answer.fetchall())]
        data = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows]
        for at in range(0, len(data), self.page):
            yield {"ResultSet": {"Rows": data[at : at + self.page]}}


def of_archive(client: Athena, *, days: float = 1) -> tuple[Read, list[str], list[tuple[int, int]]]:
    said: list[str] = []
    done: list[tuple[int, int]] = []
    found = athena.read(
        session(athena=client),
        {},
        start_s=T0_S,
        end_s=T0_S + days * DAY_S,
        progress=lambda *now: done.append(now),
        say=said.append,
        sleep=lambda _: None,
    )
    return found, said, done


def test_athena_finds_what_reading_each_line_finds(tmp_path: Path) -> None:
    events = MIXED + leaking()
    client = Athena(archived(events, tmp_path))
    found, said, done = of_archive(client)
    agree(found.usage, read_one_by_one(events))
    assert done == [(1, 2), (2, 2)]
    # 100 GB of the 1,024 in a TB, twice, at USD 5 a TB: 0.98.
    assert said == ["Athena is asked twice about the archive: up to USD 0.98 at the price of us-east-1."]
    assert [(name, request["WorkGroup"]) for name, request in client.asked] == [("StartQueryExecution", "lookout")] * 2


@settings(max_examples=15, deadline=None)
@given(reports_of)
def test_athena_agrees_with_any_invocations(tmp_path_factory: pytest.TempPathFactory, made: Any) -> None:
    events = lived(made)
    agree(of_archive(Athena(archived(events, tmp_path_factory.mktemp("archive"))))[0].usage, read_one_by_one(events))


def test_duckdb_answers_the_question_untranslated_alike(tmp_path: Path) -> None:
    connection = archived(MIXED, tmp_path)
    for question in (questions.SQL_DURATIONS, questions.SQL_SANDBOXES):
        own = questions.of_archive(question, start_s=T0_S, end_s=T0_S + DAY_S)
        answers = [connection.execute(sql).fetchall() for sql in (own, athena.translated(own))]
        told = [sorted([f"{v:.9g}" if isinstance(v, float) else str(v) for v in row] for row in one) for one in answers]
        assert told[0] == told[1]
        assert told[0]


def test_the_translation_divides_as_duckdb_does() -> None:
    """Athena's 7 / 2 of whole numbers is 3 (Trino, "Mathematical functions and operators"), DuckDB's 3.5."""
    assert athena.translated("SELECT floor(a / 4), ln(b)") == "SELECT FLOOR(CAST(a AS DOUBLE) / 4), LN(b)"


def test_only_the_time_asked_for_counts(tmp_path: Path) -> None:
    inside = [event(n, text(n, 20)) for n in (0, 1, 2, 3, 24 * 60 - 1)]
    outside = [event(0, text(8, 20), at_s=T0_S - 1), event(0, text(9, 20), at_s=T0_S + DAY_S)]
    found = of_archive(Athena(archived(inside + outside, tmp_path)))[0].usage
    assert {key: use.invocations for key, use in found.items()} == {("pay", 256): 5}
    assert asked(Logs(inside + outside))[0].usage["pay", 256].invocations == 5


def test_an_archive_without_reports_is_no_use(tmp_path: Path) -> None:
    assert of_archive(Athena(archived([event(1, "[ERROR] no")], tmp_path)))[0] == Read({}, ())


@pytest.mark.parametrize(
    ("end", "told"), [("FAILED", "ended as FAILED: Query exhausted resources"), ("CANCELLED", "ended as CANCELLED")]
)
def test_a_query_that_athena_ends_is_an_error(end: str, told: str) -> None:
    with pytest.raises(AwsError, match=told):
        of_archive(Athena(None, ends=end))


def test_without_an_archive_the_way_to_one_is_told() -> None:
    def refuse(_asked: dict[str, Any]) -> Any:
        answer = {"Error": {"Code": "InvalidRequestException", "Message": "WorkGroup is not found."}}
        raise ClientError(answer, "StartQueryExecution")

    client = Athena(None)
    client.answers["start_query_execution"] = refuse
    with pytest.raises(AwsError, match=r"WorkGroup is not found\..*lookout deploy --archive"):
        of_archive(client)


def test_without_sqlglot_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    with pytest.raises(InputError, match=r"lambda-lookout\[engines\]"):
        of_archive(Athena(None))


def test_the_archive_is_as_its_template_has_it() -> None:
    made = parse(deploy.template(names.ARCHIVE), "template")["Resources"]
    group = made["WorkGroup"]["Properties"]
    assert group["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"] == athena.STOPPED_AT_BYTES
    assert group["Name"] == athena.WORK_GROUP
    assert made["Database"]["Properties"]["DatabaseInput"]["Name"] == athena.DATABASE
    assert made["Records"]["Properties"]["TableInput"]["Name"] == "records"


# --- the report, by engine -----------------------------------------------------------------------


def lambda_of(*found: str) -> Fake:
    return Fake("lambda", list_functions=lambda _: [{"Functions": [function(name) for name in found]}])


@pytest.mark.parametrize("engine", ["insights", "athena"])
def test_the_report_is_of_the_functions_that_there_are(engine: str, tmp_path: Path) -> None:
    """One of the two that logged is gone."""
    own = account(Logs(MIXED))
    clients = {"athena": Athena(archived(MIXED, tmp_path)), "lambda": lambda_of("pay", "other")}
    both = SimpleNamespace(
        region_name="eu-west-1", client=lambda name, **more: clients.get(name) or own.client(name, **more)
    )
    read = partial(rightsize.ENGINES[engine], sleep=lambda _: None)
    said: list[str] = []
    found = reports.memory(both, end_s=T0_S + DAY_S, days=1, engine=read, say=said.append)  # type: ignore[arg-type]
    assert [(one.function, one.memory_mb, one.architecture) for one in found.advice] == [("pay", 256, "arm64")]
    assert found.invocations == 55
    assert len(said) == 1


def test_log_groups_that_functions_share_are_read_once() -> None:
    """Each line counts for the function that its stream names."""
    named = "2026/11/24/{}[$LATEST]" + "0" * 32
    said = [
        {"message": text(n, 20), "timestamp": T0_S * 1000 + n, "logStreamName": named.format(name)}
        for n, name in enumerate(["cart", "till", "till"])
    ]
    logs = Fake("logs", filter_log_events=lambda _: [{"events": said}])
    shared = [function(name, LoggingConfig={"LogGroup": "/shop"}) for name in ("cart", "till")]
    own = session(logs=logs, **{"lambda": Fake("lambda", list_functions=lambda _: [{"Functions": shared}])})
    found = reports.memory(own, end_s=T0_S + DAY_S, days=1)
    assert {one.function: one.invocations for one in found.advice} == {"cart": 1, "till": 2}
    assert len(logs.asked) == 1


def test_the_command_says_the_cost_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = Fake("cloudwatch", get_metric_data=lambda _: [{"MetricDataResults": []}])
    monkeypatch.setattr(rightsize, "session", lambda: session(cloudwatch=silent, **{"lambda": lambda_of("pay")}))

    def read(_session: Any, _owners: Any, *, say: Callable[[str], object], **_: Any) -> Read:
        say("up to USD 12")
        return Read({("pay", 256): Use(warm=Counter({20.0: 3}), last_ms=T0_S)}, ("one is lost",))

    monkeypatch.setitem(rightsize.ENGINES, "insights", read)
    cli.main(["rightsize", "--engine", "insights", "--json"])
    out, err = capsys.readouterr()
    assert "up to USD 12" in err
    assert json.loads(out)["notes"][-1] == "one is lost"


def test_an_engine_is_of_an_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pay.log").write_text(text(1, 20))
    assert cli.main(["rightsize", str(tmp_path / "pay.log"), "--engine", "athena"]) == 2
    assert "--engine is of an account" in capsys.readouterr().err
    (choices,) = (one.settings["choices"] for one in own_arguments("rightsize") if one.flags == ("--engine",))
    assert set(choices) == rightsize.ENGINES.keys()


def own_arguments(command: str) -> tuple[Argument, ...]:
    return next(one.arguments for one in COMMANDS if one.name == command)
