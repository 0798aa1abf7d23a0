"""Executions on SQLite: the value of the state machine, the events that it took in, and when it is due."""

from collections.abc import Sequence

import msgspec

from expediter.asl import Execution, Machine, parse
from expediter.asl.protocol import AnyEvent
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.engine.ports import NEVER, StoredExecution
from expediter.embedded.sqlite.session import Change, Mapper, Session, Statements, Value, Writes, one
from expediter.embedded.stores.claims import SqliteClaims

_SQL = Statements("workflows")
_LOAD, _START, _ADVANCE, _ADVANCE_DUE = _SQL["load"], _SQL["start"], _SQL["advance"], _SQL["advance_due"]
_decode_state = msgspec.json.Decoder(Execution).decode
_decode_event: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


class SqliteExecutions:
    """The port ``ExecutionStore``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._claims = SqliteClaims(session)
        self._rows = session.table(_TABLE)

    def create(self, name: str, definition: int) -> StoredExecution | None:
        no = self._claims.number(name)
        if no is None:
            raise StoreUnavailable(f"No execution can start under an id that is not claimed: {name}")
        return StoredExecution(no, name, definition, Execution()) if self._rows[no] is None else None

    def find(self, name: str) -> StoredExecution | None:
        no = self._claims.number(name)
        return None if no is None else self._rows[no]

    def load(self, no: int) -> StoredExecution | None:
        return self._rows[no]

    def store(
        self, before: StoredExecution, execution: Execution, events: Sequence[AnyEvent], due: int | None, busy: int
    ) -> StoredExecution:
        log = _encode_lines(events)
        found = self._rows[before.no]  # its log may have been written since ``before`` was loaded
        if found is not None:
            log = found.log + log
        after = StoredExecution(before.no, before.name, before.definition, execution, due, busy, log)
        self._rows.put(before.no, found, after)
        return after

    def due(self, now: int, limit: int) -> list[int]:
        return [int(no) for (no,) in self._session.rows(_SQL["due"], (now, limit))]

    def next_due(self, now: int) -> int:
        (at,) = one(self._session, _SQL["next_due"], (now,))
        return int(at or NEVER)

    def busy(self) -> list[int]:
        return [int(no) for (no,) in self._session.rows(_SQL["busy"])]

    def history(self, name: str) -> tuple[Machine, list[AnyEvent]] | None:
        row = self._session.row(_SQL["history"], (name,))
        return (parse(msgspec.json.decode(row[0]), accepted=True), decoded(row[1])) if row else None

    def running(self) -> int:
        """How many executions have not ended."""
        (count,) = one(self._session, _SQL["running"])
        return int(count)


def decoded(history: str) -> list[AnyEvent]:
    """The events in a stored history."""
    return _decode_event.decode_lines(history)


def _read(session: Session, no: int) -> StoredExecution | None:
    row = session.row(_LOAD, (no,))
    if row is None:
        return None
    name, definition, state, due, busy = row
    return StoredExecution(no, name, definition, _decode_state(state), due, busy)


def _write(changes: Sequence[Change[StoredExecution]]) -> Writes:
    started: list[tuple[Value, ...]] = []
    advanced: list[tuple[Value, ...]] = []
    advanced_due: list[tuple[Value, ...]] = []
    for before, stored in changes:
        if stored is None:
            continue  # an execution's row is never deleted through the cache
        values = (stored.no, stored.execution.status, stored.busy, _encode(stored.execution))
        if before is None:
            started.append((*values, stored.log, stored.definition, stored.due))
            continue
        log = stored.log[len(before.log) :]  # the row has the events before
        if before.due == stored.due:
            advanced.append((*values, log))
        else:
            advanced_due.append((*values, log, stored.due))
    return (_START, started), (_ADVANCE, advanced), (_ADVANCE_DUE, advanced_due)


def _keep(stored: StoredExecution) -> StoredExecution | None:
    """An execution that ended is not kept. The log of the others is written."""
    return None if stored.due is None else msgspec.structs.replace(stored, log=b"")


_TABLE = Mapper("execution", _read, _write, _keep)
