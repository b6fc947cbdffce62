"""A seed -> two weeks in the life of the sample fleet: every invocation, and what came of it.

Customers arrive at random, by day and by week; each order then goes through the shop as the deployed functions would
take it. Metrics, logs and traces are three views of what comes out (metrics.py, logs.py, traces.py).
"""

import heapq
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import NamedTuple

from infra.local.history import plants
from infra.local.history.profiles import BACK_OFF, NEW_ORDER
from infra.local.history.sandboxes import Origin, Run, World, invoke

MINUTE_S = 60
SAMPLED = 0.05
"""Of all requests that reach the shop from outside, or out of a queue: some 2,500 traces."""
TRIES = 3
"""maxReceiveCount of the payments queue; also how often Lambda tries an asynchronous invocation."""
SUSPICIOUS = 0.009
REFUSED = 1 / 75
PER_MINUTE = {"order": 0.31, "read": 0.28, "stock": 0.5, "recommend": 0.85, "quote": 0.6}
SALE_ORDERS = 1.2
"""Orders a minute on top during the incident: a sale has brought it on."""
SWEEP_S = 300
IMPORT_S = 1200
SATURDAY = 5
PEAK = 2.2
"""No moment's traffic is above this many times the mean."""


class Order(NamedTuple):
    number: int
    amount: float
    refused: bool
    no_address: bool
    suspicious: bool


class Execution(NamedTuple):
    """One run of the checkout state machine."""

    number: int
    started_s: float
    ended_s: float
    succeeded: bool
    trace_id: str
    caller: int
    """The request id of the shop-fulfilment invocation that started it."""


class DeadLetter(NamedTuple):
    queue: str
    sent_s: float
    dead_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """Everything that happened, in order of arrival."""

    windows: plants.Windows
    runs: tuple[Run, ...]
    executions: tuple[Execution, ...]
    dead_letters: tuple[DeadLetter, ...]
    payments: Mapping[int, Order]
    """What each payment that was taken was for, by the invocation's request id."""


@dataclass(slots=True)
class _Shop:
    world: World
    executions: list[Execution] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    payments: dict[int, Order] = field(default_factory=dict)
    waiting: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    number: int = 0

    def later(self, at_s: float, step: Callable[[float], None]) -> None:
        """What happens then. Equal moments keep the order in which they were asked for."""
        self.number += 1
        heapq.heappush(self.waiting, (at_s, self.number, step))

    def between(self, low_s: float, high_s: float) -> float:
        return self.world.rng.uniform(low_s, high_s)

    def trace(self, at_s: float) -> str:
        """A new trace id, or none: most requests are not sampled."""
        rng = self.world.rng
        return f"1-{int(at_s):08x}-{rng.getrandbits(96):024x}" if rng.random() < SAMPLED else ""


def simulate(*, end_s: float, days: int = 14, seed: int = 7) -> History:
    """The `days` that end at the full minute before `end_s`: the same for the same arguments.

    What is planted lies in the last ten days; fewer days hold less of it.
    """
    end_s = end_s // MINUTE_S * MINUTE_S
    rng = Random(seed)  # noqa: S311 - a simulation, not a secret
    shop = _Shop(World(plants.windows(end_s=end_s, days=days), rng))
    _arrivals(shop)
    while shop.waiting:
        at_s, _, step = heapq.heappop(shop.waiting)
        if at_s < end_s:
            step(at_s)
    runs = sorted((run for run in shop.world.runs if run.end_s < end_s), key=lambda run: run.arrived_s)
    return History(
        windows=shop.world.windows,
        runs=tuple(runs),
        executions=tuple(each for each in shop.executions if each.ended_s < end_s),
        dead_letters=tuple(each for each in shop.dead_letters if each.dead_s < end_s),
        payments=shop.payments,
    )


def _arrivals(shop: _Shop) -> None:
    w, rng = shop.world.windows, shop.world.rng
    steps: dict[str, Callable[[float], None]] = {
        "order": partial(_order, shop),
        "read": partial(_visit, shop, "shop-orders-api", "http"),
        "stock": partial(_visit, shop, "shop-stock-api", "rest"),
        "recommend": partial(_visit, shop, "shop-recommendations", "rest"),
        "quote": partial(_visit, shop, "shop-shipping-quote", "rest"),
    }
    for kind, rate in PER_MINUTE.items():
        for at_s in _customers(rng, rate, w.start_s, w.end_s):
            shop.later(at_s, steps[kind])
    at_s = w.incident_s
    while (at_s := at_s + rng.expovariate(SALE_ORDERS / MINUTE_S)) < w.incident_end_s:
        shop.later(at_s, steps["order"])
    for number in range(int(w.end_s - w.start_s) // SWEEP_S):
        shop.later(w.start_s + number * SWEEP_S + 2, partial(_sweep, shop))
    for number in range(int(w.end_s - w.start_s) // IMPORT_S):
        at_s = (w.start_s // IMPORT_S + 1 + number) * IMPORT_S + rng.uniform(0, 240)
        shop.later(at_s, partial(_import, shop, Origin("s3", at_s, shop.trace(at_s)), 0))


def _customers(rng: Random, per_minute: float, start_s: float, end_s: float) -> Iterator[float]:
    """Moments at random (a Poisson process), thinned to the hour, the weekday and the day's own luck."""
    luck = [math.exp(rng.gauss(0, 0.05)) for _ in range(int((end_s - start_s) // plants.DAY_S) + 1)]
    at_s = start_s
    while (at_s := at_s + rng.expovariate(per_minute * PEAK / MINUTE_S)) < end_s:
        if rng.random() * PEAK < season(at_s) * luck[int((at_s - start_s) // plants.DAY_S)]:
            yield at_s


def season(at_s: float) -> float:
    """Traffic at that moment as a multiple of the mean: busiest at 15:00 UTC, quietest at 3:00, less at weekends."""
    hour = at_s / 3600 % 24
    weekday = int(at_s // plants.DAY_S + 3) % 7  # 1 January 1970 was a Thursday
    return (1 + 0.8 * math.sin((hour - 9) * math.pi / 12)) * (1.1 if weekday < SATURDAY else 0.75)


def _visit(shop: _Shop, function: str, kind: str, at_s: float) -> None:
    origin = Origin(kind, at_s, shop.trace(at_s))
    invoke(shop.world, function, at_s + shop.between(0.006, 0.025), origin)


def _sweep(shop: _Shop, at_s: float) -> None:
    origin = Origin("schedule", at_s, shop.trace(at_s))
    invoke(shop.world, "shop-order-sweep", at_s + shop.between(0.05, 0.4), origin)


def _import(shop: _Shop, origin: Origin, request: int, at_s: float) -> None:
    run = invoke(shop.world, "shop-catalog-import", at_s + shop.between(0.3, 1.2), origin, request=request)
    if run.status != "success":
        _try_again(shop, run, partial(_import, shop), "shop-undelivered")


def _try_again(shop: _Shop, run: Run, step: Callable[[Origin, int, float], None], dead_letters: str) -> None:
    """What Lambda does with an asynchronous invocation that failed: a minute later, two minutes later, not again.

    AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation".
    """
    origin = run.origin
    if origin.attempt < TRIES:
        again = origin._replace(attempt=origin.attempt + 1)
        shop.later(run.end_s + 60 * origin.attempt, partial(step, again, run.request))
    else:
        shop.dead_letters.append(DeadLetter(dead_letters, origin.sent_s, run.end_s))


def _order(shop: _Shop, at_s: float) -> None:
    w, rng = shop.world.windows, shop.world.rng
    order = Order(
        number=100_000 + shop.number,
        amount=round(rng.lognormvariate(3.6, 0.8), 2),
        refused=rng.random() < REFUSED,
        no_address=plants.lacks_address(w, at_s, rng),
        suspicious=rng.random() < SUSPICIOUS,
    )
    origin = Origin("http", at_s, shop.trace(at_s))
    run = invoke(shop.world, "shop-orders-api", at_s + shop.between(0.006, 0.025), origin, calls=NEW_ORDER)
    published = Origin("sns", run.end_s, origin.trace_id, run.request)
    shop.later(run.end_s + shop.between(0.006, 0.03), partial(_fan_out, shop, order, published))
    shop.later(run.end_s + shop.between(0.2, 1.2), partial(_stream, shop, run.end_s))


def _stream(shop: _Shop, written_s: float, at_s: float) -> None:
    invoke(shop.world, "shop-sales-stream", at_s, Origin("stream", written_s, shop.trace(at_s)))


def _fan_out(shop: _Shop, order: Order, origin: Origin, at_s: float) -> None:
    run = invoke(shop.world, "shop-order-fanout", at_s, origin)
    for step in (partial(_pay, shop, order, run.end_s, 1), partial(_fulfil, shop, order, run.end_s)):
        shop.later(run.end_s + shop.between(0.01, 0.05), step)


def _pay(shop: _Shop, order: Order, sent_s: float, attempt: int, at_s: float) -> None:
    origin = Origin("sqs", sent_s, shop.trace(at_s), 0, attempt)
    if order.refused or plants.payment_fails(shop.world.windows, at_s, shop.world.rng):
        error = f"PaymentRefusedError: order {order.number}: refused by the card processor"
        run = invoke(shop.world, "shop-payments", at_s, origin, calls=(BACK_OFF,), error=error)
        if attempt < TRIES:
            shop.later(run.end_s + shop.between(1, 1.3), partial(_pay, shop, order, sent_s, attempt + 1))
        else:
            shop.dead_letters.append(DeadLetter("shop-payments-dlq", sent_s, run.end_s + 1))
        return
    run = invoke(shop.world, "shop-payments", at_s, origin)
    shop.payments[run.request] = order
    sent = Origin("async", run.end_s, origin.trace_id, run.request)
    shop.later(run.end_s + shop.between(0.03, 0.08), partial(_send_receipt, shop, order, sent, 0))


def _send_receipt(shop: _Shop, order: Order, origin: Origin, request: int, at_s: float) -> None:
    error = f"UndeliverableError: order {order.number}: no address ''" if order.no_address else ""
    calls = () if error else None
    run = invoke(shop.world, "shop-receipts", at_s, origin, calls=calls, error=error, request=request)
    if error:
        _try_again(shop, run, partial(_send_receipt, shop, order), "shop-receipts-dlq")


def _fulfil(shop: _Shop, order: Order, sent_s: float, at_s: float) -> None:
    trace_id = shop.trace(at_s)
    run = invoke(shop.world, "shop-fulfilment", at_s, Origin("sqs", sent_s, trace_id))
    shop.later(run.end_s - 0.004, partial(_check_out, shop, order, trace_id, run.request))


def _check_out(shop: _Shop, order: Order, trace_id: str, caller: int, at_s: float) -> None:
    origin = Origin("states", at_s, trace_id, caller)
    last = invoke(shop.world, "shop-fraud-check", at_s + shop.between(0.02, 0.05), origin)
    tries = 0 if order.suspicious else TRIES
    succeeded = False
    for attempt in range(1, tries + 1):
        wait_s = (0, 1, 2)[attempt - 1] + shop.between(0.02, 0.05)  # Retry: one second, then twice that
        arrived_s = last.end_s + wait_s
        last = invoke(shop.world, "shop-shipping-label", arrived_s, origin._replace(sent_s=arrived_s, attempt=attempt))
        succeeded = last.status == "success"
        if succeeded:
            break
    shop.executions.append(Execution(order.number, at_s, last.end_s + 0.02, succeeded, trace_id, caller))
