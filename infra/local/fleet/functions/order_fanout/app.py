"""SNS -> SQS: each order event goes to the queue of everyone who must act on it."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_xray_sdk.core import patch

patch(("boto3",))
SQS = boto3.client("sqs")
QUEUES = (os.environ["PAYMENTS_QUEUE"], os.environ["FULFILMENT_QUEUE"])


def handler(event: Mapping[str, Any], _context: object) -> dict[str, int]:
    messages = [record["Sns"]["Message"] for record in event["Records"]]
    for message in messages:
        for queue in QUEUES:
            SQS.send_message(QueueUrl=queue, MessageBody=message)
    return {"sent": len(messages) * len(QUEUES)}
