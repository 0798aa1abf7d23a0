"""What operators do. Each action is one use case, and the audit says who did it."""

import uuid

import msgspec

from expediter.app import orders
from expediter.app.drafts import Draft, DraftItem, fingerprint, order_of, parse
from expediter.app.operator import operations, steps
from expediter.app.operator.services import DEAD_LETTERS, AuditEntry, Desk, Posted
from expediter.app.ports import Caller, Claim, Outcome
from expediter.asl.protocol import Json
from expediter.domain.errors import Fault, IdempotencyKeyReused, MessageNotFound, OrderError, OrderInvalid
from expediter.domain.order import Kind, Order, Result, charged_again

#: The task that charges: an operator may have a declined charge tried again from a state that runs it.
CHARGES = "ProcessPayment"
#: AWS's limit of what goes into a state, in bytes.
LARGEST_INPUT = 256 * 1024
_CALLER = Caller()


class NotRetryable(OrderError):
    """The order's workflow cannot be retried from there. Only one that ended in an error can, from where it failed."""


class NoMailServer(OrderError):
    """No mail server is set, so mails are only kept here. Set EXPEDITER_SMTP_URL to send them."""


class Operator(msgspec.Struct, frozen=True):
    """Who acts, under which name it is written down."""

    name: str


def place(desk: Desk, who: Operator, draft: Draft, order_id: str, note: str) -> orders.Accepted:
    """Places an order for a customer. Raises OrderInvalid, IdempotencyKeyReused."""
    accepted = orders.accept(desk.work, _CALLER, draft, order_id)
    kind = "sent it a second time" if accepted.replayed else "placed it"
    _record(desk, who, kind, order_id, note)
    return accepted


def cancel(desk: Desk, who: Operator, order_id: str) -> Order:
    """Cancels for the customer. Raises OrderAlreadySent, OrderAlreadyEnded, OrderNotFound."""
    order = orders.cancel(desk.work, _CALLER, order_id)
    _record(desk, who, "cancelled it", order_id)
    return order


def again(desk: Desk, who: Operator, order_id: str, new_id: str) -> Order:
    """Places the same order once more, as a new one. Raises OrderNotFound, and OrderInvalid when nobody knows whose."""
    old = orders.find(desk.work, _CALLER, order_id)
    if old.erased:
        raise OrderInvalid((Fault("user_id", "its customer was erased; place a new order"),))
    placed = orders.accept(desk.work, _CALLER, _draft_of(old), new_id).order
    _record(desk, who, "ordered it again", order_id, f"as {new_id}")
    _record(desk, who, "placed it", new_id, f"the same as {order_id}")
    return placed


class Retry(msgspec.Struct, frozen=True):
    """A state that a failed execution can be set going at, and the input it had there."""

    state: str
    input: Json
    charges: bool


def retries(desk: Desk, order_id: str) -> tuple[Retry, ...]:
    """Where the order's workflow can be retried: where it failed, and where its declined charge can be tried again."""
    order = orders.find(desk.work, _CALLER, order_id)
    definition = desk.runs.definition(order_id)
    if definition is None or desk.runs.status(order_id) not in {"FAILED", "TIMED_OUT", "ABORTED"}:
        return ()
    states = definition["States"]
    walked = [step for step in steps.way(desk.work.workflows.history(order_id) or []).steps if step.name in states]
    worked = [step for step in walked if step.kind != "Fail"]
    declined = not order.ended and order.result(Kind.CHARGE) is Result.REFUSED and Kind.REFUND not in order.effects
    found = [step for step in worked if declined and states[step.name].get("Resource") == CHARGES]
    chosen = {step.name: step for step in [*worked[-1:], *found]}
    return tuple(Retry(name, step.input, charges=step in found) for name, step in chosen.items())


def retry(desk: Desk, who: Operator, order_id: str, state: str, body: bytes) -> None:
    """Sets the order's failed workflow going again at ``state`` with the JSON ``body`` as its input.

    A declined charge is then tried under a new key; every other effect keeps its key, refunds always.
    Raises NotRetryable, OrderInvalid, OrderNotFound.
    """
    chosen = next((found for found in retries(desk, order_id) if found.state == state), None)
    if chosen is None:
        raise NotRetryable
    given = _input(body, order_id)
    order = orders.find(desk.work, _CALLER, order_id)
    if chosen.charges:
        ready = charged_again(order, desk.work.now)
        ready = msgspec.structs.replace(ready, version=order.version + 1, updated_at=desk.work.now)
        desk.work.orders.apply(order, Outcome(ready))
    edited = " with another input" if given != chosen.input else ""
    _record(desk, who, "retried it", order_id, f"from {state}{edited}")
    if not desk.runs.redrive(order_id, state, given):
        raise NotRetryable


def resend(desk: Desk, who: Operator, order_id: str, status: str, recipient: str) -> None:
    """Has a mail sent once more. Raises MessageNotFound, NoMailServer."""
    posted = find_mail(desk, order_id, status, recipient)
    if not desk.mailbox.resend(posted.mail, desk.work.now):
        raise NoMailServer
    _record(desk, who, "had a mail resent", order_id, f"{status} to {recipient}")


def find_mail(desk: Desk, order_id: str, status: str, recipient: str) -> Posted:
    """The mail. Raises MessageNotFound."""
    for posted in desk.mailbox.of(order_id):
        if (posted.mail.status, posted.mail.recipient) == (status, recipient):
            return posted
    raise MessageNotFound("There is no such mail in the mailbox.")


# ── dead letters ──────────────────────────────────────────────────────────────────────────────────────────────────


def redrive_letter(desk: Desk, who: Operator, message_id: str) -> None:
    """Sends a dead letter back to the queue. Raises MessageNotFound."""
    operations.redrive(desk.work, _CALLER, message_id)
    _record(desk, who, "redrove one", DEAD_LETTERS, f"message {message_id}")


def redrive_letters(desk: Desk, who: Operator) -> operations.Moved:
    """Sends the oldest dead letters back to the queue."""
    moved = operations.redrive_all(desk.work, _CALLER)
    _record(desk, who, "redrove all", DEAD_LETTERS, f"{moved.done} messages")
    return moved


def delete_letter(desk: Desk, who: Operator, message_id: str) -> None:
    """Removes a dead letter for good. Raises MessageNotFound."""
    operations.delete(desk.work, _CALLER, message_id)
    _record(desk, who, "deleted one", DEAD_LETTERS, f"message {message_id}")


def correct_letter(desk: Desk, who: Operator, message_id: str, body: bytes, new_id: str) -> str:
    """Puts a corrected order in a dead letter's place and sends it; gives the id of the order.

    It keeps the letter's order id unless that one stands for another order. Raises MessageNotFound, OrderInvalid.
    """
    letter = operations.letter(desk.work, _CALLER, message_id)
    try:
        draft = parse(body, Draft)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OrderInvalid((Fault("", f"the message is no JSON: {error}"),)) from error
    order_of(draft, new_id, desk.work.now, desk.work.settings)
    order_id = _free_id(desk, letter.attributes.get("order_id", ""), draft, new_id)
    desk.work.queue.send(msgspec.json.encode(draft), {**letter.attributes, "order_id": order_id}, desk.work.now)
    desk.work.dead_letters.delete(message_id)
    _record(desk, who, "corrected one", DEAD_LETTERS, f"message {message_id}, order {order_id}")
    _record(desk, who, "corrected it as a dead letter", order_id, f"message {message_id}")
    return order_id


def _free_id(desk: Desk, wanted: str, draft: Draft, new_id: str) -> str:
    """``wanted`` if it is an id and stands for this order or none, else ``new_id``; taken now for this order."""
    try:
        order_id = str(uuid.UUID(wanted))
        desk.work.claims.claim(Claim(order_id, fingerprint(draft)))
    except (ValueError, IdempotencyKeyReused):
        desk.work.claims.claim(Claim(new_id, fingerprint(draft)))
        return new_id
    return order_id


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _record(desk: Desk, who: Operator, kind: str, subject: str, detail: str = "") -> None:
    desk.audit.record(AuditEntry(desk.work.now, who.name, kind, subject, detail))


def _draft_of(order: Order) -> Draft:
    items = tuple(DraftItem(item.name, item.quantity, item.unit_price) for item in order.items)
    return Draft(order.user_id, order.restaurant_id, items=items, currency=order.currency, email=order.email)


def _input(body: bytes, order_id: str) -> Json:
    """The state's input. Raises OrderInvalid unless it is JSON about this very order."""
    if len(body) > LARGEST_INPUT:
        raise OrderInvalid((Fault("input", "is longer than 256 KiB"),))
    try:
        given = msgspec.json.decode(body)
        same = given["order"]["id"] == order_id
    except msgspec.DecodeError as error:
        raise OrderInvalid((Fault("input", f"is no JSON: {error}"),)) from error
    except (TypeError, KeyError, UnicodeDecodeError, RecursionError) as error:
        raise OrderInvalid((Fault("input.order.id", f"has to be {order_id}"),)) from error
    if not same:
        raise OrderInvalid((Fault("input.order.id", f"has to be {order_id}"),))
    return given
