"""Orders, their money and mails, dead letters and the audit as REST shows them.

Times are ISO 8601 in UTC with milliseconds.
"""

import msgspec

from expediter.app.instants import instant
from expediter.app.operator.services import AuditEntry, Posted
from expediter.app.orders import shows_payment
from expediter.app.ports import Caller, DeadLetter
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Item, Order, Status
from expediter.domain.refunds import Dispute, PartRefund, RefundStatus


class PaymentView(msgspec.Struct, frozen=True):
    """What the customer does to go on with a pending payment; both None: nothing, a bank has to."""

    status: str
    client_secret: str | None
    redirect_url: str | None


class OrderView(msgspec.Struct, frozen=True):
    """An order as REST shows it; ``total`` and prices in minor units of ``currency``.

    ``payment``: while it is pending, for those to whom it is shown.
    """

    id: str
    user_id: str
    restaurant_id: str
    name: str | None
    quantity: int
    items: tuple[Item, ...]
    total: int
    currency: str
    order_status: Status
    error_message: str | None
    created_at: str
    updated_at: str
    metadata: dict[str, str]
    payment: PaymentView | msgspec.UnsetType = msgspec.UNSET


class EntryView(msgspec.Struct, frozen=True):
    """A movement of an order's money: ``amount`` in minor units of ``currency``, ``reference`` the provider's id."""

    order_id: str
    kind: EntryKind
    key: str
    amount: int
    currency: str
    at: str
    reference: str | None


class RefundView(msgspec.Struct, frozen=True):
    """A refund in part: ``amount`` in minor units of ``currency``. ``elsewhere``: it was made in the provider's own
    pages. ``reference``: the provider's id.
    """

    id: str
    order_id: str
    amount: int
    currency: str
    status: RefundStatus
    reason: str | None
    error_message: str | None
    elsewhere: bool
    reference: str | None
    asked_at: str


class DisputeView(msgspec.Struct, frozen=True):
    """A dispute about the payment, in the provider's words. ``withdrawn``: the provider has taken the money."""

    id: str
    amount: int
    currency: str
    status: str
    reason: str
    withdrawn: bool
    at: str


class MailView(msgspec.Struct, frozen=True):
    """A mail about an order. ``next_at``: when it is tried (again); None: sent, given up, or kept here only.

    ``status``: what it is about; ``problem``: what the mail server said to the last try.
    """

    order_id: str
    status: str
    recipient: str
    subject: str
    text: str
    at: str
    tries: int
    next_at: str | None
    sent_at: str | None
    problem: str | None
    given_up_at: str | None


class AuditView(msgspec.Struct, frozen=True):
    """Something an operator did; ``no`` is its number in the audit."""

    at: str
    who: str
    kind: str
    subject: str
    detail: str
    via: str
    address: str
    no: int


class LetterView(msgspec.Struct, frozen=True):
    """A dead letter; bytes of its body that are no UTF-8 as ``\\xNN``."""

    id: str
    reason: str
    body: str
    attributes: dict[str, str]
    receive_count: int
    sent_at: str
    died_at: str


def order_view(order: Order, caller: Caller | None = None) -> OrderView:
    """``caller``: who sees it; None: nobody to whom a payment is shown."""
    return OrderView(
        id=order.id,
        user_id=order.user_id,
        restaurant_id=order.restaurant_id,
        name=order.name,
        quantity=order.quantity,
        items=order.items,
        total=order.total,
        currency=order.currency,
        order_status=order.status,
        error_message=order.error_message,
        created_at=instant(order.created_at),
        updated_at=instant(order.updated_at),
        metadata={} if order.metadata is msgspec.UNSET else order.metadata,
        payment=_payment(order) if caller and shows_payment(order, caller) else msgspec.UNSET,
    )


def _payment(order: Order) -> PaymentView | msgspec.UnsetType:
    awaited = order.awaited_payment
    if awaited is msgspec.UNSET:
        return msgspec.UNSET
    return PaymentView("pending", awaited.client_secret, awaited.redirect_url)


def letter_view(letter: DeadLetter) -> LetterView:
    return LetterView(
        id=letter.id,
        reason=letter.reason,
        body=letter.body.decode("utf-8", "backslashreplace"),
        attributes=letter.attributes,
        receive_count=letter.receive_count,
        sent_at=instant(letter.sent_at),
        died_at=instant(letter.died_at),
    )


def entry_view(entry: LedgerEntry) -> EntryView:
    return EntryView(
        order_id=entry.order_id,
        kind=entry.kind,
        key=entry.key,
        amount=entry.amount,
        currency=entry.currency,
        at=instant(entry.at),
        reference=entry.reference,
    )


def refund_view(order: Order, refund: PartRefund) -> RefundView:
    return RefundView(
        id=refund.id,
        order_id=order.id,
        amount=refund.amount,
        currency=order.currency,
        status=refund.status,
        reason=refund.reason,
        error_message=refund.error_message,
        elsewhere=refund.elsewhere,
        reference=refund.reference,
        asked_at=instant(refund.asked_at),
    )


def dispute_view(order: Order, dispute: Dispute) -> DisputeView:
    return DisputeView(
        id=dispute.id,
        amount=dispute.amount,
        currency=order.currency,
        status=dispute.status,
        reason=dispute.reason,
        withdrawn=dispute.withdrawn,
        at=instant(dispute.at),
    )


def mail_view(posted: Posted) -> MailView:
    mail = posted.mail
    return MailView(
        order_id=mail.order_id,
        status=mail.status.value,
        recipient=mail.recipient,
        subject=mail.subject,
        text=mail.text,
        at=instant(posted.at),
        tries=posted.tries,
        next_at=_instant(posted.next_at),
        sent_at=_instant(posted.sent_at),
        problem=posted.problem,
        given_up_at=_instant(posted.given_up_at),
    )


def audit_view(entry: AuditEntry) -> AuditView:
    return AuditView(
        at=instant(entry.at),
        who=entry.who,
        kind=entry.kind,
        subject=entry.subject,
        detail=entry.detail,
        via=entry.via,
        address=entry.address,
        no=entry.no,
    )


def _instant(at: int | None) -> str | None:
    return None if at is None else instant(at)
