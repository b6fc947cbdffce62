"""REST API -> DynamoDB Query: how many of a thing there are, in which warehouse."""

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_xray_sdk.core import patch, xray_recorder
from boto3.dynamodb.conditions import Key

patch(("boto3",))
STOCK = boto3.resource("dynamodb").Table(os.environ["STOCK_TABLE"])


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    units = stock(event["pathParameters"]["sku"])
    body = {"units": units, "total": sum(units.values())}
    return {"statusCode": 200 if units else 404, "body": json.dumps(body)}


@xray_recorder.capture("stock")  # type: ignore[untyped-decorator] # the SDK has no types
def stock(sku: str) -> dict[str, int]:
    xray_recorder.put_annotation("sku", sku)
    rows = STOCK.query(KeyConditionExpression=Key("sku").eq(sku))["Items"]
    return {row["warehouse"]: int(row["units"]) for row in rows}
