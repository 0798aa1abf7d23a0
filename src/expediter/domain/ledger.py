"""The ledger: every movement of money, written once and never altered.

A movement is known by its kind and its key (``{order id}/charge``, ``{order id}/refund``,
``{order id}/refund/{refund}``, ``{order id}/dispute/{dispute}``); the same entry twice is one entry.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class EntryKind(StrEnum):
    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    """A refund that was booked came back."""
    DISPUTE = "dispute"
    """The provider took the money because the customer's bank disputes the payment."""
    DISPUTE_WON = "dispute_won"
    """The provider gave the money of a dispute back."""


#: The kinds whose money comes to us; that of the others goes.
_COMES = frozenset({EntryKind.CHARGE, EntryKind.REFUND_FAILED, EntryKind.DISPUTE_WON})


def signed(kind: EntryKind, amount: int) -> int:
    """The amount with the sign that a movement of this kind has for us."""
    return amount if kind in _COMES else -amount


class LedgerEntry(msgspec.Struct, frozen=True, gc=False):
    """A movement of the order's money: ``amount`` minor units of ``currency``.

    ``reference`` is the payment provider's own id for it, ``at`` milliseconds since 1970 UTC.
    """

    order_id: str
    kind: EntryKind
    key: str
    amount: int
    currency: str
    at: int
    reference: str | None = None

    @property
    def signed(self) -> int:
        """Minor units that stay with us: positive for a charge, negative for a refund."""
        return signed(self.kind, self.amount)


def balance(entries: Iterable[LedgerEntry]) -> int:
    """What we hold for these entries (of one currency) in minor units."""
    return sum(entry.signed for entry in entries)
