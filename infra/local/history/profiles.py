"""What each function of the sample fleet is like: the table that the generated history is made from.

Names, memory, timeouts and log formats are those of fleet/template.yaml (a test compares them). A warm invocation
takes wait + cpu / share + its calls, where share = min(memory, 1769) / 1769: Lambda gives one vCPU at 1,769 MB (AWS
Lambda Developer Guide, "Configure Lambda function memory").
"""

from dataclasses import dataclass

ACCOUNT = "123456789012"
REGION = "us-east-1"
"""Where the embedded account keeps everything."""
STATE_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:shop-checkout"
ONE_VCPU_MB = 1769


@dataclass(frozen=True, slots=True)
class Dependency:
    """A call that a function makes, as X-Ray names it."""

    service: str
    operation: str
    resource: str
    median_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """One function. Times in ms, memory in MB."""

    function: str
    memory_mb: int = 256
    timeout_s: int = 10
    wait_ms: float = 1.0
    cpu_ms: float
    """On a whole vCPU."""
    calls: tuple[Dependency, ...] = ()
    init_ms: float
    used_mb: float
    leak_mb: float = 0.0
    """Per invocation, for the first LEAK_VISITS of a sandbox."""
    json_logs: bool = False
    version: str = "$LATEST"
    """What the log streams say: a number where the function is called through an alias."""


LEAK_VISITS = 300

READ_PRODUCT = Dependency("DynamoDB", "GetItem", "shop-products", 6)
PUT_ORDER = Dependency("DynamoDB", "PutItem", "shop-orders", 8)
READ_ORDER = Dependency("DynamoDB", "GetItem", "shop-orders", 6)
PUBLISH = Dependency("SNS", "Publish", "shop-order-events", 22)
SEND_PAYMENT = Dependency("SQS", "SendMessage", "shop-payments", 9)
SEND_FULFILMENT = Dependency("SQS", "SendMessage", "shop-fulfilment", 9)
BACK_OFF = Dependency("SQS", "ChangeMessageVisibility", "shop-payments", 8)
SEND_RECEIPT = Dependency("Lambda", "Invoke", "shop-receipts", 26)
PUT_RECEIPT = Dependency("S3", "PutObject", "shop-receipts-" + ACCOUNT, 38)
START_CHECKOUT = Dependency("StepFunctions", "StartExecution", "shop-checkout", 30)
ASK_CARRIER = Dependency("Lambda", "Invoke", "shop-carrier", 0)  # as long as the carrier takes
SHIP_ORDER = Dependency("DynamoDB", "UpdateItem", "shop-orders", 8)
ADD_SALE = Dependency("DynamoDB", "UpdateItem", "shop-sales", 8)
SCAN_ORDERS = Dependency("DynamoDB", "Scan", "shop-orders", 45)
QUERY_STOCK = Dependency("DynamoDB", "Query", "shop-stock", 9)
READ_PRICES = Dependency("S3", "GetObject", "shop-prices-" + ACCOUNT, 35)
WRITE_PRODUCTS = Dependency("DynamoDB", "BatchWriteItem", "shop-products", 24)
WRITE_STOCK = Dependency("DynamoDB", "BatchWriteItem", "shop-stock", 24)

NEW_ORDER = (READ_PRODUCT, PUT_ORDER, PUBLISH)
"""What shop-orders-api calls for POST /orders; its profile says GET."""

PROFILES = (
    Profile(function="shop-orders-api", cpu_ms=2.2, calls=(READ_ORDER,), init_ms=620, used_mb=92, version="1"),
    Profile(
        function="shop-catalog-import",
        timeout_s=60,
        wait_ms=5,
        cpu_ms=40,
        calls=(READ_PRICES, WRITE_PRODUCTS, WRITE_STOCK),
        init_ms=640,
        used_mb=118,
    ),
    Profile(
        function="shop-order-fanout",
        memory_mb=128,
        cpu_ms=1.2,
        calls=(SEND_PAYMENT, SEND_FULFILMENT),
        init_ms=560,
        used_mb=84,
    ),
    Profile(
        function="shop-payments",
        cpu_ms=2,
        wait_ms=2,
        calls=(SEND_RECEIPT,),
        init_ms=600,
        used_mb=88,
        json_logs=True,
    ),
    Profile(function="shop-receipts", memory_mb=128, cpu_ms=1.5, calls=(PUT_RECEIPT,), init_ms=570, used_mb=86),
    Profile(function="shop-fulfilment", memory_mb=128, cpu_ms=1.4, calls=(START_CHECKOUT,), init_ms=580, used_mb=85),
    Profile(function="shop-fraud-check", wait_ms=0.5, cpu_ms=60, init_ms=180, used_mb=42),
    Profile(function="shop-shipping-label", cpu_ms=2, calls=(ASK_CARRIER, SHIP_ORDER), init_ms=610, used_mb=87),
    Profile(function="shop-carrier", memory_mb=128, timeout_s=30, wait_ms=330, cpu_ms=0.4, init_ms=170, used_mb=38),
    Profile(function="shop-sales-stream", cpu_ms=1.6, calls=(ADD_SALE,), init_ms=600, used_mb=88),
    Profile(function="shop-order-sweep", timeout_s=60, cpu_ms=3, calls=(SCAN_ORDERS,), init_ms=620, used_mb=90),
    Profile(function="shop-stock-api", cpu_ms=2, calls=(QUERY_STOCK,), init_ms=610, used_mb=88),
    Profile(
        function="shop-recommendations",
        memory_mb=512,
        wait_ms=0.5,
        cpu_ms=9,
        init_ms=190,
        used_mb=46,
        leak_mb=0.83,
    ),
    Profile(
        function="shop-shipping-quote",
        memory_mb=2048,
        cpu_ms=0.6,
        calls=(READ_PRODUCT,),
        init_ms=600,
        used_mb=88,
    ),
)
"""A row per function."""
