"""Takes orders from another home in: rows, ledger and claims, each once however often it is tried."""

from typing import TYPE_CHECKING

from expediter.app.operator.export import Belongings
from expediter.app.ports import Claim, Outcome
from expediter.aws import clients
from expediter.aws.deployed import tables_of
from expediter.aws.stores.claims import DynamoClaims
from expediter.aws.stores.orders import DynamoOrders, Tables
from expediter.domain.errors import OrderChanged

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


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
    tables = tables_of(name)
    return NewHome(clients.dynamodb(), tables)
