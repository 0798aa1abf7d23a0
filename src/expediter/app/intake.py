"""From the queue to the workflow: one message, one order, one execution named by the order's id.

A message that cannot be taken in keeps its reason and never takes its batch along.
"""

import re
import uuid

import msgspec

from expediter.app.drafts import Draft, fingerprint, order_of, parse
from expediter.app.ports import Claim, Message, Settings, Work
from expediter.asl.protocol import Json
from expediter.domain.errors import Fault, OrderInvalid, StoreUnavailable
from expediter.domain.order import Item, Order

BATCH = 5
#: A UUID as it is written when it stands for an order.
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def take_batch(work: Work) -> int:
    """Receives up to five messages, starts their workflows and deletes them. Returns how many were received."""
    messages = work.queue.receive(BATCH, work.now)
    for message in messages:
        try:
            take(work, message)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever one message brings up, the others go on
            work.queue.fail(message.receipt, f"{type(error).__name__}: {error}", work.now)
        else:
            work.queue.delete(message.receipt)
    return len(messages)


def take(work: Work, message: Message) -> None:
    """Starts the order's workflow, once however often the message is delivered.

    Raises OrderInvalid for a message that is no order, IdempotencyKeyReused when its id stands for another one.
    """
    order = message.order
    if order is None:
        order, draft = read(message, work.settings)
        work.claims.claim(Claim(order.id, fingerprint(draft)))
    work.workflows.start(order.id, {"order": document(order), "hold_seconds": work.settings.hold_seconds}, work.now)


def read(message: Message, settings: Settings) -> tuple[Order, Draft]:
    """The order in a message. Raises OrderInvalid when there is none."""
    try:
        draft = parse(message.body, Draft)
        order_id = message.attributes["order_id"]
        if not _CANONICAL.fullmatch(order_id):
            order_id = str(uuid.UUID(order_id))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OrderInvalid((Fault("", f"the message is no JSON: {error}"),)) from error
    except (KeyError, ValueError) as error:
        raise OrderInvalid((Fault("order_id", "the message carries no UUID as its order_id"),)) from error
    return order_of(draft, order_id, message.sent_at, settings), draft


class OrderDocument(msgspec.Struct, frozen=True, gc=False):
    """The order in an execution's input: as it was accepted. Tasks read the row; only the first writes it from this."""

    id: str
    user_id: str
    restaurant_id: str
    name: str | None
    items: tuple[Item, ...]
    currency: str
    email: str | None
    created_at: int


def document(order: Order) -> Json:
    """The order as the execution's input holds it under ``order``: the JSON value of an OrderDocument."""
    return {
        "id": order.id,
        "user_id": order.user_id,
        "restaurant_id": order.restaurant_id,
        "name": order.name,
        "items": list(map(msgspec.to_builtins, order.items)),
        "currency": order.currency,
        "email": order.email,
        "created_at": order.created_at,
    }


def from_document(value: Json) -> Order:
    """The new order that an execution's input describes. Raises OrderInvalid when it is none."""
    try:
        given = msgspec.convert(value, OrderDocument)
    except msgspec.ValidationError as error:
        raise OrderInvalid((Fault("order", str(error)),)) from error
    return Order(
        id=given.id,
        user_id=given.user_id,
        restaurant_id=given.restaurant_id,
        items=given.items,
        currency=given.currency,
        created_at=given.created_at,
        updated_at=given.created_at,
        name=given.name,
        email=given.email,
    )
