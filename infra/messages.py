"""The queues of orders and of events, each with its dead-letter queue, what the streams' functions dropped, and the
topics.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from expediter.aws.stores.queue import MAX_RECEIVES

#: Seconds. Six times the intake's timeout, as AWS asks for, so that a message is not seen twice while it is worked on.
VISIBILITY = 6 * 30


class Messages(Construct):
    def __init__(self, scope: Construct, email: str) -> None:
        super().__init__(scope, "Messages")
        self.dead = self._queue("DeadLetters")
        self.orders = self._queue("Orders", self.dead)
        self.dead_events = self._queue("DeadEvents")
        self.events = self._queue("Events", self.dead_events)
        self.dropped = self._queue("Dropped")
        self.operators = self._topic("Operators", "Orders: news for operators", email)
        self.alarms = self._topic("Alarms", "Orders: alarms", email)
        # A topic with a policy of its own loses the default one, which lets alarms in.
        self.alarms.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[self.alarms.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )

    def _queue(self, name: str, dead: sqs.Queue | None = None) -> sqs.Queue:
        """``dead``: where what could not be processed goes."""
        return sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=cdk.Duration.seconds(VISIBILITY) if dead else None,
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=MAX_RECEIVES) if dead else None,
        )

    def _topic(self, name: str, shown: str, email: str) -> sns.Topic:
        topic = sns.Topic(self, name, display_name=shown, enforce_ssl=True)
        sns.Subscription(self, f"{name}Mail", topic=topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=email)
        return topic
