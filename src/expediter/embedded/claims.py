"""The ids that are taken, on SQLite."""

from expediter.app.ports import Claim
from expediter.domain.errors import IdempotencyKeyReused
from expediter.embedded.database import Session, Statements

_SQL = Statements("orders")
_CLAIM, _CLAIMED = _SQL["claim"], _SQL["claimed"]


class SqliteClaims:
    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, claim: Claim) -> bool:
        if self._session.row(_CLAIM, (claim.order_id, claim.fingerprint)):
            return True
        if self._session.one(_CLAIMED, (claim.order_id,))[1] != claim.fingerprint:
            raise IdempotencyKeyReused
        return False
