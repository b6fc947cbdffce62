"""A batch of log events in, metrics out: each event counted once, nothing lost unseen, nothing published twice."""

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors import logmetrics
from monitors.errors import InputError
from monitors.logdefinitions import definitions
from monitors.names import CUSTOM_METRICS, LOG_METRICS, SUBSCRIBER_METRICS
from monitors.records import numeral
from monitors.rightsize.prices import Price
from subscribers import batch, logs_handler
from subscribers.logs_handler import NOTHING, process

NOW_MS = 1_790_000_055_000
MINUTE = NOW_MS // 60_000 * 60_000
ID = "8f507cfc-1a2b-4c3d-9e8f-0123456789ab"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 46.84 ms\tBilled Duration: 47 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 96 MB\t\n"
)
GROUP = "/aws/lambda/orders"
PRICE = Price(gb_second=0.0000166667, request=0.20e-6)
OWN_GROUP = "/aws/lambda/lookout-log-subscriber"


def events(*messages: str, first: int = 0, timestamp_ms: int = NOW_MS) -> list[Any]:
    return [
        {"id": f"{at:056}", "timestamp": timestamp_ms, "message": message} for at, message in enumerate(messages, first)
    ]


def envelope(log_events: Any, **more: Any) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": GROUP,
        "logStream": "2026/11/23/[$LATEST]" + "0" * 32,
        "subscriptionFilters": ["lookout"],
        "logEvents": log_events,
    } | more


CONTROL = envelope(
    events("CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."),
    messageType="CONTROL_MESSAGE",
    owner="CloudwatchLogs",
    logGroup="",
    logStream="",
    subscriptionFilters=[],
)


def packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content)).decode()


def payload(content: Any) -> dict[str, Any]:
    return {"awslogs": {"data": packed(json.dumps(content).encode())}}


def kinesis(*data: str) -> dict[str, Any]:
    return {"Records": [{"kinesis": {"data": each, "sequenceNumber": f"seq-{at}"}} for at, each in enumerate(data)]}


def counts_of(result: logs_handler.Result) -> tuple[int, ...]:
    return tuple(result.counts[f"Events{what}"] for what in ("In", "Emitted", "Skipped", "Failed"))


# --- the core ------------------------------------------------------------------------------------


def test_a_batch_becomes_samples_of_its_function() -> None:
    result = process(
        [envelope(events("START RequestId: x Version: 7", REPORT, "hello", "[ERROR] x"))],
        defined=(),
        prices=lambda _: PRICE,
    )
    assert result.samples == {
        (LOG_METRICS, (("FunctionName", "orders"),), MINUTE): {
            ("Duration", "Milliseconds"): ["46.84"],
            ("BilledDuration", "Milliseconds"): ["47"],
            ("MaxMemoryUsed", "Megabytes"): ["96"],
            ("MemoryUsedPercent", "Percent"): ["75"],
            ("LogErrors", "Count"): ["1"],
            ("EstimatedCost", "None"): [numeral(47 * 128 / 1024 / 1000 * PRICE.gb_second + PRICE.request)],
        }
    }
    assert counts_of(result) == (4, 2, 2, 0)


def test_a_minute_each_in_whatever_order_they_come() -> None:
    late, early = events(REPORT, first=0, timestamp_ms=MINUTE + 60_000), events(REPORT, first=1, timestamp_ms=MINUTE)
    result = process([envelope(late + early)], defined=())
    assert sorted(minute for _, _, minute in result.samples) == [MINUTE, MINUTE + 60_000]


def test_the_function_of_a_group_of_ones_own_is_in_the_stream() -> None:
    stream = "2026/11/23/orders[$LATEST]" + "0" * 32
    result = process([envelope(events(REPORT), logGroup="/shop", logStream=stream)], defined=())
    assert [dimensions for _, dimensions, _ in result.samples] == [(("FunctionName", "orders"),)]


def test_a_timeout_told_in_two_batches_counts_once() -> None:
    line = f"2026-11-23T10:00:03.000Z {ID} Task timed out after 3.00 seconds"
    first = process([envelope(events(line))], defined=())
    then = process(
        [envelope(events(REPORT.replace("\n", "Status: timeout"), first=1))], defined=(), memory=first.memory
    )
    timeouts = [result.samples[next(iter(result.samples))].get(("Timeouts", "Count")) for result in (first, then)]
    assert timeouts == [["1"], None]


def test_a_line_that_gives_two_metrics_is_one_event() -> None:
    defined = definitions('[{"name": "Paid", "pattern": "paid"}]').sound
    result = process([envelope(events("[ERROR] paid twice"))], defined=defined)
    assert counts_of(result) == (1, 1, 0, 0)
    assert len(result.samples) == 2


def test_another_accounts_function_of_the_same_name_is_another() -> None:
    defined = definitions('[{"name": "Errors", "pattern": "ERROR"}]').sound
    own = envelope(events(REPORT, "[ERROR] KeyError: x"))
    theirs = own | {"owner": "999999999999"}
    result = process([own, theirs], defined=defined, account="123456789012")
    other = ("AccountId", "999999999999")
    assert {(namespace, dimensions) for namespace, dimensions, _ in result.samples} == {
        (LOG_METRICS, (("FunctionName", "orders"),)),
        (LOG_METRICS, (("FunctionName", "orders"), ("ErrorType", "KeyError"))),
        (LOG_METRICS, (("FunctionName", "orders"), other)),
        (LOG_METRICS, (("FunctionName", "orders"), other, ("ErrorType", "KeyError"))),
        (CUSTOM_METRICS, ()),
        (CUSTOM_METRICS, (other,)),
    }


def test_control_messages_are_skipped() -> None:
    everything = definitions('[{"name": "All", "pattern": "", "log_groups": "*"}]').sound
    result = process([CONTROL], defined=everything, own_group="/own")
    assert (result.samples, counts_of(result)) == ({}, (1, 0, 1, 0))


@pytest.mark.parametrize(
    "own",
    [
        {"logGroup": "/anything"},
        {"logGroup": OWN_GROUP},
        {"logGroup": "/shared", "logStream": "2026/11/23/lookout-alarm-notifier[7]" + "0" * 32},
    ],
)
def test_the_toolkits_own_lines_are_never_read(own: dict[str, str]) -> None:
    result = process([envelope(events(REPORT), **own)], defined=(), own_group="/anything")
    assert (result.samples, counts_of(result)) == ({}, (1, 0, 1, 0))


def test_an_event_sent_again_is_skipped() -> None:
    one, two = envelope(events(REPORT, REPORT)), envelope(events(REPORT, REPORT, first=1))
    first = process([one], defined=())
    again = process([one], defined=(), memory=first.memory)
    assert (again.samples, counts_of(again)) == ({}, (2, 0, 2, 0))
    overlapping = process([two], defined=(), memory=first.memory)
    assert counts_of(overlapping) == (2, 1, 1, 0)


def test_the_same_id_in_another_stream_is_another_event() -> None:
    other = envelope(events(REPORT), logStream="2026/11/23/[$LATEST]" + "1" * 32)
    result = process([envelope(events(REPORT)), other], defined=())
    assert counts_of(result) == (2, 2, 0, 0)


def test_one_batch_is_not_counted_twice_within_itself() -> None:
    one = envelope(events(REPORT))
    assert counts_of(process([one, one], defined=())) == (2, 1, 1, 0)
    assert counts_of(process([envelope(events(REPORT) * 2)], defined=())) == (2, 1, 1, 0)


def test_memory_is_bounded() -> None:
    memory = NOTHING
    for at in range(7):
        many = events(*["x"] * 10_000, first=at * 10_000)
        memory = process([envelope(many)], defined=(), memory=memory).memory
    assert sum(len(ids) for _, ids in memory.batches) == logs_handler.REMEMBERED_EVENTS
    assert f"{69_999:056}" in memory.batches[-1][1]
    timeouts = [REPORT.replace("\n", "Status: timeout").replace(ID, f"r{at}") for at in range(1_100)]
    memory = process([envelope(events(*timeouts))], defined=(), memory=memory).memory
    assert len(memory.requests) == logs_handler.REMEMBERED_REQUESTS


@pytest.mark.parametrize(
    "broken",
    [
        None,
        7,
        "text",
        [],
        {},
        {"id": "1", "timestamp": NOW_MS, "message": None},
        {"id": "1", "timestamp": "now", "message": "x"},
        {"id": "1", "timestamp": True, "message": "x"},
        {"id": None, "timestamp": NOW_MS, "message": "x"},
        {"id": ["1"], "timestamp": NOW_MS, "message": "x"},
        {"timestamp": NOW_MS, "message": "x"},
    ],
)
def test_a_broken_event_fails_alone(broken: Any) -> None:
    result = process([envelope([broken, *events(REPORT, "hello")])], defined=())
    assert counts_of(result) == (3, 1, 1, 1)


def test_a_line_that_breaks_the_reading_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def platform(lines: Any, price: Any) -> Any:
        if "bomb" in lines.messages:
            raise ZeroDivisionError
        return logmetrics.platform(lines, price)

    monkeypatch.setattr("subscribers.logs_handler.platform", platform)
    result = process([envelope(events(REPORT, "bomb", REPORT, "hello", "bomb"))], defined=())
    assert counts_of(result) == (5, 2, 1, 2)
    assert [columns["BilledDuration", "Milliseconds"] for columns in result.samples.values()] == [["47", "47"]]


MESSAGES = st.sampled_from(
    [
        REPORT,
        REPORT.replace("\n", "Status: timeout\n"),
        "START RequestId: x Version: 7",
        "[ERROR] MemoryError",
        "[INFO]\tx\ty\tpaid",
        '{"level": "ERROR", "amount": 3, "currency": "EUR"}',
        '{"amount": "none", "currency": ["EUR"]}',
        '{"a":' * 10_000,
        "",
    ]
)
DEFINED = definitions(
    json.dumps(
        [
            {"name": "Amount", "pattern": "{ $.amount = * }", "value": "$.amount", "dimensions": [["C", "$.currency"]]},
            {"name": "Paid", "pattern": "paid", "default": 0},
            {"name": "Slow", "pattern": "[a, b, ...]", "value": "$a"},
        ]
    )
).sound
IDS = st.integers(0, 30).map(str) | st.none()
TIMES = st.integers(NOW_MS - 10**5, NOW_MS) | st.sampled_from([0, -1, 10**30, None, 1.5])
EVENTS = st.fixed_dictionaries({"id": IDS, "timestamp": TIMES, "message": MESSAGES | st.text() | st.none()}) | st.none()
ENVELOPES = st.builds(
    envelope,
    st.lists(EVENTS, max_size=12),
    messageType=st.sampled_from(["DATA_MESSAGE", "DATA_MESSAGE", "CONTROL_MESSAGE"]),
    logGroup=st.sampled_from([GROUP, OWN_GROUP, "/shop", ""]),
)


@given(st.lists(ENVELOPES, max_size=3))
def test_events_in_are_emitted_skipped_or_failed(envelopes: list[dict[str, Any]]) -> None:
    memory = NOTHING
    for _ in range(2):
        result = process(envelopes, defined=DEFINED, own_group="/own", memory=memory)
        total, *parts = counts_of(result)
        assert total == sum(len(each["logEvents"]) for each in envelopes) == sum(parts)
        assert all(part >= 0 for part in parts)
        memory = result.memory
    assert result.counts["EventsEmitted"] == 0  # the second time all of them were known


# --- the edge ------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _a_new_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_handler, "_memory", NOTHING)
    monkeypatch.setattr("subscribers.logs_handler.time.time_ns", lambda: NOW_MS * 1_000_000)
    monkeypatch.delenv("LOOKOUT_METRICS", raising=False)
    monkeypatch.delenv("AWS_LAMBDA_LOG_GROUP_NAME", raising=False)
    logs_handler._defined.cache_clear()


class Account:
    """What came out on stdout since the last look."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def metrics(self) -> dict[tuple[str, str], float]:
        """(namespace, metric) -> sum, of those that are not by type of error."""
        return {(namespace, name): total for namespace, name, keys, total in self._sums() if "ErrorType" not in keys}

    def error_types(self) -> set[str]:
        return {keys["ErrorType"] for *_, keys, _ in self._sums() if "ErrorType" in keys}

    def counts(self) -> tuple[float, ...]:
        found = self.metrics()
        return tuple(found[SUBSCRIBER_METRICS, f"Events{what}"] for what in ("In", "Emitted", "Skipped", "Failed"))

    def _sums(self) -> Iterator[tuple[str, str, dict[str, str], float]]:
        for line in self.capsys.readouterr().out.splitlines():
            record = json.loads(line)
            for directive in record["_aws"]["CloudWatchMetrics"]:
                keys = {key: record[key] for key in directive["Dimensions"][0]}
                for metric in directive["Metrics"]:
                    values = record[metric["Name"]]
                    total = sum(values if isinstance(values, list) else [values])
                    yield directive["Namespace"], metric["Name"], keys, total


@pytest.fixture
def account(capsys: pytest.CaptureFixture[str]) -> Account:
    return Account(capsys)


def test_a_subscriptions_batch_is_printed_as_metrics(account: Account) -> None:
    event = payload(envelope(events(REPORT, "hello", timestamp_ms=NOW_MS - 9_000)))
    assert logs_handler.handler(event, None) is None
    assert account.metrics() == {
        (LOG_METRICS, "Duration"): 46.84,
        (LOG_METRICS, "EstimatedCost"): 47 * 128 / 1024 / 1000 * PRICE.gb_second + PRICE.request,
        (SUBSCRIBER_METRICS, "BytesIn"): len(event["awslogs"]["data"]),
        (SUBSCRIBER_METRICS, "Lag"): 9_000,
        (SUBSCRIBER_METRICS, "EventsWithoutSample"): 1,
        (LOG_METRICS, "BilledDuration"): 47,
        (LOG_METRICS, "MaxMemoryUsed"): 96,
        (LOG_METRICS, "MemoryUsedPercent"): 75,
        (SUBSCRIBER_METRICS, "EventsIn"): 2,
        (SUBSCRIBER_METRICS, "EventsEmitted"): 1,
        (SUBSCRIBER_METRICS, "EventsSkipped"): 1,
        (SUBSCRIBER_METRICS, "EventsFailed"): 0,
        (SUBSCRIBER_METRICS, "SamplesDropped"): 0,
    }


def test_definitions_come_from_the_environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"name": "Hellos", "pattern": "hello"}, {"name": "Bad", "pattern": "%(%"}, 7]
    monkeypatch.setenv("LOOKOUT_METRICS", json.dumps(rows))
    logs_handler.handler(payload(envelope(events("hello"))), None)
    assert account.capsys.readouterr().err.count("LOOKOUT_METRICS: ") == 2
    logs_handler.handler(payload(envelope(events("hello", first=1))), None)
    out, err = account.capsys.readouterr()
    assert err == ""
    assert f'"Namespace":"{CUSTOM_METRICS}"' in out
    assert '"DefinitionsFailed":2' in out


def test_a_batch_sent_three_times_is_published_once(account: Account) -> None:
    for _ in range(3):
        logs_handler.handler(payload(envelope(events(REPORT))), None)
    lines = account.capsys.readouterr().out.splitlines()
    assert sum('"BilledDuration"' in line for line in lines) == 1


def test_a_batch_whose_printing_fails_is_not_remembered(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> int:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout.write", broken)
        with pytest.raises(OSError):  # noqa: PT011  # any
            logs_handler.handler(payload(envelope(events(REPORT))), None)
    logs_handler.handler(payload(envelope(events(REPORT))), None)
    assert account.counts() == (1, 1, 0, 0)


def test_functions_on_arm64_cost_what_arm64_costs(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """47 ms at 128 MB, at AWS's price of a GB-second on arm64 in us-east-1."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("LOOKOUT_ARM64", "bill*,orders")
    logs_handler.handler(payload(envelope(events(REPORT))), None)
    expected = 0.047 * 0.125 * 0.0000133334 + 0.20e-6
    assert account.metrics()[LOG_METRICS, "EstimatedCost"] == pytest.approx(expected)


def test_types_of_errors_are_told_apart_as_long_as_the_container_lives(account: Account) -> None:
    for number in range(logmetrics.ERROR_TYPES + 3):
        line = f"[ERROR] Made{number}Error: x"
        logs_handler.handler(payload(envelope(events(line, first=number))), None)
    types = account.error_types()
    assert len(types) == logmetrics.ERROR_TYPES + 1
    assert logmetrics.OTHER in types


def test_the_account_is_read_off_the_functions_own_arn(account: Account) -> None:
    context = SimpleNamespace(invoked_function_arn="arn:aws:lambda:eu-west-1:999999999999:function:lookout:live")
    logs_handler.handler(payload(envelope(events(REPORT))), context)
    assert '"AccountId":"123456789012"' in account.capsys.readouterr().out


def test_why_events_were_skipped(account: Account) -> None:
    batch_ = envelope(events(REPORT, "hello"))
    kinesis_event = kinesis(*(packed(json.dumps(one).encode()) for one in (batch_, batch_, CONTROL)))
    logs_handler.handler(kinesis_event, None)
    found = account.metrics()
    reasons = {name: found.get((SUBSCRIBER_METRICS, name), 0) for name in logs_handler.SKIPPED}
    assert reasons == {"EventsOfControl": 1, "EventsOfItsOwn": 0, "EventsSeenBefore": 2, "EventsWithoutSample": 1}
    assert found[SUBSCRIBER_METRICS, "EventsSkipped"] == sum(reasons.values())


def test_its_own_lines_make_no_lines(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "/own")
    logs_handler.handler(payload(envelope(events(REPORT), logGroup="/own")), None)
    logs_handler.handler(payload(envelope(events(REPORT), logGroup=OWN_GROUP)), None)
    assert account.capsys.readouterr().out == ""


def test_samples_of_wrong_clocks_are_dropped_and_counted(account: Account) -> None:
    logs_handler.handler(payload(envelope(events("[ERROR] x", timestamp_ms=0))), None)
    found = account.metrics()
    assert (LOG_METRICS, "LogErrors") not in found
    assert found[SUBSCRIBER_METRICS, "SamplesDropped"] == 1


GOOD = json.dumps(envelope(events(REPORT))).encode()
BOMB = gzip.compress(b" " * (batch.ENVELOPE_BYTES + 1))

UNREADABLE: dict[str, Any] = {
    "nothing": None,
    "empty": {},
    "data missing": {"awslogs": {}},
    "data null": {"awslogs": {"data": None}},
    "data a number": {"awslogs": {"data": 7}},
    "awslogs null": {"awslogs": None},
    "not base64": {"awslogs": {"data": "§§"}},
    "junk in base64": {"awslogs": {"data": packed(GOOD)[:8] + "!" + packed(GOOD)[8:]}},
    "not gzip": {"awslogs": {"data": base64.b64encode(GOOD).decode()}},
    "cut short": {"awslogs": {"data": base64.b64encode(gzip.compress(GOOD)[:-12]).decode()}},
    "more after it": {"awslogs": {"data": base64.b64encode(gzip.compress(GOOD) * 2).decode()}},
    "a gzip bomb": {"awslogs": {"data": base64.b64encode(BOMB).decode()}},
    "not JSON": {"awslogs": {"data": packed(b"hello")}},
    "deeper than can be read": {"awslogs": {"data": packed(b"[" * 100_000)}},
    "a list": payload([]),
    "null": payload(None),
    "no log group": payload({"messageType": "DATA_MESSAGE", "logStream": "", "logEvents": []}),
    "log events null": payload(envelope(None)),
    "Kinesis without data": {"Records": [{"kinesis": {}}]},
    "records null": {"Records": None},
    "SNS": {"Records": [{"Sns": {}}]},
}


@pytest.mark.parametrize("event", UNREADABLE.values(), ids=UNREADABLE)
def test_a_batch_that_cannot_be_unpacked_is_counted_and_raised(event: Any, account: Account) -> None:
    with pytest.raises(InputError):
        logs_handler.handler(event, None)
    assert account.counts() == (1, 0, 0, 1)


def test_invalid_utf8_costs_its_characters_only(account: Account) -> None:
    content = GOOD.replace(b"REPORT", b"[ERROR] \xff\xfe REPORT")
    logs_handler.handler({"awslogs": {"data": packed(content)}}, None)
    assert account.metrics()[LOG_METRICS, "LogErrors"] == 1


def test_kinesis_records_carry_an_envelope_each(account: Account) -> None:
    one, two = envelope(events(REPORT)), envelope(events(REPORT, first=1))
    event = kinesis(*(packed(json.dumps(each).encode()) for each in (one, CONTROL, two)))
    assert logs_handler.handler(event, None) == {"batchItemFailures": []}
    assert account.counts() == (3, 2, 1, 0)


def test_kinesis_goes_on_from_the_first_record_that_cannot_be_unpacked(account: Account) -> None:
    one, two = (packed(json.dumps(envelope(events(REPORT, first=at))).encode()) for at in range(2))
    answer = logs_handler.handler(kinesis(one, "broken!", two), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "seq-1"}]}
    assert account.counts() == (2, 1, 0, 1)
    again = kinesis(one, one, two)
    assert logs_handler.handler(again, None) == {"batchItemFailures": []}
    assert account.counts() == (3, 1, 2, 0)


@given(st.binary(max_size=200), st.sampled_from([0, 1, 2, 3]))
def test_no_bytes_raise_anything_else(content: bytes, layers: int) -> None:
    data: Any = content.decode("latin-1")
    if layers:
        data = base64.b64encode(gzip.compress(content) if layers == 2 else content).decode()
    try:
        found = batch.envelope(batch.Payload(data))
    except InputError:
        return
    assert isinstance(found["logEvents"], list)


def test_ten_thousand_events_at_once(account: Account) -> None:
    many: Sequence[str] = [REPORT, "hello"] * 5_000
    logs_handler.handler(payload(envelope(events(*many))), None)
    found = account.metrics()
    assert found[SUBSCRIBER_METRICS, "EventsEmitted"] == 5_000
