"""The embedded account: real functions, and logs, metrics, alarms and traces that hang together."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.account import LocalAccount, local_account
from monitors.errors import LocalAccountError
from tests.e2e.conftest import Client, eventually

pytestmark = pytest.mark.e2e

ECHO = """
import logging
log = logging.getLogger()
log.setLevel("INFO")

def handler(event, context):
    log.info("order %s", event.get("order"))
    print('{"event": "payment", "amount": %s, "currency": "EUR"}' % event.get("amount", 0))
    if event.get("fail"):
        raise ValueError("no such order")
    return event
"""


def invoke(client: Client, name: str, **event: Any) -> dict[str, Any]:
    answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return {"error": answer.get("FunctionError"), "payload": json.load(answer["Payload"])}


def metric_sum(client: Client, namespace: str, name: str, **dimensions: str) -> float:
    now = time.time()
    stat = {
        "Metric": {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions.items()],
        },
        "Period": 60,
        "Stat": "Sum",
    }
    answer = client("cloudwatch").get_metric_data(
        StartTime=now - 600, EndTime=now + 60, MetricDataQueries=[{"Id": "m1", "MetricStat": stat}]
    )
    return sum(answer["MetricDataResults"][0]["Values"])


def messages(client: Client, group: str) -> list[str]:
    return [event["message"] for event in client("logs").filter_log_events(logGroupName=group)["events"]]


def test_an_invocation_is_logged_measured_and_traced(client: Client, function: Callable[..., str]) -> None:
    name = function("echo", ECHO, TracingConfig={"Mode": "Active"})
    assert invoke(client, name, order=1) == {"error": None, "payload": {"order": 1}}
    assert invoke(client, name, order=2, fail=True)["payload"]["errorType"] == "ValueError"
    said = messages(client, "/aws/lambda/echo")
    reports = [line for line in said if line.startswith("REPORT")]
    assert ["Init Duration" in line for line in reports] == [True, False]
    assert all("XRAY TraceId: 1-" in line for line in reports)
    assert any(line.startswith("[ERROR] ValueError: no such order\nTraceback") for line in said)
    streams = client("logs").describe_log_streams(logGroupName="/aws/lambda/echo")["logStreams"]
    assert len(streams) == 1, "one stream per environment, not per invocation"
    assert metric_sum(client, "AWS/Lambda", "Invocations", FunctionName=name) == 2
    assert metric_sum(client, "AWS/Lambda", "Errors", FunctionName=name) == 1
    now = time.time()
    summaries = client("xray").get_trace_summaries(StartTime=now - 60, EndTime=now + 1)["TraceSummaries"]
    assert sum(s["ServiceIds"][0]["Name"] == name for s in summaries) == 2


def test_memory_is_that_of_the_environment_itself(client: Client, function: Callable[..., str]) -> None:
    hungry = function("hungry", "def handler(e, c):\n    return len(bytearray(60_000_000))", MemorySize=512)
    modest = function("modest", "def handler(e, c):\n    return 0", MemorySize=512)
    used = {}
    for name in (hungry, modest):
        invoke(client, name)
        report = messages(client, f"/aws/lambda/{name}")[-1]
        used[name] = int(report.split("Max Memory Used: ")[1].split(" ")[0])
    assert used[hungry] - used[modest] > 45


def test_queries_and_searches_find_a_series_for_each_function(client: Client, function: Callable[..., str]) -> None:
    loud, quiet = function("loud", ECHO), function("quiet", ECHO)
    for order in (1, 2, 3):
        invoke(client, loud, order=order, fail=order > 1)
    invoke(client, quiet, order=1, fail=True)
    where = "WHERE FunctionName != 'echo' AND FunctionName != 'broken'"
    asked = {
        "insights": f'SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName) {where} '
        "GROUP BY FunctionName ORDER BY SUM() DESC LIMIT 2",
        "search": "SORT(SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\" FunctionName=\"quiet\"', 'Sum', 60), "
        "SUM, DESC, 5)",
        "unknown": "SEARCH('Errors', 'Sum')",
    }
    now = time.time()
    answer = client("cloudwatch").get_metric_data(
        StartTime=now - 600,
        EndTime=now + 60,
        MetricDataQueries=[{"Id": id_, "Expression": text, "Period": 60} for id_, text in asked.items()],
    )
    found = [(one["Id"], one["Label"], sum(one["Values"])) for one in answer["MetricDataResults"]]
    assert found[:3] == [("insights", "loud", 2), ("insights", "quiet", 1), ("search", "quiet", 1)]
    (failed,) = answer["MetricDataResults"][3:]
    assert failed["StatusCode"] == "InternalError"
    assert "the embedded account knows" in failed["Messages"][0]["Value"]


def test_metric_filters_and_emf_become_metrics(client: Client, function: Callable[..., str]) -> None:
    name = function("till", ECHO)
    group = f"/aws/lambda/{name}"
    client("logs").create_log_group(logGroupName=group)
    client("logs").put_metric_filter(
        logGroupName=group,
        filterName="amount",
        filterPattern='{ $.event = "payment" }',
        metricTransformations=[
            {
                "metricName": "Amount",
                "metricNamespace": "Till",
                "metricValue": "$.amount",
                "dimensions": {"Currency": "$.currency"},
            }
        ],
    )
    invoke(client, name, amount=12.5)
    invoke(client, name, amount=30)
    assert metric_sum(client, "Till", "Amount", Currency="EUR") == 42.5
    emf = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [{"Namespace": "Till", "Dimensions": [["Shop"]], "Metrics": [{"Name": "Wait"}]}],
        },
        "Shop": "north",
        "Wait": [1, 2, 4],
    }
    client("logs").create_log_stream(logGroupName=group, logStreamName="emf")
    client("logs").put_log_events(
        logGroupName=group,
        logStreamName="emf",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": json.dumps(emf)}],
    )
    assert metric_sum(client, "Till", "Wait", Shop="north") == 7


def test_an_invalid_filter_pattern_is_refused_as_by_aws(client: Client) -> None:
    client("logs").create_log_group(logGroupName="/patterns")
    with pytest.raises(ClientError) as refused:
        client("logs").put_metric_filter(
            logGroupName="/patterns",
            filterName="bad",
            filterPattern="{ $.a EXISTS }",
            metricTransformations=[{"metricName": "a", "metricNamespace": "b", "metricValue": "1"}],
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_subscription_filter_delivers_what_matches_and_nothing_else(
    client: Client, function: Callable[..., str]
) -> None:
    subscriber = function(
        "subscriber",
        "import base64, gzip, json\n"
        "def handler(event, context):\n"
        "    batch = json.loads(gzip.decompress(base64.b64decode(event['awslogs']['data'])))\n"
        "    print('GOT', [e['message'] for e in batch['logEvents']], batch['logGroup'])\n",
    )
    arn = client("lambda").get_function(FunctionName=subscriber)["Configuration"]["FunctionArn"]
    client("logs").create_log_group(logGroupName="/app")
    client("logs").create_log_stream(logGroupName="/app", logStreamName="s")
    client("logs").put_subscription_filter(
        logGroupName="/app", filterName="errors", filterPattern="?ERROR ?FATAL", destinationArn=arn
    )
    now = int(time.time() * 1000)
    lines = ["INFO fine", "ERROR one", "FATAL two"]
    client("logs").put_log_events(
        logGroupName="/app",
        logStreamName="s",
        logEvents=[{"timestamp": now, "message": line} for line in lines],
    )

    def got() -> list[str]:
        try:
            return [line for line in messages(client, "/aws/lambda/subscriber") if line.startswith("GOT")]
        except ClientError:
            return []

    assert eventually(got) == ["GOT ['ERROR one', 'FATAL two'] /app"]


def test_alarms_fire_on_the_right_function_and_reach_people(
    account: LocalAccount, client: Client, function: Callable[..., str]
) -> None:
    broken, healthy = function("broken", ECHO), function("healthy", ECHO)
    topic = client("sns").create_topic(Name="alarms")["TopicArn"]
    queue = client("sqs").create_queue(QueueName="alarms")["QueueUrl"]
    client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{topic.split(':')[4]}:alarms"
    )
    for name in (broken, healthy):
        client("cloudwatch").put_metric_alarm(
            AlarmName=f"{name} rate",
            Metrics=[
                {"Id": "rate", "Expression": "IF(m2 >= 2, 100 * m1 / m2, 0)"},
                *(
                    {
                        "Id": id_,
                        "ReturnData": False,
                        "MetricStat": {
                            "Metric": {
                                "Namespace": "AWS/Lambda",
                                "MetricName": metric,
                                "Dimensions": [{"Name": "FunctionName", "Value": name}],
                            },
                            "Period": 60,
                            "Stat": "Sum",
                        },
                    }
                    for id_, metric in (("m1", "Errors"), ("m2", "Invocations"))
                ),
            ],
            EvaluationPeriods=1,
            Threshold=20,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[topic],
        )
    client("cloudwatch").put_composite_alarm(
        AlarmName="shop health",
        AlarmRule='ALARM("broken rate") OR ALARM("healthy rate")',
        AlarmActions=[topic],
    )
    for name in (broken, healthy):
        invoke(client, name, order=1)
        invoke(client, name, order=2, fail=name == broken)
    account.tick(time.time() + 60)
    alarms = client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    states = {a["AlarmName"]: a["StateValue"] for a in alarms["MetricAlarms"] + alarms["CompositeAlarms"]}
    assert states == states | {"broken rate": "ALARM", "healthy rate": "OK", "shop health": "ALARM"}
    told = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2)["Messages"]
    bodies = {b["AlarmName"]: b for b in (json.loads(json.loads(m["Body"])["Message"]) for m in told)}
    assert bodies.keys() == {"broken rate", "shop health"}
    assert bodies["broken rate"]["Trigger"]["Metrics"][0]["Expression"] == "IF(m2 >= 2, 100 * m1 / m2, 0)"
    assert bodies["broken rate"]["OldStateValue"] == "INSUFFICIENT_DATA"
    assert bodies["shop health"]["TriggeringChildren"][0]["State"]["Value"] == "ALARM"


def test_queues_are_measured_when_alarms_are_evaluated(account: LocalAccount, client: Client) -> None:
    queue = client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"]
    client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    account.tick(time.time() + 60)
    assert metric_sum(client, "AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName="dead-letters") == 1


def test_templates_may_hold_composite_and_metric_math_alarms(client: Client) -> None:
    template = {
        "Resources": {
            "Rate": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "AlarmName": "from template",
                    "Metrics": [
                        {"Id": "e1", "Expression": "m1 * 2"},
                        {
                            "Id": "m1",
                            "ReturnData": False,
                            "MetricStat": {
                                "Metric": {"Namespace": "N", "MetricName": "m"},
                                "Period": 60,
                                "Stat": "Sum",
                            },
                        },
                    ],
                    "EvaluationPeriods": 1,
                    "Threshold": 1,
                    "ComparisonOperator": "GreaterThanThreshold",
                },
            },
            "Health": {
                "Type": "AWS::CloudWatch::CompositeAlarm",
                "DependsOn": "Rate",
                "Properties": {"AlarmName": "whole", "AlarmRule": 'ALARM("from template")'},
            },
        }
    }
    client("cloudformation").create_stack(StackName="alarms", TemplateBody=json.dumps(template))
    client("cloudformation").get_waiter("stack_create_complete").wait(StackName="alarms", WaiterConfig={"Delay": 1})
    found = client("cloudwatch").describe_alarms(
        AlarmNames=["from template", "whole"], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    assert found["MetricAlarms"][0]["Metrics"][0]["Expression"] == "m1 * 2"
    assert found["CompositeAlarms"][0]["AlarmRule"] == 'ALARM("from template")'


def test_a_taken_port_is_a_clear_error(account: LocalAccount) -> None:
    with pytest.raises(LocalAccountError, match=f"port {account.port} .* is taken"), local_account(port=account.port):
        pass


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads a process's sockets from Linux's /proc")
def test_the_account_listens_on_this_machine_only(account: LocalAccount) -> None:
    found = _listening(account.pid)
    assert ("tcp", f"0100007F:{account.port:04X}") in found
    assert {address.partition(":")[0] for _, address in found} == {"0100007F"}, "127.0.0.1, lowest byte first"
    assert "udp" in {table for table, _ in found}, "the X-Ray receiver"


def _listening(pid: int) -> set[tuple[str, str]]:
    """(table, address) of the TCP sockets that a process listens on and the UDP sockets that it has bound."""
    process = Path(f"/proc/{pid}")
    own = set()
    for link in (process / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            own.add(str(link.readlink()))
    waiting = {"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"}  # proc(5): TCP_LISTEN, and UDP without a peer
    rows = [
        (table, row.split())
        for table in waiting
        if (process / "net" / table).exists()
        for row in (process / "net" / table).read_text().splitlines()[1:]
    ]
    return {(table, row[1]) for table, row in rows if row[3] == waiting[table] and f"socket:[{row[9]}]" in own}


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_whoever_started_it_may_die_and_nothing_stays(end: signal.Signals) -> None:
    code = (
        "import sys, time\n"
        "from infra.local.account import local_account\n"
        "with local_account() as a:\n"
        "    print(a.port, a.pid, a.folder, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        port, pid, folder = starter.stdout.readline().split()
        _stop(starter, end)
    assert eventually(lambda: not _alive(int(pid)), seconds=15)
    assert not Path(folder).exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port))) != 0


def _stop(starter: "subprocess.Popen[str]", end: signal.Signals) -> None:
    """Python drops a Ctrl-C that falls into a finalizer: who presses it presses it again. (The command itself does.)"""
    for _ in range(3):
        starter.send_signal(end)
        with contextlib.suppress(subprocess.TimeoutExpired):
            starter.wait(timeout=10)
            return
    starter.wait(timeout=10)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
