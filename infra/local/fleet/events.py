"""The event of the one source that a short demo cannot wait for, in AWS's own shape."""

from datetime import UTC, datetime
from typing import Any


def schedule_event(*, schedule: str, account: str, region: str, at_s: float, event_id: str) -> dict[str, Any]:
    """What EventBridge Scheduler sends to a function whose schedule has no input of its own.

    EventBridge Scheduler User Guide, "Managing targets": the default event; `detail` is text.
    """
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": account,
        "time": datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:scheduler:{region}:{account}:schedule/default/{schedule}"],
        "detail": "{}",
    }
