"""What Lambda costs, by Region and architecture, as data. USD.

From the AWS Price List (AWSLambda) as transcribed on DATE; tier 1, no free tier, no savings plan. Regions that are not
listed cost what us-east-1 does, as far as the list of that date says.
"""

from typing import NamedTuple

DATE = "2026-09-28"


class Price(NamedTuple):
    """USD."""

    gb_second: float
    request: float


X86, ARM = "x86_64", "arm64"

USUAL = {X86: 0.0000166667, ARM: 0.0000133334}
USUAL_REQUEST = 0.20e-6

# Region, x86_64 and arm64 USD a GB-second, USD a million requests.
DEARER: tuple[tuple[str, float, float, float], ...] = (
    ("af-south-1", 0.0000221, 0.00001768, 0.27),
    ("ap-east-1", 0.00002292, 0.0000183, 0.28),
    ("eu-central-2", 0.0000183334, 0.0000183334, 0.22),  # arm64 not in the list: counted as x86_64
    ("eu-south-1", 0.0000195172, 0.0000156138, 0.23),
    ("il-central-1", 0.0000175, 0.0000175, 0.21),  # arm64 not in the list: counted as x86_64
    ("me-central-1", 0.0000206667, 0.0000165334, 0.25),
    ("me-south-1", 0.0000206667, 0.0000165334, 0.25),
)


def price(region: str, architecture: str) -> Price:
    """What a GB-second and a request cost there."""
    for name, x86, arm, per_million in DEARER:
        if name == region:
            return Price(gb_second=arm if architecture == ARM else x86, request=per_million / 1e6)
    return Price(gb_second=USUAL.get(architecture, USUAL[X86]), request=USUAL_REQUEST)
