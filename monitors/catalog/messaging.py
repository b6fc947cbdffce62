"""Rows: SQS queues, dead-letter queues among them, and SNS topics.

Metrics: "Available CloudWatch metrics for Amazon SQS" (Amazon SQS Developer Guide), "CloudWatch metrics for Amazon SNS"
(Amazon SNS Developer Guide). Levels: "Recommended alarms" (Amazon CloudWatch User Guide) or as the reason says.
"""

from functools import partial

from monitors import quotas
from monitors.catalog.rows import Fixed, Learned, Rule, Service, Share, has, lacks, published
from monitors.catalog.shapes import never, traffic, unusual
from monitors.model import Severity

SERVICES = (
    Service(id="sqs", title="SQS queue"),
    Service(id="sns", title="SNS topic"),
)

_queue = partial(published, "sqs", namespace="AWS/SQS", dimensions={"QueueName": "{name}"})
_topic = partial(published, "sns", namespace="AWS/SNS", dimensions={"TopicName": "{name}"}, statistic="Sum")
_WORK = (lacks("is_dead_letter_queue"),)
_DEAD = (has("is_dead_letter_queue"),)

METRICS = (
    *_queue("ApproximateAgeOfOldestMessage", statistic="Maximum", unit="Seconds"),
    *_queue(
        "ApproximateNumberOfMessagesVisible ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesDelayed",
        statistic="Maximum",
    ),
    *_queue(
        "NumberOfMessagesSent NumberOfMessagesReceived NumberOfMessagesDeleted NumberOfEmptyReceives",
        statistic="Sum",
    ),
    *_queue("SentMessageSize", statistic="Maximum", unit="Bytes"),
    *_queue("ApproximateNumberOfGroupsWithInflightMessages", statistic="Maximum", when=(has("fifo"),)),
    *_queue("NumberOfDeduplicatedSentMessages", statistic="Sum", when=(has("fifo"),)),
    *_topic(
        "NumberOfMessagesPublished NumberOfNotificationsDelivered NumberOfNotificationsFailed "
        "NumberOfNotificationsFilteredOut NumberOfNotificationsFilteredOut-MessageAttributes "
        "NumberOfNotificationsFilteredOut-MessageBody NumberOfNotificationsFilteredOut-InvalidAttributes "
        "NumberOfNotificationsFilteredOut-NoMessageAttributes NumberOfNotificationsFilteredOut-InvalidMessageBody "
        "NumberOfNotificationsRedrivenToDlq NumberOfNotificationsFailedToRedriveToDlq"
    ),
    *published(
        "sns",
        "PublishSize",
        namespace="AWS/SNS",
        dimensions={"TopicName": "{name}"},
        statistic="Maximum",
        unit="Bytes",
    ),
)

RULES = (
    Rule(
        id="sqs.age",
        title="Age of the oldest message",
        metrics=("ApproximateAgeOfOldestMessage",),
        unit="s",
        high=Learned(default=Fixed(1_800), cap=Share(0.8, "retention_s"), floor=Fixed(300)),
        datapoints=5,
        periods=5,
        severity=Severity.PAGE,
        when=_WORK,
        reason="Messages wait and nobody takes them: the consumer fails, is throttled, or is gone. At the end of the "
        "retention period they are deleted. Half an hour unless its history says otherwise, and at least five minutes.",
    ),
    Rule(
        id="sqs.backlog",
        title="Messages waiting",
        metrics=("ApproximateNumberOfMessagesVisible",),
        unit="messages",
        high=Learned(),
        period_s=300,
        datapoints=3,
        periods=3,
        severity=Severity.TICKET,
        when=_WORK,
        reason="More messages wait than usual: more arrives than the consumer gets done.",
    ),
    Rule(
        id="sqs.in_flight",
        title="Messages in flight",
        metrics=("ApproximateNumberOfMessagesNotVisible",),
        unit="messages",
        high=Learned(default=Fixed(0.8 * quotas.SQS_IN_FLIGHT), cap=Fixed(0.8 * quotas.SQS_IN_FLIGHT)),
        datapoints=5,
        periods=5,
        severity=Severity.TICKET,
        when=_WORK,
        reason="Messages are taken and not deleted. At 120,000 in flight the queue hands out no more.",
    ),
    traffic(
        "sqs.traffic",
        "NumberOfMessagesSent",
        title="Messages sent",
        unit="messages in 5 minutes",
        reason="Far fewer messages come in than usual: the producer has stopped. Far more: a loop or a flood. Messages "
        "that AWS moves here from another queue do not count.",
    ),
    never(
        "sqs.dead_letters",
        "ApproximateNumberOfMessagesVisible",
        title="Dead letters",
        unit="messages",
        when=_DEAD,
        reason="A message failed as often as it may and was set aside. Nobody will work on it until somebody looks: "
        "read it, mend what broke, and redrive the queue.",
    ),
    Rule(
        id="sqs.dead_letter_age",
        title="Dead letters about to expire",
        metrics=("ApproximateAgeOfOldestMessage",),
        unit="s",
        high=Share(0.8, "retention_s"),
        period_s=300,
        datapoints=1,
        periods=1,
        severity=Severity.PAGE,
        when=_DEAD,
        reason="The oldest dead letter has used up four fifths of the queue's retention; at five fifths it is deleted. "
        "In standard queues its age counts from when it was first sent.",
    ),
    unusual(
        "sns.failed",
        "NumberOfNotificationsFailed",
        title="Failed deliveries",
        unit="notifications in 5 minutes",
        default=Fixed(0),
        datapoints=1,
        periods=1,
        reason="The topic could not deliver to a subscriber, retries included.",
    ),
    never(
        "sns.redrive_failed",
        "NumberOfNotificationsFailedToRedriveToDlq",
        title="Dead-letter delivery failed",
        reason="A notification could neither be delivered nor put into the dead-letter queue, and is lost.",
    ),
    never(
        "sns.invalid_attributes",
        "NumberOfNotificationsFilteredOut-InvalidAttributes",
        title="Notifications with invalid attributes",
        severity=Severity.TICKET,
        opt_in=True,
        reason="Messages were not delivered since their attributes are malformed and a filter policy could not read "
        "them.",
    ),
    never(
        "sns.invalid_body",
        "NumberOfNotificationsFilteredOut-InvalidMessageBody",
        title="Notifications with invalid body",
        severity=Severity.TICKET,
        opt_in=True,
        reason="Messages were not delivered since their body is not the JSON that a filter policy reads.",
    ),
    traffic(
        "sns.delivered",
        "NumberOfNotificationsDelivered",
        title="Notifications delivered",
        unit="notifications in 5 minutes",
        opt_in=True,
        reason="Far fewer notifications reach the topic's subscribers than usual, failures and filters included. Far "
        "more: a flood.",
    ),
    never(
        "sns.redriven",
        "NumberOfNotificationsRedrivenToDlq",
        title="Notifications set aside",
        severity=Severity.TICKET,
        opt_in=True,
        reason="Notifications went to a subscription's dead-letter queue. Where that queue is watched, its own alarm "
        "tells the same.",
    ),
    traffic(
        "sns.traffic",
        "NumberOfMessagesPublished",
        title="Messages published",
        unit="messages in 5 minutes",
        reason="Far fewer messages are published than usual: the publisher has stopped. Far more: a loop or a flood.",
    ),
)
