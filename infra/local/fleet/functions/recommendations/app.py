"""REST API -> things often looked at together. Leaks: it remembers every visit and forgets none."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

LIMIT = 300
"""Visits remembered before the oldest goes: the leak is bounded, so that nothing is killed for it here."""
VISITS: list[tuple[str, list[str]]] = []


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    sku = (event.get("queryStringParameters") or {}).get("sku", "")
    VISITS.append((sku, features(sku)))
    del VISITS[:-LIMIT]
    wanted = set(features(sku)[:200])
    seen: Counter[str] = Counter()
    for other, marks in VISITS[-20:]:
        seen[other] += len(wanted.intersection(marks[:200]))
    body = {"like": sku, "recommended": [other for other, _ in seen.most_common(4) if other != sku][:3]}
    return {"statusCode": 200, "body": json.dumps(body)}


def features(sku: str) -> list[str]:
    """12,000 marks of a product, most of a megabyte."""
    digest = hashlib.sha256(sku.encode()).hexdigest()
    return [f"{digest[step % 60 : step % 60 + 4]}-{step % 50}" for step in range(12_000)]
