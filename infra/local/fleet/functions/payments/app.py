"""SQS -> payment -> receipt: the card processor refuses one order in 75, whatever is tried.

Each is tried three times, so that 4 % of invocations throw.
"""

import json
import logging
import os
import zlib
from collections.abc import Mapping
from typing import Any

import boto3
from aws_xray_sdk.core import patch, xray_recorder

patch(("boto3",))
LOG = logging.getLogger()
SQS = boto3.client("sqs")
LAMBDA = boto3.client("lambda")
QUEUE = os.environ["PAYMENTS_QUEUE"]


class PaymentRefusedError(Exception):
    """The card processor will not take this order, however often it is asked."""


def handler(event: Mapping[str, Any], _context: object) -> None:
    for record in event["Records"]:
        try:
            pay(json.loads(record["body"]))
        except PaymentRefusedError:
            # A second's pause, not the queue's whole visibility timeout, before the next try.
            SQS.change_message_visibility(QueueUrl=QUEUE, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=1)
            raise


@xray_recorder.capture("pay")  # type: ignore[untyped-decorator] # the SDK has no types
def pay(order: Mapping[str, Any]) -> None:
    xray_recorder.put_annotation("order", order["order"])
    if zlib.crc32(order["order"].encode()) % 75 == 0:
        raise PaymentRefusedError(f"order {order['order']}: refused by the card processor")
    LOG.info(
        "payment taken",
        extra={"event": "payment", "order": order["order"], "amount": order["amount"], "currency": "EUR"},
    )
    LAMBDA.invoke(FunctionName=os.environ["RECEIPTS_FUNCTION"], InvocationType="Event", Payload=json.dumps(order))
