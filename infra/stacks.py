"""Plan -> CloudFormation templates. Pure: dicts, to be dumped with sorted keys.

A plan that fits is one template. A bigger one is a parent and nested stacks: everything of one resource lands in one
nested stack, which depends on that resource's id and on how full that stack is (`buckets`), so that one more function
changes few templates. Composites over several stacks lie in stacks of their own, after all others. A parent names its
nested templates by file, as `aws cloudformation package` takes them; `infra.apply` puts S3 addresses there.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitors import names, quotas
from monitors.buckets import buckets
from monitors.errors import InputError
from monitors.model import Alarm, CompositeAlarm, MetricFilter, Plan, Query, Severity, Subscription

Json = Any
Template = dict[str, Json]
Resources = dict[str, Json]

MOST_RESOURCES = quotas.STACK_RESOURCES - 50
MOST_BYTES = quotas.TEMPLATE_BYTES - 100_000
"""Room for the user's tags, and for what CloudFormation itself adds."""
_PERMISSION = "SubscriberPermission"
_STACK = "AWS::CloudFormation::Stack"


def templates(
    plan: Plan,
    *,
    page_topic: str = "",
    ticket_topic: str = "",
    subscriber_arn: str = "",
    dashboards: Mapping[str, Json] | None = None,
) -> dict[str, Template]:
    """Template name -> template; the first, ALARM_STACK, is the parent or the only one.

    Alarms go to the topic of their severity; an empty ARN means no action, no subscriber no subscriptions.
    `dashboards` is name -> body. InputError if the plan is for more than one account and Region.
    """
    _check_place(plan)
    topics = {Severity.PAGE: page_topic, Severity.TICKET: ticket_topic}
    groups = _groups(plan, topics=topics, subscriber_arn=subscriber_arn, dashboards=dashboards or {})
    shared = _permission(subscriber_arn) if subscriber_arn and plan.subscriptions else {}
    composites = _composites(plan, topics)
    whole = shared | _merged([*groups.values(), *composites.values()])
    if _fits(whole):
        return {names.ALARM_STACK: _template(whole)}
    return _nested(groups, composites, shared)
