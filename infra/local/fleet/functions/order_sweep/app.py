"""Schedule -> DynamoDB: counts the orders that nobody has shipped."""

import logging
import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_xray_sdk.core import patch

patch(("boto3",))
LOG = logging.getLogger()
ORDERS = boto3.client("dynamodb").get_paginator("scan")


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, int]:
    pages = ORDERS.paginate(
        TableName=os.environ["ORDERS_TABLE"],
        Select="COUNT",
        FilterExpression="#s = :new",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":new": {"S": "new"}},
    )
    waiting = sum(page["Count"] for page in pages)
    LOG.info("%d orders wait to be shipped", waiting)
    return {"waiting": waiting}
