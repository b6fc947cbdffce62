"""Stands in for another company's service: takes its time, more of it for more parcels."""

import time
import zlib
from collections.abc import Mapping
from typing import Any


def handler(parcel: Mapping[str, Any], _context: object) -> dict[str, str]:
    number = zlib.crc32(parcel["order"].encode())
    time.sleep(0.15 + 0.05 * parcel["parcels"] + number % 10 / 100)
    return {"tracking": f"PX{number:010d}"}
