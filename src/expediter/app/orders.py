"""What a customer or an operator does with placed orders: read, list, change, cancel, delete.

Another user's order is "not found", so that nobody learns whether it exists.
"""

from collections.abc import Iterable

import msgspec

from expediter.app import addresses, intake
from expediter.app.access import Scope
from expediter.app.drafts import ChangeDraft, change_of
from expediter.app.idempotency import bare, own_id, uuid_of
from expediter.app.payments.news import tell
from expediter.app.ports import NO_CURSOR, Caller, Outcome, Page, Query, Work
from expediter.domain import order as rules
from expediter.domain.errors import NO_LIST, OrderInvalid, OrderNotFound
from expediter.domain.ids import uuid_in
from expediter.domain.order import Order
from expediter.domain.texts import composed


def find(work: Work, caller: Caller, order_id: str) -> Order:
    """The order of this id, or the one that the caller sent under this idempotency key.

    Raises OrderNotFound when it is absent, deleted or another user's.
    """
    for found in (intake.known(work, one) for one in _ids(caller, order_id)):
        if found is not None and found.deleted_at is None and (caller.operator or caller.user_id == found.user_id):
            return found
    raise OrderNotFound(f"There is no order {order_id}. Check the id.")


def id_of(work: Work, caller: Caller, asked: str) -> str:
    """The id of the order whose id or key this is, deleted ones included; what is asked for where there is none."""
    return next((one for one in _ids(caller, asked) if intake.known(work, one) is not None), asked)


def _ids(caller: Caller, asked: str) -> Iterable[str]:
    """The ids that an order may have whose id or key this is.

    Programs and operators see all orders. So their own key comes before the same key of the plain token, which is the
    id of another order.
    """
    own, id_ = own_id(caller, uuid_of(bare(asked))), uuid_in(asked)
    if id_ is None:
        return (own,)
    return dict.fromkeys((own, id_) if caller.operator else (id_, own))


def shows_payment(order: Order, caller: Caller) -> bool:
    """Whether the caller is shown how a pending payment goes on: its customer, and a program that orders for customers.
    Nobody else: with what is shown the payment can be made.
    """
    if order.awaited_payment is msgspec.UNSET:
        return False
    if caller.operator:
        return caller.user_id is None and Scope.ORDERS_WRITE in caller.scopes
    return caller.user_id == order.user_id


def page(work: Work, caller: Caller, query: Query) -> Page:
    """Orders, newest first; for a customer only his own. Raises OrderInvalid for a bad cursor.

    A customer's cursor must be an order of his own, so that he cannot find out whether another's exists.
    """
    query = _composed(query)
    if query.cursor is not None:
        query = msgspec.structs.replace(query, cursor=query.cursor.lower())
    if caller.operator:
        return work.orders.page(query)
    if caller.user_id is None or query.user_id not in {None, caller.user_id}:
        return Page((), None)
    if query.cursor is not None:
        last = work.orders.find(query.cursor)
        if last is None or last.user_id != caller.user_id:
            raise OrderInvalid((NO_CURSOR,), NO_LIST)
    return work.orders.page(msgspec.structs.replace(query, user_id=caller.user_id))


def _composed(query: Query) -> Query:
    """The query with its names in NFC, as orders have them."""
    names = {"user_id": query.user_id, "restaurant_id": query.restaurant_id}
    return msgspec.structs.replace(query, **{name: text and composed(text) for name, text in names.items()})


def change(work: Work, caller: Caller, order_id: str, draft: ChangeDraft) -> Order:
    """Changes the order.

    Raises OrderInvalid, OrderAlreadyCharged, OrderAlreadySent, OrderAlreadyEnded, OrderNotFound.
    """
    order = find(work, caller, order_id)
    if draft.email != order.email:
        draft = intake.mailed_to(caller, draft)
        addresses.require_taken(draft.email, work.mail_server)
    return _write(work, order, rules.changed(order, change_of(draft, order, work.settings)))


def cancel(work: Work, caller: Caller, order_id: str) -> Order:
    """Records that the customer cancels. The workflow gives the money back when the hold ends.

    Raises OrderAlreadySent, OrderAlreadyEnded, OrderNotFound.
    """
    return _cancel(work, find(work, caller, order_id))


def come_back(work: Work, caller: Caller, order_id: str) -> Order:
    """The customer has done what the order's payment waited for: the provider is asked. Raises OrderNotFound."""
    order = find(work, caller, order_id)
    tell(work, order)
    return order


def delete(work: Work, caller: Caller, order_id: str) -> Order:
    """Cancels an order in flight; hides an ended one for good, keeping its id, key and ledger.

    Raises OrderAlreadySent, OrderNotFound.
    """
    order = find(work, caller, order_id)
    if not order.ended:
        return _cancel(work, order)
    return _write(work, order, msgspec.structs.replace(order, deleted_at=work.now))


def _cancel(work: Work, order: Order) -> Order:
    """A payment that waits for its customer is not waited for any longer."""
    cancelled = _write(work, order, rules.cancelled(order, work.now))
    if cancelled.awaited_payment is not msgspec.UNSET:
        tell(work, cancelled)
    return cancelled


def _write(work: Work, before: Order, after: Order) -> Order:
    if after == before:
        return before
    written = msgspec.structs.replace(after, updated_at=work.now, version=before.version + 1)
    work.orders.apply(before if before.version else None, Outcome(written))
    return written
