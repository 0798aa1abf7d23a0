"""Reads Stripe's lists of payments, refunds and disputes, to compare orders and ledger with them."""

from collections.abc import Iterator
from contextlib import closing
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from expediter.app.gateways.stripe.amounts import in_our_units
from expediter.app.gateways.stripe.books import DISPUTES, TAKEN
from expediter.app.gateways.stripe.messages import VERSION
from expediter.app.gateways.stripe.payments import INTENTS, ON_ITS_WAY, REFUNDS
from expediter.app.operator.reconcile import Movement
from expediter.cli.on_disk import OnDisk

#: Seconds for one answer, and entries of one page: the most that Stripe gives.
TIMEOUT, PAGE = 60.0, 100
#: Milliseconds between the begin of a payment and our entry in the ledger at most: a payment waits for 30 days.
LONGEST_WAIT = 30 * 86_400_000


class _Payment(msgspec.Struct, frozen=True):
    id: str
    status: str
    amount: int
    currency: str
    created: int = 0
    metadata: dict[str, str] = {}


class _Return(msgspec.Struct, frozen=True):
    """A refund or a dispute."""

    id: str
    amount: int
    currency: str
    created: int = 0
    status: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] = {}


class _Payments(msgspec.Struct, frozen=True):
    data: tuple[_Payment, ...]
    has_more: bool


class _Returns(msgspec.Struct, frozen=True):
    data: tuple[_Return, ...]
    has_more: bool


P = TypeVar("P", _Payments, _Returns)


def movements(url: str, key: str, since: int | None = None) -> Iterator[Movement]:
    """Every movement of money for an order of ours, page by page; other payments of the account are passed over.

    ``since``: ms since 1970 UTC; what began LONGEST_WAIT before that or later, and may be booked since. The key of a
    refund that somebody made by hand has Stripe's id in it. Raises httpx.HTTPError, msgspec.DecodeError.
    """
    begun = {} if since is None else {"created[gte]": str((since - LONGEST_WAIT) // 1000)}
    headers = {"Authorization": f"Bearer {key}", "Stripe-Version": VERSION}
    with (
        closing(OnDisk(str)) as orders,
        httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False) as client,
    ):
        for payments in _pages(client, INTENTS, _Payments, begun):
            for paid in payments.data:
                ours, order_id = paid.metadata.get("charge_key"), paid.metadata.get("order_id", "")
                if ours is not None and paid.status == "succeeded":
                    orders[paid.id] = order_id
                    yield _movement(ours, "charge", order_id, paid)
        for path, kind, moved in ((REFUNDS, "refund", ON_ITS_WAY), (DISPUTES, "dispute", TAKEN)):
            for returns in _pages(client, path, _Returns, begun):
                for back in returns.data:
                    order_id = _order_of(client, back, orders, asked=since is not None) if back.status in moved else ""
                    if order_id:
                        ours = back.metadata.get("refund_key", f"{order_id}/{kind}/{back.id}")
                        yield _movement(ours, kind, order_id, back)


def _order_of(client: httpx.Client, back: _Return, orders: OnDisk[str], *, asked: bool) -> str:
    """The order whose payment it is about; empty: none of ours. ``asked``: the payment may be older than those that
    were listed, and then Stripe is asked for it.
    """
    payment = back.payment_intent or ""
    if payment in orders or not asked or not payment:
        return orders.get(payment, "")
    found = client.get(f"{INTENTS}/{quote(payment, safe='')}").raise_for_status()
    metadata = msgspec.json.decode(found.content, type=_Payment).metadata
    order_id = metadata.get("order_id", "") if "charge_key" in metadata else ""
    orders[payment] = order_id
    return order_id


def _movement(key: str, kind: str, order_id: str, moved: _Payment | _Return) -> Movement:
    currency = moved.currency.upper()
    return Movement(key, kind, order_id, in_our_units(moved.amount, currency), currency, moved.created * 1000)


def _pages(client: httpx.Client, path: str, shape: type[P], begun: dict[str, str]) -> Iterator[P]:
    query = {"limit": str(PAGE), **begun}
    while True:
        page = msgspec.json.decode(client.get(path, params=query).raise_for_status().content, type=shape)
        yield page
        if not page.has_more or not page.data:
            return
        query["starting_after"] = page.data[-1].id
