"""The DynamoDB tables as data: what their keys are, which indexes they have, who follows their changes.

    orders     an order as JSON beside the keys that lists go by; a row is one customer's (user_id) order (id)
    claims     the ids that are taken, by what and by whom: the strongly consistent way from an order's id to its row
    ledger     every movement of money, written once
    mail       the outbox: every mail that an order's end calls for, written once, in the transaction of that end

Two indexes are sparse, so that what was forgotten is found without a scan: ``unsent`` has the mails that are not sent,
``untold`` the orders whose end no subscriber was told of. The rows lose their key when it is done.

Lists need no scan. The indexes hold keys alone, so that a change of an order that moves no key costs them nothing.

DynamoDB writes a key's rows 1,000 times a second at most, an index that is slower holds up its table, and every new
order has the same status. So what would be one key of an index for all orders is SHARDS of them: an order's id says
which, and a list reads them all and merges. docs/reference/aws-ceilings.md says how many orders a second a key allows.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-sharding.html
"""

from enum import StrEnum

import msgspec


class Index(msgspec.Struct, frozen=True):
    """A global secondary index of keys only, newest first by ``created``."""

    name: str
    hash: str
    range: str = "created"


class Table(msgspec.Struct, frozen=True):
    """``range`` None: a row is known by its hash key alone. All keys are strings."""

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


#: Keys that stand for one where all orders would meet. There may be more later, as old orders stay where they are,
#: but never fewer.
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
)
