"""The notifier at work: what is published where, and what happens when things fail. Fakes are functions."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from monitors.model import Severity
from subscribers.alarms_handler import Outcome, handle
from tests.test_message import composite_alarm, event, math_alarm, metric_alarm

PAGE, TICKET = "arn:aws:sns:eu-west-1:123456789012:page", "arn:aws:sns:eu-west-1:123456789012:ticket"
TOPICS = {Severity.PAGE: PAGE, Severity.TICKET: TICKET}


def over_sns(*payloads):
    texts = [payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads]
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": text}} for text in texts]}


def no_logs(**search):
    return {"events": []}


def no_values(**search):
    return {"MetricDataResults": []}


def broken(**call):
    raise RuntimeError("AccessDeniedException: not allowed")


def run(sent_event, *, publish=None, logs=no_logs, metrics=no_values):
    sent = []
    outcome = handle(
        sent_event,
        topics=TOPICS,
        publish=publish or (lambda **call: sent.append(call)),
        logs=logs,
        metrics=metrics,
    )
    return outcome, sent


def test_each_goes_to_the_topic_of_its_severity():
    outcome, sent = run(over_sns(metric_alarm(), composite_alarm()))
    assert outcome == Outcome(notified=2, not_enriched=0, failures=())
    assert [call["TopicArn"] for call in sent] == [TICKET, PAGE]
    assert sent[0]["MessageAttributes"]["rule"] == {"DataType": "String", "StringValue": "lambda.failures"}


@pytest.mark.parametrize("wrapped", [event(), over_sns(event())], ids=["directly", "over SNS"])
def test_eventbridge_events(wrapped):
    outcome, sent = run(wrapped)
    assert outcome.notified == 1
    assert "Failed invocations of checkout: 7 failures a minute" in sent[0]["Message"]


def test_error_lines_newest_last_without_secrets():
    asked = []

    def logs(**search):
        asked.append(search)
        lines = ["new password=hunter2", "newest"] if len(asked) == 1 else ["old"]
        return {"events": [{"timestamp": n, "message": line} for n, line in enumerate(lines)]}

    _, sent = run(over_sns(metric_alarm()), logs=logs)
    body = sent[0]["Message"]
    assert len(asked) == 2
    assert body.index("    old\n") < body.index("    new password=[redacted]\n") < body.index("    newest\n")
    assert "hunter2" not in body


def test_enough_new_lines_are_enough():
    asked = []

    def logs(**search):
        asked.append(search)
        return {"events": [{"timestamp": n, "message": "line"} for n in range(100)]}

    run(over_sns(metric_alarm()), logs=logs)
    assert len(asked) == 1


def test_values_behind_metric_math():
    def metrics(**search):
        assert search["MetricDataQueries"][0]["Id"] == "m1"
        return {"MetricDataResults": [{"Id": "m1", "Values": [3.0, 250.0]}]}

    _, sent = run(over_sns(math_alarm()), metrics=metrics)
    assert sent[0]["Message"].startswith("Invocations of checkout: 3 invocations in 5 minutes")


def test_a_failed_enrichment_is_said_and_counted():
    outcome, sent = run(over_sns(math_alarm()), logs=broken, metrics=broken)
    assert outcome == Outcome(notified=1, not_enriched=1, failures=())
    assert sent[0]["Message"].count("AccessDeniedException: not allowed") == 2


@pytest.mark.parametrize("odd", ["not JSON", "{}", '{"AlarmName": "a"}', ""])
def test_what_cannot_be_read_goes_out_raw_to_page(odd):
    outcome, sent = run(over_sns(odd))
    assert outcome == Outcome(notified=1, not_enriched=1, failures=())
    assert sent[0]["TopicArn"] == PAGE
    assert odd in sent[0]["Message"]


@pytest.mark.parametrize(
    "odd", [None, [], "text", {}, {"Records": "x"}, {"Records": [None]}, {"Records": [{"Sns": 7}]}]
)
def test_no_event_is_too_odd_to_be_told(odd):
    assert run(odd)[0].notified == 1


def test_one_failure_keeps_no_other_from_going_out():
    sent = []

    def publish(**call):
        if call["TopicArn"] == TICKET:
            raise RuntimeError("Throttling: rate exceeded")
        sent.append(call)

    outcome, _ = run(over_sns(metric_alarm(), composite_alarm()), publish=publish)
    assert (outcome.notified, len(sent)) == (1, 1)
    assert len(outcome.failures) == 1
    assert "Throttling: rate exceeded" in outcome.failures[0]


class Sns(BaseHTTPRequestHandler):
    """Answers Publish as SNS does, and every other call with a refusal."""

    published: list[dict[str, list[str]]]

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        ours = form.get("Action") == ["Publish"]
        if ours:
            self.published.append(form)
        self.send_response(200 if ours and form["TopicArn"] == [TICKET] else 400)
        self.end_headers()
        self.wfile.write(b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>")

    def log_message(self, *_):
        pass


@pytest.fixture
def sns():
    Sns.published = []
    server = HTTPServer(("127.0.0.1", 0), Sns)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def invoke(sent_event, endpoint):
    code = "import json, sys; from subscribers.alarms_handler import handler; handler(json.load(sys.stdin), None)"
    return subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(sent_event),
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_LAMBDA_FUNCTION_NAME": "lookout-alarm-notifier",
            "PAGE_TOPIC_ARN": PAGE,
            "TICKET_TOPIC_ARN": TICKET,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_handler_itself_publishes_and_measures(sns):
    done = invoke(over_sns(metric_alarm()), sns)
    assert done.returncode == 0, done.stderr
    assert Sns.published[0]["TopicArn"] == [TICKET]
    # The fake refuses FilterLogEvents, so the message must say that it lacks the log lines.
    assert "Not enriched" in Sns.published[0]["Message"][0]
    measured = json.loads(done.stdout)
    assert (measured["Notified"], measured["NotEnriched"], measured["Failed"]) == (1, 1, 0)
    assert measured["FunctionName"] == "lookout-alarm-notifier"


def test_the_handler_fails_when_something_could_not_be_sent(sns):
    done = invoke(over_sns(composite_alarm()), sns)
    assert done.returncode != 0
    assert "AwsError: sns.publish failed 1 times" in done.stderr
    assert json.loads(done.stdout)["Failed"] == 1
