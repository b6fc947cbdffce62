"""The event made by hand has the shape that EventBridge Scheduler documents."""

import json

from infra.local.fleet.events import schedule_event

# The example in the EventBridge Scheduler User Guide, with this schedule's name, account, Region and moment.
DOCUMENTED = json.loads("""{
  "version": "0",
  "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  "source": "aws.scheduler",
  "account": "123456789012",
  "time": "2015-10-08T16:53:06Z",
  "region": "us-east-1",
  "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/shop-order-sweep"],
  "detail": "{}"
}""")


def test_scheduler_event_is_the_documented_one() -> None:
    event = schedule_event(
        schedule="shop-order-sweep",
        account="123456789012",
        region="us-east-1",
        at_s=1444323186.7,  # 16,716 days and 16:53:06 after 1 January 1970
        event_id="53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    )
    assert event == DOCUMENTED
