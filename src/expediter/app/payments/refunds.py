"""Refunds in part: finance asks for one, the provider is asked to make it, its answer is booked.

    POST /orders/{id}/refunds ─→ the order has the refund, as pending ─→ [Refund] ─→ done, or refused

The first arrow is one commit. In it the sum is checked, so two refunds at the same time cannot be too much together.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from expediter.app.card_numbers import refuse_card_numbers
from expediter.app.faults import faults_of_body
from expediter.app.field_types import MAX_NAME, VISIBLE
from expediter.app.mails import alert_mails
from expediter.app.ports import OrderSettings, Outcome, Work
from expediter.app.strict_json import decode
from expediter.app.tasks.calls import Answer, Refund, Refunded, Refused
from expediter.domain.alert import Alert
from expediter.domain.errors import Fault, IdempotencyKeyReused, OrderInvalid, RefundNotPossible
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.money import LARGEST_TOTAL, money
from expediter.domain.order import (
    CHARGE,
    DONE,
    LARGEST_QUANTITY,
    PAID,
    REFUND,
    SUCCESS,
    UNKNOWN,
    UNSUCCESSFUL,
    Effect,
    Order,
)
from expediter.domain.refunds import PartRefund, RefundStatus
from expediter.domain.texts import composed

#: Refunds of one order at most.
MOST = 100
NO_REFUND = "The refund cannot be made as it was asked for"


class RefundedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many of the order's line with this number; the first line is 1."""

    line: Annotated[int, Meta(ge=1, le=100)]
    quantity: Annotated[int, Meta(ge=1, le=LARGEST_QUANTITY)]


class RefundDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A refund as it is asked for: ``amount`` minor units, or the price of ``items``; never both."""

    reason: Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern=VISIBLE)]
    amount: Annotated[int, Meta(ge=1, le=LARGEST_TOTAL)] | None = None
    items: Annotated[tuple[RefundedItem, ...], Meta(min_length=1, max_length=100)] | None = None


def refund_in(body: bytes) -> RefundDraft:
    """The draft in a request's body. Raises OrderInvalid, and msgspec.DecodeError, UnicodeDecodeError or RecursionError
    when it is no JSON.
    """
    try:
        draft = decode(body, RefundDraft)
    except msgspec.ValidationError as error:
        raise OrderInvalid(faults_of_body(body, RefundDraft, {"items": RefundedItem}, error), NO_REFUND) from error
    refuse_card_numbers(draft)
    return msgspec.structs.replace(draft, reason=composed(draft.reason))


def ask(work: Work, order: Order, refund_id: str, draft: RefundDraft) -> PartRefund:
    """The refund that the order now has. The same request under the same id finds it.

    Raises OrderInvalid, RefundNotPossible, IdempotencyKeyReused, OrderChanged.
    """
    amount = amount_of(order, draft)
    key = key_of(order, refund_id)
    if known := by_id(order, refund_id):
        if (known.amount, known.reason) != (amount, draft.reason):
            raise IdempotencyKeyReused
        if known.status is RefundStatus.PENDING:
            work.refunds.send(order.id, key, work.now)
        return known
    require_left(order, amount)
    refund = PartRefund(refund_id, amount, work.now, reason=draft.reason)
    work.refunds.send(order.id, key, work.now)
    work.orders.apply(order, Outcome(_written(order, work.now, (*(order.refunds or ()), refund))))
    return refund


def amount_of(order: Order, draft: RefundDraft) -> int:
    """The minor units that the draft asks for. Raises OrderInvalid."""
    if (draft.amount is None) == (draft.items is None):
        raise OrderInvalid((Fault("amount", "give either amount or items"),), NO_REFUND)
    if draft.items is None:
        return draft.amount or 0
    faults, amount = [], 0
    asked: dict[int, int] = {}
    for place, item in enumerate(draft.items):
        asked[item.line] = asked.get(item.line, 0) + item.quantity
        line = order.items[item.line - 1] if item.line <= len(order.items) else None
        if line is None:
            faults.append(Fault(f"items[{place}].line", f"the order has {len(order.items)} lines"))
        elif asked[item.line] > line.quantity:
            faults.append(Fault(f"items[{place}].quantity", f"the line has {line.quantity}"))
        else:
            amount += item.quantity * line.unit_price
    if faults or amount == 0:
        raise OrderInvalid(tuple(faults) or (Fault("items", "they cost nothing"),), NO_REFUND)
    return amount


def require_left(order: Order, amount: int) -> None:
    """Raises RefundNotPossible when ``amount`` minor units cannot be given back of this order."""
    owed_again = order.status in UNSUCCESSFUL and order.result(REFUND) is UNKNOWN
    kept = order.status in (PAID, SUCCESS) and order.cancel_requested_at is None
    if order.result(CHARGE) is not DONE or not (kept or owed_again):
        raise RefundNotPossible("Nothing is captured that could be given back in part.")
    left = order.total - order.going_back
    if amount > left:
        raise RefundNotPossible(f"At most {money(left, order.currency)} can be given back.")
    if len(order.refunds or ()) >= MOST:
        raise RefundNotPossible(f"An order has at most {MOST} refunds.")


# ── the call and its answer ───────────────────────────────────────────────────────────────────────────────────────


def next_call(order: Order) -> Refund | None:
    """The call for the first refund that is pending; None: there is none."""
    charge = order.effects.get(CHARGE)
    pending = [refund for refund in order.refunds or () if refund.status is RefundStatus.PENDING]
    if charge is None or not pending:
        return None
    return Refund(
        key=key_of(order, pending[0].id),
        order_id=order.id,
        charge_key=order.key(CHARGE),
        charge_id=charge.reference,
        amount=pending[0].amount,
        currency=order.currency,
        charge_known=True,
        tried_at=pending[0].asked_at,
        repeat=True,
        part=True,
    )


def settled(order: Order, call: Refund, answer: Answer, now: int, settings: OrderSettings) -> Outcome | None:
    """What follows from the provider's answer; None: the refund is not pending any more."""
    refund = next((it for it in order.refunds or () if key_of(order, it.id) == call.key), None)
    if refund is None or refund.status is not RefundStatus.PENDING:
        return None
    if isinstance(answer, Refunded):
        return done(order, refund, answer.reference, now)
    message = answer.message if isinstance(answer, Refused) else None
    refused = msgspec.structs.replace(refund, status=RefundStatus.REFUSED, error_message=message)
    told = alert_mails(order.id, Alert.REFUND_FAILED, now, settings)
    return Outcome(_with(order, refund, refused, now), mails=told)


def done(order: Order, refund: PartRefund, reference: str | None, now: int) -> Outcome:
    made = msgspec.structs.replace(refund, status=RefundStatus.DONE, reference=reference)
    return Outcome(_with(order, refund, made, now), entries=(entry(order, made, EntryKind.REFUND, now),))


def came_back(order: Order, refund: PartRefund, now: int, settings: OrderSettings) -> Outcome:
    """A refund in part that was done has failed later. It is owed again, and operators are told."""
    failed = msgspec.structs.replace(refund, status=RefundStatus.FAILED)
    told = alert_mails(order.id, Alert.REFUND_FAILED, now, settings)
    booked = entry(order, refund, EntryKind.REFUND_FAILED, now)
    return Outcome(_with(order, refund, failed, now), entries=(booked,), mails=told)


def whole_came_back(order: Order, booked: LedgerEntry, now: int, settings: OrderSettings) -> Outcome:
    """The refund of all that was left, which was ``booked``, has failed later. It is owed again, and operators are
    told. The next try has a key of its own.
    """
    refund = order.effects[REFUND]
    again = Effect(refund.tried_at, attempt=refund.attempt + 1)
    after = msgspec.structs.replace(
        order, effects={**order.effects, REFUND: again}, updated_at=now, version=order.version + 1
    )
    undone = msgspec.structs.replace(booked, kind=EntryKind.REFUND_FAILED, at=now)
    return Outcome(after, entries=(undone,), mails=alert_mails(order.id, Alert.REFUND_FAILED, now, settings))


def made_elsewhere(order: Order, reference: str, amount: int, now: int) -> Outcome:
    """Somebody has given ``amount`` minor units back in the provider's own pages."""
    refund = PartRefund(reference, amount, now, RefundStatus.DONE, reference=reference, elsewhere=True)
    after = _written(order, now, (*(order.refunds or ()), refund))
    return Outcome(after, entries=(entry(order, refund, EntryKind.REFUND, now),))


def entry(order: Order, refund: PartRefund, kind: EntryKind, now: int) -> LedgerEntry:
    return LedgerEntry(order.id, kind, key_of(order, refund.id), refund.amount, order.currency, now, refund.reference)


def key_of(order: Order, refund_id: str) -> str:
    """The idempotency key of a refund in part."""
    return f"{order.id}/{REFUND}/{refund_id}"


def by_id(order: Order, refund_id: str) -> PartRefund | None:
    return next((refund for refund in order.refunds or () if refund.id == refund_id), None)


def _with(order: Order, before: PartRefund, after: PartRefund, now: int) -> Order:
    return _written(order, now, tuple(after if it is before else it for it in order.refunds or ()))


def _written(order: Order, now: int, refunds: tuple[PartRefund, ...]) -> Order:
    return msgspec.structs.replace(order, refunds=refunds, updated_at=now, version=order.version + 1)
