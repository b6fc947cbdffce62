"""What is wrong with the generated fortnight, and when: the truth that reports are held against.

Every effect is a function of the moment here, so that the simulation itself knows of no plant.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from infra.local.history.profiles import ASK_CARRIER, ONE_VCPU_MB, QUERY_STOCK, Dependency, Profile

DAY_S = 86_400
SETTLED_S = 3 * 3600
"""The incident is over this long before the history ends: nobody should find it still going on."""

MORNING_S = 8 * 3600
LOOKED_AFTER_S = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """Epoch seconds of everything planted."""

    start_s: float
    end_s: float
    incident_s: float
    incident_end_s: float
    slow_query_s: float
    cold_starts_s: float
    no_address_s: float
    less_memory_s: float
    more_memory_s: float


@dataclass(frozen=True, slots=True)
class Planted:
    """One thing that is truly wrong in the history."""

    kind: str
    """incident, slow_dependency, regression, cold_starts, leak, over_provisioned, under_provisioned, killed or
    dead_letters"""
    resource: str
    what: str
    start_s: float
    end_s: float


def windows(*, end_s: float, days: int) -> Windows:
    """When each thing happens in the `days` before `end_s`."""
    last = datetime.fromtimestamp(end_s - SETTLED_S, UTC)
    tuesday = last - timedelta(days=(last.weekday() - 1) % 7)
    incident_end = tuesday.replace(hour=15, minute=10, second=0, microsecond=0)
    if incident_end > last:
        incident_end -= timedelta(days=7)
    return Windows(
        start_s=end_s - days * DAY_S,
        end_s=end_s,
        incident_s=incident_end.timestamp() - 70 * 60,
        incident_end_s=incident_end.timestamp(),
        slow_query_s=end_s - 7 * DAY_S,
        cold_starts_s=end_s - 7 * DAY_S,
        no_address_s=end_s - 2.5 * DAY_S,
        less_memory_s=end_s - 9 * DAY_S,
        more_memory_s=end_s - 10 * DAY_S,
    )


def planted(*, end_s: float, days: int = 14) -> tuple[Planted, ...]:
    """Everything planted in the history that ends at `end_s`, most urgent first."""
    w = windows(end_s=end_s, days=days)
    rows = (
        ("incident", "shop-payments", "35 % of payments fail", w.incident_s, w.incident_end_s),
        ("slow_dependency", "shop-shipping-label", "the carrier is ten times slower", w.incident_s, w.incident_end_s),
        (
            "dead_letters",
            "shop-receipts-dlq",
            "15 % of receipts lack an address, nobody looks",
            w.no_address_s,
            w.end_s,
        ),
        ("regression", "shop-stock-api", "DynamoDB Query of shop-stock takes 60 ms more", w.slow_query_s, w.end_s),
        ("cold_starts", "shop-orders-api", "sandboxes live for two idle minutes, not 25", w.cold_starts_s, w.end_s),
        ("killed", "shop-catalog-import", "Monday's price list does not fit 256 MB", w.start_s, w.end_s),
        ("leak", "shop-recommendations", "0.83 MB an invocation, up to 300 a sandbox", w.start_s, w.end_s),
        ("under_provisioned", "shop-fraud-check", "CPU-bound; 512 MB, then 256", w.less_memory_s, w.end_s),
        (
            "over_provisioned",
            "shop-shipping-quote",
            "needs 90 MB and mostly waits; 1024 MB, then 2048",
            w.more_memory_s,
            w.end_s,
        ),
    )
    return tuple(Planted(*row) for row in rows)


def in_incident(w: Windows, at_s: float) -> bool:
    return w.incident_s <= at_s < w.incident_end_s


def memory_mb(w: Windows, profile: Profile, at_s: float) -> int:
    """What the function was configured with then."""
    if profile.function == "shop-fraud-check" and at_s < w.less_memory_s:
        return 512
    if profile.function == "shop-shipping-quote" and at_s < w.more_memory_s:
        return 1024
    return profile.memory_mb


def keep_alive_s(w: Windows, profile: Profile, at_s: float) -> float:
    """How long an idle sandbox is kept."""
    return 120 if profile.function == "shop-orders-api" and at_s >= w.cold_starts_s else 1500


def compute_ms(w: Windows, profile: Profile, memory: int, *, at_s: float, rng: Random) -> float:
    """Waiting and computing of a warm invocation, without its calls."""
    ms = profile.wait_ms + profile.cpu_ms * ONE_VCPU_MB / min(memory, ONE_VCPU_MB)
    if profile.function == "shop-catalog-import" and whole_catalogue(at_s):
        ms *= 30
    if profile.function == ASK_CARRIER.resource and in_incident(w, at_s):
        return ms * 10 * math.exp(rng.gauss(0, 0.7))
    return ms * math.exp(rng.gauss(0, 0.12))


def call_ms(w: Windows, call: Dependency, at_s: float, rng: Random) -> float:
    """How long one call takes."""
    ms = call.median_ms * math.exp(rng.gauss(0, 0.35))
    if call is QUERY_STOCK and at_s >= w.slow_query_s:
        ms += 60 * math.exp(rng.gauss(0, 0.15))
    return ms


def payment_fails(w: Windows, at_s: float, rng: Random) -> bool:
    """Whether the card processor, at fault or not, refuses a payment that it might take on another try."""
    return in_incident(w, at_s) and rng.random() < 0.35


def lacks_address(w: Windows, at_s: float, rng: Random) -> bool:
    """Whether an order carries no address to send a receipt to."""
    return rng.random() < (0.15 if at_s >= w.no_address_s else 0.003)


def whole_catalogue(at_s: float) -> bool:
    """Whether the price list that comes then is Monday's long one, which takes 310 MB to read."""
    moment = datetime.fromtimestamp(at_s, UTC)
    return (moment.weekday(), moment.hour) == (0, 2) and moment.minute < 20


def need_mb(profile: Profile, at_s: float) -> float:
    """The memory that an invocation needs, before any leak."""
    return 310 if profile.function == "shop-catalog-import" and whole_catalogue(at_s) else profile.used_mb


def emptied(w: Windows, queue: str, at_s: float) -> bool:
    """Whether somebody works through the dead letters at that moment: each morning at 8:00 UTC, but for the receipts
    that nobody looks after; and those of payments all through the last hour, so that what follows finds none there.
    """
    if queue == "shop-payments-dlq" and at_s >= w.end_s - LOOKED_AFTER_S:
        return True
    return at_s % DAY_S == MORNING_S and not (queue == "shop-receipts-dlq" and at_s >= w.no_address_s)
