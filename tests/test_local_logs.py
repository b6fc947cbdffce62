"""What the embedded CloudWatch Logs makes of events: EMF, metric filters; and API Gateway's own metrics."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ministack.services import apigateway, apigateway_v1
from ministack.services import cloudwatch_logs as cwl

from infra.local import cloudwatch, gateway, logs, queries
from infra.local.metrics import MetricStore

AT_MS = 1_795_500_000_000
MINUTE = AT_MS // 1000
SCOPE = ("123456789012", "us-east-1")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MetricStore:
    """A store and filters of this test's own."""
    own = MetricStore()
    monkeypatch.setattr(cloudwatch, "STORE", own)
    monkeypatch.setattr(cloudwatch, "scope", lambda: SCOPE)
    monkeypatch.setattr(cwl, "_metric_filters", {})
    return own


def ingest(*messages: str) -> None:
    logs.ingest("/app", "s", [{"timestamp": AT_MS, "message": message} for message in messages])


def value(store: MetricStore, name: str, dimensions: dict[str, str] | None = None, *, statistic: str = "Sum") -> Any:
    key = queries.key("Shop", name, dimensions or {})
    return store.series(SCOPE, key, statistic=statistic, period_s=60, start_s=MINUTE, slots=1)[0]


# --- EMF (CloudWatch user guide, "Specification: Embedded metric format") -----------------------------


def emf(**more: Any) -> dict[str, Any]:
    directive = {
        "Namespace": "Shop",
        "Dimensions": [["Service"]],
        "Metrics": [{"Name": "Wait", "Unit": "Milliseconds"}],
    }
    return {"_aws": {"Timestamp": AT_MS, "CloudWatchMetrics": [directive]}, "Service": "pay", "Wait": 12.5} | more


def directed(**more: Any) -> dict[str, Any]:
    whole = emf()
    whole["_aws"]["CloudWatchMetrics"][0] |= more
    return whole


def test_a_metric_is_taken_at_its_own_time_with_its_unit(store: MetricStore) -> None:
    logs.ingest("/app", "s", [{"timestamp": AT_MS + 3_600_000, "message": json.dumps(emf())}])
    assert value(store, "Wait", {"Service": "pay"}) == 12.5
    assert store.unit(SCOPE, queries.key("Shop", "Wait", {"Service": "pay"})) == "Milliseconds"


def test_every_dimension_set_is_a_metric_and_lists_are_samples(store: MetricStore) -> None:
    ingest(
        json.dumps(directed(Dimensions=[["Service"], ["Service", "Stage"], []]) | {"Stage": "live", "Wait": [1, 2, 4]})
    )
    for dimensions in ({"Service": "pay"}, {"Service": "pay", "Stage": "live"}, {}):
        assert value(store, "Wait", dimensions) == 7
        assert value(store, "Wait", dimensions, statistic="SampleCount") == 3


@pytest.mark.parametrize(
    "document",
    [
        emf(Wait="12.5"),
        emf(Wait=True),
        emf(Wait=None),
        emf(Wait=[]),
        emf(Wait={"a": 1}),
        emf(Service=7),  # a dimension's value is a text
        {name: found for name, found in emf().items() if name != "Service"},
        {name: found for name, found in emf().items() if name != "Wait"},
        emf(_aws=None),
        emf(_aws=[]),
        emf(_aws={"Timestamp": "now", "CloudWatchMetrics": []}),
        emf(_aws={"Timestamp": AT_MS, "CloudWatchMetrics": "none"}),
        directed(Namespace=5),
        directed(Metrics=[{"Unit": "Count"}]),
        directed(Metrics=[{"Name": ["Wait"]}]),
        directed(Dimensions=[[["Service"]]]),
        directed(Dimensions=7),
        [emf()],
    ],
    ids=lambda document: json.dumps(document)[:60],
)
def test_what_is_no_metric_leaves_no_trace_and_does_no_harm(store: MetricStore, document: Any) -> None:
    ingest(json.dumps(document), json.dumps(emf()))
    assert store.keys(SCOPE) == [queries.key("Shop", "Wait", {"Service": "pay"})]
    assert value(store, "Wait", {"Service": "pay"}) == 12.5


@pytest.mark.parametrize(
    "message",
    [
        '{"_aws": ' + "[" * 100_000,
        json.dumps(emf()).replace(str(AT_MS), "1e999"),
        json.dumps(emf()).replace("12.5", "1" + "0" * 400),
        'prefix {"_aws": {}}',
    ],
    ids=["deep", "endless", "huge", "not pure"],
)
def test_monstrous_lines_do_no_harm(store: MetricStore, message: str) -> None:
    ingest(message, json.dumps(emf()))
    assert store.keys(SCOPE) == [queries.key("Shop", "Wait", {"Service": "pay"})]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(JSON, JSON, JSON)
def test_whatever_it_says_metrics_can_still_be_listed(
    store: MetricStore, timestamp: Any, directives: Any, wait: Any
) -> None:
    whole = {"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": directives}, "Wait": wait}
    ingest(json.dumps(whole), json.dumps(directed(Namespace=timestamp, Metrics=[{"Name": wait, "Unit": directives}])))
    store.keys(SCOPE)


# --- metric filters (CloudWatch Logs user guide, "Creating metrics from log events using filters") -----


def filtering(pattern: str, *transformations: dict[str, Any], group: str = "/app") -> None:
    plain = {"metricName": "Paid", "metricNamespace": "Shop", "metricValue": "1"}
    found = {"filterPattern": pattern, "metricTransformations": [plain | each for each in transformations or ({},)]}
    cwl._metric_filters[group, f"f{len(cwl._metric_filters)}"] = found


def test_a_filter_counts_what_matches(store: MetricStore) -> None:
    filtering("ERROR")
    ingest("ERROR one", "INFO", "an ERROR\n")
    assert value(store, "Paid") == 2


def test_the_default_stands_for_events_that_do_not_match(store: MetricStore) -> None:
    filtering("ERROR", {"defaultValue": 0.0})
    ingest("INFO", "INFO")
    assert (value(store, "Paid"), value(store, "Paid", statistic="SampleCount")) == (0, 2)


def test_there_is_no_default_without_one_nor_with_dimensions(store: MetricStore) -> None:
    """PutMetricFilter: a metric with dimensions takes no default value."""
    filtering("ERROR")
    filtering('{ $.level = "ERROR" }', {"defaultValue": 0, "dimensions": {"Shop": "$.shop"}})
    ingest("INFO")
    assert store.keys(SCOPE) == []


def test_a_value_and_dimensions_come_from_the_event(store: MetricStore) -> None:
    filtering("{ $.amount > 0 }", {"metricValue": "$.amount", "unit": "None", "dimensions": {"Currency": "$.currency"}})
    ingest(
        '{"amount": 12.5, "currency": "EUR"}', '{"amount": 2, "currency": "USD"}', '{"amount": 30, "currency": "EUR"}'
    )
    assert value(store, "Paid", {"Currency": "EUR"}) == 42.5
    assert value(store, "Paid", {"Currency": "USD"}) == 2


@pytest.mark.parametrize(
    "message", ['{"amount": 1}', '{"amount": 1, "currency": ""}', '{"amount": 1, "currency": null}']
)
def test_without_a_dimension_s_value_there_is_no_metric(store: MetricStore, message: str) -> None:
    filtering("{ $.amount > 0 }", {"metricValue": "$.amount", "dimensions": {"Currency": "$.currency"}})
    ingest(message)
    assert store.keys(SCOPE) == []


@pytest.mark.parametrize("amount", ['"much"', "null", "true", "{}", "1e999"])
def test_a_value_that_is_no_number_is_no_metric(store: MetricStore, amount: str) -> None:
    filtering("{ $.event = pay }", {"metricValue": "$.amount"})
    ingest('{"event": "pay", "amount": ' + amount + "}")
    assert store.keys(SCOPE) == []


def test_another_group_s_filter_sees_nothing_and_a_broken_one_stops_no_other(store: MetricStore) -> None:
    filtering("ERROR", group="/other")
    filtering("{ $.a EXISTS", {"metricName": "Broken"})
    filtering("ERROR", {"metricName": "Seen"})
    ingest("ERROR")
    assert [name for _, name, _ in store.keys(SCOPE)] == ["Seen"]


# --- API Gateway ("Working with metrics for HTTP APIs", "Amazon API Gateway dimensions and metrics") ----


@pytest.mark.parametrize(
    ("host", "path", "called"),
    [
        ("ab12.execute-api.us-east-1.amazonaws.com", "/orders", ("ab12", "$default")),
        ("localhost:4566", "/_aws/execute-api/ab12/live/orders", ("ab12", "live")),
        ("localhost:4566", "/2015-03-31/functions", None),
        ("evil.example", "/x/_aws/execute-api/ab12/live", None),
        ("", "", None),
    ],
)
def test_which_api_a_request_calls(host: str, path: str, called: tuple[str, str] | None) -> None:
    assert gateway.called(host, path) == called


class Apis:
    def __init__(self, **apis: dict[str, str]) -> None:
        self._data = {("123456789012", "us-east-1", key): api for key, api in apis.items()}


@pytest.mark.parametrize(("status", "clients", "servers"), [(200, 0, 0), (404, 1, 0), (500, 0, 1), (504, 0, 1)])
def test_http_apis_are_measured_by_id_and_rest_apis_by_name(
    store: MetricStore, monkeypatch: pytest.MonkeyPatch, status: int, clients: float, servers: float
) -> None:
    monkeypatch.setattr(apigateway, "_apis", Apis(h1={"name": "orders"}))
    monkeypatch.setattr(apigateway_v1, "_rest_apis", Apis(r1={"name": "stock"}))
    for api in ("h1", "r1", "unknown"):
        gateway.measure(api, "live", status=status, begun_s=MINUTE, ended_s=MINUTE + 0.25)
    found = {
        (name, dict(dimensions)["Stage"], *(value for key, value in dimensions if key != "Stage")): store.series(
            SCOPE, (namespace, name, dimensions), statistic="Sum", period_s=60, start_s=MINUTE, slots=1
        )[0]
        for namespace, name, dimensions in store.keys(SCOPE)
    }
    assert found == {
        **{(name, "live", api): 1 for name, api in (("Count", "h1"), ("Count", "stock"))},
        **{(name, "live", api): 250 for name in ("Latency", "IntegrationLatency") for api in ("h1", "stock")},
        ("4xx", "live", "h1"): clients,
        ("5xx", "live", "h1"): servers,
        ("4XXError", "live", "stock"): clients,
        ("5XXError", "live", "stock"): servers,
    }
