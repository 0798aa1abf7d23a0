"""Stripe, spoken plainly over HTTP with a pinned version (docs/decisions/0050-stripe-by-plain-calls.md).

amounts.py   the order's money in the units that Stripe counts in
messages.py  requests, and what comes back
payments.py  the conversations about a charge, a refund, and what became of a charge's key
"""

from expediter.app.gateways.stripe.payments import charge, find, refund

__all__ = ["charge", "find", "refund"]
