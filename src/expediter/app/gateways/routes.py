"""The table of calls: for each kind, the gateway that it goes through and the ways to make it."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeAlias, TypeVar, cast

import msgspec

from expediter.app.gateways import payment, restaurant, simulated, stripe
from expediter.app.gateways.gateway import Gateway, GatewayName, Remote, Stripe
from expediter.app.gateways.http import Conversation, Finding, Secret
from expediter.app.tasks.calls import Answer, AnyCall, Charge, HandOver, LookUp, Refund, Withdraw

C = TypeVar("C")
Converse: TypeAlias = Callable[[C, int, Secret], Conversation]


class Route(msgspec.Struct, Generic[C], frozen=True):
    """How calls of one kind are made.

    ``simulate``: the answer of a simulated gateway that declines this share (0 to 1) of all orders. ``converse``: for
    each kind of gateway to a server, the conversation with it, at this time (ms since 1970 UTC), with the secret that
    signs or authorizes it.
    """

    gateway: GatewayName
    simulate: Callable[[float, C], Answer]
    converse: Mapping[type[Gateway], Converse[C]]


#: Every kind of call, each with the route of its own kind.
ROUTES = cast(
    Mapping[type[AnyCall], Route[AnyCall]],
    {
        Charge: Route(GatewayName.PAYMENTS, simulated.charge, {Remote: payment.charge, Stripe: stripe.charge}),
        Refund: Route(GatewayName.PAYMENTS, simulated.refund, {Remote: payment.refund, Stripe: stripe.refund}),
        LookUp: Route(GatewayName.PAYMENTS, simulated.look_up, {Remote: payment.look_up, Stripe: stripe.look_up}),
        HandOver: Route(GatewayName.RESTAURANT, simulated.hand_over, {Remote: restaurant.hand_over}),
        Withdraw: Route(GatewayName.RESTAURANT, simulated.withdraw, {Remote: restaurant.withdraw}),
    },
)

#: What is asked about the key of a charge, by the kind of payments gateway.
FIND: Mapping[type[Gateway], Callable[[str, Secret], Finding]] = {Remote: payment.find, Stripe: stripe.find}
