"""Pages: whole, safe, accessible, and saying what the records say."""

import base64
import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import botocore.session
import pytest

from dashboards import assets, formats, headlines, pages, sheets
from dashboards.body import bodies
from dashboards.summary import AlarmRow, Link, Summary
from monitors.model import Fleet, Plan, Resource, Series, State
from monitors.plan import plan
from monitors.rightsize.report import MemoryReport
from monitors.settings import parse
from monitors.traces.report import Change, LatencyReport
from tests import dashboard_samples as samples
from tests.dashboard_samples import HOSTILE, NOW

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr"}


class Page(HTMLParser):
    """A page's elements with their attributes and text; fails on tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.found: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open[-1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element: tuple[str, dict[str, str], list[str]] = (tag, {name: value or "" for name, value in attrs}, [])
        self.found.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for _, _, text in self.open:
            text.append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str], str]]:
        return [(attributes, "".join(text)) for name, attributes, text in self.found if name == tag]

    def text(self) -> str:
        return self.all("main")[0][1]


def hostile_summary() -> Summary:
    plain = samples.summary()
    return replace(
        plain,
        title=HOSTILE,
        functions=tuple(
            replace(one, function=HOSTILE, facts=HOSTILE, link="javascript:alert(1)") for one in plain.functions
        ),
        alarms=tuple(
            replace(one, resource=HOSTILE, rule=HOSTILE, level=HOSTILE, reason=HOSTILE) for one in plain.alarms
        ),
        notices=tuple(replace(one, subject=HOSTILE, body=HOSTILE, channel=HOSTILE) for one in plain.notices),
        planted=tuple(replace(one, fault=HOSTILE, verdict=HOSTILE) for one in plain.planted),
        charts=tuple(replace(one, title=HOSTILE, note=HOSTILE) for one in plain.charts),
        thin=(HOSTILE,),
        links=(Link(words=HOSTILE, address="data:text/html,<script>"),),
    )


def hostile_latency() -> LatencyReport:
    plain = samples.latency()
    functions = tuple(
        replace(
            one,
            function=HOSTILE,
            phases=tuple(replace(phase, target=HOSTILE) for phase in one.phases),
            exemplars=((HOSTILE, HOSTILE),),
        )
        for one in plain.functions[:2]
    )
    return replace(
        plain,
        functions=functions,
        notes=(HOSTILE,),
        ledger=((HOSTILE, 1),),
        changes=tuple(replace(one, function=HOSTILE, blamed=HOSTILE) for one in plain.changes),
    )


def hostile_memory() -> MemoryReport:
    plain, before = samples.memory(), samples.followed()
    return replace(
        plain,
        region=HOSTILE,
        advice=tuple(replace(one, function=HOSTILE, reasons=(HOSTILE,), flags=(HOSTILE,)) for one in plain.advice),
        before=replace(before, advice=tuple(replace(one, function=HOSTILE) for one in before.advice)),
    )


def shop() -> Plan:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
    one = Resource(
        service="lambda",
        name="orders",
        id=arn,
        region="eu-central-1",
        account="123456789012",
        application=HOSTILE,
        facts={"timeout_ms": 3000},
    )
    return plan(Fleet(resources=(one,)), parse(""))


def dashboard(name: str = "lookout-fleet-eu-central-1", **more: Any) -> str:
    body = bodies(shop())[name]
    return pages.dashboard_page(body, more.pop("data", {}), title="Fleet", generated_s=NOW, **more)


def made() -> dict[str, str]:
    given: Any = {"title": "Report", "generated_s": NOW}
    return {
        "index": pages.index_page(samples.summary()),
        "latency": pages.latency_page(samples.latency(), **given),
        "memory": pages.memory_page(replace(samples.memory(), before=samples.followed()), **given),
        "dashboard": dashboard(),
        "hostile index": pages.index_page(hostile_summary()),
        "hostile latency": pages.latency_page(hostile_latency(), title=HOSTILE, generated_s=NOW),
        "hostile memory": pages.memory_page(hostile_memory(), title=HOSTILE, generated_s=NOW),
        "hostile dashboard": next(
            pages.dashboard_page(body, {}, title=HOSTILE, generated_s=NOW)
            for name, body in bodies(shop()).items()
            if "-app-" in name
        ),
        "empty latency": pages.latency_page(
            replace(samples.latency(), functions=(), edges=(), changes=(), ledger=()), **given
        ),
        "empty memory": pages.memory_page(replace(samples.memory(), advice=()), **given),
    }


MADE = made()
every = pytest.mark.parametrize("page", [Page(text) for text in MADE.values()], ids=list(MADE))


# --- safe ----------------------------------------------------------------------------------------


@every
def test_only_our_own_scripts_run(page: Page) -> None:
    for attributes, text in page.all("script"):
        if attributes.get("type") == "application/json":
            json.loads(text)
        elif "src" in attributes:
            assert attributes["src"] == "charts.js"
        else:
            assert text == assets.text("page.js")
    assert not [a for _, attributes, _ in page.found for a in attributes if a.startswith("on") or a == "style"]


@every
def test_the_policy_allows_exactly_what_the_page_carries(page: Page) -> None:
    policy = next(a["content"] for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")

    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    inline = next(text for attributes, text in page.all("script") if not attributes)
    ((_, style),) = page.all("style")
    assert policy == (
        f"default-src 'none'; style-src {hashed(style)}; script-src 'self' {hashed(inline)}; "
        "base-uri 'none'; form-action 'none'"
    )


@every
def test_unseen_characters_are_spelled_out(page: Page) -> None:
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029]", page.source)


def test_hostile_names_are_shown_as_what_they_are() -> None:
    page = Page(MADE["hostile index"])
    assert "</script><script>alert(1)</script>\\u202egnp.exe\\u2028\"'&" in page.text()


@every
def test_links_lead_only_where_a_link_may(page: Page) -> None:
    for attributes, _ in page.all("a"):
        assert re.match(r"https://|#|[a-z]+\.html", attributes["href"]), attributes


def test_data_in_a_script_element_cannot_leave_it() -> None:
    chart = samples.summary().charts[0]
    chart = replace(chart, title=HOSTILE, spec=chart.spec | {"data": {"values": [{"s": HOSTILE}]}})
    page = pages.index_page(replace(samples.summary(), charts=(chart,)))
    data = re.search(r'<script type="application/json" class="chart">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert not set(data[1]) & set("<>&\u2028\u2029")
    assert json.loads(data[1])["data"]["values"][0]["s"] == formats.inert(HOSTILE)


# --- accessible ----------------------------------------------------------------------------------


@every
def test_landmarks_language_and_one_first_heading(page: Page) -> None:
    assert page.all("html")[0][0]["lang"] == "en"
    for tag in ("header", "nav", "main", "footer", "h1", "title"):
        assert len(page.all(tag)) == 1, tag
    assert page.all("a")[0][0]["href"] == "#main"


@every
def test_ids_are_unique_and_what_points_to_them_finds_them(page: Page) -> None:
    ids = [attributes["id"] for _, attributes, _ in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes, _ in page.found:
        target = attributes.get("aria-labelledby") or attributes.get("href", "").removeprefix("#")
        if attributes.get("aria-labelledby") or attributes.get("href", "").startswith("#f-"):
            assert target in ids


@every
def test_tables_have_captions_headers_and_whole_rows(page: Page) -> None:
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(attributes.get("scope") in ("row", "col") for attributes, _ in page.all("th"))
    for table in re.findall(r"<table.*?</table>", page.source, re.DOTALL):
        head, body = table.split("</thead>")
        columns = head.count("<th ")
        for row in re.findall(r"<tr>.*?</tr>", body, re.DOTALL):
            assert row.count("<td") + row.count("<th ") == columns


@every
def test_every_chart_has_a_table_beside_it(page: Page) -> None:
    for figure in re.findall(r"<figure>.*?</figure>", page.source, re.DOTALL):
        assert "<table" in figure or 'class="empty"' in figure


def test_the_stylesheet_stays_readable() -> None:
    assert len(assets.text("page.css").splitlines()) <= 300


# --- right ---------------------------------------------------------------------------------------


def test_the_front_page_says_first_what_is_on() -> None:
    page = Page(MADE["index"])
    assert page.all("h1")[0][1] == "1 alarm on: Error rate of shop-payment"
    figures = dict(zip([text for _, text in page.all("dt")], [text for _, text in page.all("dd")], strict=True))
    assert figures["functions covered"] == "14 of 14"
    assert figures["alarms on"] == "1 of 56"
    assert figures["planted faults found"] == "3 of 4"
    assert figures["a month for the monitoring"] == "$16.10"  # 8.60 + 1.50 + 6.00
    assert figures["for the whole run"] == "15\u00a0s"  # 1.4 + 3.1 + 8.7 + 2.2 = 15.4
    order = [page.source.index(f'id="{name}"') for name in ("action", "charts", "functions", "alarms", "thin")]
    assert order == sorted(order)


def test_what_needs_action_are_alarms_on_faults_missed_and_functions_bare() -> None:
    summary = samples.summary()
    bare = replace(summary, coverage=replace(summary.coverage, functions_covered=12))
    titles = [one.title for one in headlines.run_action(bare)]
    assert titles == [
        "Error rate of shop-payment",
        "Not found: ops-cleanup stops being called",
        "2 functions without an alarm",
    ]


def test_all_quiet() -> None:
    summary = replace(samples.summary(), alarms=(), planted=())
    text = Page(pages.index_page(summary)).text()
    assert "All quiet: no alarm is on" in text
    assert "Nothing: no alarm is on, and everything is covered." in text


def test_ten_thousand_alarms_on_leave_the_page_usable() -> None:
    alarm = AlarmRow(
        name="a",
        rule="lambda.errors",
        resource="f",
        title="Error rate",
        meaning="It fails.",
        state=State.ALARM,
        since_s=NOW,
        level="above 3",
        reason="r" * 80,
    )
    page = pages.index_page(replace(samples.summary(), alarms=(alarm,) * 10_000))
    assert len(page) < 2_000_000
    assert "10,000 alarms on: Error rate of f, Error rate of f, Error rate of f and 9,997 more" in page
    assert "And 8000 more, left out" in page


def test_the_latency_page_begins_with_what_certainly_changed() -> None:
    page = Page(MADE["latency"])
    assert page.all("h1")[0][1] == "2 functions got worse: shop-search, shop-images"
    found = [text for attributes, text in page.all("li") if attributes.get("class") in ("good", "bad")]
    assert found[0].startswith("shop-images: share of cold starts rose from 0.4\u00a0% to 1.9\u00a0%")  # x 4.75
    assert "By 1.1 points to 2 points (95 % interval)." in found[0]
    assert found[1].startswith("shop-search: p95 response rose from 208\u00a0ms to 341\u00a0ms")  # x 1.64
    assert "Moved most: DynamoDB Query shop-orders." in found[1]
    assert found[2].startswith("auth-login: median response fell from 64\u00a0ms to 48\u00a0ms")
    assert len(found) == 3  # ops-export's interval has zero in it


def test_a_change_is_told_with_what_it_came_with() -> None:
    change = Change(
        function="pay",
        measure="p50_ms",
        before=100,
        after=200,
        low=90,
        high=110,
        blamed="handler +100 ms",
        mix="version 8: 0.0% of all before, 62.0% now",
        since=datetime(2026, 11, 2, 14, tzinfo=UTC).timestamp(),
        deployed=datetime(2026, 11, 2, 14, 20, tzinfo=UTC).timestamp(),
        memory_mb=(2048, 512),
    )
    (told,) = headlines.latency_changes(replace(samples.latency(), changes=(change,)))
    for words in (
        "Moved most: handler +100 ms.",
        "Other requests than before: version 8: 0.0% of all before, 62.0% now.",
        "; its code or settings changed at 2026-11-02 14:20",
        "Its memory size went from 2,048 to 512 MB.",
    ):
        assert words in told.words


def test_without_certain_changes_the_slowest_function_is_the_headline() -> None:
    noise = Change(function="f", measure="p95_ms", before=1, after=2, low=-1, high=3, blamed="")
    report = replace(samples.latency(), changes=(noise,))
    assert headlines.latency_status(report) == "Nothing got worse; slowest is auth-token, p95 785\u00a0ms"
    assert headlines.latency_changes(report) == []
    alone, too_few = replace(report, compared=None), replace(report, compared=0)
    assert headlines.latency_status(alone) == "Slowest is auth-token, p95 785\u00a0ms"
    assert headlines.latency_status(too_few).startswith("Nothing could be compared; slowest")


def test_the_memory_page_tells_risks_then_savings() -> None:
    page = Page(MADE["memory"])
    # Each lowered from 3,008 to 1,769 MB at scale s. p95 at 3,008: 60 + 240 x 512 / 3008 = 100.85 ms; at 1,769: 129.46.
    # Cost 100.85 x 3008 / 512 / 40 x s = 14.8125 s, then 129.46 x 1769 / 512 / 40 x s = 11.1826 s, give or take 12 %;
    # s is 3.1 + 1.8 + 0.9 + 0.2. For sure 6 x (14.8125 - 1.12 x 11.1826), at best 6 x (14.8125 - 0.88 x 11.1826).
    words = "Save $13.73 a month for sure and up to $29.83 on 4 functions, give 1 function more memory"
    assert page.all("h1")[0][1] == words
    found = [text for attributes, text in page.all("li") if attributes.get("class") in ("good", "bad")]
    assert found[0].startswith("shop-images: raise from 512 to 1,024 MB, adds $1.50 a month")
    assert found[1].startswith("shop-reports: lower from 3,008 to 1,769 MB, saves $11.25 a month")
    assert len(found) == 5


def test_a_dashboard_keeps_its_widgets_widths_and_names_those_without_data() -> None:
    body = bodies(shop())["lookout-fleet-eu-central-1"]
    graph = next(n for n, one in enumerate(body["widgets"]) if one["properties"].get("title") == "Duration")
    series = Series(label="p95", period_s=300, start=NOW - 3600, values=(40.0, None, 55.0))
    text = dashboard(data={graph: [series]}, states={"lookout/lambda.errors/orders": State.ALARM})
    width = body["widgets"][graph]["width"]
    assert f".s{width}{{grid-column:span {width}}}" in text
    page = Page(text)
    drawn = {
        attributes["aria-label"]: attributes["class"].split()
        for attributes, _ in page.all("section")
        if attributes.get("class", "").startswith("tile")
    }
    assert f"s{width}" in drawn["Duration"]
    quiet = [said for _, said in page.all("li") if said.endswith("No datapoints in this window.")]
    assert "Errors: No datapoints in this window." in quiet
    metrics = [one for one in body["widgets"] if one["type"] == "metric"]
    assert len(quiet) == len(metrics) - 1
    assert "in alarm lambda.errors orders" in page.text()
    assert text.count('class="chart"') == 1


def part(name: str, alarms: int) -> list[dict[str, Any]]:
    """A resource's heading and the widget of its alarms, as an application's dashboard has them."""
    arns = [f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:lookout/lambda.a{n}/{name}" for n in range(alarms)]
    return [
        {"type": "text", "width": 24, "properties": {"markdown": f"### {name}\nLambda function · 128 MB"}},
        {"type": "alarm", "width": 6, "properties": {"title": "Alarms", "alarms": arns}},
    ]


def test_resources_whose_alarms_are_off_are_folded() -> None:
    body = {"widgets": [*part("head", 1), *part("well", 2), *part("ill", 3)]}
    states = {"lookout/lambda.a1/ill": State.ALARM}
    page = Page(pages.dashboard_page(body, {}, title="t", generated_s=NOW, states=states))
    folded = [("open" in attributes, " ".join(text.split())) for attributes, text in page.all("details")]
    assert [is_open for is_open, _ in folded] == [False, True]
    assert folded[0][1].startswith("well Lambda function none of 2 alarms on")
    assert folded[1][1].startswith("ill Lambda function 1 of 3 alarms on")
    assert "1 of 6 alarms is on." in page.text()


def test_a_dashboard_leads_to_where_an_alarm_is_told_of() -> None:
    markdown = "## Fleet\n[shop](#dashboards/dashboard/app-shop) [other \\[x\\]](#dashboards/dashboard/nowhere)"
    head = {"type": "text", "width": 24, "properties": {"markdown": markdown}}
    name = "lookout/lambda.a0/orders"
    addresses = {"app-shop": "shop.html", name: "shop.html#lookout/lambda.a0/orders"}
    body = {"widgets": [head, part("orders", 2)[1]]}
    page = Page(pages.dashboard_page(body, {}, title="t", generated_s=NOW, addresses=addresses))
    links = [(attributes["href"], text) for attributes, text in page.all("a")][1:]
    assert links == [("shop.html", "shop"), ("shop.html#lookout/lambda.a0/orders", "lambda.a0 orders")]
    assert "other [x]" in page.text()
    assert [attributes["id"] for attributes, _ in page.all("li") if "id" in attributes] == ["lookout/lambda.a1/orders"]


def test_a_ranking_leaves_zeros_out_and_names_even_a_single_line() -> None:
    def asked(view: str, title: str) -> dict[str, Any]:
        row = [{"expression": "SELECT ...", "id": "q1", "label": "", "period": 300}]
        return {"type": "metric", "width": 8, "properties": {"view": view, "title": title, "metrics": [row]}}

    def found(label: str, *values: float) -> Series:
        return Series(label=label, period_s=300, start=NOW - 3600, values=values)

    body = {"widgets": [asked("table", "Errors"), asked("table", "Throttles"), asked("timeSeries", "Age")]}
    machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:checkout"
    data = {
        0: [found("a", 1, 2), found("b", 0, 0), found("c", 4, 1)],
        1: [found("a", 0, 0)],
        2: [found(machine, 7, 8)],
    }
    page = Page(pages.dashboard_page(body, data, title="t", generated_s=NOW))
    # c has 5 in total, a has 3.
    assert [text for attributes, text in page.all("th") if attributes.get("scope") == "row"][:2] == ["c", "a"]
    assert "Throttles: 0 throughout." in [text for _, text in page.all("li")]
    assert "checkout" in [text.strip() for _, text in page.all("p")]


def test_a_widget_that_only_cloudwatch_draws_says_so() -> None:
    body = {"widgets": [{"type": "explorer", "x": 0, "y": 0, "width": 24, "height": 3, "properties": {}}]}
    page = Page(pages.dashboard_page(body, {}, title="t", generated_s=NOW))
    assert "drawn by CloudWatch only" in page.text()


def test_markdown_from_outside_makes_no_markup() -> None:
    markdown = "## <script>alert(1)</script> [a](javascript:alert(1)) [b](https://example.com)"
    body = {
        "widgets": [{"type": "text", "x": 0, "y": 0, "width": 24, "height": 1, "properties": {"markdown": markdown}}]
    }
    page = Page(pages.dashboard_page(body, {}, title="t", generated_s=NOW))
    assert [attributes["href"] for attributes, _ in page.all("a")][1:] == ["https://example.com"]


# --- sheets --------------------------------------------------------------------------------------


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_latency_sheet_has_the_slowest_first_and_what_slows_it() -> None:
    rows = read(sheets.latency_csv(samples.latency()))
    assert len(rows) == 14
    assert rows[0]["function"] == "auth-token"  # p95 70 + 55 x 13
    assert float(rows[0]["p95_ms"]) == 785
    # dependency: 30 + 60 x 13 in the tail, 8 + 9 x 13 in the middle
    assert (rows[0]["tail_cause"], float(rows[0]["tail_cause_ms"])) == ("DynamoDB Query shop-orders", 810 - 125)


def test_the_memory_sheet_has_advice_and_intervals() -> None:
    first = read(sheets.memory_csv(samples.memory()))[0]
    assert (first["function"], first["action"]) == ("shop-images", "raise")
    sizes = first["CurrentConfigurationMemorySize"], first["RecommendationOptionsConfigurationMemorySize"]
    assert sizes == ("512", "1024")
    assert (first["Finding"], first["FindingReasonCodes"]) == ("NotOptimized", "MemoryUnderprovisioned")
    assert (float(first["then_usd_month"]), float(first["then_usd_month_high"])) == pytest.approx((9, 9 * 1.12))


def test_what_compute_optimizer_exports_has_its_names() -> None:
    """A column in capitals is a field of its own service model, and so are the findings."""
    model = botocore.session.get_session().get_service_model("compute-optimizer")
    rows = read(sheets.memory_csv(samples.memory()))
    columns = {column for column in rows[0] if column[0].isupper()}
    assert columns <= set(model.shape_for("ExportableLambdaFunctionField").enum)
    assert {row["Finding"] for row in rows} == set(model.shape_for("LambdaFunctionRecommendationFinding").enum)
    reasons = {row["FindingReasonCodes"] for row in rows} - {""}
    assert reasons <= set(model.shape_for("LambdaFunctionRecommendationFindingReasonCode").enum)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_no_cell_of_text_is_a_formula(text: str) -> None:
    report = replace(samples.memory(), advice=(replace(samples.memory().advice[0], function=text),))
    cell = read(sheets.memory_csv(report))[0]["function"]
    assert cell[0] not in "=+-@\t\r \n"


def test_the_sheets_keep_their_columns_whatever_is_in_a_name() -> None:
    rows = read(sheets.latency_csv(hostile_latency()))
    assert all(None not in row and None not in row.values() for row in rows)
    assert rows[0]["function"] == formats.inert(HOSTILE)


# --- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (formats.ms(0.42), "0.4\u00a0ms"),
        (formats.ms(238.4), "238\u00a0ms"),
        (formats.ms(1240), "1.24\u00a0s"),
        (formats.ms(30_000), "30.0\u00a0s"),
        (formats.ms(840_000), "14\u00a0min"),
        (formats.ms(float("nan")), "–"),
        (formats.usd(12.3), "$12.30"),
        (formats.usd(-0.5), "−$0.50"),
        (formats.usd(12_345.6), "$12,346"),
        (formats.share(0.004), "0.4\u00a0%"),
        (formats.share(0.0004), "0.04\u00a0%"),
        (formats.share(0.385), "38\u00a0%"),
        (formats.share(0), "0\u00a0%"),
        (formats.short(0.0123), "0.0123"),
        (formats.short(0.0000527), "0.000053"),
        (formats.short(87), "87"),
        (formats.rounded(87.4), "87"),
        (formats.rounded(137_906), "140,000"),
        (formats.short(4_500_000), "4.5M"),
        (formats.short(12_340), "12.3k"),
        (formats.short(9_870), "9,870"),
        (formats.short(None), "–"),
        (formats.moment(NOW), "2026-11-24 06:00 UTC"),
        (formats.moment(1e30), "–"),
        (formats.span(90 * 60), "90\u00a0min"),
        (formats.span(1.4), "1.4\u00a0s"),
        (formats.span(14 * 86_400), "14\u00a0days"),
        (formats.counted(1, "alarm"), "1 alarm"),
        (formats.counted(2_000, "alarm"), "2,000 alarms"),
        (formats.inert("a\u202eb\x00\u200d\ud800"), "a\\u202eb\\u0000\\u200d\\ud800"),
    ],
)
def test_formats(made: str, expected: str) -> None:
    assert made == expected


@pytest.mark.parametrize(
    "address", ["https://a.example/x?y#z", "http://a.example", "latency.html#f-1", "#main", "../x/", "/x"]
)
def test_links_that_may_be_followed(address: str) -> None:
    assert formats.link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:1",
        " javascript:1",
        "java\nscript:1",
        "\x01javascript:1",
        "data:text/html,x",
        "//evil.example",
        "\\\\evil",
        "vbscript:1",
        "file:///etc",
    ],
)
def test_links_that_may_not(address: str) -> None:
    assert formats.link(address) == ""
