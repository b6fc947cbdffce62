"""Checkout task: asks the carrier for a label and waits. Slow, and not by its own doing."""

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_xray_sdk.core import patch, xray_recorder

patch(("boto3",))
LAMBDA = boto3.client("lambda")
ORDERS = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])


def handler(order: Mapping[str, Any], _context: object) -> dict[str, Any]:
    label = ask_carrier({"order": order["order"], "parcels": len(order["lines"])})
    ORDERS.update_item(
        Key={"order": order["order"]},
        UpdateExpression="SET #s = :shipped, tracking = :tracking",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":shipped": "shipped", ":tracking": label["tracking"]},
    )
    return {**order, **label}


@xray_recorder.capture("carrier")  # type: ignore[untyped-decorator] # the SDK has no types
def ask_carrier(parcel: Mapping[str, Any]) -> dict[str, Any]:
    answer = LAMBDA.invoke(FunctionName=os.environ["CARRIER_FUNCTION"], Payload=json.dumps(parcel))
    label: dict[str, Any] = json.load(answer["Payload"])
    return label
