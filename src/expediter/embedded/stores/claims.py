"""The ids that are taken, on SQLite; each stands for one small number, which every other table hangs on."""

from collections.abc import Sequence

import msgspec

from expediter.app.ports import Claim
from expediter.domain.errors import IdempotencyKeyReused
from expediter.embedded.sqlite.database import Rows, Session, Statements

_SQL = Statements("orders")
_CLAIM, _CLAIMED, _LAST = _SQL["claim"], _SQL["claimed"], _SQL["last_claim"]


class Taken(msgspec.Struct, frozen=True, gc=False):
    """An id, its number, and the fingerprint of what took it."""

    no: int
    id: str
    fingerprint: str


class SqliteClaims:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: Rows[str, Taken] = session.table("claim", self._read, self._write, _filed)

    def claim(self, claim: Claim) -> bool:
        taken = self._rows.get(claim.order_id)
        if taken is None:
            self._take(claim.order_id, claim.fingerprint)
        elif taken.fingerprint != claim.fingerprint:
            raise IdempotencyKeyReused
        return taken is None

    def unclaimed(self, id: str) -> None:
        """The caller has just made this id: no claim in the file has it."""
        self._session.absent("claim", id)

    def take(self, id: str, fingerprint: str) -> tuple[Taken, bool]:
        """Who has the id, and whether it was taken just now."""
        taken = self._rows.get(id)
        return (self._take(id, fingerprint), True) if taken is None else (taken, False)

    def _take(self, id: str, fingerprint: str) -> Taken:
        taken = Taken(self._session.number(_LAST), id, fingerprint)
        self._rows.put(id, taken)
        self._session.absent("orders", id)
        self._session.absent("execution", taken.no)
        return taken

    def number(self, id: str) -> int | None:
        """The number that the id stands for; None when nobody took it."""
        taken = self._rows.get(id)
        return None if taken is None else taken.no

    def _read(self, id: str) -> Taken | None:
        # A claim is never changed, and those that COMMIT writes are in memory.
        row = self._session.glance(_CLAIMED, (id,))
        return Taken(row[0], id, row[1]) if row else None

    def _write(self, rows: Sequence[Taken]) -> None:
        self._session.many(_CLAIM, [(taken.no, taken.id, taken.fingerprint) for taken in rows])


def _filed(taken: Taken) -> Taken:
    return taken
