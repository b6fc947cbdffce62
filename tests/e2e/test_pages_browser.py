"""Every page in a real browser, from a file, with no network: it draws, sorts, changes theme, asks for nothing."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards import assets, pages
from dashboards.body import bodies
from dashboards.charts import lines
from dashboards.widgets import queries
from lookout.cli import main
from monitors.fleet import to_json
from monitors.model import Fleet, Resource, State
from monitors.plan import plan
from monitors.settings import parse
from tests import dashboard_samples as samples
from tests.aws import Aws
from tests.fleets import fleet, function

SCROLLED = "() => scrollY"
WAIT_S = 30
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH: install chromium to run the browser tests"),
]


def fleet_page() -> str:
    resources = tuple(
        Resource(
            service="lambda",
            name=name,
            id=f"arn:aws:lambda:eu-central-1:123456789012:function:{name}",
            region="eu-central-1",
            account="123456789012",
            application="shop",
            facts={"timeout_ms": 30_000, "log_group": f"/aws/lambda/{name}"},
        )
        for name in samples.NAMES
    )
    body = bodies(plan(Fleet(resources=resources), parse("")))["lookout-fleet-eu-central-1"]
    data = {
        n: [
            samples.wave(one.label or name, base=20 + 5 * k, swing=9)
            for one in queries(widget)
            for k, name in enumerate(samples.NAMES[:4])
        ]
        for n, widget in enumerate(body["widgets"])
        if queries(widget)
    }
    states = {"lookout/lambda.errors/shop-payment": State.ALARM}
    return pages.dashboard_page(body, data, title="Fleet", generated_s=samples.NOW, states=states)


def application_page() -> str:
    """Two resources, the second with an alarm that is off."""
    parts = [
        [
            {"type": "text", "width": 24, "properties": {"markdown": f"### {name}\nLambda function"}},
            {
                "type": "alarm",
                "width": 6,
                "properties": {"title": "Alarms", "alarms": [f"lookout/lambda.errors/{name}"]},
            },
        ]
        for name in ("head", "orders")
    ]
    return pages.dashboard_page({"widgets": [*parts[0], *parts[1]]}, {}, title="Shop", generated_s=samples.NOW)


def hostile_page() -> str:
    charts = tuple(
        lines(
            samples.HOSTILE,
            [samples.wave(samples.HOSTILE + str(n), base=3, swing=2) for n in range(5)],
            axis=samples.HOSTILE,
            signal="errors",
            levels={samples.HOSTILE: 2.0},
        )
        for _ in range(2)
    )
    return pages.index_page(replace(samples.summary(), charts=charts, title=samples.HOSTILE))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    given: dict[str, Any] = {"generated_s": samples.NOW, "links": samples.summary().links}
    written = {
        "index.html": pages.index_page(samples.summary()),
        "latency.html": pages.latency_page(samples.latency(), title="Latency report", **given),
        "memory.html": pages.memory_page(samples.memory(), title="Memory report", **given),
        "fleet.html": fleet_page(),
        "application.html": application_page(),
        "hostile.html": hostile_page(),
        "charts.js": assets.chart_script(),
    }
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


class Visit:
    """A page opened far from UTC, with all that it complained of and asked for."""

    def __init__(self, browser: Any, **context: Any) -> None:
        settings = {"viewport": {"width": 1280, "height": 900}, "timezone_id": "Asia/Tokyo"} | context
        self.context = browser.new_context(**settings)
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, file: Path, fragment: str = "") -> "Visit":
        self.page.goto(file.as_uri() + fragment)
        return self

    def until(self, expression: str, arg: Any = None) -> None:
        """Waits until it is true, asking from here: the page's own security policy refuses what polls within it."""
        deadline = time.monotonic() + WAIT_S
        while not self.page.evaluate(expression, arg):
            assert time.monotonic() < deadline, f"never true: {expression}"
            self.page.wait_for_timeout(50)

    def draw_all(self) -> int:
        """Opens what is closed, and scrolls to one chart after another until all are there; how many there are."""
        self.page.evaluate("document.querySelectorAll('details.item').forEach((one, n) => { one.open = n < 3 })")
        self.until(
            """() => {
                const plots = [...document.querySelectorAll('.plot')].filter((one) => one.checkVisibility());
                const missing = plots.filter((one) => !one.querySelector('canvas'));
                missing[0]?.scrollIntoView();
                return !missing.length;
            }"""
        )
        return int(self.page.locator("canvas").count())


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    made: list[Visit] = []

    def start(**context: Any) -> Visit:
        made.append(Visit(browser, **context))
        return made[-1]

    yield start
    for one in made:
        one.context.close()


@pytest.mark.parametrize(
    ("name", "charts"), [("index", 3), ("latency", 4), ("memory", 7), ("fleet", 5), ("hostile", 2)]
)
def test_draws_every_chart_without_a_complaint_and_without_a_network(
    visit: Any, site: Path, name: str, charts: int
) -> None:
    seen = visit().open(site / f"{name}.html")
    assert seen.draw_all() >= charts
    assert seen.complaints == []
    assert all(url.startswith("file:") for url in seen.asked)
    assert {Path(url).name for url in seen.asked} == {f"{name}.html", "charts.js"}


@pytest.mark.parametrize("width", [390, 1920])
@pytest.mark.parametrize("name", ["index", "latency", "memory", "fleet", "hostile"])
def test_nothing_sticks_out_of_a_phone_or_a_projector(visit: Any, site: Path, name: str, width: int) -> None:
    seen = visit(viewport={"width": width, "height": 800}).open(site / f"{name}.html")
    seen.draw_all()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.complaints == []


def test_the_button_changes_the_theme_of_page_and_charts(visit: Any, site: Path) -> None:
    seen = visit(color_scheme="light").open(site / "index.html")
    seen.draw_all()
    seen.page.evaluate("scrollTo(0, 0)")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    picture = seen.page.evaluate("document.querySelector('canvas').toDataURL()")
    assert seen.page.evaluate(ground) == "rgb(255, 255, 255)"
    seen.page.get_by_role("button", name="Dark theme").click()
    seen.until("before => document.querySelector('canvas')?.toDataURL() !== before", picture)
    assert seen.page.evaluate(ground) == "rgb(20, 23, 27)"
    assert seen.page.get_by_role("button", name="Light theme").is_visible()
    assert seen.complaints == []


def test_follows_the_system_into_the_dark(visit: Any, site: Path) -> None:
    seen = visit(color_scheme="dark").open(site / "index.html")
    assert seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(20, 23, 27)"


def test_tables_sort_by_click_and_by_keyboard(visit: Any, site: Path) -> None:
    seen = visit().open(site / "latency.html")
    table = seen.page.locator("section[aria-labelledby=functions] table")
    first = table.locator("tbody tr th").first
    assert first.inner_text() == "shop-checkout"
    table.get_by_role("button", name="p99").click()
    assert first.inner_text() == "auth-token"  # 180 + 160 x 13 ms, the highest
    table.get_by_role("button", name="p99").press("Enter")
    assert first.inner_text() == "shop-checkout"
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    table.get_by_role("button", name="Function").click()
    assert first.inner_text() == "auth-login"


def test_a_link_opens_the_function_it_points_to(visit: Any, site: Path) -> None:
    seen = visit().open(site / "latency.html", "#f-3")
    assert seen.page.locator("#f-3").evaluate("one => one.open")
    seen.page.locator("section[aria-labelledby=functions] a", has_text="auth-token").click()
    assert seen.page.locator("#f-14").evaluate("one => one.open")


def test_a_link_opens_the_resource_whose_alarm_it_points_to(visit: Any, site: Path) -> None:
    folded = "details.item"
    assert not visit().open(site / "application.html").page.locator(folded).evaluate("one => one.open")
    seen = visit().open(site / "application.html", "#lookout%2Flambda.errors%2Forders")
    assert seen.page.locator(folded).evaluate("one => one.open")
    assert seen.page.get_by_text("lambda.errors orders").is_visible()
    assert seen.complaints == []


def test_hovering_tells_the_value_and_its_time_in_utc(visit: Any, site: Path) -> None:
    seen = visit().open(site / "index.html")
    seen.draw_all()
    canvas = seen.page.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    seen.page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 160)
    seen.page.mouse.move(box["x"] + box["width"] - 24, box["y"] + 164)
    tip = seen.page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    # The chart ends at 06:00 UTC, which is 15:00 in the browser's own Tokyo.
    assert "Tue 24 Nov 05:" in tip.inner_text()
    assert "UTC" in tip.inner_text()
    assert seen.complaints == []


def test_hostile_text_stays_text(visit: Any, site: Path) -> None:
    seen = visit().open(site / "hostile.html")
    seen.page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
    seen.draw_all()
    assert "</script><script>alert(1)</script>\\u202egnp.exe" in seen.page.locator("main").inner_text()
    assert seen.complaints == []


def test_without_charts_js_the_tables_speak(visit: Any, site: Path, tmp_path: Path) -> None:
    alone = tmp_path / "index.html"
    alone.write_bytes((site / "index.html").read_bytes())
    seen = visit().open(alone)
    table = seen.page.get_by_role("table", name="shop-payment: error rate")
    table.wait_for()
    assert "Median" in table.inner_text()
    assert [said for said in seen.complaints if "charts.js" not in said and "ERR_FILE_NOT_FOUND" not in said] == []


def test_without_any_script_the_tables_can_be_opened(visit: Any, site: Path) -> None:
    seen = visit(java_script_enabled=False).open(site / "index.html")
    seen.page.get_by_text("As a table").first.click()
    assert seen.page.get_by_role("table", name="shop-payment: error rate").is_visible()
    assert not seen.page.locator("button.theme").is_visible()


# --- from the fleet to one function ------------------------------------------------------------------


@pytest.fixture
def boards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The pages of `lookout dashboards`, of two functions with data."""
    made = Aws({"cloudwatch:DescribeAlarms": _alarms, "cloudwatch:GetMetricData": _data})
    monkeypatch.setattr("lookout.dashboards.session", lambda **_: made.session)
    where = fleet(function("orders", application="shop"), function("payments", application="shop"))
    (tmp_path / "fleet.json").write_text(json.dumps(to_json(where)))
    assert main(["dashboards", "--fleet", str(tmp_path / "fleet.json"), "-o", str(tmp_path / "site")]) == 0
    return tmp_path / "site"


def _alarms(_asked: Any, _region: str) -> dict[str, Any]:
    alarm = {"AlarmName": "lookout/lambda.errors/orders", "StateValue": "ALARM"}
    return {"MetricAlarms": [alarm], "CompositeAlarms": []}


def _data(asked: Any, _region: str) -> dict[str, Any]:
    first = asked["StartTime"].replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    times = [first + timedelta(hours=n) for n in range(10)]
    shown = [query for query in asked["MetricDataQueries"] if query.get("ReturnData", True)]
    values = [float(n % 7 + 1) for n in range(10)]
    return {
        "MetricDataResults": [
            {"Id": one["Id"], "Label": "it", "Timestamps": times, "Values": values, "StatusCode": "Complete"}
            for one in shown
        ]
    }


def test_two_clicks_lead_from_the_fleet_to_the_function_that_hurts_and_one_to_another(visit: Any, boards: Path) -> None:
    seen = visit().open(boards / "index.html")
    seen.page.get_by_role("navigation").get_by_role("link", name="shop").click()
    # The function's part is open, since one of its alarms is on; the other's is not.
    seen.page.get_by_role("link", name="All about this function").locator("visible=true").click()
    assert seen.page.locator("h1").inner_text() == "orders"
    seen.draw_all()
    seen.page.get_by_text("Another function").click()
    seen.page.locator("main").get_by_role("link", name="payments").click()
    assert seen.page.locator("h1").inner_text() == "payments"
    assert seen.draw_all() > 3
    assert seen.complaints == []
    assert all(url.startswith("file:") for url in seen.asked)


def test_ctrl_and_the_wheel_zoom_and_a_double_click_goes_back(visit: Any, boards: Path) -> None:
    seen = visit().open(boards / "lookout-function-eu-west-1--orders.html")
    seen.draw_all()
    canvas = seen.page.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def enter() -> None:
        seen.page.mouse.move(x, y)
        seen.page.wait_for_timeout(1_000)  # what answers the pointer is drawn when it comes
        seen.page.mouse.move(x + 2, y)

    def picture() -> bytes:
        """Without the point under the pointer."""
        seen.page.mouse.move(1, 1)
        seen.page.wait_for_timeout(500)
        return bytes(canvas.screenshot())

    enter()
    whole, place = picture(), seen.page.evaluate(SCROLLED)
    enter()
    seen.page.keyboard.down("Control")
    seen.page.mouse.wheel(0, -400)
    seen.page.keyboard.up("Control")
    assert picture() != whole
    assert seen.page.evaluate(SCROLLED) == place, "the page itself does not move"
    enter()
    seen.page.mouse.dblclick(x + 2, y)
    assert picture() == whole
    assert seen.complaints == []
