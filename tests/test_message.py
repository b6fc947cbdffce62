"""From CloudWatch's notifications to what a person reads. Shapes as in the CloudWatch User Guide, figures our own."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitors.describe import LIMIT, Description, describe, parse_description
from monitors.errors import InputError
from monitors.model import Comparison, Query, Severity, State
from subscribers import links
from subscribers.enrichment import Context, lines_found, log_searches, value_search
from subscribers.message import message, raw_message
from subscribers.notification import parse
from subscribers.redaction import redacted

AT = 1_780_581_900  # 2026-06-04 14:05:00 UTC
ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:"


def description(**said) -> str:
    return describe(
        Description(
            **{
                "title": "Failed invocations",
                "reason": "The function fails.",
                "unit": "failures a minute",
                "runbook": "https://wiki.example.com/checkout",
                "severity": Severity.TICKET,
            }
            | said
        )
    )


def metric_alarm(**changed):
    return {
        "AlarmName": "lookout/lambda.failures/checkout",
        "AlarmDescription": description(),
        "AWSAccountId": "123456789012",
        "NewStateValue": "ALARM",
        "NewStateReason": (
            "Threshold Crossed: 2 out of the last 3 datapoints [12.0 (04/06/26 14:03:00), 7.0 (04/06/26 14:04:00)] "
            "were greater than the threshold (3.0) (minimum 2 datapoints for OK -> ALARM transition)."
        ),
        "StateChangeTime": "2026-06-04T14:05:00.000+0000",
        "Region": "EU (Ireland)",
        "AlarmArn": ARN + "lookout/lambda.failures/checkout",
        "OldStateValue": "OK",
        "Trigger": {
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [{"value": "checkout", "name": "FunctionName"}],
            "Period": 60,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 2,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 3.0,
            "TreatMissingData": "notBreaching",
        },
    } | changed


def math_alarm(expression="IF(m1>900 OR m1<20,1,0)", **said):
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"name": "FunctionName", "value": "checkout"}],
    }
    return metric_alarm(
        AlarmDescription=description(title="Invocations", unit="invocations in 5 minutes", high=900, low=20, **said),
        NewStateReason="Threshold Crossed: 3 datapoints [1.0 (04/06/26 13:55:00), 1.0 (04/06/26 13:50:00), "
        "1.0 (04/06/26 13:45:00)] were greater than or equal to the threshold (1.0).",
        Trigger={
            "Period": 300,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 3,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1.0,
            "Metrics": [
                {"Id": "e1", "Expression": expression, "Label": "Invocations", "ReturnData": True},
                {
                    "Id": "m1",
                    "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"},
                    "ReturnData": False,
                },
            ],
        },
    )


def composite_alarm():
    alarm = metric_alarm(
        AlarmName="lookout/lambda.health/checkout",
        AlarmDescription=description(title="Health", unit="", log_group="/shop/checkout", severity=Severity.PAGE),
        NewStateReason=f"{ARN}lookout/lambda.errors/checkout transitioned to ALARM at Thursday 04 June, 2026",
        AlarmRule='ALARM("lookout/lambda.errors/checkout") OR ALARM("lookout/lambda.throttles/checkout")',
        TriggeringChildren=[
            {
                "Arn": f"{ARN}lookout/lambda.errors/checkout",
                "State": {"Value": "ALARM", "Timestamp": "2026-06-04T14:05:00.000+0000"},
            }
        ],
    )
    del alarm["Trigger"]
    return alarm


def event(**detail):
    """What EventBridge says of the same alarm as `metric_alarm`."""
    return {
        "version": "0",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "time": "2026-06-04T14:05:00Z",
        "region": "eu-west-1",
        "resources": [ARN + "lookout/lambda.failures/checkout"],
        "detail": {
            "alarmName": "lookout/lambda.failures/checkout",
            "configuration": {
                "description": description(),
                "metrics": [
                    {
                        "id": "30b6c6b2-a864-43a2-4877-c09a1afc3b87",
                        "metricStat": {
                            "metric": {
                                "dimensions": {"FunctionName": "checkout"},
                                "name": "Errors",
                                "namespace": "AWS/Lambda",
                            },
                            "period": 60,
                            "stat": "Sum",
                        },
                        "returnData": True,
                    }
                ],
            },
            "previousState": {"value": "OK", "reason": "", "timestamp": "2026-06-04T13:00:00.000+0000"},
            "state": {
                "value": "ALARM",
                "reason": metric_alarm()["NewStateReason"],
                "reasonData": json.dumps({"version": "1.0", "recentDatapoints": [12.0, 7.0], "threshold": 3.0}),
                "timestamp": "2026-06-04T14:05:00.000+0000",
            },
        }
        | detail,
    }


def told(payload, **found):
    return message(parse(json.dumps(payload)), Context(**found))


def field(body: str, name: str) -> str:
    return next(line.removeprefix(name).strip() for line in body.splitlines() if line.startswith(name))


# --- what CloudWatch said ---------------------------------------------------------------------------


def test_a_metric_alarm_over_sns():
    change = parse(json.dumps(metric_alarm()))
    assert (change.alarm, change.old, change.new) == ("lookout/lambda.failures/checkout", "OK", State.ALARM)
    assert (change.partition, change.region, change.account) == ("aws", "eu-west-1", "123456789012")
    assert (change.at, change.value) == (AT, 7.0)  # the newer of the two datapoints
    assert (change.comparison, change.threshold, change.datapoints, change.periods) == (Comparison.ABOVE, 3.0, 2, 3)
    assert change.queries == (
        Query(
            id="m1",
            namespace="AWS/Lambda",
            metric="Errors",
            dimensions=(("FunctionName", "checkout"),),
            statistic="Sum",
            period_s=60,
        ),
    )


def test_the_order_of_the_datapoints_does_not_matter():
    reason = "[7.0 (04/06/26 14:04:00), 12.0 (31/05/26 14:59:00)] were greater than the threshold (3.0)"
    assert parse(json.dumps(metric_alarm(NewStateReason=reason))).value == 7.0


def test_eventbridge_and_a_direct_invocation_say_the_same():
    from_sns, from_event = parse(json.dumps(metric_alarm())), parse(json.dumps(event()))
    for name in ("alarm", "old", "new", "reason", "at", "partition", "region", "account", "description"):
        assert getattr(from_event, name) == getattr(from_sns, name), name
    for name in ("comparison", "threshold", "value"):
        assert getattr(from_event, name) == getattr(from_sns, name), name
    assert from_event.queries[0].dimensions == from_sns.queries[0].dimensions
    direct = {
        "source": "aws.cloudwatch",
        "alarmArn": ARN + "lookout/lambda.failures/checkout",
        "accountId": "123456789012",
        "time": "2026-06-04T14:05:00.000+0000",
        "region": "eu-west-1",
        "alarmData": event()["detail"],
    }
    assert parse(json.dumps(direct)) == from_event


def test_a_composite_alarm_in_both_shapes():
    change = parse(json.dumps(composite_alarm()))
    assert change.children == (("lookout/lambda.errors/checkout", "ALARM"),)
    assert change.queries == ()
    child = {"arn": f"{ARN}lookout/lambda.errors/checkout", "state": {"value": "ALARM"}}
    state = {"value": "ALARM", "reason": "", "reasonData": json.dumps({"triggeringAlarms": [child]})}
    from_event = parse(json.dumps(event(configuration={"alarmRule": "ALARM(x)"}, state=state)))
    assert (from_event.children, from_event.rule) == (change.children, "ALARM(x)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ALARM!", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "AlarmName"),
        ('{"AlarmName": "a"}', "NewStateValue"),
        ('{"AlarmName": "a", "NewStateValue": "BROKEN"}', "NewStateValue"),
        ('{"AlarmName": 7, "NewStateValue": "OK"}', "AlarmName"),
        ('{"detail": {"alarmName": "a", "state": "ALARM"}}', "state"),
    ],
)
def test_what_is_no_notification(text, said):
    with pytest.raises(InputError, match=said):
        parse(text)


# --- what a person reads ------------------------------------------------------------------------------


def test_the_message_of_a_metric_alarm():
    found = told(metric_alarm(), log_lines=("first", "[ERROR] KeyError: 'sku'\nTraceback: ..."))
    assert found.severity is Severity.TICKET
    assert found.subject == (
        "ALARM [ticket] Failed invocations of checkout: 7 failures a minute (level: above 3) in eu-west-1"
    )
    assert found.attributes == {
        "severity": "ticket",
        "state": "ALARM",
        "rule": "lambda.failures",
        "resource": "checkout",
    }
    body = found.body
    assert body.splitlines()[:3] == [
        "Failed invocations of checkout: 7 failures a minute (level: above 3)",
        "",
        "The function fails.",
    ]
    assert field(body, "State") == "OK -> ALARM"
    assert field(body, "Since") == "2026-06-04 14:05 UTC"
    assert field(body, "Severity") == "ticket"
    assert field(body, "Level") == "above 3 failures a minute, in 2 of 3 datapoints"
    assert field(body, "Where") == "account 123456789012, eu-west-1"
    assert field(body, "Runbook") == "https://wiki.example.com/checkout"
    assert field(body, "Alarm ").endswith("#alarmsV2:alarm/lookout%2Flambda.failures%2Fcheckout")
    assert "Last error lines in /aws/lambda/checkout" in body
    assert "\n    [ERROR] KeyError: 'sku'\n    Traceback: ...\n" in body
    assert "Not enriched" not in body


def test_subject_keeps_within_sns_rules():
    found = told(metric_alarm(AlarmDescription=description(title="Prüfung\nfehlgeschlagen " * 9)))
    assert len(found.subject) == 99
    assert found.subject.startswith("ALARM [ticket] Pru?fung fehlgeschlagen")


def test_a_two_sided_alarm_says_which_side():
    found = told(math_alarm(), values={"m1": 3.0})
    assert found.body.splitlines()[0] == (
        "Invocations of checkout: 3 invocations in 5 minutes (level: above 900 or below 20)"
    )
    assert field(found.body, "Level").startswith("above 900 invocations in 5 minutes or below 20 invocations in 5")
    assert " ".join(field(found.body, "Behind it").split()) == "Invocations (Sum over 5 min): 3"


def test_a_two_sided_alarm_without_its_value():
    found = told(math_alarm(), failed=("the metrics behind it could not be read: AccessDenied",))
    assert found.body.startswith("Invocations of checkout: beyond its level (level: above 900")
    assert "Not enriched:\n    the metrics behind it could not be read: AccessDenied\n" in found.body


def test_a_composite_alarm_names_its_children():
    found = told(composite_alarm())
    assert found.subject == "ALARM [page] Health of checkout: in alarm in eu-west-1"
    assert field(found.body, "Because of") == "lambda.errors of checkout: ALARM"
    assert "Level" not in found.body
    assert "$252Fshop$252Fcheckout" in field(found.body, "Log")


def test_recovery_and_silence():
    reason = "Threshold Crossed: 1 datapoint [0.0 (04/06/26 14:04:00)] was not greater than the threshold (3.0)."
    over = told(metric_alarm(NewStateValue="OK", OldStateValue="ALARM", NewStateReason=reason))
    assert over.subject.startswith(
        "OK [ticket] Failed invocations of checkout: back within its level (0 failures a minute) in"
    )
    silent = told(metric_alarm(NewStateValue="INSUFFICIENT_DATA", NewStateReason="Insufficient Data: ..."))
    assert "no data to judge by" in silent.subject
    missing = "no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching]."
    assert "no data, which counts as beyond the level" in told(metric_alarm(NewStateReason=missing)).subject


def test_milliseconds_are_said_in_seconds():
    alarm = metric_alarm(
        AlarmDescription=description(title="Duration", unit="ms"),
        NewStateReason="1 datapoint [2710.0 (04/06/26 14:04:00)] was greater than the threshold (2440.0).",
    )
    alarm["Trigger"]["Threshold"] = 2440.0
    headline = told(alarm).body.splitlines()[0]
    assert " ".join(headline.split()) == "Duration of checkout: 2.71 s (level: above 2.44 s)"


def test_the_owner_is_told_and_can_be_filtered_by():
    found = told(metric_alarm(AlarmDescription=description(owner="team checkout")))
    assert field(found.body, "Owner") == "team checkout"
    assert found.attributes["owner"] == "team checkout"


def test_someone_elses_alarm():
    alarm = metric_alarm(AlarmName="cpu too high", AlarmArn=ARN + "cpu too high", AlarmDescription=None)
    found = told(alarm)
    assert found.severity is Severity.PAGE
    assert found.subject == "ALARM [page] Errors of checkout: 7 (level: above 3) in eu-west-1"
    assert found.attributes == {"severity": "page", "state": "ALARM", "resource": "checkout"}


@pytest.mark.parametrize(
    ("partition", "region", "console"),
    [
        ("aws", "eu-west-1", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#"),
        (
            "aws-us-gov",
            "us-gov-west-1",
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#",
        ),
    ],
)
def test_links_lead_to_the_partitions_console(partition, region, console):
    alarm = metric_alarm(AlarmArn=f"arn:{partition}:cloudwatch:{region}:123456789012:alarm:a")
    body = told(alarm).body
    assert all(field(body, name).startswith(console) for name in ("Alarm ", "Metric ", "Log "))


def test_links_in_the_consoles_notation():
    # The log group's slashes are percent-encoded, the percent signs again, and `%` is written `$`.
    assert links.logs("aws", "eu-west-1", "/aws/lambda/a", start_ms=1, end_ms=2).endswith(
        "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fa/log-events$3Fstart$3D1$26end$3D2"
    )
    query = Query(id="e1", expression="m1*$x", label="é€", returned=True)
    # *2a is an asterisk, ! a dollar sign, *e9 and **20ac what lies beyond ASCII; quotes and parentheses are encoded.
    assert "%28expression~%27m1*2a!x~id~%27e1~label~%27*e9**20ac%29" in links.metrics(
        "aws", "eu-west-1", (query,), start_ms=0, end_ms=60_000
    )


def test_a_runbook_that_is_no_web_address_is_no_link():
    assert "javascript" not in told(metric_alarm(AlarmDescription=description(runbook="javascript:alert(1)"))).body


def test_hostile_text_stays_in_its_place():
    alarm = metric_alarm(
        AlarmName="evil\nSeverity   page\u202e",
        AlarmDescription="x\x1b[31m\nState      OK -> OK",
        NewStateReason="r" * 50_000,
    )
    found = told(alarm, log_lines=("\x1b[2J\nState      OK -> OK" + "y" * 50_000,) * 50)
    assert "\x1b" not in found.body
    assert "\u202e" not in found.body
    assert [line for line in found.body.splitlines() if line.startswith("State")] == ["State      OK -> ALARM"]
    assert len(found.body.encode()) < 50_000


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_whatever_stands_in_the_fields_there_is_a_message(value):
    for key in ("AlarmDescription", "NewStateReason", "StateChangeTime", "AlarmArn", "Trigger", "TriggeringChildren"):
        check(told(metric_alarm(**{key: value})))
    for key in ("Dimensions", "Period", "Threshold", "ComparisonOperator", "Metrics", "MetricName"):
        check(told(metric_alarm(Trigger=metric_alarm()["Trigger"] | {key: value})))
    check(told(event(configuration=value)))


@given(st.text(min_size=1), st.text(), st.text())
def test_whatever_people_wrote_there_is_a_message(name, reason, line):
    check(told(metric_alarm(AlarmName=name, AlarmDescription=reason, NewStateReason=reason), log_lines=(line,)))
    check(raw_message(reason, line))


def check(found):
    assert found.subject.isascii()
    assert found.subject.isprintable()
    assert 0 < len(found.subject) <= 99
    assert 0 < len(found.body.encode()) < 250_000
    assert all(found.attributes.values())


# --- what to find out --------------------------------------------------------------------------------


def test_log_searches_cover_ten_minutes_newest_first():
    newest, before = log_searches(parse(json.dumps(metric_alarm())))
    assert newest["logGroupName"] == "/aws/lambda/checkout"
    assert (newest["startTime"], newest["endTime"]) == ((AT - 120) * 1000, (AT + 60) * 1000)
    assert (before["startTime"], before["endTime"]) == ((AT - 600) * 1000, (AT - 120) * 1000)


def test_there_is_no_log_to_search_without_a_function_or_an_alarm():
    table = [{"name": "TableName", "value": "orders"}]
    for alarm in (
        metric_alarm(NewStateValue="OK"),
        metric_alarm(StateChangeTime="yesterday"),
        metric_alarm(Trigger=metric_alarm()["Trigger"] | {"Namespace": "AWS/DynamoDB", "Dimensions": table}),
        metric_alarm(Trigger=metric_alarm()["Trigger"] | {"Namespace": "AWS/CloudFront"}),
    ):
        assert log_searches(parse(json.dumps(alarm))) == ()


def test_lines_found_are_the_newest():
    events = [{"timestamp": n, "message": str(n)} for n in reversed(range(20))]
    assert lines_found({"events": events}) == ("12", "13", "14", "15", "16", "17", "18", "19")


def test_value_search_asks_for_the_metrics_behind_the_math():
    search = value_search(parse(json.dumps(math_alarm())))
    assert [query["Id"] for query in search["MetricDataQueries"]] == ["m1"]
    assert (search["StartTime"], search["EndTime"]) == (AT - 3 * 300, AT)
    assert value_search(parse(json.dumps(metric_alarm()))) is None


# --- descriptions ------------------------------------------------------------------------------------

LINE = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40).map(lambda text: " ".join(text.split()))


@given(
    st.builds(
        Description,
        title=LINE.filter(bool),
        reason=LINE,
        severity=st.sampled_from(Severity),
        unit=LINE,
        high=st.none() | st.integers(-(10**9), 10**9).map(lambda n: n / 8),
        low=st.none() | st.integers(0, 10**6).map(float),
        runbook=LINE,
        log_group=LINE,
        owner=LINE,
    )
)
def test_descriptions_come_back(given_description):
    assume(": " not in given_description.title + given_description.reason)
    assert parse_description(describe(given_description)) == given_description


def test_a_description_fits_and_keeps_its_tail():
    text = describe(
        Description(
            title="Error rate",
            reason="why " * 1000,
            severity=Severity.TICKET,
            unit="u" * 300,
            high=-1.23456789012345e-100,
            low=-1.23456789012345e-100,
            runbook="r" * 300,
            log_group="l" * 300,
            owner="o" * 300,
        )
    )
    assert len(text) <= LIMIT
    found = parse_description(text)
    assert (found.title, found.severity, found.runbook) == ("Error rate", Severity.TICKET, "r" * 300)
    assert describe(Description(title="t", runbook="r" * 301)) == "t\nseverity: page"


def test_someone_elses_description_is_all_reason_and_pages():
    assert parse_description("CPU is high.\nnote: call Bob") == Description(reason="CPU is high. note: call Bob")
    assert parse_description("") == Description()
    assert parse_description("x\nseverity: whatever").severity is Severity.PAGE


# --- secrets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("using AKIAIOSFODNN7EXAMPLE now", "AKIAIOSFODNN7EXAMPLE"),
        ("ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
        ("Authorization: Bearer abc.def-123456", "abc.def-123456"),
        ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("passwords=hunter2, user=bob", "hunter2"),
        ('{"password": "hunter two", "user": "bob"}', "hunter two"),
        (r"{\"dbPassword\":\"hunter2\"}", "hunter2"),
        ("Secret: 'hunter2'", "hunter2"),
        ("api_key=hunter2&user=bob", "hunter2"),
        ("postgres://bob:hunter2@db.example.com/shop", "hunter2"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJzdWIiOiIxMjM0In0"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    ],
)
def test_secrets_go(line, secret):
    assert secret in line
    assert secret not in redacted(line)
    assert "[redacted]" in redacted(line)


@pytest.mark.parametrize(
    "line",
    [
        "Task timed out after 3.00 seconds",
        "KeyError: 'sku' in https://shop.example.com:8443/a?b=c",
        "The password was wrong",
        "passed 12 of 13 tests",
        "AKIA is a prefix",
    ],
)
def test_plain_lines_stay(line):
    assert redacted(line) == line


def test_what_stands_around_a_secret_stays():
    assert redacted("login password=hunter2, user=bob") == "login password=[redacted], user=bob"
    assert redacted("postgres://bob:hunter2@db/shop") == "postgres://bob:[redacted]@db/shop"
