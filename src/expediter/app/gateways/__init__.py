"""The two gateways, to the payment provider and to the restaurant: their requests and their answers.

    gateway.py     Simulated(decline) | Remote(url) | Stripe(url), as written in EXPEDITER_PAYMENTS and _RESTAURANT
    routes.py      the table of calls: for each kind its gateway, its simulated answer and its conversation
    simulated.py   the answers of a simulated gateway: a hash of the order id
    http.py        requests and responses as values; a conversation is a generator of the one that takes the other
    charging.py    what holds for every payment provider: look before anything is repeated
    payment.py     the conversations about a charge, a refund, and what became of a charge's key
    stripe/        the same with Stripe
    restaurant.py  the conversations about a handover and a withdrawal

Nothing here opens a connection: the server drives a conversation asynchronously, a Lambda function with blocking calls.
"""

from expediter.app.gateways.gateway import (
    Gateway,
    GatewayName,
    Remote,
    Simulated,
    Stripe,
    parse_gateway,
    parse_payments,
    parse_stripe,
)
from expediter.app.gateways.http import MAX_ANSWER, Conversation, HttpRequest, HttpResponse, NoAnswer, Secret, cleaned
from expediter.app.gateways.routes import FIND, ROUTES, Route
from expediter.app.gateways.simulated import declines

__all__ = [
    "FIND",
    "MAX_ANSWER",
    "ROUTES",
    "Conversation",
    "Gateway",
    "GatewayName",
    "HttpRequest",
    "HttpResponse",
    "NoAnswer",
    "Remote",
    "Route",
    "Secret",
    "Simulated",
    "Stripe",
    "cleaned",
    "declines",
    "parse_gateway",
    "parse_payments",
    "parse_stripe",
]
