"""DynamoDB stream -> DynamoDB: each new order adds to its day's orders and revenue."""

import os
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3
from aws_xray_sdk.core import patch

patch(("boto3",))
SALES = boto3.resource("dynamodb").Table(os.environ["SALES_TABLE"])


def handler(event: Mapping[str, Any], _context: object) -> dict[str, int]:
    amounts: defaultdict[str, list[Decimal]] = defaultdict(list)
    for record in event["Records"]:
        change = record["dynamodb"]
        day = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC).date().isoformat()
        amounts[day].append(Decimal(change["NewImage"]["amount"]["N"]))
    for day, of_day in amounts.items():
        SALES.update_item(
            Key={"day": day},
            UpdateExpression="ADD orders :orders, revenue :revenue",
            ExpressionAttributeValues={":orders": len(of_day), ":revenue": sum(of_day)},
        )
    return {"orders": len(event["Records"])}
