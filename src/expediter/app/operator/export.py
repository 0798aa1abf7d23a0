"""Moving house: an order as it is carried from one home to another, one JSON object a line."""

import msgspec

from expediter.domain.ledger import Entry
from expediter.domain.order import Order


class Belongings(msgspec.Struct, frozen=True):
    """An ended order (deleted ones too), what its ledger holds, and what its id stands for (``Claim.fingerprint``)."""

    order: Order
    entries: tuple[Entry, ...]
    fingerprint: str


class StillBusy(Exception):
    """Orders are under way here, or wait: they end where they began. Take no more in, let these end, and come again."""


encode = msgspec.json.Encoder().encode
#: Raises msgspec.DecodeError for a line that is none.
decode = msgspec.json.Decoder(Belongings).decode
