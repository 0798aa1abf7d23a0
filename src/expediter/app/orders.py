"""What a customer or an operator does with orders: place, read, list, change, cancel, delete.

Another user's order is not found: whether it exists is nobody else's business.
"""

import msgspec

from expediter.app import addresses, intake
from expediter.app.access import OwnerRefused
from expediter.app.drafts import ChangeDraft, Draft, change_of, fingerprint, terms_of, write
from expediter.app.ports import Caller, Claim, Outcome, Page, Query, Work
from expediter.domain import order as rules
from expediter.domain.errors import OrderInvalid, OrderNotFound
from expediter.domain.order import Order


class Accepted(msgspec.Struct, frozen=True):
    """The order as accepted; ``replayed`` when the same order had been accepted under this key before."""

    order: Order
    replayed: bool


def accept(work: Work, caller: Caller, draft: Draft, order_id: str) -> Accepted:
    """Puts the order on the queue under ``order_id`` (a UUID: the client's idempotency key, or a new one).

    The same caller's same order under the same id is accepted once, however often it is sent.
    Raises OrderInvalid, OwnerRefused, and IdempotencyKeyReused when the id stands for anything else.
    """
    require_owner(caller, draft)
    terms = terms_of(work.settings)
    try:
        if draft.email is not None:
            addresses.require_taken(draft.email, work.mail_server)
        body, asked = write(draft, order_id, work.now, terms)
    except OrderInvalid:
        # A repeat is answered as it was then, whatever the rules and prices have become.
        if (known := _accepted(work, order_id)) is None:
            raise
        work.claims.claim(Claim(order_id, fingerprint(draft)))
        return Accepted(known, replayed=True)
    if work.claims.claim(Claim(order_id, asked.fingerprint)):
        intake.send(work, order_id, body, asked, terms)
        return Accepted(asked.order, replayed=False)
    return Accepted(_accepted(work, order_id) or asked.order, replayed=True)


def _accepted(work: Work, order_id: str) -> Order | None:
    return work.orders.find(order_id) or work.orders.accepted(order_id)


def require_owner(caller: Caller, draft: Draft) -> None:
    """Raises OwnerRefused unless a customer orders for himself. An operator orders for whom the draft names."""
    if not caller.operator and draft.user_id != caller.user_id:
        raise OwnerRefused


def find(work: Work, caller: Caller, order_id: str) -> Order:
    """The order. Raises OrderNotFound when it is absent, deleted or another user's."""
    order = _accepted(work, order_id.lower())  # a UUID is the same in capitals (RFC 9562, section 4)
    if order is None or order.deleted_at is not None or not (caller.operator or caller.user_id == order.user_id):
        raise OrderNotFound(f"There is no order {order_id}. Check the id.")
    return order


def page(work: Work, caller: Caller, query: Query) -> Page:
    """Orders, newest first; a customer's own ones only. Raises OrderInvalid for a bad cursor."""
    if not caller.operator:
        if caller.user_id is None or query.user_id not in {None, caller.user_id}:
            return Page((), None)
        query = msgspec.structs.replace(query, user_id=caller.user_id)
    if query.cursor is not None:
        query = msgspec.structs.replace(query, cursor=query.cursor.lower())
    return work.orders.page(query)


def change(work: Work, caller: Caller, order_id: str, draft: ChangeDraft) -> Order:
    """Changes the order.

    Raises OrderInvalid, OrderAlreadyCharged, OrderAlreadySent, OrderAlreadyEnded, OrderNotFound.
    """
    order = find(work, caller, order_id)
    addresses.require_taken(draft.email, work.mail_server)
    return _write(work, order, rules.changed(order, change_of(draft, order, work.settings)))


def cancel(work: Work, caller: Caller, order_id: str) -> Order:
    """Writes down that the customer cancels; the workflow gives the money back when the hold ends.

    Raises OrderAlreadySent, OrderAlreadyEnded, OrderNotFound.
    """
    order = find(work, caller, order_id)
    return _write(work, order, rules.cancelled(order, work.now))


def delete(work: Work, caller: Caller, order_id: str) -> Order:
    """Cancels an order in flight; hides an ended one for good, keeping its id, key and ledger.

    Raises OrderAlreadySent, OrderNotFound.
    """
    order = find(work, caller, order_id)
    if not order.ended:
        return _write(work, order, rules.cancelled(order, work.now))
    return _write(work, order, msgspec.structs.replace(order, deleted_at=work.now))


def _write(work: Work, before: Order, after: Order) -> Order:
    if after == before:
        return before
    written = msgspec.structs.replace(after, updated_at=work.now, version=before.version + 1)
    work.orders.apply(before if before.version else None, Outcome(written))
    return written
