"""Takes an order from its caller to the queue, and from the queue to the workflow. One order is one message and one
execution, named by the order's id.

A message that fails keeps the reason, and does not stop the others of its batch.
"""

import msgspec

from expediter.app.access import OwnerRefused
from expediter.app.addresses import require_taken
from expediter.app.drafts import D, Draft, Terms, fingerprint, read_accepted, read_new, terms_of, write
from expediter.app.faults import reason
from expediter.app.ports import AcceptedOrder, Caller, Claim, Message, OrderSettings, Work, WrittenMessage
from expediter.asl.protocol import Json
from expediter.domain.errors import Fault, OrderInvalid, StoreUnavailable
from expediter.domain.ids import uuid_in
from expediter.domain.order import Item, Order

BATCH = 5


# ── from the caller to the queue ──────────────────────────────────────────────────────────────────────────────────────


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
    draft = mailed_to(caller, draft)
    terms = terms_of(work.settings)
    try:
        if draft.email is not None:
            require_taken(draft.email, work.mail_server)
        body, asked = write(draft, order_id, work.now, terms)
    except OrderInvalid:
        # A repeat gets the first answer, also when rules and prices have changed since.
        if (order := known(work, order_id)) is None:
            raise
        work.claims.claim(Claim(order_id, fingerprint(draft)))
        return Accepted(order, replayed=True)
    if work.claims.claim(Claim(order_id, asked.fingerprint)):
        _send(work, order_id, body, asked, terms)
        return Accepted(asked.order, replayed=False)
    return Accepted(known(work, order_id) or asked.order, replayed=True)


def known(work: Work, order_id: str) -> Order | None:
    """The order as it is, or as its message asks for it."""
    return work.orders.find(order_id) or work.orders.accepted(order_id)


def require_owner(caller: Caller, draft: Draft) -> None:
    """Raises OwnerRefused unless a customer orders for himself. An operator orders for whom the draft names."""
    if not caller.operator and draft.user_id != caller.user_id:
        raise OwnerRefused


def mailed_to(caller: Caller, draft: D) -> D:
    """The draft with the address that its mail goes to. A customer's goes to the address that his issuer has verified,
    whatever he writes, so that nobody has mail sent to others; without one he gets none. Operators and programs name
    any address.
    """
    if caller.operator or not isinstance(draft.email, str):
        return draft
    return msgspec.structs.replace(draft, email=caller.email or None)


#: Messages in memory at most. Where another process does the intake, nothing removes them.
KEPT = 1024


def _send(work: Work, order_id: str, body: bytes, asked: AcceptedOrder, terms: Terms) -> None:
    """Puts the message of an accepted order on the queue.

    It is kept in memory for the intake. An intake in this process reads the message a moment later, and parsing it
    again would cost 5 % of an order.
    """
    attributes = attributes_of(order_id, terms)
    work.written[order_id] = WrittenMessage(body, attributes, work.now, asked)
    if len(work.written) > KEPT:
        del work.written[next(iter(work.written))]
    work.queue.send(body, attributes, work.now)


def attributes_of(order_id: str, terms: Terms) -> dict[str, str]:
    """The attributes of an accepted order's message."""
    return {
        "order_id": order_id,
        "default_price": str(terms.default_price),
        "currency": terms.currency,
        "hold_seconds": str(terms.hold_seconds),
    }


def terms_in(attributes: dict[str, str]) -> Terms | None:
    """Reads what ``attributes_of`` wrote. None: the message is from another system. Raises OrderInvalid."""
    if "hold_seconds" not in attributes:
        return None
    try:
        return Terms(int(attributes["default_price"]), attributes["currency"], int(attributes["hold_seconds"]))
    except (KeyError, ValueError) as error:
        raise OrderInvalid((Fault("", "the message's default_price, currency or hold_seconds is none"),)) from error


# ── from the queue to the workflow ────────────────────────────────────────────────────────────────────────────────────


def take_batch(work: Work) -> int:
    """Receives up to five messages, starts their workflows and deletes them. Returns how many were received."""
    messages = work.queue.receive(BATCH, work.now)
    for message in messages:
        try:
            take(work, message)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # an error of one message does not stop the others
            work.queue.fail(message, f"{type(error).__name__}: {error}", work.now)
        else:
            work.queue.delete(message.receipt)
    return len(messages)


def take(work: Work, message: Message) -> None:
    """Starts the order's workflow, once however often the message is delivered.

    Raises OrderInvalid for a message that is not an order, IdempotencyKeyReused when its id stands for another one.
    """
    order, fingerprint, hold_seconds = asked_in(work, message)
    work.claims.claim(Claim(order.id, fingerprint))
    work.workflows.start(order.id, {"order": document(order), "hold_seconds": hold_seconds}, work.now)


def asked_in(work: Work, message: Message) -> AcceptedOrder:
    """The order in a delivered message. Raises OrderInvalid when there is none.

    A message that this home wrote is known, so it is not parsed again.
    """
    written = work.written.pop(message.attributes.get("order_id", ""), None)
    if written and written[:3] == (message.body, message.attributes, message.sent_at):
        return written.asked
    try:
        asked = order_in(message, work.settings)
        if asked.order.email is not None and terms_in(message.attributes) is None:
            require_taken(asked.order.email, work.mail_server)
    except OrderInvalid:
        # An earlier version may have accepted it under other rules. Then its id has a claim.
        order_id = message.attributes.get("order_id", "")
        if not order_id or not work.claims.taken(order_id):
            raise
        return order_in(message, work.settings, claimed=True)
    return asked


def order_in(message: Message, settings: OrderSettings, *, claimed: bool = False) -> AcceptedOrder:
    """The order in a message. Raises OrderInvalid when there is none.

    The API writes what its settings added to the order into the message's attributes, and these are used. For a message
    from another system today's settings are used, once: the execution's input keeps the order that results.

    ``claimed``: the message's id has a claim. So an earlier version accepted the order, and new rules must not refuse
    it.
    """
    try:
        if (order_id := uuid_in(message.attributes.get("order_id", ""))) is None:
            raise OrderInvalid((Fault("order_id", "the message carries no UUID as its order_id"),))
        terms = terms_in(message.attributes)
        if terms is not None or claimed:
            return read_accepted(message.body, order_id, message.sent_at, terms or terms_of(settings))
        return read_new(message.body, order_id, message.sent_at, terms_of(settings))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OrderInvalid((Fault("", f"the message is not JSON: {reason(error)}"),)) from error


# ── the order in the workflow's input ─────────────────────────────────────────────────────────────────────────────────


class OrderDocument(msgspec.Struct, frozen=True, gc=False):
    """The order in an execution's input, as it was accepted. Its fields are those fields of the order, and no others.

    Tasks read the order's row; only the first task writes the row from this.
    """

    id: str
    user_id: str
    restaurant_id: str
    name: str | None
    items: tuple[Item, ...]
    currency: str
    email: str | None
    created_at: int
    payment_method: str | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


def document(order: Order) -> Json:
    """The order as the execution's input holds it under ``order``: the JSON value of an OrderDocument."""
    written: Json = {
        "id": order.id,
        "user_id": order.user_id,
        "restaurant_id": order.restaurant_id,
        "name": order.name,
        "items": [msgspec.structs.asdict(item) for item in order.items],
        "currency": order.currency,
        "email": order.email,
        "created_at": order.created_at,
    }
    if order.payment_method is not msgspec.UNSET:
        written["payment_method"] = order.payment_method
    if order.metadata is not msgspec.UNSET:
        written["metadata"] = dict(order.metadata)
    return written


def from_document(value: Json) -> Order:
    """The new order that an execution's input describes. Raises OrderInvalid when it is none."""
    try:
        given = msgspec.convert(value, OrderDocument)
    except msgspec.ValidationError as error:
        raise OrderInvalid((Fault("order", reason(error)),)) from error
    return Order(
        id=given.id,
        user_id=given.user_id,
        restaurant_id=given.restaurant_id,
        name=given.name,
        items=given.items,
        currency=given.currency,
        email=given.email,
        created_at=given.created_at,
        updated_at=given.created_at,
        payment_method=given.payment_method,
        metadata=given.metadata,
    )
