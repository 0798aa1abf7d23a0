"""Access to a deployed stack from a shell, with the rights of the AWS account that is signed in."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from expediter.aws import clients
from expediter.aws.stores.items import shard
from expediter.aws.stores.orders import DynamoOrders, Tables
from expediter.domain.ledger import LedgerEntry
from expediter.domain.order import Order

OrdersWithEntries: TypeAlias = Callable[[], Iterator[tuple[Order, tuple[LedgerEntry, ...]]]]


class StackUnknown(Exception):
    """There is no such stack in this account and region, or no account is signed in."""


def tables_of(stack: str) -> Tables:
    """The names of the stack's tables. Raises StackUnknown."""
    try:
        (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        outputs = {it["OutputKey"]: it["OutputValue"] for it in found.get("Outputs", [])}
        return Tables(*(outputs[f"{table}Table"] for table in ("Orders", "Claims", "Ledger", "Mail")))
    except KeyError as error:
        raise StackUnknown(f"The stack {stack} has no output {error}.") from error
    except (BotoCoreError, ClientError) as error:
        raise StackUnknown(f"AWS cannot describe the stack {stack}: {error}. Sign in, or name another.") from error


def resend(stack: str, order_id: str) -> int:
    """Marks the order's unsent mails, also refused ones, for the next sweep. Returns how many. Raises StackUnknown."""
    table, client = tables_of(stack).mail, clients.dynamodb()
    found = client.query(
        TableName=table,
        KeyConditionExpression="order_id = :id",
        ExpressionAttributeValues={":id": {"S": order_id}},
        ConsistentRead=True,
    )["Items"]
    left = [row for row in found if "sent_at" not in row]
    for row in left:
        client.update_item(
            TableName=table,
            Key={"order_id": row["order_id"], "mail": row["mail"]},
            UpdateExpression="SET unsent = :shard REMOVE refused_at",
            ConditionExpression="attribute_not_exists(sent_at)",
            ExpressionAttributeValues={":shard": {"S": shard(order_id)}},
        )
    return len(left)


def orders_of(stack: str) -> OrdersWithEntries:
    """Every order of the stack with its ledger. It reads the whole table. Raises StackUnknown."""
    tables = tables_of(stack)
    return DynamoOrders(clients.dynamodb(), tables).with_entries
