"""S3 -> DynamoDB: a price list (sku,price,kg,warehouse,units) becomes products and stock."""

import csv
import logging
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

import boto3
from aws_xray_sdk.core import patch

patch(("boto3",))
LOG = logging.getLogger()
S3 = boto3.client("s3")
PRODUCTS = boto3.resource("dynamodb").Table(os.environ["PRODUCTS_TABLE"])
STOCK = boto3.resource("dynamodb").Table(os.environ["STOCK_TABLE"])


def handler(event: Mapping[str, Any], _context: object) -> dict[str, int]:
    return {"rows": sum(load(record["s3"]) for record in event["Records"])}


def load(s3: Mapping[str, Any]) -> int:
    key = unquote_plus(s3["object"]["key"])
    text = S3.get_object(Bucket=s3["bucket"]["name"], Key=key)["Body"].read().decode()
    rows = list(csv.DictReader(text.splitlines()))
    with PRODUCTS.batch_writer(overwrite_by_pkeys=["sku"]) as products, STOCK.batch_writer() as stock:
        for row in rows:
            products.put_item(Item={"sku": row["sku"], "price": Decimal(row["price"]), "kg": Decimal(row["kg"])})
            stock.put_item(Item={"sku": row["sku"], "warehouse": row["warehouse"], "units": int(row["units"])})
    LOG.info("imported %d rows of %s", len(rows), key)
    return len(rows)
