"""The pace of one client's calls: as fast as they come until AWS throttles, then about as fast as AWS lets.

botocore's own `adaptive` mode is not used: it sets the rate from what it measured in whole half seconds, which is
nothing when a survey's first burst is throttled, so that it starts over from one call in two seconds. And like its
`standard` mode it stops retrying for a client, however few attempts a call has made, once its retry quota is spent,
which refusals of a third of all calls do.
"""

import random
import re
import threading
import time
from collections import deque
from typing import Any

from botocore.client import BaseClient

THROTTLED = re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ThroughputExceeded")
"""In the error codes by which AWS's services refuse what comes too fast."""

_WINDOW_S = 1.0
_SLOWER, _SLOWEST = 0.8, 1.0
"""Of the calls a second that AWS let through lately; calls a second."""
_FASTER = 2.0
"""Calls a second, more in each second without a refusal."""
_BACK_OFF_LIMIT_S = 20.0


def keep_pace(client: BaseClient, *, attempts: int) -> None:
    """Have all calls of a client wait for their turn, whichever thread makes them, and be made again if throttled.

    One pace for all operations: AWS counts most services' calls together, for each account and Region.
    """
    pace = _Pace()

    def again(response: Any, attempts_made: int) -> float | None:
        """Seconds to wait before the next attempt, as botocore's standard mode has it but for the quota."""
        if not _is_throttled(response and response[1]) or attempts_made >= attempts:
            return None
        return random.random() * min(2.0 ** (attempts_made - 1), _BACK_OFF_LIMIT_S)  # noqa: S311 - no secret

    events, service = client.meta.events, client.meta.service_model.service_id.hyphenize()
    events.register_first("before-send", pace.wait)
    events.register("response-received", pace.learn)
    events.register_first(f"needs-retry.{service}", lambda response, attempts, **_: again(response, attempts))


def _is_throttled(parsed_response: Any) -> bool:
    return bool(THROTTLED.search(str((parsed_response or {}).get("Error", {}).get("Code", ""))))


class _Pace:
    """What was let through lately, and when the next call may go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: deque[float] = deque()
        self._rate: float | None = None
        self._next = self._slowed = 0.0

    def wait(self, **_: Any) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + (1 / self._rate if self._rate else 0.0)
        if turn > now:
            time.sleep(turn - now)

    def learn(self, parsed_response: Any, **_: Any) -> None:
        """Slower, at most once a second since calls under way are refused together; faster with every answer."""
        with self._lock:
            now = time.monotonic()
            while self._answered and self._answered[0] < now - _WINDOW_S:
                self._answered.popleft()
            if not _is_throttled(parsed_response):
                self._answered.append(now)
                self._rate = self._rate and self._rate + _FASTER / self._rate
            elif now - self._slowed >= _WINDOW_S:
                self._slowed = now
                self._rate = max(_SLOWEST, _SLOWER * len(self._answered) / _WINDOW_S)
                self._next = now + 1 / self._rate
