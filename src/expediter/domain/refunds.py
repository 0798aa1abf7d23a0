"""What goes back of a captured payment beside the refund of a whole order: refunds in part, refunds that somebody made
in the payment provider's own pages, and disputes.

Rules:
 - never more goes back than was captured; a refund that is under way counts;
 - the ledger gets an entry when a movement is confirmed, and an entry against it when it is undone;
 - all functions may be called again with the same facts: the second time changes nothing.
"""

from enum import StrEnum

import msgspec


class RefundStatus(StrEnum):
    PENDING = "pending"
    """It was asked for, and the provider has not answered."""
    DONE = "done"
    """The money is back, or on its way."""
    REFUSED = "refused"
    """The provider did not make it."""
    FAILED = "failed"
    """It was done, and came back later: the money is owed again."""


class PartRefund(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A refund of ``amount`` minor units, asked for at ``asked_at`` (ms since 1970 UTC).

    ``id``: of the request. ``reference``: the provider's id. ``elsewhere``: somebody made it in the provider's own
    pages, and its ``id`` is the provider's.
    """

    id: str
    amount: int
    asked_at: int
    status: RefundStatus = RefundStatus.PENDING
    reason: str | None = None
    reference: str | None = None
    elsewhere: bool = False
    error_message: str | None = None


class Dispute(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A customer's bank disputes ``amount`` minor units of the payment. ``id``, ``reason`` and ``status`` are the
    provider's. ``withdrawn``: the provider has taken the money from us. ``closed``: it is decided. ``beyond``: all of
    the payment had been given back before, so that this is money of our own.
    """

    id: str
    amount: int
    at: int
    reason: str
    status: str
    withdrawn: bool = False
    closed: bool = False
    beyond: bool = False


#: The refunds that take from what may still go back.
_TAKING = frozenset({RefundStatus.PENDING, RefundStatus.DONE})


def sum_going_back(refunds: tuple[PartRefund, ...], disputes: tuple[Dispute, ...]) -> int:
    """Minor units of the payment that went back, may go back, or were taken."""
    return _sum(refunds, _TAKING) + _taken(disputes, beyond=False)


def sum_gone(refunds: tuple[PartRefund, ...], disputes: tuple[Dispute, ...]) -> int:
    """As ``sum_going_back``, without what is under way."""
    return _sum(refunds, frozenset({RefundStatus.DONE})) + _taken(disputes, beyond=False)


def sum_beyond(disputes: tuple[Dispute, ...]) -> int:
    """Minor units of our own money that disputes took."""
    return _taken(disputes, beyond=True)


def _sum(refunds: tuple[PartRefund, ...], statuses: frozenset[RefundStatus]) -> int:
    return sum(refund.amount for refund in refunds if refund.status in statuses)


def _taken(disputes: tuple[Dispute, ...], *, beyond: bool) -> int:
    return sum(dispute.amount for dispute in disputes if dispute.withdrawn and dispute.beyond is beyond)
