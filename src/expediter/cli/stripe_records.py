"""Reads Stripe's list of payments and refunds, to compare orders and ledger with it."""

from collections.abc import Iterator
from typing import TypeVar

import httpx
import msgspec

from expediter.app.gateways.stripe.amounts import in_our_units
from expediter.app.gateways.stripe.messages import VERSION
from expediter.app.gateways.stripe.payments import INTENTS, ON_ITS_WAY, REFUNDS
from expediter.app.operator.reconcile import Movement

#: Seconds for one answer, and entries of one page: the most that Stripe gives.
TIMEOUT, PAGE = 60.0, 100


class _Payment(msgspec.Struct, frozen=True):
    id: str
    status: str
    amount: int
    currency: str
    metadata: dict[str, str] = {}


class _Refund(msgspec.Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] = {}


class _Payments(msgspec.Struct, frozen=True):
    data: tuple[_Payment, ...]
    has_more: bool


class _Refunds(msgspec.Struct, frozen=True):
    data: tuple[_Refund, ...]
    has_more: bool


P = TypeVar("P", _Payments, _Refunds)


def movements(url: str, key: str) -> Iterator[Movement]:
    """Every movement of money for an order of ours, page by page; other payments of the account are passed over.

    The key of a refund that somebody made by hand has Stripe's id in it. Raises httpx.HTTPError, msgspec.DecodeError.
    """
    headers = {"Authorization": f"Bearer {key}", "Stripe-Version": VERSION}
    orders: dict[str, str] = {}
    with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False) as client:
        for payments in _pages(client, INTENTS, _Payments):
            for paid in payments.data:
                ours, order_id = paid.metadata.get("charge_key"), paid.metadata.get("order_id", "")
                if ours is not None and paid.status == "succeeded":
                    orders[paid.id] = order_id
                    yield _movement(ours, "charge", order_id, paid)
        for refunds in _pages(client, REFUNDS, _Refunds):
            for back in refunds.data:
                if back.status in ON_ITS_WAY and back.payment_intent in orders:
                    order_id = orders[back.payment_intent]
                    ours = back.metadata.get("refund_key", f"{order_id}/refund/{back.id}")
                    yield _movement(ours, "refund", order_id, back)


def _movement(key: str, kind: str, order_id: str, moved: _Payment | _Refund) -> Movement:
    currency = moved.currency.upper()
    return Movement(key, kind, order_id, in_our_units(moved.amount, currency), currency)


def _pages(client: httpx.Client, path: str, shape: type[P]) -> Iterator[P]:
    query = {"limit": str(PAGE)}
    while True:
        page = msgspec.json.decode(client.get(path, params=query).raise_for_status().content, type=shape)
        yield page
        if not page.has_more or not page.data:
            return
        query["starting_after"] = page.data[-1].id
