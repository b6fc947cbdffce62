"""Dashboard bodies: valid, within AWS's limits, complete, and steady as the fleet grows."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dashboards import widgets
from dashboards.application_body import applications, section_rows, size
from dashboards.body import bodies
from dashboards.function_body import chosen
from monitors.metricmath import evaluate
from monitors.model import (
    Alarm,
    Comparison,
    Description,
    Fact,
    Fleet,
    Link,
    Missing,
    Plan,
    Query,
    Resource,
    Severity,
)
from monitors.plan import plan
from monitors.settings import parse
from tests.dashboard_schema import SCHEMA

REGION, ACCOUNT = "eu-central-1", "123456789012"
VALID = Draft202012Validator(SCHEMA)


def function(name: str, application: str = "shop", **facts: Fact) -> Resource:
    known: dict[str, Fact] = {"timeout_ms": 30_000, "memory_mb": 512, "log_group": f"/aws/lambda/{name}"}
    return Resource(
        service="lambda",
        name=name,
        id=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
        region=REGION,
        account=ACCOUNT,
        application=application,
        facts=known | facts,
    )


def queue(name: str) -> Resource:
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    return Resource(service="sqs", name=name, id=arn, region=REGION, account=ACCOUNT, application="shop")


def planned(*resources: Resource, links: tuple[Link, ...] = (), toml: str = "") -> Plan:
    return plan(Fleet(resources=resources, links=links), parse(toml))


def of_kind(body: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    return (one["properties"] for one in body["widgets"] if one["type"] == kind)


def everything(made: dict[str, dict[str, Any]]) -> str:
    return json.dumps(made)


SHOP = planned(*(function(f"shop-{n}", is_async=True) for n in range(5)))
NAMES = ("lookout-app-shop-eu-central-1", "lookout-fleet-eu-central-1", "lookout-function-eu-central-1")


def test_one_of_the_fleet_one_of_any_function_one_an_application() -> None:
    assert tuple(bodies(SHOP)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_follow_the_published_structure(name: str) -> None:
    assert [error.message for error in VALID.iter_errors(bodies(SHOP)[name])] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body["widgets"][0].pop("properties"),
        lambda body: body["widgets"][0].update(width=25),
        lambda body: body.update(periodOverride="never"),
        lambda body: next(of_kind(body, "metric")).update(view="lines"),
        lambda body: next(of_kind(body, "metric"))["metrics"].append(["AWS/Lambda"]),
        lambda body: next(of_kind(body, "alarm")).update(alarms=[]),
    ],
)
def test_the_schema_refuses_what_aws_would(spoil: Any) -> None:
    body = json.loads(json.dumps(bodies(SHOP)[NAMES[1]]))
    spoil(body)
    assert not VALID.is_valid(body)


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40)
fleets = st.lists(
    st.builds(
        function,
        st.text("abz019-_", min_size=1, max_size=20),
        names | st.just(""),
        is_async=st.booleans(),
        is_stream_consumer=st.booleans(),
        reserved_concurrency=st.integers(0, 1000),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(fleets)
@settings(max_examples=25)
def test_any_fleet_gives_valid_bodies_without_overlaps(resources: list[Resource]) -> None:
    for name, body in bodies(planned(*resources)).items():
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
        assert len(name) <= 255
        assert VALID.is_valid(body)
        taken: set[tuple[int, int]] = set()
        for one in body["widgets"]:
            cells = {(one["x"] + x, one["y"] + y) for x in range(one["width"]) for y in range(one["height"])}
            assert not cells & taken
            assert all(x < 24 for x, _ in cells)
            taken |= cells


def test_the_order_of_the_input_does_not_matter() -> None:
    backwards = replace(
        SHOP,
        alarms=SHOP.alarms[::-1],
        composites=SHOP.composites[::-1],
        fleet=replace(SHOP.fleet, resources=SHOP.fleet.resources[::-1]),
    )
    assert everything(bodies(backwards)) == everything(bodies(SHOP))


def test_an_application_of_a_thousand_functions_keeps_every_limit_and_every_alarm() -> None:
    large = planned(*(function(f"fn-{n}") for n in range(1_000)))
    made = {name: body for name, body in bodies(large).items() if "-app-" in name}
    shown = set()
    for body in made.values():
        metrics = [len(one["metrics"]) for one in of_kind(body, "metric")]
        assert len(body["widgets"]) <= 500
        assert sum(metrics) <= 2_500
        assert max(metrics) <= 500
        shown |= {arn for one in of_kind(body, "alarm") for arn in one["alarms"]}
    assert {f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{one.name}" for one in large.alarms} <= shown


def test_a_new_function_changes_one_part_only() -> None:
    before = bodies(planned(*(function(f"fn-{n}") for n in range(600))))
    after = bodies(planned(*(function(f"fn-{n}") for n in range(601))))
    without_head = [
        name
        for name in before
        if "-app-" in name and (name not in after or before[name]["widgets"][3:] != after[name]["widgets"][3:])
    ]
    assert len(before) > 5
    assert len(without_head) <= 1


def test_the_levels_of_an_alarm_stand_in_its_graph() -> None:
    # lambda.duration: 0.8 x timeout until history is known, so 24,000 ms of 30 s
    body = bodies(planned(function("shop-0")))["lookout-app-shop-eu-central-1"]
    graph = next(one for one in of_kind(body, "metric") if one["title"] == "Duration, 95th percentile")
    assert [one["value"] for one in graph["annotations"]["horizontal"]] == [24_000]
    assert graph["annotations"]["horizontal"][0]["label"] == "above 24,000"
    assert graph["yAxis"]["left"] == {"label": "ms", "min": 0, "showUnits": False}
    (row,) = graph["metrics"]
    assert row[:4] == ["AWS/Lambda", "Duration", "FunctionName", "shop-0"]
    assert row[4]["stat"] == "p95"


def test_an_alarm_on_both_sides_shows_its_metric_not_its_verdict() -> None:
    text = '[[match]]\nname = "shop-0"\nrules."lambda.traffic" = { high = 900, low = 12 }'
    made = bodies(plan(SHOP.fleet, parse(text)))["lookout-app-shop-eu-central-1"]
    graph = next(one for one in of_kind(made, "metric") if one["title"] == "Invocations")
    assert [(one["value"], one["label"]) for one in graph["annotations"]["horizontal"]] == [
        (900, "above 900"),
        (12, "below 12"),
    ]
    shown = [row for row in graph["metrics"] if row[-1].get("visible", True)]
    assert [row[:2] for row in shown] == [["AWS/Lambda", "Invocations"]]
    assert "IF(" not in json.dumps(graph)


def test_metric_math_shows_its_result_and_hides_its_parts() -> None:
    body = bodies(planned(function("shop-0")))["lookout-app-shop-eu-central-1"]
    graph = next(one for one in of_kind(body, "metric") if one["title"] == "Error rate")
    assert [row[-1].get("visible", True) for row in graph["metrics"]] == [False, False, True]
    assert graph["metrics"][2][0]["expression"] == "IF(m1>=3,100*m1/m2,0)"


# --- several resources in one graph ----------------------------------------------------------------


def graphs(body: dict[str, Any], title: str) -> list[dict[str, Any]]:
    return [one for one in of_kind(body, "metric") if one["title"].startswith(title)]


def test_what_has_one_level_for_several_is_one_graph_with_a_line_each() -> None:
    body = bodies(SHOP)["lookout-app-shop-eu-central-1"]
    (graph,) = graphs(body, "Error rate")
    shown = [row for row in graph["metrics"] if row[-1].get("visible", True)]
    assert [row[-1]["label"] for row in shown] == [f"shop-{n}" for n in range(5)]
    assert [row[-1]["expression"] for row in shown] == [f"IF(m1_{n}>=3,100*m1_{n}/m2_{n},0)" for n in range(5)]
    hidden = [row for row in graph["metrics"] if not row[-1].get("visible", True)]
    assert [(row[1], row[3], row[-1]["id"]) for row in hidden] == [
        (metric, f"shop-{n}", f"m{at}_{n}") for n in range(5) for at, metric in ((1, "Errors"), (2, "Invocations"))
    ]
    assert [one["value"] for one in graph["annotations"]["horizontal"]] == [5]  # % of invocations: the row's own level
    text = next(one["markdown"] for one in of_kind(body, "text") if "side by side" in one["markdown"])
    assert text.startswith("### Lambda function")


def test_one_of_another_level_has_a_graph_of_its_own() -> None:
    toml = '[[match]]\nname = "shop-3"\nrules."lambda.errors" = { high = 50 }'
    body = bodies(plan(SHOP.fleet, parse(toml)))["lookout-app-shop-eu-central-1"]
    together, alone = graphs(body, "Error rate")
    assert [row[-1]["label"] for row in together["metrics"] if row[-1].get("visible", True)] == [
        f"shop-{n}" for n in (0, 1, 2, 4)
    ]
    assert alone["annotations"]["horizontal"][0]["value"] == 50
    assert "shop-3" in json.dumps(alone)


def test_no_graph_has_more_than_fifty_lines() -> None:
    many = bodies(planned(*(function(f"fn-{n:03}") for n in range(120))))
    titles = [one["title"] for body in many.values() for one in graphs(body, "Throttles (")]
    assert titles == ["Throttles (1 of 3)", "Throttles (2 of 3)", "Throttles (3 of 3)"]
    lines_ = [
        sum(row[-1].get("visible", True) for row in one["metrics"])
        for body in many.values()
        for one in of_kind(body, "metric")
    ]
    assert max(lines_) == 50


def test_four_hundred_functions_of_one_application_take_fewer_than_fifteen_dashboards() -> None:
    assert len(bodies(planned(*(function(f"fn-{n}") for n in range(400))))) < 15


@given(st.lists(st.tuples(st.sampled_from(["lambda", "sqs"]), st.sampled_from("abcdefgh"), st.booleans()), max_size=40))
def test_how_many_widgets_and_metrics_there_will_be_is_known_before(drawn: list[tuple[str, str, bool]]) -> None:
    resources = [
        function(name, timeout_ms=3_000 if odd else 30_000) if service == "lambda" else queue(name)
        for service, name, odd in {one[:2]: one for one in drawn}.values()
    ]
    for _, _, units in applications(planned(*resources)):
        made = [widget for row in section_rows(units.values(), REGION) for widget in row]
        widgets_, metrics = size(units.values())
        assert len(made) <= widgets_ <= len(made) + 3  # a heading for each kind of resource is kept free
        assert metrics == sum(map(widgets.metric_count, made))


def test_resources_stand_in_the_order_in_which_data_flows() -> None:
    source, dead, worker = queue("a-source"), queue("b-dead"), function("a-worker")
    links = (
        Link(worker.id, dead.id, "dead_letter"),
        Link(source.id, worker.id, "invokes"),
        Link(dead.id, dead.id, "invokes"),  # a loop must not hang it
    )
    body = bodies(planned(dead, worker, source, links=links))["lookout-app-shop-eu-central-1"]
    heads = [one["markdown"].splitlines()[0] for one in of_kind(body, "text")]
    assert heads.pop(1) == "### SQS queue: side by side"
    assert heads[1:] == [r"### a\-source", r"### a\-worker", r"### b\-dead", "### Logs"]


def test_the_function_dashboard_names_no_function_but_its_variable() -> None:
    made = bodies(SHOP)["lookout-function-eu-central-1"]
    assert "shop-" not in json.dumps(made["widgets"])
    (variable,) = made["variables"]
    assert variable["pattern"] == "LOOKOUT_FUNCTION"
    rows = [row for one in of_kind(made, "metric") for row in one["metrics"] if len(row) > 1]
    assert rows
    assert all(row[2:4] == ["FunctionName", "LOOKOUT_FUNCTION"] for row in rows)
    duration = next(one for one in of_kind(made, "metric") if "Duration" in one["title"])
    assert [row[4]["stat"] for row in duration["metrics"]] == ["p50", "p95", "p99"]


@pytest.mark.parametrize("rule", ["", "fleet = true", "enabled = false"])
def test_any_function_shows_what_is_looked_for_first_whatever_watches_it(rule: str) -> None:
    own = {one.rule for one in SHOP.alarms if one.rule.startswith("lambda.")}
    toml = "".join(f'[rules."{one}"]\n{rule}\n' for one in sorted(own) if rule)
    made = bodies(planned(function("orders"), toml=toml))["lookout-function-eu-central-1"]
    alone = Counter(
        metrics.pop()
        for one in of_kind(made, "metric")
        if len(metrics := {row[1] for row in one["metrics"] if len(row) > 1 and "visible" not in row[-1]}) == 1
    )
    first = ("Invocations", "Errors", "Duration", "ConcurrentExecutions", "Throttles")
    assert {name: alone[name] for name in first} == dict.fromkeys(first, 1)


def test_a_function_that_is_chosen_has_its_limits_and_levels_across() -> None:
    where = planned(function("shop-0", timeout_ms=30_000, reserved_concurrency=7), function("shop-1", timeout_ms=9_000))
    body = bodies(where)["lookout-function-eu-central-1"]
    made = chosen(body, "shop-0", where)
    assert "LOOKOUT_FUNCTION" not in json.dumps(made["widgets"])
    across = {
        one["title"]: [(line["value"], line["label"]) for line in one.get("annotations", {}).get("horizontal", [])]
        for one in of_kind(made, "metric")
    }
    assert across["Duration, 95th percentile"] == [(24_000, "above 24,000"), (30_000, "timeout 30,000")]
    assert across["Concurrent Executions"] == [(7, "reserved 7")]
    assert across["Error rate"] == [(5, "above 5")]
    assert not any("annotations" in one for one in of_kind(body, "metric")), "the dashboard for any function has none"


def test_an_objective_shows_what_is_left_of_its_error_budget() -> None:
    """99.9 % allow 0.1 % of requests to fail: with 0.025 % failed, three quarters of the budget are left."""
    body = bodies(planned(function("a"), toml='[[match]]\nname = "a"\nslo = 99.9'))[NAMES[0]]
    assert [error.message for error in VALID.iter_errors(body)] == []
    (gauge,) = (one for one in of_kind(body, "metric") if one["view"] == "gauge")
    assert (gauge["start"], gauge["setPeriodToTimeRange"]) == ("-P30D", True)
    assert gauge["yAxis"] == {"left": {"min": 0, "max": 100}}
    failed, whole, left = gauge["metrics"]
    assert (failed[1], whole[1]) == ("Errors", "Invocations")
    assert {row[-1]["period"] for row in (failed, whole, left)} == {30 * 86_400}
    counts = {failed[-1]["id"]: [25.0], whole[-1]["id"]: [100_000.0]}
    (value,) = evaluate(left[-1]["expression"], counts, start=0, period_s=60)
    assert value == pytest.approx(75)


def test_when_a_function_last_changed_stands_upright_in_its_graphs() -> None:
    where = planned(function("a", modified="2026-11-28T10:00:00Z"))
    made = bodies(where)
    for body in (made[NAMES[0]], chosen(made[NAMES[2]], "a", where)):
        assert [error.message for error in VALID.iter_errors(body)] == []
        upright = [one["annotations"]["vertical"] for one in of_kind(body, "metric") if one["view"] == "timeSeries"]
        assert upright
        assert all(
            [(one["value"], one["label"]) for one in found] == [("2026-11-28T10:00:00Z", "changed: a")]
            for found in upright
        )


def test_no_link_leads_to_the_function_dashboard_where_there_is_none() -> None:
    made = bodies(planned(replace(function("a-queue"), service="sqs")))
    assert sorted(made) == ["lookout-app-shop-eu-central-1", "lookout-fleet-eu-central-1"]
    assert "lookout-function" not in everything(made)
    assert everything(bodies(SHOP)).count("#dashboards/dashboard/lookout-function-eu-central-1") == 2  # fleet, app


def test_the_fleet_says_how_much_is_watched_and_for_how_much() -> None:
    """CloudWatch pricing: USD 0.10 a month for each metric of an alarm, 0.50 for each composite alarm."""
    head = next(of_kind(bodies(SHOP)[NAMES[1]], "text"))["markdown"]
    billed = sum(bool(query.metric) for alarm in SHOP.alarms for query in alarm.queries)
    usd = round(0.10 * billed + 0.50 * len(SHOP.composites))
    count = len(SHOP.alarms) + len(SHOP.composites)
    assert f"5 of 5 functions are covered, by {count} alarms" in head
    assert f"about USD {usd} a month" in head


def test_the_fleet_ranks_by_metrics_insights_so_that_new_functions_are_in_it() -> None:
    body = bodies(SHOP)["lookout-fleet-eu-central-1"]
    expressions = {row[0]["expression"] for one in of_kind(body, "metric") for row in one["metrics"] if len(row) == 1}
    assert (
        'SELECT SUM("Errors") FROM SCHEMA("AWS/Lambda", "FunctionName") '
        'GROUP BY "FunctionName" ORDER BY SUM() DESC LIMIT 10'
    ) in expressions
    assert (
        "SORT(SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Duration\"', 'p95', 300), MAX, DESC, 10)"
    ) in expressions
    golden = [one for one in of_kind(body, "metric") if one["view"] == "singleValue"]
    assert [one["title"] for one in golden] == ["Invocations", "Errors", "Duration", "Throttles"]
    assert all(one["sparkline"] for one in golden)


def test_what_functions_cost_is_ranked_where_the_log_subscriber_says_so() -> None:
    logs = Resource(service="logs", name="/aws/lambda/a", id="arn:aws:logs:a", region=REGION, account=ACCOUNT)
    for resources, ranked in (((function("a"), logs), True), ((function("a"),), False)):
        body = bodies(planned(*resources))[NAMES[1]]
        found = [one for one in of_kind(body, "metric") if "EstimatedCost" in json.dumps(one["metrics"])]
        assert bool(found) is ranked
        assert all(
            one["metrics"][0][0]["expression"].startswith('SELECT SUM("EstimatedCost")') and one["view"] == "table"
            for one in found
        )


def test_a_search_returns_500_series_so_larger_fleets_rank_by_the_maximum() -> None:
    body = bodies(planned(*(function(f"fn-{n}", f"app-{n % 30}") for n in range(501))))["lookout-fleet-eu-central-1"]
    text = json.dumps(body)
    assert "SEARCH(" not in text
    assert 'SELECT MAX(\\"Duration\\")' in text


def test_the_fleet_shows_the_alarms_that_page_first_and_only_while_they_are_on() -> None:
    body = bodies(SHOP)["lookout-fleet-eu-central-1"]
    on = [one for one in of_kind(body, "alarm") if one["title"].startswith("On now")]
    assert all(one["states"] == ["ALARM"] for one in on)
    assert sum(len(one["alarms"]) for one in on) == len(SHOP.alarms)
    many = planned(*(function(f"fn-{n}") for n in range(1_000)))
    shown = [arn for one in of_kind(bodies(many)["lookout-fleet-eu-central-1"], "alarm") for arn in one["alarms"]]
    assert len(shown) <= 20 * 100


def test_a_template_leaves_region_and_account_to_cloudformation() -> None:
    resource = Resource(
        service="lambda", name="orders", id="template:Orders", application="shop", facts={"timeout_ms": 3000}
    )
    made = bodies(planned(resource))
    assert "lookout-fleet-${AWS::Region}" in made
    body = made["lookout-app-shop-${AWS::Region}"]
    assert [error.message for error in VALID.iter_errors(body)] == []
    arns = [arn for one in of_kind(body, "alarm") for arn in one["alarms"]]
    assert (
        "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:lookout/lambda.errors/orders" in arns
    )
    assert "${" not in everything(bodies(SHOP))


def test_text_from_outside_is_no_markdown() -> None:
    hostile = "[x](javascript:1) **b** <script> `c`\u202e${AWS::Region}"
    body = bodies(planned(function("orders", hostile)))
    (markdown,) = [
        one["markdown"]
        for name in body
        if "-app-" in name
        for one in of_kind(body[name], "text")
        if "Any function" in one["markdown"]
    ]
    head = markdown.splitlines()[0]
    assert r"\[x\]\(javascript:1\) \*\*b\*\* \<script\>" in head
    assert "${" not in head
    assert "\u202e" not in head


def test_two_applications_never_share_a_dashboard() -> None:
    made = bodies(planned(function("a", "my app"), function("b", "my-app"), function("c", "my.app"), function("d", "")))
    assert len([name for name in made if "-app-my-app" in name]) == 3
    assert "lookout-rest-eu-central-1" in made


def test_an_alarm_that_is_not_ours_is_drawn_with_its_threshold() -> None:
    query = Query(id="m1", namespace="Acme", metric="Orders", dimensions=(("Shop", "a"),), statistic="Sum")
    resource = function("orders")
    alarm = Alarm(
        name="orders-low",
        rule="acme.orders",
        resource=resource.id,
        description=Description(reason="theirs alone"),
        severity=Severity.TICKET,
        queries=(query,),
        comparison=Comparison.BELOW,
        threshold=7,
        datapoints=1,
        periods=1,
        missing=Missing.MISSING,
    )
    body = bodies(Plan(fleet=Fleet(resources=(resource,)), alarms=(alarm,)))["lookout-app-shop-eu-central-1"]
    (graph,) = of_kind(body, "metric")
    assert graph["title"] == "Orders"
    assert graph["annotations"]["horizontal"][0]["value"] == 7


def test_an_empty_plan_has_a_fleet_dashboard_and_nothing_else() -> None:
    (body,) = bodies(planned()).values()
    assert VALID.is_valid(body)


@given(
    st.lists(
        st.builds(
            Query,
            id=st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True),
            namespace=names,
            metric=names,
            dimensions=st.lists(st.tuples(names, names), max_size=3).map(tuple),
            statistic=st.sampled_from(["Sum", "p99"]),
            period_s=st.sampled_from([60, 300]),
            label=names,
            returned=st.booleans(),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one.id,
    )
)
def test_what_a_widget_asks_for_is_what_it_was_made_from(queries: list[Query]) -> None:
    rows = widgets.metric_rows(queries, token="errors")
    widget = widgets.graph("t", rows, axis="a", region=REGION)
    assert widgets.queries(widget) == tuple(queries)


def test_only_the_fleet_s_dashboards_where_that_is_wanted() -> None:
    """The fleet's and that for any function; and no link to one that isn't there."""
    resources = [function("a", "shop"), function("b", "blog")]
    whole, fewer = (bodies(planned(*resources, toml=toml)) for toml in ("", 'dashboards = "fleet"'))
    assert (len(whole), len(fewer)) == (4, 2)
    assert fewer.keys() < whole.keys()
    for name in whole.keys() - fewer.keys():
        assert name in json.dumps(whole)
        assert name not in json.dumps(fewer)
