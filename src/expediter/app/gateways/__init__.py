"""The two gateways, to the payment provider and to the restaurant: their requests and their answers.

    gateway.py     Simulated(decline) | Remote(url), as written in EXPEDITER_PAYMENTS and EXPEDITER_RESTAURANT
    routes.py      the table of calls: for each kind its gateway, its simulated answer and its conversation
    simulated.py   the answers of a simulated gateway: a hash of the order id
    http.py        requests and responses as values; a conversation is a generator of the one that takes the other
    payment.py     the conversations about a charge, a refund, and what became of a charge's key
    restaurant.py  the conversations about a handover and a withdrawal

Nothing here opens a connection: the server drives a conversation asynchronously, a Lambda function with blocking calls.
"""

from expediter.app.gateways.gateway import Gateway, GatewayName, Remote, Simulated, parse_gateway
from expediter.app.gateways.http import MAX_ANSWER, Conversation, HttpRequest, HttpResponse, NoAnswer, Secret, cleaned
from expediter.app.gateways.routes import ROUTES, Route
from expediter.app.gateways.simulated import declines

__all__ = [
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
    "cleaned",
    "declines",
    "parse_gateway",
]
