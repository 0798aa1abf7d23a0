"""Values that tests begin with."""

from typing import Any

import msgspec

from expediter.app.ports import OrderSettings
from expediter.domain.order import Item, Order
from tests.support.clock import NOON

#: An order's id like those that the server gives.
ID = "01a206e5-3824-7c6c-8760-59ff598e9282"
SETTINGS = OrderSettings()

_ORDER = Order(
    id=ID,
    user_id="ann",
    restaurant_id="Restaurant 4",
    name="Burger",
    items=(Item("Burger", 3, 1000),),
    currency="USD",
    created_at=NOON,
    updated_at=NOON,
)


def an_order(**fields: Any) -> Order:
    """A new order of three burgers for 3000 minor units, as it stands in PENDING, with other ``fields``."""
    return msgspec.structs.replace(_ORDER, **fields)
