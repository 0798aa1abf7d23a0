"""What the provider says of a charge: its refunds and its disputes, whoever made them. All that differs from what the
order says is taken in, one difference after the other.

Nothing follows from what the provider does not list: its list may be older than our last call.
"""

from collections.abc import Iterator

import msgspec

from expediter.app.mails import alert_mails
from expediter.app.payments import refunds as parts
from expediter.app.ports import Outcome, Work
from expediter.app.tasks.calls import StatedRefund, Statement
from expediter.domain.alert import Alert
from expediter.domain.errors import PaymentUnavailable
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import CHARGE, DONE, REFUND, UNKNOWN, Order
from expediter.domain.refunds import Dispute, PartRefund, RefundStatus


def take_statement(work: Work, statement: Statement) -> bool:
    """Takes in what the provider says; False when it is about no charge of ours.

    Raises PaymentUnavailable while the charge itself is not settled here: then it has to come again. Raises
    OrderChanged.
    """
    order = work.orders.find(statement.order_id) if statement.order_id else None
    if order is None or order.result(CHARGE) not in (DONE, UNKNOWN):
        return False
    if order.result(CHARGE) is UNKNOWN:
        raise PaymentUnavailable("The charge is not settled here yet, so its refunds and disputes have to wait.")
    while (outcome := next(_differences(work, order, statement), None)) is not None:
        work.orders.apply(order, outcome)
        order = outcome.order
    return True


def _differences(work: Work, order: Order, statement: Statement) -> Iterator[Outcome]:
    for stated in statement.refunds:
        if stated.currency == order.currency and (outcome := _refund(work, order, stated)):
            yield outcome
    for stated_dispute in statement.disputes:
        dispute = msgspec.structs.replace(stated_dispute, at=work.now)
        if (outcome := _dispute(work, order, dispute)) is not None:
            yield outcome


# ── refunds ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _refund(work: Work, order: Order, stated: StatedRefund) -> Outcome | None:
    part = _part(order, stated)
    if part is not None:
        return _of_part(work, order, part, stated)
    if stated.key is not None and stated.key.startswith(f"{order.id}/{REFUND}"):
        return _of_whole(work, order, stated)
    if order.result(REFUND) is DONE and order.effects[REFUND].reference == stated.reference:
        return _of_whole(work, order, stated)
    return parts.made_elsewhere(order, stated.reference, stated.amount, work.now) if stated.made else None


def _part(order: Order, stated: StatedRefund) -> PartRefund | None:
    """The refund in part that this is: ours by its key, another by the provider's id."""
    return next(
        (it for it in order.refunds or () if stated.key == parts.key_of(order, it.id) or it.id == stated.reference),
        None,
    )


def _of_part(work: Work, order: Order, part: PartRefund, stated: StatedRefund) -> Outcome | None:
    """What differs. A refund that failed is the one that was booked: its id says so, because a provider may have
    several under one key.
    """
    if part.status is RefundStatus.PENDING and stated.made:
        return parts.done(order, part, stated.reference, work.now)
    if part.status is RefundStatus.DONE and not stated.made and part.reference == stated.reference:
        return parts.came_back(order, part, work.now, work.settings)
    return None


def _of_whole(work: Work, order: Order, stated: StatedRefund) -> Outcome | None:
    refund = order.effects.get(REFUND)
    if stated.made or refund is None or refund.result is not DONE or refund.reference != stated.reference:
        return None
    booked = next((it for it in work.orders.entries(order.id) if _is_refund(it, order)), None)
    return None if booked is None else parts.whole_came_back(order, booked, work.now, work.settings)


def _is_refund(entry: LedgerEntry, order: Order) -> bool:
    return entry.kind is EntryKind.REFUND and entry.key == order.key(REFUND)


# ── disputes ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _dispute(work: Work, order: Order, stated: Dispute) -> Outcome | None:
    """What differs. The money comes back only when the dispute is closed: an older list may say that it is ours."""
    known = next((it for it in order.disputes or () if it.id == stated.id), None)
    if known is None:
        beyond = order.result(REFUND) is DONE
        opened = msgspec.structs.replace(stated, beyond=beyond)
        booked = (_entry(order, opened, EntryKind.DISPUTE, work.now),) if opened.withdrawn else ()
        told = alert_mails(order.id, Alert.DISPUTED, work.now, work.settings)
        return Outcome(_written(order, work.now, (*(order.disputes or ()), opened)), entries=booked, mails=told)
    if known.closed:
        return None
    withdrawn = stated.withdrawn if stated.closed else stated.withdrawn or known.withdrawn
    after = msgspec.structs.replace(known, status=stated.status, withdrawn=withdrawn, closed=stated.closed)
    if after == known:
        return None
    entries: tuple[LedgerEntry, ...] = ()
    if after.withdrawn is not known.withdrawn:
        kind = EntryKind.DISPUTE if after.withdrawn else EntryKind.DISPUTE_WON
        entries = (_entry(order, known, kind, work.now),)
    disputes = tuple(after if it is known else it for it in order.disputes or ())
    return Outcome(_written(order, work.now, disputes), entries=entries)


def _entry(order: Order, dispute: Dispute, kind: EntryKind, now: int) -> LedgerEntry:
    key = f"{order.id}/dispute/{dispute.id}"
    return LedgerEntry(order.id, kind, key, dispute.amount, order.currency, now, dispute.id)


def _written(order: Order, now: int, disputes: tuple[Dispute, ...]) -> Order:
    return msgspec.structs.replace(order, disputes=disputes, updated_at=now, version=order.version + 1)
