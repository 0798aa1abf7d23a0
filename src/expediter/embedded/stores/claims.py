"""The ids that are taken, on SQLite. Each id has a small number, which is the key of all other tables."""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from expediter.app.ports import Claim
from expediter.domain.errors import IdempotencyKeyReused
from expediter.embedded.sqlite.session import Change, Mapper, Session, Statements, Writes

_SQL = Statements("orders")
_CLAIM, _CLAIMED, _LAST = _SQL["claim"], _SQL["claimed"], _SQL["last_claim"]


class Taken(msgspec.Struct, frozen=True, gc=False):
    """An id, its number, and the fingerprint of the claim that took it."""

    no: int
    id: str
    fingerprint: str


class SqliteClaims:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows = session.table(_TABLE)

    def claim(self, claim: Claim) -> bool:
        taken = self._rows[claim.order_id]
        if taken is None:
            self._take(claim.order_id, claim.fingerprint)
        elif taken.fingerprint != claim.fingerprint:
            raise IdempotencyKeyReused
        return taken is None

    def taken(self, order_id: str) -> bool:
        return self._rows[order_id] is not None

    def unclaimed(self, id: str) -> None:
        """The caller has just made this id: no claim in the file has it."""
        self._rows.mark_absent(id)

    def take(self, id: str, fingerprint: str) -> tuple[Taken, bool]:
        """The claim of the id, and whether this call took it."""
        taken = self._rows[id]
        return (self._take(id, fingerprint), True) if taken is None else (taken, False)

    def _take(self, id: str, fingerprint: str) -> Taken:
        taken = Taken(self._rows.next_number(), id, fingerprint)
        self._rows.put(id, None, taken)
        return taken

    def number(self, id: str) -> int | None:
        """The number of the id; None when the id is free."""
        taken = self._rows[id]
        return None if taken is None else taken.no


def _read(session: Session, id: str) -> Taken | None:
    row = session.row(_CLAIMED, (id,))
    return Taken(row[0], id, row[1]) if row else None


def _write(changes: Sequence[Change[Taken]]) -> Writes:
    return ((_CLAIM, [(taken.no, taken.id, taken.fingerprint) for _, taken in changes if taken]),)


_id, _no = attrgetter("id"), attrgetter("no")


def _keep(taken: Taken) -> Taken:
    return taken


#: An order's row has its id as the key, an execution's row the number of the id.
_TABLE = Mapper("claim", _read, _write, _keep, immutable=True, children={"orders": _id, "execution": _no}, last=_LAST)
