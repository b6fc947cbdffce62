"""Asynchronous invocation -> S3: writes a receipt; a customer without a usable address is an error."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_xray_sdk.core import patch

patch(("boto3",))
BUCKET = boto3.resource("s3").Bucket(os.environ["RECEIPTS_BUCKET"])


class UndeliverableError(Exception):
    """Nobody can be reached at this address; two more tries and it goes to the queue of failures."""


def handler(order: Mapping[str, Any], _context: object) -> dict[str, str]:
    address = order["email"]
    if "@" not in address:
        raise UndeliverableError(f"order {order['order']}: no address {address!r}")
    lines = [f"{line['quantity']:>4} x {line['sku']}" for line in order["lines"]]
    text = "\n".join([f"To {address}", f"Order {order['order']}", *lines, f"Total {order['amount']:.2f} EUR"])
    key = f"receipts/{order['order']}.txt"
    BUCKET.put_object(Key=key, Body=text.encode())
    return {"key": key}
