"""Orders and ledger entries as DynamoDB items, with the keys that lists are sorted by."""

from typing import Any, TypeAlias
from zlib import crc32

import msgspec

from expediter.aws.stores.tables import SHARDS
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Order, Status

#: An item in the form of the low-level client: ``{"id": {"S": "…"}, "version": {"N": "3"}}``.
DynamoItem: TypeAlias = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Order).decode


def texts(**values: str | None) -> DynamoItem:
    """Text attributes, without those that are None."""
    return {name: {"S": str(value)} for name, value in values.items() if value is not None}


def numbers(**values: int) -> DynamoItem:
    return {name: {"N": str(value)} for name, value in values.items()}


def sortable(at: int) -> str:
    """A time (ms since 1970 UTC) as a text that sorts by time."""
    return f"{at:015d}"


def created(order: Order) -> str:
    """The sort key of lists: when the order was made, then its id for orders of the same millisecond."""
    return f"{sortable(order.created_at)}#{order.id}"


def shards() -> list[str]:
    """The names of all shards."""
    return [f"{number:02}" for number in range(SHARDS)]


def shard(order_id: str) -> str:
    """The shard of this order. Ids are spread evenly over the shards."""
    return f"{crc32(order_id.encode()) % SHARDS:02}"


def status_shard(status: Status, name: str) -> str:
    return f"{status}#{name}"


def item_of(order: Order) -> DynamoItem:
    """The order's row. A deleted order has no ``created``, so it is in no index."""
    name = shard(order.id)
    row = texts(
        user_id=order.user_id,
        id=order.id,
        body=_encode(order).decode(),
        status=order.status,
        restaurant_id=order.restaurant_id,
        shard=name,
        status_shard=status_shard(order.status, name),
        created=None if order.deleted_at is not None else created(order),
    )
    return {**row, **numbers(version=order.version)}


def order_of(row: DynamoItem) -> Order:
    return _decode(row["body"]["S"])


def entry_of(row: DynamoItem) -> LedgerEntry:
    return LedgerEntry(
        order_id=row["order_id"]["S"],
        kind=EntryKind(row["kind"]["S"]),
        key=row["key"]["S"],
        amount=int(row["amount"]["N"]),
        currency=row["currency"]["S"],
        at=int(row["at"]["N"]),
        reference=row.get("reference", {}).get("S"),
    )
