"""The sample fleet and the toolkit's own stack, deployed into the embedded account."""

import json
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

import boto3

from infra.apply import deploy_stack
from infra.aws import bucket as buckets
from infra.aws.session import call, client
from infra.local.fleet import traffic
from infra.packaging import package_template
from lookout.demo.listener import Listener
from monitors import settings
from monitors.settings import Settings

STACK = "shop"
QUEUE = "demo-pager"
POLL_S = 0.1


def deploy_shop(session: boto3.Session, progress: Callable[[str], None]) -> int:
    """Deploy the sample fleet from its SAM template; how many functions it has."""
    folder = Path(str(resources.files("infra.local.fleet")))
    template, zips = package_template((folder / "template.yaml").read_text(), folder)
    bucket = buckets.code_bucket(session)
    for key, data in zips.items():
        buckets.upload(session, bucket, data, key=key)
    deploy_stack(
        session,
        name=STACK,
        template=json.dumps(template),
        parameters={"CodeBucket": bucket},
        capabilities=("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
        bucket=bucket,
        progress=progress,
        pause_s=POLL_S,
    )
    return sum(one["Type"] == "AWS::Serverless::Function" for one in template["Resources"].values())


def shop_settings() -> Settings:
    """What the shop's team chose in its lookout.toml."""
    text = resources.files("infra.local.fleet").joinpath("lookout.toml").read_text()
    return settings.parse(text, file="infra/local/fleet/lookout.toml")


def subscribe(session: boto3.Session, topics: tuple[str, ...], listener: Listener) -> str:
    """Subscribe a queue and an HTTP endpoint to the people's topics, as a pager would be; the queue's URL."""
    sqs, sns = client(session, "sqs"), client(session, "sns")
    url: str = call(sqs, "CreateQueue", {"QueueName": QUEUE})["QueueUrl"]
    attributes = call(sqs, "GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["QueueArn"]})["Attributes"]
    for topic in topics:
        call(sns, "Subscribe", {"TopicArn": topic, "Protocol": "sqs", "Endpoint": attributes["QueueArn"]})
        call(sns, "Subscribe", {"TopicArn": topic, "Protocol": "http", "Endpoint": listener.url})
    return url


def leave_waiting(session: boto3.Session, waiting: Mapping[str, int]) -> None:
    """Put as many messages into the queues as the history left lying there."""
    sqs = client(session, "sqs")
    for queue, count in waiting.items():
        url = call(sqs, "GetQueueUrl", {"QueueName": queue})["QueueUrl"]
        for first in range(0, count, 10):
            entries = [
                {"Id": str(n), "MessageBody": "left by the generated history"} for n in range(min(10, count - first))
            ]
            call(sqs, "SendMessageBatch", {"QueueUrl": url, "Entries": entries}, target=queue)


def received(session: boto3.Session, queue_url: str) -> list[str]:
    """Every message body in the queue, taken out of it."""
    sqs = client(session, "sqs")
    asked = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
    bodies: list[str] = []
    while messages := call(sqs, "ReceiveMessage", asked).get("Messages"):
        for message in messages:
            call(sqs, "DeleteMessage", {"QueueUrl": queue_url, "ReceiptHandle": message["ReceiptHandle"]})
            bodies.append(message["Body"])
    return bodies


def send_traffic(session: boto3.Session, *, seed: int, progress: Callable[[str], None]) -> tuple[traffic.Sent, ...]:
    """Customers for a few seconds; what was sent, by entrance."""
    return traffic.drive(session, seed=seed, stack=STACK, progress=progress)
