"""Stripe, spoken plainly over HTTP with a pinned version (docs/decisions/0050-stripe-by-plain-calls.md).

amounts.py   the order's money in the units that Stripe counts in
messages.py  requests, and what comes back
books.py     the conversation about a payment's refunds and disputes
payments.py  the conversations about a charge, a refund, and what became of a charge's key
"""

from expediter.app.gateways.stripe.books import look_up
from expediter.app.gateways.stripe.payments import charge, find, refund

__all__ = ["charge", "find", "look_up", "refund"]
