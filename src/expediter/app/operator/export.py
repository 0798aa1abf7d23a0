"""An ended order in an export file: one JSON object a line."""

import msgspec

from expediter.domain.ledger import LedgerEntry
from expediter.domain.order import Order


class ExportedOrder(msgspec.Struct, frozen=True):
    """An ended order (it may be deleted), its ledger entries, and the fingerprint of its claim."""

    order: Order
    entries: tuple[LedgerEntry, ...]
    fingerprint: str


class StillBusy(Exception):
    """Orders are under way or wait on the queue. Accept no more orders, let these end, and export again."""


encode = msgspec.json.Encoder().encode
#: Raises msgspec.DecodeError for a line that is not an exported order.
decode = msgspec.json.Decoder(ExportedOrder).decode
