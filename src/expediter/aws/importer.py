"""Imports exported orders into DynamoDB: order, ledger and claim. Importing an order again changes nothing."""

from typing import TYPE_CHECKING

from expediter.app.operator.export import ExportedOrder
from expediter.app.ports import Claim, Outcome
from expediter.aws import clients
from expediter.aws.deployed import tables_of
from expediter.aws.stores.claims import DynamoClaims
from expediter.aws.stores.orders import DynamoOrders, Tables
from expediter.domain.errors import OrderChanged

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class Importer:
    def __init__(self, client: "DynamoDBClient", tables: Tables) -> None:
        self._orders = DynamoOrders(client, tables)
        self._claims = DynamoClaims(client, tables.claims)

    def add(self, one: ExportedOrder) -> bool:
        """Adds the order. Returns False when it is there already.

        Raises IdempotencyKeyReused when the id belongs to another order, OrderChanged when the order changed here.
        """
        self._claims.claim(Claim(one.order.id, one.fingerprint))
        try:
            self._orders.apply(None, Outcome(one.order, entries=one.entries))
        except OrderChanged:
            if self._orders.find(one.order.id) != one.order:
                raise
            return False
        return True


def importer_of(name: str) -> Importer:
    """The importer of this stack, with the rights of the account that is signed in. Raises StackUnknown."""
    tables = tables_of(name)
    return Importer(clients.dynamodb(), tables)
