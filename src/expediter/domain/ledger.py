"""The ledger: every movement of money, written once and never altered.

A movement is known by its key (``{order id}/charge``, ``{order id}/refund``); the same entry twice is one entry.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class EntryKind(StrEnum):
    CHARGE = "charge"
    REFUND = "refund"


class LedgerEntry(msgspec.Struct, frozen=True, gc=False):
    """Money taken from (charge) or given back to (refund) the customer: ``amount`` minor units of ``currency``.

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
        return self.amount if self.kind is EntryKind.CHARGE else -self.amount


def balance(entries: Iterable[LedgerEntry]) -> int:
    """What we hold for these entries (of one currency) in minor units."""
    return sum(entry.signed for entry in entries)
