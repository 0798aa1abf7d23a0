"""From the queue to the workflow: one message, one order, one execution named by the order's id.

A message that cannot be taken in keeps its reason and never takes its batch along.
"""

import re
import uuid
from operator import attrgetter

import msgspec

from expediter.app.drafts import Asked, read
from expediter.app.faults import reason
from expediter.app.ports import Claim, Message, OrderSettings, Work
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
    order, fingerprint = order_in(message, work.settings)
    work.claims.claim(Claim(order.id, fingerprint))
    work.workflows.start(order.id, {"order": document(order), "hold_seconds": work.settings.hold_seconds}, work.now)


def order_in(message: Message, settings: OrderSettings) -> Asked:
    """The order in a message. Raises OrderInvalid when there is none."""
    try:
        order_id = message.attributes["order_id"]
        if not _CANONICAL.fullmatch(order_id):
            order_id = str(uuid.UUID(order_id))
        return read(message.body, order_id, message.sent_at, settings)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OrderInvalid((Fault("", f"the message is not JSON: {reason(error)}"),)) from error
    except (KeyError, ValueError) as error:
        raise OrderInvalid((Fault("order_id", "the message carries no UUID as its order_id"),)) from error


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


_FIELDS = OrderDocument.__struct_fields__
_values_of = attrgetter(*_FIELDS)


def document(order: Order) -> Json:
    """The order as the execution's input holds it under ``order``: the JSON value of an OrderDocument."""
    fields = dict(zip(_FIELDS, _values_of(order), strict=True))
    fields["items"] = msgspec.to_builtins(list(order.items))
    return fields


def from_document(value: Json) -> Order:
    """The new order that an execution's input describes. Raises OrderInvalid when it is none."""
    try:
        given = msgspec.convert(value, OrderDocument)
    except msgspec.ValidationError as error:
        raise OrderInvalid((Fault("order", reason(error)),)) from error
    return Order(**dict(zip(_FIELDS, _values_of(given), strict=True)), updated_at=given.created_at)
