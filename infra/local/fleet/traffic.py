"""Customers for the sample fleet deployed in the embedded account: some 240 invocations through its real entrances.

One source is not waited for, the schedule: its function is invoked with Scheduler's event instead.
"""

import json
import time
import urllib.error
import urllib.request
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import chain, count, islice
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import boto3
from botocore.client import BaseClient

from infra.local.fleet.events import schedule_event
from monitors.errors import LocalAccountError

WORKERS = 3
PAUSE_S = 0.05
PATIENCE_S = 20.0
"""How long anything is waited for that happens by itself."""
POLL_S = 0.2
SKUS = tuple(f"SKU-{number:03d}" for number in range(30))
COUNTRIES = ("DE", "AT", "FR", "GB", "US", "NZ")
QUEUES = ("shop-payments", "shop-fulfilment")
REFUSED_OF = 75
ORDERS, REFUSED, NO_ADDRESS = 8, 9, 2
"""Orders a round: good ones; refused by the card processor, three times each; without an address for the receipt."""
VISITS = 19
"""Requests a round to each function of the shop front."""

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What went in at one entrance."""

    source: str
    function: str
    """The first function that it reaches."""
    count: int
    simulated: bool
    """The function was invoked with the source's event; the source itself did nothing."""


class Step(NamedTuple):
    source: str
    function: str
    act: Callable[[], object]


PRICES = Step("S3", "shop-catalog-import", lambda: None)


class Shop(NamedTuple):
    """The deployed fleet, as far as its customers see it."""

    clients: Mapping[str, BaseClient]
    outputs: Mapping[str, str]
    """Of its stack."""

    def url(self, api: str, stage: str, path: str) -> str:
        """Where the embedded account serves an API: the path form needs no name to be resolved."""
        return f"{self.clients['lambda'].meta.endpoint_url}/_aws/execute-api/{self.outputs[api]}/{stage}{path}"


def drive(
    session: boto3.Session,
    *,
    rounds: int = 1,
    seed: int = 7,
    stack: str = "shop",
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Sent, ...]:
    """Send `rounds` times 19 orders and 65 visits to the fleet; what was sent, by entrance.

    Returns when the queues are empty again, or after 20 seconds of waiting for that. Raises LocalAccountError if the
    price list is not imported or an API cannot be reached.
    """
    shop = _shop(session, stack)
    rng = Random(seed)  # noqa: S311 - traffic, not a secret
    progress("a price list goes to S3, the first order through the shop")
    _import_prices(shop, rng)
    first = _first_order(shop, rng, start=seed * 1_000_000 + 990_000)
    steps = [step for number in range(rounds) for step in _round(shop, rng, start=(seed * 100 + number % 99) * 10_000)]
    rng.shuffle(steps)
    progress(f"{len(steps)} requests go to APIs, topic, queue, state machine and functions")
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(_paced, steps))
    progress("the queues run empty")
    _await(lambda: all(_empty(shop, queue) for queue in QUEUES))
    sent = Counter((step.source, step.function) for step in [PRICES, first, *steps])
    return tuple(
        Sent(source=source, function=function, count=times, simulated=source == "Scheduler")
        for (source, function), times in sorted(sent.items())
    )


def _shop(session: boto3.Session, stack: str) -> Shop:
    names = ("cloudformation", "dynamodb", "lambda", "s3", "sns", "sqs", "stepfunctions")
    clients = {name: session.client(name) for name in names}
    found = clients["cloudformation"].describe_stacks(StackName=stack)["Stacks"][0]
    return Shop(clients, {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]})


def _import_prices(shop: Shop, rng: Random) -> None:
    rows = [f"{sku},{rng.uniform(2, 90):.2f},{rng.uniform(0.1, 30):.1f},north,{rng.randrange(5, 500)}" for sku in SKUS]
    text = "\n".join(["sku,price,kg,warehouse,units", *rows])
    bucket = shop.outputs["PricesBucketName"]
    shop.clients["s3"].put_object(Bucket=bucket, Key="prices/all.csv", Body=text.encode())
    last = {"sku": {"S": SKUS[-1]}, "warehouse": {"S": "north"}}
    if not _await(lambda: "Item" in shop.clients["dynamodb"].get_item(TableName="shop-stock", Key=last)):
        raise LocalAccountError(f"shop-catalog-import did not import the price list in {PATIENCE_S:.0f} s: see its log")


def _first_order(shop: Shop, rng: Random, *, start: int) -> Step:
    """One order, all the way: starts a sandbox of each function before a crowd would start several at once."""
    order = _order(rng, next(_numbers(start, refused=False)))
    url = shop.url("OrdersApiId", "$default", "/orders")
    if (status := _request(url, order)) != HTTPStatus.CREATED:
        raise LocalAccountError(f"{url} answers {status}, not 201: see the log of shop-orders-api")
    read = partial(shop.clients["dynamodb"].get_item, TableName="shop-orders", Key={"order": {"S": order["order"]}})
    _await(lambda: "tracking" in read().get("Item", {}))
    return Step("HTTP API", "shop-orders-api", lambda: None)


def _paced(step: Step) -> None:
    step.act()
    time.sleep(PAUSE_S)


def _round(shop: Shop, rng: Random, *, start: int) -> Iterator[Step]:
    good, refused = _numbers(start, refused=False), _numbers(start, refused=True)
    through_api = [_order(rng, number) for number in chain(islice(good, ORDERS), islice(refused, REFUSED))]
    through_api += [_order(rng, number, email="") for number in islice(good, NO_ADDRESS)]
    orders_url = partial(shop.url, "OrdersApiId", "$default")
    for order in through_api:
        yield Step("HTTP API", "shop-orders-api", partial(_request, orders_url("/orders"), order))
        if int(order["order"]) % 2:
            read = partial(_request, orders_url(f"/orders/{order['order']}"))
            yield Step("HTTP API", "shop-orders-api", read)
    yield from _visits(shop, rng)
    yield from _direct(shop, rng, good)


def _visits(shop: Shop, rng: Random) -> Iterator[Step]:
    front_url = partial(shop.url, "StorefrontId", "live")
    for _ in range(VISITS):
        sku, country = rng.choice(SKUS), rng.choice(COUNTRIES)
        for function, path in (
            ("shop-stock-api", f"/stock/{sku}"),
            ("shop-recommendations", f"/recommendations?sku={sku}"),
            ("shop-shipping-quote", f"/quote?country={country}&sku={sku}"),
        ):
            yield Step("REST API", function, partial(_request, front_url(path)))


def _direct(shop: Shop, rng: Random, numbers: Iterator[str]) -> Iterator[Step]:
    """The entrances that customers do not see."""
    sns, sqs, states, functions = (shop.clients[name] for name in ("sns", "sqs", "stepfunctions", "lambda"))
    topic, queue, machine = (shop.outputs[key] for key in ("OrderEventsArn", "PaymentsQueueUrl", "CheckoutArn"))
    for _ in range(2):
        told, paid, checked, lost = (_placed(shop, _order(rng, number)) for number in islice(numbers, 4))
        yield Step("SNS", "shop-order-fanout", partial(sns.publish, TopicArn=topic, Message=told))
        yield Step("SQS", "shop-payments", partial(sqs.send_message, QueueUrl=queue, MessageBody=paid))
        start = partial(states.start_execution, stateMachineArn=machine, input=checked)
        yield Step("Step Functions", "shop-fraud-check", start)
        lost = lost.replace("@", " at ")
        yield Step("asynchronous invocation", "shop-receipts", _later(functions, "shop-receipts", lost))
    region, account = machine.split(":")[3:5]
    event = schedule_event(
        schedule="shop-order-sweep",
        account=account,
        region=region,
        at_s=time.time(),
        event_id=str(UUID(int=rng.getrandbits(128))),
    )
    yield Step("Scheduler", "shop-order-sweep", _later(functions, "shop-order-sweep", json.dumps(event)))


def _placed(shop: Shop, order: Json) -> str:
    """An order that came by telephone, and went straight into the table."""
    item = {"order": {"S": order["order"]}, "amount": {"N": "20"}, "state": {"S": "new"}}
    shop.clients["dynamodb"].put_item(TableName="shop-orders", Item=item)
    return json.dumps({**order, "amount": 20})


def _later(functions: BaseClient, function: str, payload: str) -> Callable[[], object]:
    """An asynchronous invocation, still to be made."""
    return partial(functions.invoke, FunctionName=function, InvocationType="Event", Payload=payload)


def _numbers(start: int, *, refused: bool) -> Iterator[str]:
    """Order numbers that shop-payments refuses, or takes; its rule is in functions/payments/app.py."""
    return (str(n) for n in count(start) if (zlib.crc32(str(n).encode()) % REFUSED_OF == 0) is refused)


def _order(rng: Random, number: str, *, email: str = "customer@example.com") -> Json:
    lines = [{"sku": rng.choice(SKUS), "quantity": rng.randrange(1, 4)} for _ in range(rng.randrange(1, 4))]
    customer = f"c-{rng.randrange(200):03d}"
    return {"order": number, "customer": customer, "email": email, "lines": lines, "amount": 0, "state": "new"}


def _request(url: str, body: Json | None = None) -> int:
    """The status of a GET, or of a POST of a body."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json"})  # noqa: S310 - ours
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=PATIENCE_S) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError as error:
        raise LocalAccountError(f"{url} does not answer: {error}") from error


def _empty(shop: Shop, queue: str) -> bool:
    sqs = shop.clients["sqs"]
    waiting = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(waiting))["Attributes"]
    return all(int(found[name]) == 0 for name in waiting)


def _await(done: Callable[[], bool]) -> bool:
    """Whether it came true before patience ran out."""
    until_s = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until_s:
            return False
        time.sleep(POLL_S)
    return True
