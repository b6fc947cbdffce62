"""The same dashboards for Grafana: as its own models read them, and asking for the same as CloudWatch's."""

import json
import re
from typing import Any

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import widgets
from dashboards.body import bodies
from dashboards.function_body import FUNCTION
from dashboards.grafana import grafana
from monitors.model import Fleet
from monitors.plan import plan
from monitors.settings import Settings
from tests.test_body import REGION, function, planned, queue

SHOP = bodies(
    planned(*(function(f"shop-{n}", is_async=True) for n in range(3)), function("odd", timeout_ms=900), queue("q"))
)


def made(name: str, body: dict[str, Any]) -> Any:
    return json.loads(grafana(name, body))


@pytest.mark.parametrize("name", SHOP)
def test_grafanas_own_models_read_it_back(name: str) -> None:
    document = made(name, SHOP[name])
    read = Dashboard.from_json(document)
    assert read.title == name
    assert read.panels is not None
    assert len(read.panels) == len(SHOP[name]["widgets"])


@pytest.mark.parametrize("name", SHOP)
def test_each_panel_stands_where_the_widget_does_and_asks_for_the_same(name: str) -> None:
    for widget, panel in zip(SHOP[name]["widgets"], made(name, SHOP[name])["panels"], strict=True):
        place = panel["gridPos"]
        assert (place["x"], place["y"], place["w"], place["h"]) == (
            *(widget["x"], widget["y"]),
            *(widget["width"], widget["height"]),
        )
        wanted = [
            (
                *(one.id, one.namespace, one.metric, one.statistic, str(one.period_s), one.returned),
                {key: [value.replace(FUNCTION, "${function}")] for key, value in one.dimensions},
                one.expression,
            )
            for one in widgets.queries(widget)
        ]
        asked = [
            (
                *(one["id"], one["namespace"], one["metricName"], one["statistic"], one["period"], not one["hide"]),
                one["dimensions"],
                one["expression"] or one.get("sqlExpression", ""),
            )
            for one in panel.get("targets") or ()
            if one["queryMode"] == "Metrics"
        ]
        assert asked == wanted
        assert all(one["region"] == REGION for one in panel.get("targets") or ())


def test_metrics_insights_is_asked_as_a_query_and_a_search_as_an_expression() -> None:
    panels = made("lookout-fleet", SHOP[f"lookout-fleet-{REGION}"])["panels"]
    asked = [one for panel in panels for one in panel.get("targets") or () if one.get("metricEditorMode") == 1]
    assert {one["metricQueryType"] for one in asked if one.get("sqlExpression")} == {1}
    assert {one["metricQueryType"] for one in asked if one["expression"].startswith("SORT(SEARCH(")} == {0}
    assert asked


def test_levels_are_lines_across() -> None:
    body = SHOP[f"lookout-app-shop-{REGION}"]
    for widget, panel in zip(body["widgets"], made("x", body)["panels"], strict=True):
        levels = widget["properties"].get("annotations", {}).get("horizontal", [])
        if panel["type"] == "timeseries":
            defaults = panel["fieldConfig"]["defaults"]
            values = [step["value"] for step in defaults["thresholds"]["steps"][1:]]
            assert values == sorted(one["value"] for one in levels)
            assert defaults["custom"]["thresholdsStyle"]["mode"] == ("dashed" if levels else "off")


def test_the_function_is_a_variable_of_grafanas() -> None:
    document = made("lookout-function", SHOP[f"lookout-function-{REGION}"])
    assert [one["name"] for one in document["templating"]["list"]] == ["source", "function"]
    text = json.dumps(document)
    assert FUNCTION not in text
    assert "/aws/lambda/${function}" in text


def test_links_lead_to_the_other_dashboards() -> None:
    uids = {made(name, body)["uid"] for name, body in SHOP.items()}
    assert len(uids) == len(SHOP)
    links = {uid for name, body in SHOP.items() for uid in re.findall(r"\(/d/([^)]*)\)", grafana(name, body))}
    assert links
    assert links <= uids


@pytest.mark.parametrize("name", ["lookout-app-" + "x" * 300, "lookout-app-ü/{}", "ok_-1"])
def test_uids_are_what_grafana_takes(name: str) -> None:
    uid = made(name, SHOP[f"lookout-fleet-{REGION}"])["uid"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", uid)


def test_a_template_leaves_the_region_to_the_data_source() -> None:
    where = function("a")
    body = bodies(plan(Fleet(resources=(type(where)(**{**_facts(where), "region": ""}),)), Settings()))
    text = json.dumps([made(name, one) for name, one in body.items()])
    assert '"region": "default"' in text
    assert "AWS::Region" not in re.sub(r'"(?:title|uid|content)": "[^"]*"', "", text)


def _facts(resource: Any) -> dict[str, Any]:
    return {name: getattr(resource, name) for name in resource.__dataclass_fields__}


def test_text_from_outside_stays_text() -> None:
    body = bodies(planned(function("<script>alert(1)</script>[x](javascript:1)")))
    contents = [
        panel["options"]["content"]
        for name, one in body.items()
        for panel in made(name, one)["panels"]
        if panel["type"] == "text"
    ]
    assert not [one for one in contents if "<script" in one.replace(r"\<", "")]
    assert not [one for one in contents if "](javascript" in one]
