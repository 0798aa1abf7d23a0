"""The definitions that executions are pinned to, on SQLite: each once, known by the hash of its canonical JSON."""

import msgspec

from expediter.asl.protocol import Json
from expediter.embedded.engine.ports import LiveDefinition
from expediter.embedded.sqlite.session import Session, Statements, one

_SQL = Statements("workflows")


class SqliteDefinitions:
    """The port ``DefinitionStore``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pin(self, digest: str, body: Json, now: int) -> int:
        self._session.rows(_SQL["pin"], (digest, msgspec.json.encode(body).decode(), now))
        (no,) = one(self._session, _SQL["pinned"], (digest,))
        return int(no)

    def definition(self, no: int) -> Json:
        (body,) = one(self._session, _SQL["definition"], (no,))
        return msgspec.json.decode(body)

    def live(self) -> list[LiveDefinition]:
        rows = self._session.rows(_SQL["live_definitions"])
        return [LiveDefinition(int(no), msgspec.json.decode(body), int(count)) for no, body, count in rows]
