"""Service level objectives: which alarms they make, on when, and whom they call."""

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped] # cfn-lint says nothing of its types

from infra.stacks import templates
from monitors.evaluate import breaches
from monitors.metricmath import returned
from monitors.model import Alarm, Comparison, Plan, Series, Severity
from monitors.plan import plan
from monitors.settings import Match, Override, Settings, parse
from tests.fleets import fleet, function, resource
from tests.test_stacks import PAGE, TICKET, named, rendered

SLO = Settings(match=(Match(service="lambda", slo=99.9),))


def made(settings: Settings = SLO, **tags: str) -> Plan:
    one = function("shop", tags={f"lookout:{key}": value for key, value in tags.items()})
    return plan(fleet(one), settings)


def windows(found: Plan) -> dict[str, tuple[float, int]]:
    """Level in % and window in seconds, by rule."""
    return {one.rule: (one.threshold, one.queries[0].period_s) for one in found.alarms if ".slo_" in one.rule}


def test_four_pairs_of_windows_at_the_rates_of_the_workbook() -> None:
    """The Site Reliability Workbook, Table 5-8: 14.4, 6, 3 and 1 times the budget, here 0.1 %."""
    assert windows(made()) == {
        "lambda.slo_page_1h": (1.44, 3_600),
        "lambda.slo_page_5m": (1.44, 300),
        "lambda.slo_page_6h": (0.6, 21_600),
        "lambda.slo_page_30m": (0.6, 1_800),
        "lambda.slo_ticket_1d": (0.3, 86_400),
        "lambda.slo_ticket_2h": (0.3, 7_200),
        "lambda.slo_ticket_3d": (0.1, 259_200),
        "lambda.slo_ticket_6h": (0.1, 21_600),
    }


def test_both_windows_of_a_pair_must_agree() -> None:
    (found,) = [one for one in made().composites if one.rule == "lambda.slo_page"]
    assert found.expression == (
        '(ALARM("lookout/lambda.slo_page_1h/shop") AND ALARM("lookout/lambda.slo_page_5m/shop")) OR '
        '(ALARM("lookout/lambda.slo_page_6h/shop") AND ALARM("lookout/lambda.slo_page_30m/shop"))'
    )


@pytest.mark.parametrize(
    ("errors", "invocations", "on"),
    [(15, 1_000, True), (14, 1_000, False), (2, 10, False), (3, 10, True), (0, 0, False)],
)
def test_a_window_is_beyond_its_budget(errors: float, invocations: float, on: bool) -> None:
    """15 of 1,000 are 1.5 %, more than 1.44; two failures are too few to tell, whatever their share."""
    (alarm,) = [one for one in made().alarms if one.rule == "lambda.slo_page_5m"]
    assert over(alarm, errors, invocations) is on


def over(alarm: Alarm, errors: float, invocations: float) -> bool:
    series = {
        name: Series(label=name, period_s=300, start=0, values=(value,))
        for name, value in (("m1", errors), ("m2", invocations))
    }
    return bool(breaches(returned(alarm.queries, series).values, Comparison(alarm.comparison), alarm.threshold)[0])


def test_only_what_stands_over_the_windows_calls_somebody() -> None:
    found = rendered(made())
    assert "AlarmActions" not in named(found, "lookout/lambda.slo_page_5m/shop")
    assert "AlarmActions" not in named(found, "lookout/lambda.slo_ticket_3d/shop")
    assert "AlarmActions" not in named(found, "lookout/lambda.slo_page/shop")  # the function's health pages for it
    assert 'ALARM("lookout/lambda.slo_page/shop")' in named(found, "lookout/lambda.health/shop")["AlarmRule"]
    assert named(found, "lookout/lambda.health/shop")["AlarmActions"] == [PAGE]
    assert named(found, "lookout/lambda.slo_ticket/shop")["AlarmActions"] == [TICKET]


def test_windows_stay_silent_whatever_their_composite_is_worth() -> None:
    settings = Settings(match=(Match(slo=99.9, rules={"lambda.slo_page": Override(severity=Severity.TICKET)}),))
    found = rendered(made(settings))
    assert "AlarmActions" not in named(found, "lookout/lambda.slo_page_5m/shop")
    assert named(found, "lookout/lambda.slo_page/shop")["AlarmActions"] == [TICKET]


def test_a_rate_that_no_share_can_exceed_is_left_out_with_its_pair() -> None:
    """A budget of 10 %: 14.4 times it are 144 %; 6 times it are 60 %."""
    found = made(Settings(match=(Match(service="lambda", slo=90),)))
    assert {rule for rule in windows(found) if "page" in rule} == {"lambda.slo_page_6h", "lambda.slo_page_30m"}
    assert any("144, which is never exceeded" in note.title for note in found.notes)


def test_turned_off_nothing_of_it_is_left() -> None:
    found = made(Settings(match=(Match(slo=99.9, rules={"lambda.slo_ticket": Override(enabled=False)}),)))
    assert not [rule for rule in windows(found) if "ticket" in rule]
    assert [rule for rule in windows(found) if "page" in rule]


def test_one_window_turned_off_takes_the_other_along() -> None:
    found = made(Settings(match=(Match(slo=99.9, rules={"lambda.slo_page_5m": Override(enabled=False)}),)))
    assert {rule for rule in windows(found) if "page" in rule} == {"lambda.slo_page_6h", "lambda.slo_page_30m"}


@pytest.mark.parametrize(("said", "level"), [("99.5", 7.2), (" 99% ", 14.4)])
def test_the_owners_tag_goes_before_the_settings(said: str, level: float) -> None:
    assert windows(made(slo=said))["lambda.slo_page_1h"][0] == level
    assert windows(made(Settings(), slo=said))["lambda.slo_page_1h"][0] == level


@pytest.mark.parametrize("said", ["high", "100", "0", "nan", "-1", "1e999"])
def test_a_tag_that_is_no_objective_is_told(said: str) -> None:
    found = made(slo=said)
    assert not windows(found)
    assert [note.title for note in found.notes if note.kind == "no_objective"] == [
        f"shop: its tag lookout:slo is no objective in %, such as 99.9: {said}"
    ]


def test_what_has_no_requests_to_fail_has_no_objective() -> None:
    found = plan(
        fleet(resource("sqs", "work", is_dead_letter_queue=False)), Settings(match=(Match(slo=99.9, name="*"),))
    )
    assert not windows(found)
    assert not [note for note in found.notes if "slo" in note.title]


def test_an_objective_in_the_file() -> None:
    assert parse('[[match]]\nname = "shop"\nslo = 99.9\n').match == (Match(name="shop", slo=99.9),)


# --- suppressors -----------------------------------------------------------------------------------


ACCOUNT = resource("account", "123456789012/eu-west-1", concurrency_limit=1_000)


def test_pages_of_functions_wait_while_the_account_itself_pages() -> None:
    found = rendered(plan(fleet(function("a"), ACCOUNT), Settings()))
    cause = "lookout/account.concurrency/123456789012/eu-west-1"
    health = named(found, "lookout/lambda.health/a")
    assert health["ActionsSuppressor"] == cause
    assert (health["ActionsSuppressorWaitPeriod"], health["ActionsSuppressorExtensionPeriod"]) == (60, 60)
    assert named(found, cause)["AlarmActions"] == [PAGE]


@pytest.mark.parametrize("override", [Override(enabled=False), Override(severity=Severity.TICKET)])
def test_nothing_waits_for_what_wakes_nobody(override: Override) -> None:
    settings = Settings(rules={"account.concurrency": override})
    found = plan(fleet(function("a"), ACCOUNT), settings)
    assert {one.suppressor for one in found.composites} == {""}


def test_what_others_wait_for_is_made_before_them() -> None:
    found = rendered(plan(fleet(*(function(f"f{n}", application="shop") for n in range(150)), ACCOUNT), Settings()))
    parent = found["lookout-alarms"]["Resources"]
    (cause,) = [key for key, one in parent.items() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert all(cause in one["DependsOn"] for key, one in parent.items() if key.startswith("Part"))
    assert (
        sum(
            "account.concurrency" in str(one["Properties"].get("AlarmName"))
            for t in found.values()
            for one in t["Resources"].values()
        )
        == 1
    )


def test_cloudformation_takes_all_of_it() -> None:
    made = plan(fleet(function("a"), ACCOUNT), SLO)
    found = templates(made, page_topic=PAGE, ticket_topic=TICKET)
    assert {one.suppressor for one in made.composites} > {""}
    assert [str(one) for text in found.values() for one in lint(text)] == []
