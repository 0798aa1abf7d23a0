"""The ids that are taken, on SQLite."""

import apsw

from expediter.app.ports import Claim
from expediter.domain.errors import IdempotencyKeyReused
from expediter.embedded.database import Statements

_SQL = Statements("orders")
_CLAIM, _CLAIMED = _SQL["claim"], _SQL["claimed"]


class SqliteClaims:
    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute

    def claim(self, claim: Claim) -> bool:
        if self._execute(_CLAIM, (claim.order_id, claim.fingerprint)).fetchone():
            return True
        if self._execute(_CLAIMED, (claim.order_id,)).fetchone()[1] != claim.fingerprint:
            raise IdempotencyKeyReused
        return False
