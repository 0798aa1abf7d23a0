"""The DynamoDB tables as data: what their keys are, which indexes they have, who follows their changes.

    orders     an order as JSON beside the keys that lists go by; a row is one customer's (user_id) order (id)
    claims     the ids that are taken, by what and by whom: the strongly consistent way from an order's id to its row
    ledger     every movement of money, written once
    mail       the outbox: every mail that an order's end calls for, written once, in the transaction of that end

Lists need no scan: an order's month is part of the keys of the indexes for operators, and ``claims`` holds under MONTHS
which months there are. The indexes hold keys alone, so that a change of an order that moves no key costs them nothing.
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


#: The row of ``claims`` that holds the months of all orders; no order has this id, because orders' ids are UUIDs.
MONTHS = "months"

BY_USER = Index("by_user", "user_id")
BY_STATUS = Index("by_status", "status_month")
BY_RESTAURANT = Index("by_restaurant", "restaurant_month")

TABLES: tuple[Table, ...] = (
    Table(Name.ORDERS, "user_id", "id", indexes=(BY_USER, BY_STATUS, BY_RESTAURANT), stream=True),
    Table(Name.CLAIMS, "id"),
    Table(Name.LEDGER, "order_id", "entry"),
    Table(Name.MAIL, "order_id", "mail", stream=True),
)
