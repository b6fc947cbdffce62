"""HTTP API -> DynamoDB -> SNS: takes orders, and answers for them."""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import boto3
from aws_xray_sdk.core import patch, xray_recorder

patch(("boto3",))
ORDERS = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
PRODUCTS = boto3.resource("dynamodb").Table(os.environ["PRODUCTS_TABLE"])
EVENTS = boto3.resource("sns").Topic(os.environ["ORDER_EVENTS_TOPIC"])


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    if event["routeKey"] == "POST /orders":
        return answer(201, create(json.loads(event["body"])))
    order = ORDERS.get_item(Key={"order": event["pathParameters"]["order"]}).get("Item")
    return answer(200, order) if order else answer(404, {"message": "no such order"})


@xray_recorder.capture("create order")  # type: ignore[untyped-decorator] # the SDK has no types
def create(order: dict[str, Any]) -> dict[str, Any]:
    order["amount"] = sum((line_price(line) for line in order["lines"]), Decimal(0))
    order["state"] = "new"
    xray_recorder.put_annotation("customer", order["customer"])
    ORDERS.put_item(Item=order)
    EVENTS.publish(Message=json.dumps(order, default=float))
    return order


def line_price(line: Mapping[str, Any]) -> Decimal:
    product = PRODUCTS.get_item(Key={"sku": line["sku"]}).get("Item", {})
    return Decimal(product.get("price", 0)) * int(line["quantity"])


def answer(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "body": json.dumps(body, default=float)}
