"""The DynamoDB tables as data: their keys, their indexes, and the functions that read their streams.

    orders     an order as JSON, with the keys that lists are sorted by; a row is one customer's (user_id) order (id)
    claims     which ids are taken, with fingerprint and owner: a consistent way from an order's id to its row
    ledger     every movement of money, written once
    events     what was done once, so that a repeat is recognised: the payment provider's events, and acts under a key
    mail       the outbox: the mails about an order's end, written once, in the transaction of that end

Two indexes are sparse, so that what was not sent is found without a scan: ``unsent`` has the mails that are not sent,
``untold`` the orders whose end was not published. A row loses its key in the index when it is done.

Lists need no scan. The indexes hold only keys, so a change of an order that changes no key costs them nothing.

DynamoDB accepts 1,000 writes a second for one key, and an index that is slower holds up its table. Every new order has
the same status. So an index key that all orders would share is split into SHARDS: an order's id decides which, and a
list reads all and merges them. docs/reference/aws-ceilings.md says how many orders a second a key allows.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-sharding.html
"""

from enum import StrEnum

import msgspec


class Index(msgspec.Struct, frozen=True):
    """A global secondary index of keys only, sorted by ``created``, newest first."""

    name: str
    hash: str
    range: str = "created"


class Table(msgspec.Struct, frozen=True):
    """``range`` None: the hash key alone identifies a row. All keys are strings."""

    name: str
    hash: str
    range: str | None = None
    indexes: tuple[Index, ...] = ()
    stream: bool = False
    expires: str | None = None


class Name(StrEnum):
    ORDERS = "orders"
    CLAIMS = "claims"
    LEDGER = "ledger"
    MAIL = "mail"
    EVENTS = "events"


#: Shards of a key that all orders share. There may be more later, because old orders stay in their shards, but never
#: fewer.
SHARDS = 64

BY_USER = Index("by_user", "user_id")
BY_RESTAURANT = Index("by_restaurant", "restaurant_id")
BY_STATUS = Index("by_status", "status_shard")
BY_TIME = Index("by_time", "shard")
UNTOLD = Index("untold", "untold", "ended")
UNSENT = Index("unsent", "unsent")

TABLES: tuple[Table, ...] = (
    Table(Name.ORDERS, "user_id", "id", indexes=(BY_USER, BY_RESTAURANT, BY_STATUS, BY_TIME, UNTOLD), stream=True),
    Table(Name.CLAIMS, "id"),
    Table(Name.LEDGER, "order_id", "entry"),
    Table(Name.MAIL, "order_id", "mail", indexes=(UNSENT,), stream=True, expires="expires_at"),
    Table(Name.EVENTS, "id", expires="expires_at"),
)
