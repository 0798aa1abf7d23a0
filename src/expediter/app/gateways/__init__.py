"""The two outside parties, payment provider and restaurant: what is said to them, and who they are.

    party.py       Simulated(decline) | Remote(url), as written in EXPEDITER_PAYMENTS and EXPEDITER_RESTAURANT
    simulated.py   the answers of a simulated party: a hash of the order id
    http.py        requests and responses as values; a conversation is a generator of the one that takes the other
    payment.py     the conversation about a charge or a refund
    restaurant.py  the conversation about a handover or a withdrawal

Nothing here opens a connection: the server drives a conversation asynchronously, a Lambda function with blocking calls.
"""

from expediter.app.gateways.gateway import Party, Remote, Role, Simulated, parse_party, role
from expediter.app.gateways.http import MAX_ANSWER, Conversation, HttpRequest, HttpResponse, NoAnswer, cleaned
from expediter.app.gateways.payment import payment
from expediter.app.gateways.restaurant import restaurant
from expediter.app.gateways.simulated import answered, declines

__all__ = [
    "MAX_ANSWER",
    "Conversation",
    "HttpRequest",
    "HttpResponse",
    "NoAnswer",
    "Party",
    "Remote",
    "Role",
    "Simulated",
    "answered",
    "cleaned",
    "declines",
    "parse_party",
    "payment",
    "restaurant",
    "role",
]
