"""The actions of operators. Each is one use case, and the audit says who did it."""

import msgspec

from expediter.app import intake, orders
from expediter.app.addresses import require_taken
from expediter.app.drafts import Draft, draft_of, fingerprint, order_of, parse, terms_of
from expediter.app.faults import reason
from expediter.app.intake import attributes_of, terms_in
from expediter.app.operator import operations, steps
from expediter.app.operator.audit import Operator, record
from expediter.app.operator.services import DEAD_LETTERS, OperatorServices, Posted
from expediter.app.ports import Caller, Claim, Outcome
from expediter.app.strict_json import decode
from expediter.asl.protocol import Json
from expediter.domain.errors import Fault, IdempotencyKeyReused, MessageNotFound, OrderError, OrderInvalid
from expediter.domain.ids import uuid_in
from expediter.domain.order import EffectKind, Order, Result, charged_again

#: The task that charges. An operator may let an order with a declined charge go on at a state that runs it.
CHARGES = "ProcessPayment"
#: AWS's limit of what goes into a state, in bytes.
LARGEST_INPUT = 256 * 1024
_CALLER = Caller()


class NotRetryable(OrderError):
    """The order's workflow cannot be retried from there. Only one that ended in an error can, from where it failed."""


class NoMailServer(OrderError):
    """No mail server is set, so mails are only kept here. Set EXPEDITER_SMTP_URL to send them."""


def place(services: OperatorServices, who: Operator, draft: Draft, order_id: str, note: str) -> intake.Accepted:
    """Places an order for a customer. Raises OrderInvalid, IdempotencyKeyReused."""
    accepted = intake.accept(services.work, _CALLER, draft, order_id)
    kind = "sent it a second time" if accepted.replayed else "placed it"
    record(services, who, kind, order_id, note)
    return accepted


def cancel(services: OperatorServices, who: Operator, order_id: str) -> Order:
    """Cancels for the customer. Raises OrderAlreadySent, OrderAlreadyEnded, OrderNotFound."""
    order = orders.cancel(services.work, _CALLER, order_id)
    record(services, who, "cancelled it", order_id)
    return order


def again(services: OperatorServices, who: Operator, order_id: str, new_id: str) -> Order:
    """Places the same order once more, as a new one.

    Raises OrderNotFound, and OrderInvalid when its customer was erased.
    """
    old = orders.find(services.work, _CALLER, order_id)
    if old.erased:
        raise OrderInvalid((Fault("user_id", "its customer was erased; place a new order"),))
    placed = intake.accept(services.work, _CALLER, draft_of(old), new_id).order
    record(services, who, "ordered it again", order_id, f"as {new_id}")
    record(services, who, "placed it", new_id, f"the same as {order_id}")
    return placed


def revoke_links(services: OperatorServices, who: Operator, order_id: str) -> None:
    """Makes all links to this order invalid. Raises OrderNotFound."""
    orders.find(services.work, _CALLER, order_id)
    services.links.revoke(order_id)
    record(services, who, "revoked its links", order_id)


class Retry(msgspec.Struct, frozen=True):
    """A state at which a failed execution can go on, and the input it had there."""

    state: str
    input: Json
    charges: bool


def retries(services: OperatorServices, order_id: str) -> tuple[Retry, ...]:
    """The states at which the order's workflow can be retried: the failed one, and those that charge if the charge was
    declined.
    """
    order = orders.find(services.work, _CALLER, order_id)
    definition = services.runs.definition(order_id)
    if definition is None or services.runs.status(order_id) not in {"FAILED", "TIMED_OUT", "ABORTED"}:
        return ()
    states = definition["States"]
    walked = [step for step in steps.way(services.work.workflows.history(order_id) or []).steps if step.name in states]
    worked = [step for step in walked if step.kind != "Fail"]
    declined = (
        not order.ended and order.result(EffectKind.CHARGE) is Result.REFUSED and EffectKind.REFUND not in order.effects
    )
    found = [step for step in worked if declined and states[step.name].get("Resource") == CHARGES]
    chosen = {step.name: step for step in [*worked[-1:], *found]}
    return tuple(Retry(name, step.input, charges=step in found) for name, step in chosen.items())


def retry(services: OperatorServices, who: Operator, order_id: str, state: str, body: bytes) -> None:
    """Lets the order's failed workflow go on at ``state`` with the JSON ``body`` as its input.

    A declined charge is then tried under a new key; every other effect keeps its key, refunds always.
    Raises NotRetryable, OrderInvalid, OrderNotFound.
    """
    chosen = next((found for found in retries(services, order_id) if found.state == state), None)
    if chosen is None:
        raise NotRetryable
    _set_going(services, who, order_id, chosen, _input(body, order_id))


def redrive(services: OperatorServices, who: Operator, order_id: str) -> str:
    """Lets the order's failed workflow go on at the state that failed, as ``retry`` does. Returns the state's name.

    Raises NotRetryable, OrderNotFound.
    """
    found = retries(services, order_id)
    if not found:
        raise NotRetryable
    _set_going(services, who, order_id, found[0], found[0].input)
    return found[0].state


def _set_going(services: OperatorServices, who: Operator, order_id: str, chosen: Retry, given: Json) -> None:
    order = orders.find(services.work, _CALLER, order_id)
    if chosen.charges:
        ready = charged_again(order, services.work.now)
        ready = msgspec.structs.replace(ready, version=order.version + 1, updated_at=services.work.now)
        services.work.orders.apply(order, Outcome(ready))
    edited = " with another input" if given != chosen.input else ""
    record(services, who, "retried it", order_id, f"from {chosen.state}{edited}")
    if not services.runs.redrive(order_id, chosen.state, given):
        raise NotRetryable


def resend(services: OperatorServices, who: Operator, order_id: str, status: str, recipient: str) -> None:
    """Sends a mail once more. Raises MessageNotFound, NoMailServer."""
    posted = find_mail(services, order_id, status, recipient)
    if not services.mailbox.resend(posted.mail, services.work.now):
        raise NoMailServer
    record(services, who, "had a mail resent", order_id, f"{status} to {recipient}")


def resend_of(services: OperatorServices, who: Operator, order_id: str, recipient: str | None) -> int:
    """Sends the order's mails to ``recipient`` once more; None: those that were not sent. How many they are.

    Raises OrderNotFound, MessageNotFound, NoMailServer.
    """
    order = orders.find(services.work, _CALLER, order_id)
    found = services.mailbox.of(order.id)
    chosen = [it for it in found if (it.sent_at is None if recipient is None else it.mail.recipient == recipient)]
    if recipient is not None and not chosen:
        raise MessageNotFound("No mail about the order goes to this address.")
    for posted in chosen:
        resend(services, who, order.id, posted.mail.status.value, posted.mail.recipient)
    return len(chosen)


def find_mail(services: OperatorServices, order_id: str, status: str, recipient: str) -> Posted:
    """The mail. Raises MessageNotFound."""
    for posted in services.mailbox.of(order_id):
        if (posted.mail.status, posted.mail.recipient) == (status, recipient):
            return posted
    raise MessageNotFound("There is no such mail in the mailbox.")


# ── dead letters ──────────────────────────────────────────────────────────────────────────────────────────────────


def redrive_letter(services: OperatorServices, who: Operator, message_id: str) -> None:
    """Sends a dead letter back to the queue. Raises MessageNotFound."""
    operations.redrive(services.work, message_id)
    record(services, who, "redrove one", DEAD_LETTERS, f"message {message_id}")


def redrive_letters(services: OperatorServices, who: Operator) -> operations.Moved:
    """Sends the oldest dead letters back to the queue."""
    moved = operations.redrive_all(services.work)
    record(services, who, "redrove all", DEAD_LETTERS, f"{moved.done} messages")
    return moved


def delete_letter(services: OperatorServices, who: Operator, message_id: str) -> None:
    """Removes a dead letter for good. Raises MessageNotFound."""
    operations.delete(services.work, message_id)
    record(services, who, "deleted one", DEAD_LETTERS, f"message {message_id}")


def correct_letter(services: OperatorServices, who: Operator, message_id: str, body: bytes, new_id: str) -> str:
    """Puts a corrected order in a dead letter's place and sends it; gives the id of the order.

    It keeps the letter's order id unless that one stands for another order. Raises MessageNotFound, OrderInvalid.
    """
    letter = operations.letter(services.work, message_id)
    try:
        draft = parse(body, Draft)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OrderInvalid((Fault("", f"the message is not JSON: {reason(error)}"),)) from error
    terms = terms_in(letter.attributes) or terms_of(services.work.settings)
    order_of(draft, new_id, services.work.now, terms)
    require_taken(draft.email, services.work.mail_server)
    order_id = _free_id(services, letter.attributes.get("order_id", ""), draft, new_id)
    services.work.queue.send(
        msgspec.json.encode(draft), {**letter.attributes, **attributes_of(order_id, terms)}, services.work.now
    )
    services.work.dead_letters.delete(message_id)
    record(services, who, "corrected one", DEAD_LETTERS, f"message {message_id}, order {order_id}")
    record(services, who, "corrected it as a dead letter", order_id, f"message {message_id}")
    return order_id


def _free_id(services: OperatorServices, wanted: str, draft: Draft, new_id: str) -> str:
    """Claims an id for this order and returns it: ``wanted`` if it is an id that is free or stands for this order, else
    ``new_id``.
    """
    order_id = uuid_in(wanted) or new_id
    try:
        services.work.claims.claim(Claim(order_id, fingerprint(draft)))
    except IdempotencyKeyReused:
        services.work.claims.claim(Claim(new_id, fingerprint(draft)))
        return new_id
    return order_id


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _input(body: bytes, order_id: str) -> Json:
    """The state's input. Raises OrderInvalid unless it is JSON about this very order."""
    if len(body) > LARGEST_INPUT:
        raise OrderInvalid((Fault("input", "is longer than 256 KiB"),))
    try:
        given: Json = decode(body, object)
        same = given["order"]["id"] == order_id
    except msgspec.DecodeError as error:
        raise OrderInvalid((Fault("input", f"is not JSON: {reason(error)}"),)) from error
    except (TypeError, KeyError, UnicodeDecodeError, RecursionError) as error:
        raise OrderInvalid((Fault("input.order.id", f"has to be {order_id}"),)) from error
    if not same:
        raise OrderInvalid((Fault("input.order.id", f"has to be {order_id}"),))
    return given
