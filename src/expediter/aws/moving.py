"""Takes orders from another home in: rows, ledger and claims, each once however often it is tried."""

from typing import TYPE_CHECKING

import boto3

from expediter.app.moving import Belongings
from expediter.app.ports import Claim, Outcome
from expediter.aws import clients
from expediter.aws.claims import DynamoClaims
from expediter.aws.order_store import DynamoOrders, Tables
from expediter.domain.errors import OrderChanged

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class StackUnknown(Exception):
    """There is no such stack in this account and region, or it has no tables. Sign in, or name another."""


class NewHome:
    def __init__(self, client: "DynamoDBClient", tables: Tables) -> None:
        self._orders = DynamoOrders(client, tables)
        self._claims = DynamoClaims(client, tables.claims)

    def take_in(self, one: Belongings) -> bool:
        """False when it is here already. Raises IdempotencyKeyReused when its id stands for another order here, and
        OrderChanged when the order went on here."""
        self._claims.claim(Claim(one.order.id, one.fingerprint))
        try:
            self._orders.apply(None, Outcome(one.order, entries=one.entries))
        except OrderChanged:
            if self._orders.find(one.order.id) != one.order:
                raise
            return False
        return True


def of_stack(name: str) -> NewHome:
    """The home that this stack is, in the account that is signed in to. Raises StackUnknown."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    found = {
        it["LogicalResourceId"][:-8]: it["PhysicalResourceId"]
        for page in pages
        for it in page["StackResourceSummaries"]
        if it["ResourceType"] == "AWS::DynamoDB::Table"
    }
    try:
        tables = Tables(*(found[f"Store{table}"] for table in ("Orders", "Claims", "Ledger", "Mail")))
    except KeyError as error:
        raise StackUnknown(f"The stack {name} has no table {error}.") from error
    return NewHome(clients.dynamodb(), tables)
