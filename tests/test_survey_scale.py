"""What a survey asks where there is much to ask about: only what some list bears evidence of, within a budget."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from botocore.validate import ParamValidator

from infra.aws.survey import survey, survey_all
from monitors.fleet.evidence import LISTED, MANY
from tests.aws import ACCOUNT, LOADER, REGION, Aws, function

PER_FUNCTION = (
    "lambda:GetFunctionConcurrency",
    "lambda:ListFunctionEventInvokeConfigs",
    "lambda:ListAliases",
    "lambda:ListFunctionUrlConfigs",
    "lambda:ListProvisionedConcurrencyConfigs",
)
FILTERS = "logs:DescribeSubscriptionFilters"
METRICS = "cloudwatch:ListMetrics"
RESERVING = {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


def paged(member: str, items: Sequence[Any], size: int, sent: str, got: str) -> Any:
    """A list call that gives its items in pages of `size`, as its documentation says."""

    def reply(asked: Mapping[str, Any], _region: str) -> Any:
        start = int(asked.get(sent) or 0)
        more = {got: str(start + size)} if start + size < len(items) else {}
        return {member: items[start : start + size], **more}

    return reply


def metric(namespace: str, name: str, **dimensions: str) -> dict[str, Any]:
    given = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": given}


def listed(metrics: Iterable[dict[str, Any]]) -> Any:
    """ListMetrics: 500 a page, by namespace, name and the dimensions a metric must have."""

    def reply(asked: Mapping[str, Any], region: str) -> Any:
        wanted = {one["Name"] for one in asked.get("Dimensions", ())}
        found = [
            one
            for one in metrics
            if (one["Namespace"], one["MetricName"]) == (asked["Namespace"], asked.get("MetricName"))
            and wanted <= {dimension["Name"] for dimension in one["Dimensions"]}
        ]
        return paged("Metrics", found, 500, "NextToken", "NextToken")(asked, region)

    return reply


def account(functions: int, groups: int = 0, metrics: Sequence[dict[str, Any]] = (), **more: Any) -> Aws:
    named = [function(f"f{n}") for n in range(functions)]
    return Aws(
        {
            "lambda:ListFunctions": paged("Functions", named, 50, "Marker", "NextMarker"),
            "lambda:GetAccountSettings": RESERVING,
            "logs:DescribeLogGroups": paged(
                "logGroups", [{"logGroupName": f"/g/{n}"} for n in range(groups)], 50, "nextToken", "nextToken"
            ),
            METRICS: listed(metrics),
            **more,
        }
    )


def about(aws: Aws, call: str) -> list[str]:
    """The names of what a call was made for."""
    return sorted(
        parameters.get("FunctionName") or parameters["logGroupName"]
        for asked, _, parameters in aws.asked
        if asked == call
    )


TRAFFIC = (
    metric("AWS/Lambda", "AsyncEventsReceived", FunctionName="f1"),
    metric("AWS/Lambda", "UrlRequestCount", FunctionName="f2"),
    metric("AWS/Lambda", "ProvisionedConcurrencyUtilization", FunctionName="f3", Resource="f3:live"),
    metric("AWS/Lambda", "Invocations", FunctionName="f4"),
    metric("AWS/Lambda", "Invocations", FunctionName="f5", Resource="f5"),
    metric("AWS/Lambda", "Invocations", FunctionName="f6", Resource="f6:12"),
    metric("AWS/Lambda", "Invocations", FunctionName="f7", Resource="f7:$LATEST"),
    metric("AWS/Lambda", "Invocations", FunctionName="f8", Resource="f8:live"),
    metric("AWS/Lambda", "Invocations", FunctionName="f9", Resource="f9:2nd", ExecutedVersion="3"),
    metric("AWS/Logs", "ForwardedLogEvents", LogGroupName="/g/1"),
    metric("AWS/Logs", "DeliveryErrors", LogGroupName="/g/2", DestinationType="Lambda", FilterName="x"),
    metric("AWS/Logs", "IncomingBytes", LogGroupName="/g/3"),
)


def test_up_to_the_limit_everything_is_asked_and_nothing_is_looked_for():
    aws = account(MANY, MANY)
    fleet = survey(aws.session)
    assert {call: aws.count(call) for call in (*PER_FUNCTION, FILTERS)} == dict.fromkeys((*PER_FUNCTION, FILTERS), MANY)
    assert aws.count(METRICS) == 1  # of Parameter Store, which only usage metrics tell of
    assert fleet.notes == fleet.incomplete == ()


def test_beyond_the_limit_only_what_metrics_bear_evidence_of_is_asked():
    aws = account(MANY + 1, MANY + 1, TRAFFIC)
    survey(aws.session)
    assert {call: about(aws, call) for call in (*PER_FUNCTION, FILTERS)} == {
        "lambda:GetFunctionConcurrency": [],
        "lambda:ListFunctionEventInvokeConfigs": ["f1"],
        "lambda:ListAliases": ["f8", "f9"],
        "lambda:ListFunctionUrlConfigs": ["f2"],
        "lambda:ListProvisionedConcurrencyConfigs": ["f3"],
        FILTERS: ["/g/1", "/g/2"],
    }
    assert aws.count(METRICS) == len(LISTED)


def test_what_was_not_asked_for_is_noted_a_sentence_a_kind():
    where = f"Not asked for in {ACCOUNT} in {REGION}"
    unseen = "of which no metric of the last two weeks shows any (--thorough asks)."
    assert survey(account(MANY + 1, MANY + 1, TRAFFIC).session).notes == (
        f"{where}: URLs of 200 functions, {unseen}",
        f"{where}: aliases of 199 functions, {unseen}",
        f"{where}: asynchronous invocation settings (destinations) of 200 functions, {unseen}",
        f"{where}: provisioned concurrency of 200 functions, {unseen}",
        (
            f"{where}: reserved concurrency of 201 functions, some of which reserve some, and no list tells which "
            "(--thorough asks)."
        ),
        f"{where}: subscription filters of 199 log groups, {unseen}",
    )


def test_a_thorough_survey_asks_about_everything_wherever_there_is_much():
    aws = account(MANY + 1, MANY + 1, TRAFFIC)
    found = survey_all({"": lambda: aws.session}, thorough=True)
    assert {aws.count(call) for call in (*PER_FUNCTION, FILTERS)} == {MANY + 1}
    assert aws.count(METRICS) == 0
    assert found.fleet.notes == ()


def test_where_nothing_is_reserved_nothing_is_unknown_of_it():
    free = {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}}
    notes = survey(account(MANY + 1, **{"lambda:GetAccountSettings": free}).session).notes
    assert len(notes) == 4
    assert not any("reserved" in note for note in notes)


def test_many_functions_and_few_log_groups_are_judged_apart():
    aws = account(MANY + 1, 3, TRAFFIC)
    survey(aws.session)
    assert aws.count(FILTERS) == 3
    assert {asked[2]["Namespace"] for asked in aws.asked if asked[0] == METRICS} == {
        "AWS/Lambda",
        "AWS/Usage",
    }


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("lambda:ListEventSourceMappings", {"EventSourceMappings": [{"FunctionArn": "{arn}:live"}]}),
        (
            "sns:ListSubscriptions",
            {"Subscriptions": [{"Endpoint": "{arn}:live", "Protocol": "lambda", "TopicArn": "arn:aws:sns:x:1:t"}]},
        ),
        ("scheduler:ListSchedules", {"Schedules": [{"Name": "s", "GroupName": "g", "Target": {"Arn": "{arn}:live"}}]}),
    ],
)
def test_an_alias_that_anything_names_is_evidence_of_aliases(call: str, answer: Any):
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [filled(inner) for inner in value]
        return value.replace("{arn}", function("f7")["FunctionArn"])

    aws = account(MANY + 1, **{call: filled(answer)})
    survey(aws.session)
    assert about(aws, "lambda:ListAliases") == ["f7"]


@pytest.mark.parametrize("qualifier", ["", ":3", ":$LATEST"])
def test_a_function_named_without_alias_is_no_evidence(qualifier: str):
    mapping = {"FunctionArn": function("f7")["FunctionArn"] + qualifier}
    aws = account(MANY + 1, **{"lambda:ListEventSourceMappings": {"EventSourceMappings": [mapping]}})
    survey(aws.session)
    assert about(aws, "lambda:ListAliases") == []


def test_evidence_that_may_not_be_read_is_missed_by_name():
    aws = account(MANY + 1, **{METRICS: ("AccessDenied", "no")})
    (told,) = survey(aws.session).incomplete
    assert told == (
        f"cloudwatch:ListMetrics of AWS/Lambda AsyncEventsReceived in {REGION}: AccessDenied: no. "
        "Allow cloudwatch:ListMetrics. (4 more like it.)"
    )


@pytest.mark.parametrize("asked", LISTED, ids=lambda asked: asked.get("MetricName", asked["Namespace"]))
def test_each_metric_can_be_listed(asked: dict[str, Any]):
    from botocore.model import ServiceModel

    model = ServiceModel(LOADER.load_service_model("cloudwatch", "service-2")).operation_model("ListMetrics")
    assert not ParamValidator().validate(asked, model.input_shape).has_errors()


def test_5000_functions_that_all_log_invoke_and_are_tagged_keep_within_the_budget():
    """functions / 50 * 4 + 40 a Region = 440.

    100 pages of functions, 100 of log groups and 100 of tags (5,000 functions, 5,000 groups, 100 a page). Every
    function was invoked: 10,000 metrics with a Resource, 20 pages. The three other metrics of functions and the two
    of log groups have a page each; so has every other list of the table. 20 functions have each setting in turn.
    """
    functions = 5_000
    arns = [function(f"f{n}")["FunctionArn"] for n in range(functions)]
    groups = [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g/{n}" for n in range(functions)]
    metrics = [
        *(metric("AWS/Lambda", "Invocations", FunctionName=f"f{n}", Resource=f"f{n}") for n in range(functions)),
        *(metric("AWS/Lambda", "Invocations", FunctionName=f"f{n}", Resource=f"f{n}:7") for n in range(functions)),
        *(metric("AWS/Lambda", "AsyncEventsReceived", FunctionName=f"f{n}") for n in range(10)),
        *(metric("AWS/Lambda", "UrlRequestCount", FunctionName=f"f{n}") for n in range(10)),
    ]
    tags = [{"ResourceARN": arn, "Tags": [{"Key": "application", "Value": "shop"}]} for arn in (*arns, *groups)]
    size = 100
    aws = account(
        functions,
        functions,
        metrics,
        **{
            "resourcegroupstaggingapi:GetResources": paged(
                "ResourceTagMappingList", tags, size, "PaginationToken", "PaginationToken"
            )
        },
    )
    found = survey_all({"": lambda: aws.session})
    assert found.calls == len(aws.asked) <= functions / 50 * 4 + 40
    assert aws.count("lambda:ListFunctions") == aws.count("logs:DescribeLogGroups") == 100
    assert aws.count("resourcegroupstaggingapi:GetResources") == 100
    assert aws.count(METRICS) == 20 + 5 + 1
    assert sum(resource.service == "lambda" for resource in found.fleet.resources) == functions
    assert all(resource.application == "shop" for resource in found.fleet.resources if resource.service == "lambda")
