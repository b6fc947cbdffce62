"""SQS -> Step Functions: starts one checkout per order, however often the message comes."""

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_xray_sdk.core import patch

patch(("boto3",))
STATES = boto3.client("stepfunctions")


def handler(event: Mapping[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    failed = [record["messageId"] for record in event["Records"] if not start(json.loads(record["body"]))]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def start(order: Mapping[str, Any]) -> bool:
    """Whether the order is on its way; one without lines is not, and ends in the dead-letter queue."""
    if not order["lines"]:
        return False
    try:
        STATES.start_execution(
            stateMachineArn=os.environ["CHECKOUT_ARN"],
            name=f"order-{order['order']}",
            input=json.dumps(order),
        )
    except STATES.exceptions.ExecutionAlreadyExists:
        return True
    return True
