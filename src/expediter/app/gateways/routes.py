"""The table of calls: for each kind, the gateway that it goes through and the ways to make it."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar, cast

import msgspec

from expediter.app.gateways import payment, restaurant, simulated
from expediter.app.gateways.gateway import GatewayName
from expediter.app.gateways.http import Conversation, Secret
from expediter.app.tasks.calls import Answer, Call, Charge, HandOver, Refund, Withdraw

C = TypeVar("C")


class Route(msgspec.Struct, Generic[C], frozen=True):
    """How calls of one kind are made.

    ``simulate``: the answer of a simulated gateway that declines this share (0 to 1) of all orders. ``converse``: the
    conversation with a remote one, at this time (ms since 1970 UTC), with the secret that signs or authorizes it.
    """

    gateway: GatewayName
    simulate: Callable[[float, C], Answer]
    converse: Callable[[C, int, Secret], Conversation]


#: Every kind of call, each with the route of its own kind.
ROUTES = cast(
    Mapping[type[Call], Route[Call]],
    {
        Charge: Route(GatewayName.PAYMENTS, simulated.charge, payment.charge),
        Refund: Route(GatewayName.PAYMENTS, simulated.refund, payment.refund),
        HandOver: Route(GatewayName.RESTAURANT, simulated.hand_over, restaurant.hand_over),
        Withdraw: Route(GatewayName.RESTAURANT, simulated.withdraw, restaurant.withdraw),
    },
)
