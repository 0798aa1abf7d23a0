"""The two outside parties, payment provider and restaurant: what is said to them, and who they are.

    party.py       Simulated(decline) | Remote(url), as written in EXPEDITER_PAYMENTS and EXPEDITER_RESTAURANT
    simulated.py   the answers of a simulated party: a hash of the order id
    http.py        requests and responses as values; a conversation is a generator of the one that takes the other
    payment.py     the conversation about a charge or a refund
    restaurant.py  the conversation about a handover or a withdrawal

Nothing here opens a connection: the server drives a conversation asynchronously, a Lambda function with blocking calls.
"""

from expediter.app.parties.http import MAX_ANSWER, Conversation, HttpRequest, HttpResponse, NoAnswer, cleaned
from expediter.app.parties.party import Party, Remote, Role, Simulated, parse_party, role
from expediter.app.parties.payment import payment
from expediter.app.parties.restaurant import restaurant
from expediter.app.parties.simulated import answered, declines

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
