"""Filter patterns against the floor under them: what json.loads, str.split and `in` alone take on the same lines.

python -m benchmarks.patterns
"""

import json
import random
import time
from collections.abc import Callable

from monitors import patterns

LINES = 5_000
ROUNDS = 3


def main() -> None:
    """Print lines a second for each pattern and its floor, and how many times the floor a line takes."""
    structured, apache = json_lines(), access_lines()
    rows: list[tuple[str, list[str], Callable[[str], object]]] = [
        ("ERROR", apache, lambda line: "ERROR" in line),
        ('ERROR -"timed out" checkout', apache, lambda line: "ERROR" in line),
        ("%/check[a-z]+/%", apache, lambda line: "/checkout" in line),
        (r"%[0-9]{3} \d+$%", apache, lambda line: "/checkout" in line),
        (r"%GET.*HTTP.*5\d\d%", apache, lambda line: "/checkout" in line),
        ('{ $.level = "ERROR" }', structured, json.loads),
        ('{ $.latency_ms > 400 && ($.path = "/checkout*" || $.items[*].sku = A7) }', structured, json.loads),
        ("[ip, id, user, time, request, status = 5*, bytes]", apache, str.split),
        ("[..., request = *checkout*, status, bytes > 1000]", apache, str.split),
        ("[level, rest]", structured, str.split),
    ]
    print(f"{LINES} lines, best of {ROUNDS}; about {sum(map(len, apache)) // LINES} and ", end="")
    print(f"{sum(map(len, structured)) // LINES} characters a line (access log, JSON)")
    for pattern, lines, floor in rows:
        ours, theirs = seconds(patterns.compile(pattern).match, lines), seconds(floor, lines)
        print(f"{LINES / ours:>10,.0f} lines/s   floor {LINES / theirs:>10,.0f}   x{ours / theirs:5.1f}   {pattern}")


def seconds(function: Callable[[str], object], lines: list[str]) -> float:
    """The best time for all lines. They are copied for each round, since a string keeps its hash."""
    best = float("inf")
    for _ in range(ROUNDS):
        copies = [line[:1] + line[1:] for line in lines]
        begun = time.perf_counter()
        for line in copies:
            function(line)
        best = min(best, time.perf_counter() - begun)
    return best


def json_lines() -> list[str]:
    dice = random.Random(7)
    return [
        json.dumps(
            {
                "timestamp": f"2026-11-23T10:{dice.randrange(60):02}:00.000Z",
                "level": dice.choice(["INFO", "INFO", "INFO", "WARN", "ERROR"]),
                "requestId": f"{dice.getrandbits(128):032x}",
                "path": dice.choice(["/checkout", "/cart", "/search", "/checkout/pay"]),
                "latency_ms": round(dice.expovariate(1 / 200), 2),
                "items": [{"sku": f"A{dice.randrange(9)}", "count": dice.randrange(5)} for _ in range(3)],
                "message": "charged the card and reserved what is on the order",
            }
        )
        for _ in range(LINES)
    ]


def access_lines() -> list[str]:
    dice = random.Random(7)
    return [
        f"10.0.{dice.randrange(256)}.{dice.randrange(256)} - {dice.choice(['frank', 'ann'])} "
        f"[23/Nov/2026:10:{dice.randrange(60):02}:00 +0000] "
        f'"GET /{dice.choice(["checkout", "cart", "search"])}/{dice.randrange(10**6)}.html HTTP/1.1" '
        f"{dice.choice([200, 200, 304, 404, 500, 503])} {dice.randrange(5000)} "
        f'"https://shop.example.com/{dice.getrandbits(64):x}"'
        for _ in range(LINES)
    ]


if __name__ == "__main__":
    main()
