"""The definitions that executions are pinned to, on SQLite: each once, known by the hash of its canonical JSON."""

import msgspec

from expediter.asl.protocol import Json
from expediter.embedded.engine.ports import LiveDefinition, Routing
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

    def routing(self, configured: int) -> Routing:
        row = self._session.row(_SQL["routing"], (configured,))
        if row is None:
            return Routing(configured)
        first, percent, second = row
        return Routing(int(first), int(percent), None if second is None else int(second))

    def route(self, configured: int, routing: Routing) -> None:
        self._session.rows(_SQL["route"], (configured, *routing))

    def undo_routing(self) -> bool:
        undone = bool(self._session.rows(_SQL["undo_routing"]))
        if undone:
            self._session.rows(_SQL["keep_routing"])
        return undone

    def end_routing(self, configured: int) -> None:
        self._session.rows(_SQL["end_routing"], (configured,))

    def live(self) -> list[LiveDefinition]:
        rows = self._session.rows(_SQL["live_definitions"])
        return [LiveDefinition(int(no), msgspec.json.decode(body), int(count)) for no, body, count in rows]
