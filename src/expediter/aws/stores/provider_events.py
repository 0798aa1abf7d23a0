"""The processed events of payment providers, so that a repeat is recognised."""

from typing import TYPE_CHECKING

from expediter.app.payments.events import Event, Topic
from expediter.aws.failures import unavailable
from expediter.aws.stores.items import DynamoItem, numbers, texts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

#: Seconds that an event is kept. Stripe sends one again for 30 days at most (https://docs.stripe.com/webhooks).
KEPT = 31 * 24 * 3600


class DynamoEvents:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def known(self, provider: str, event: Event) -> bool:
        with unavailable():
            found = self._client.get_item(TableName=self._table, Key=_key(provider, event), ConsistentRead=True)
        return "Item" in found

    def keep(self, provider: str, event: Event, *, acted: bool, now: int) -> None:
        """``acted``: something followed from it."""
        outcome = "acted" if acted else "unknown" if event.topic is Topic.UNKNOWN else "nothing"
        row = texts(type=event.type, order_id=event.order_id, outcome=outcome)
        kept = {**_key(provider, event), **row, **numbers(at=now, expires_at=now // 1000 + KEPT)}
        with unavailable():
            self._client.put_item(TableName=self._table, Item=kept)


def _key(provider: str, event: Event) -> DynamoItem:
    return texts(id=f"{provider}#{event.id}")
