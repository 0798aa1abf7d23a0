"""AWS as far as moto goes: the tables of ``tables.TABLES``, the queues, the state machine, on clients of their own."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from expediter import contracts
from expediter.app.ports import Work
from expediter.aws.stores.claims import DynamoClaims
from expediter.aws.stores.dead_letters import SqsDeadLetters
from expediter.aws.stores.orders import DynamoOrders, Tables
from expediter.aws.stores.queue import MAX_RECEIVES, SqsQueue
from expediter.aws.stores.refunds import SqsRefunds
from expediter.aws.stores.tables import TABLES, Table
from expediter.aws.workflows import StepFunctions
from tests.support.clock import NOON
from tests.support.values import SETTINGS

REGION = "us-east-1"
#: Names that moto's clients sign with; nothing is ever sent to AWS.
KEYS = ("testing", "testing")
ROLE = "arn:aws:iam::123456789012:role/orders"


def make_table(client: Any, table: Table) -> None:
    keys = {table.hash: "HASH"} | ({table.range: "RANGE"} if table.range else {})
    names = {*keys, *(name for index in table.indexes for name in (index.hash, index.range))}
    indexes = [
        {
            "IndexName": index.name,
            "KeySchema": _schema({index.hash: "HASH", index.range: "RANGE"}),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        for index in table.indexes
    ]
    client.create_table(
        TableName=table.name,
        KeySchema=_schema(keys),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )


def _schema(keys: dict[str, str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()]


class AwsAdapters:
    """The second adapter set over moto. SQS's clock is the unit's: its module is told ``now`` for the time."""

    def __init__(self) -> None:
        self._now = NOON
        self._ticks = 0
        self._mocks: list[AbstractContextManager[Any]] = [
            mock_aws(),
            patch("moto.sqs.models.unix_time_millis", self._time),
            patch("moto.sqs.models.unix_time", lambda *_: self._time() / 1000),
        ]
        for mock in self._mocks:
            mock.__enter__()
        self.session = session = boto3.Session(*KEYS, region_name=REGION)
        self.dynamodb = session.client("dynamodb")
        self.sqs = session.client("sqs")
        self.stepfunctions = session.client("stepfunctions")
        for table in TABLES:
            make_table(self.dynamodb, table)
        self.dead_url = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.queue_url = self._queue()
        self.events_url = self.sqs.create_queue(QueueName="events")["QueueUrl"]
        self.machine = self._machine()

    def _queue(self) -> str:
        dead = self.sqs.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]
        redrive = f'{{"deadLetterTargetArn": "{dead["QueueArn"]}", "maxReceiveCount": {MAX_RECEIVES}}}'
        return self.sqs.create_queue(
            QueueName="orders", Attributes={"VisibilityTimeout": "30", "RedrivePolicy": redrive}
        )["QueueUrl"]

    def _machine(self) -> str:
        definition = contracts.read("order.asl.json").decode()
        made = self.stepfunctions.create_state_machine(name="orders", definition=definition, roleArn=ROLE)
        return str(made["stateMachineArn"])

    @contextmanager
    def unit(self, now: int = NOON) -> Iterator[Work]:
        self._now = now
        yield self.work(now)

    def work(self, now: int = NOON) -> Work:
        tables = Tables(*(table.name for table in TABLES[:4]))
        queue = SqsQueue(self.sqs, self.queue_url, self.dead_url)
        return Work(
            orders=DynamoOrders(self.dynamodb, tables),
            claims=DynamoClaims(self.dynamodb, tables.claims),
            queue=queue,
            dead_letters=SqsDeadLetters(self.sqs, self.dead_url, queue),
            workflows=StepFunctions(self.stepfunctions, self.machine, self.dynamodb, tables.claims),
            refunds=SqsRefunds(self.sqs, self.events_url),
            settings=SETTINGS,
            now=now,
        )

    def _time(self) -> float:
        """Milliseconds. It moves on a little at every look: at the very instant of a timeout moto says "not yet"."""
        self._ticks += 1
        return self._now + self._ticks / 10_000

    def close(self) -> None:
        for mock in reversed(self._mocks):
            mock.__exit__(None, None, None)
